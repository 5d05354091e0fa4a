"""`ordain explain`."""

from __future__ import annotations

import click


@click.command()
@click.argument("subject")
def command(subject: str) -> None:
    """Explain a code or a field.

    SUBJECT is the code of a finding or error, such as SPEC104, or a field, such as Model.spec.tier.
    """
    from ordain.specs.explanations import explain

    click.echo(explain(subject))
