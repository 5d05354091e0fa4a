"""`ordain keys`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from ordain.cli.session import now, open_session

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.vcs.keys import AllowedKey


@click.group()
def command() -> None:
    """Keys that may call routes; people's keys as files.

    Of a key that calls routes only the hash is kept; the key itself is shown once, when it is made.
    A change takes effect with the next reconcile. Keys of people stand in the Organization.
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


_REV = click.option(
    "--rev", help="The commit whose Organization is read; by default the protected branch."
)


@command.command("allowed-signers")
@_REV
@click.pass_obj
def allowed(directory: Path, rev: str | None) -> None:
    """Print who may sign, as git and ssh-keygen read it."""
    from ordain.vcs.allowed_signers import allowed_signers

    click.echo(allowed_signers(_of_people(directory, rev)), nl=False)
    click.echo(
        "Next: save it, then git config gpg.ssh.allowedSignersFile FILE; see ordain keys revoked",
        err=True,
    )


@command.command()
@_REV
@click.pass_obj
def revoked(directory: Path, rev: str | None) -> None:
    """Print the keys of people that are revoked, as ssh-keygen -r reads them."""
    from ordain.vcs.allowed_signers import revoked_keys

    click.echo(revoked_keys(_of_people(directory, rev)), nl=False)
    click.echo("Next: save it, then git config gpg.ssh.revocationFile FILE", err=True)


def _of_people(directory: Path, rev: str | None) -> tuple[AllowedKey, ...]:
    """The keys of everybody in the Organization of a commit."""
    from ordain.reconciler.gating import read_side
    from ordain.reconciler.people import allowed_keys, organization_of

    with open_session(directory) as session:
        source = session.source
        commit = source.head() if rev is None else source.repository.resolve(rev)
        return allowed_keys(organization_of(read_side(source, commit).estate))
