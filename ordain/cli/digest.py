"""`ordain digest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("objects", nargs=-1, required=True)
@click.pass_obj
def command(directory: Path, objects: tuple[str, ...]) -> None:
    """Print the digest of what a document declares.

    OBJECTS are written KIND/NAME, such as Model/credit-default. A Waiver names the digest of its
    object, so that it accepts what was looked at and nothing that comes later. Comments, order and
    defaults that are written out change nothing in it.
    """
    from difflib import get_close_matches

    from ordain.specs.estates import load_estate
    from ordain.specs.plain import spec_digest
    from ordain.specs.trees import WorkTree, find_root

    estate = load_estate(WorkTree(find_root(directory)))
    for key in objects:
        document = estate.documents.get(key)
        if document is None:
            close = get_close_matches(key, estate.documents, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"there is no document {key!r} that can be read{hint}")
        click.echo(f"{key} {spec_digest(document.spec)}")
    click.echo("Next: ordain check")
