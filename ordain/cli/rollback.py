"""`ordain rollback`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ordain.cli.acting import PERSON, REASON, break_glass, tell_acted
from ordain.cli.options import key_option
from ordain.cli.session import open_session

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("deployment")
@click.option("--to", "version", type=click.IntRange(min=1), help="Version; by default the last.")
@PERSON
@REASON
@key_option
@click.pass_obj
def command(
    directory: Path,
    deployment: str,
    version: int | None,
    person: str,
    reason: str,
    key: Path | None,
) -> None:
    """Roll a deployment back in an emergency.

    Without --to DEPLOYMENT runs the version that ran before from now on. Only a version that was
    approved and is in the artifact store will do. One manager is enough; somebody else has to
    approve it within 24 hours.
    """
    from ordain.reconciler.break_glass import Order
    from ordain.reconciler.review import Reviewer
    from ordain.vcs.emergencies import ROLLBACK, branch_of

    with open_session(directory) as session:
        order = Order(ROLLBACK, deployment, reason, Reviewer(person, key), version)
        acted = break_glass(session).act(order)
    tell_acted(acted, f"Rolled {deployment} back to version {acted.emergency.statement.version}")
    click.echo(f"Next: ordain approve {branch_of(acted.emergency.id)} --as PERSON")
