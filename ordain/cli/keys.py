"""`ordain keys`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from ordain.cli.session import now, open_session

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def command() -> None:
    """Make, list and revoke keys that may call routes.

    Only the hash of a key is kept; the key itself is shown once, when it is made. A change takes
    effect with the next reconcile.
    """


@command.command()
@click.option(
    "--route", "routes", multiple=True, required=True, help="Route that it may call; repeat."
)
@click.pass_obj
def create(directory: Path, routes: tuple[str, ...]) -> None:
    """Make a key and show it once."""
    from ordain.ledger.records import Event
    from ordain.reconciler.routing_keys import make_key

    with open_session(directory) as session:
        moment = now()
        known = session.source.declared_names("Route")
        secret, key = make_key(routes, known, secrets.token_bytes(32), moment)
        session.state.add_routing_key(key)
        data = {"routes": list(routes)}
        session.ledger.record(Event(moment, "local", "key.created", key.id, data))
    click.echo(secret)
    click.echo(
        f"Key {key.id} for {', '.join(routes)}: shown this once, only its hash is kept.", err=True
    )
    click.echo("Next: ordain reconcile --once, then send it as the header X-API-Key", err=True)


@command.command("list")
@click.pass_obj
def list_keys(directory: Path) -> None:
    """List the keys."""
    with open_session(directory) as session:
        for key in session.state.routing_keys():
            state = f"revoked {key.revoked[:19]}" if key.revoked else "in force"
            click.echo(f"{key.id}  {state:<28}  {', '.join(key.routes)}")
    click.echo("Next: ordain keys create --route ROUTE, or ordain keys revoke ID")


@command.command()
@click.argument("identifier")
@click.pass_obj
def revoke(directory: Path, identifier: str) -> None:
    """Revoke a key."""
    from ordain.ledger.records import Event
    from ordain.reconciler.errors import UnknownKey

    with open_session(directory) as session:
        moment = now()
        if not session.state.revoke_routing_key(identifier, moment):
            message = f"there is no key {identifier!r} in force"
            raise UnknownKey(message, remedy="see: ordain keys list")
        session.ledger.record(Event(moment, "local", "key.revoked", identifier, {}))
    click.echo(f"Revoked {identifier}.\nNext: ordain reconcile --once")
