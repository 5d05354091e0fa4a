"""What the commands of an emergency share: options, and how an act is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ordain.cli.session import now
from ordain.specs.diagnostics import shown

if TYPE_CHECKING:
    from ordain.cli.session import Session
    from ordain.reconciler.break_glass import Acted, BreakGlass

PERSON = click.option(
    "--as", "person", required=True, help="Who you are, by the name in the Organization."
)
REASON = click.option("--reason", required=True, help="Why it cannot wait; it is kept for ever.")


def break_glass(session: Session) -> BreakGlass:
    """An opened estate as people in an emergency find it."""
    from ordain.reconciler.break_glass import BreakGlass
    from ordain.reconciler.drivers import LocalDriver

    source = session.source
    return BreakGlass(source, session.state, session.ledger, LocalDriver(source.home, now), now)


def tell_acted(acted: Acted, done: str) -> None:
    """What is in force now, until when it has to be approved, and by which command."""
    one = acted.emergency
    click.secho(f"{done} ({one.id}).", bold=True)
    if acted.address:
        click.echo(f"In force in {acted.environment}, which serves on {acted.address}.")
    else:
        where = acted.environment or "any environment"
        click.echo(f"Nothing serves {where} from this machine now; the next pass begins with it.")
    for warning in acted.warnings:
        click.secho(f"warning: {shown(warning)}", fg="yellow", err=True)
    if one.approved is None:
        left = f"{one.deadline:%Y-%m-%d %H:%M} UTC"
        click.echo(f"Somebody else than {one.statement.person} has to approve it before {left}.")
