"""`ordain stop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ordain.cli.acting import PERSON, REASON, break_glass, tell_acted
from ordain.cli.options import key_option
from ordain.cli.session import open_session

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("route")
@PERSON
@REASON
@key_option
@click.pass_obj
def command(directory: Path, route: str, person: str, reason: str, key: Path | None) -> None:
    """Stop a route in an emergency.

    ROUTE answers with the fallback that it declares, or with 503, from now on; other routes go on.
    One manager is enough, and neither a forge nor a remote has to be up. Somebody else has to
    approve it within 24 hours.
    """
    from ordain.reconciler.break_glass import Order
    from ordain.reconciler.review import Reviewer
    from ordain.vcs.emergencies import STOP, branch_of

    with open_session(directory) as session:
        order = Order(STOP, route, reason, Reviewer(person, key))
        acted = break_glass(session).act(order)
    tell_acted(acted, f"Stopped the route {route}")
    click.echo(f"Next: ordain approve {branch_of(acted.emergency.id)} --as PERSON")
