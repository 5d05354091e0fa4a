"""`ordain approve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ordain.cli.options import key_option
from ordain.cli.session import now, open_session
from ordain.specs.diagnostics import shown

if TYPE_CHECKING:
    from ordain.cli.session import Session
    from ordain.reconciler.review import Reviewer
    from ordain.vcs.approvals import Approval

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("identifier")
@click.option("--as", "person", required=True, help="Who you are, by the name in the Organization.")
@click.option(
    "--role",
    type=click.Choice(("manager", "cto", "compliance-manager")),
    help="In which of your roles; by default the one that is still missing.",
)
@key_option
@click.option(
    "--statement",
    type=_FILE,
    help="Write the bytes to be signed to this file, to sign them on another machine.",
)
@click.option(
    "--signature",
    type=_FILE,
    help="Take the signature of the statement from this file (without .sig: the statement).",
)
@click.option("--signed", is_flag=True, help="Sign a statement although the forge takes reviews.")
@click.pass_obj
def command(
    directory: Path,
    identifier: str,
    person: str,
    role: str | None,
    key: Path | None,
    statement: Path | None,
    signature: Path | None,
    *,
    signed: bool,
) -> None:
    """Approve the content of a proposal, signed with your key.

    Exactly this content: whatever is added afterwards needs another approval.
    `ordain proposals approve` is the same command.
    """
    from ordain.reconciler.review import Reviewer

    if key is not None and (statement is not None or signature is not None):
        raise click.UsageError("--key signs here; --statement and --signature are for elsewhere")
    elsewhere = statement is not None or signature is not None
    by = Reviewer(person, key, role, insist=signed or elsewhere)
    with open_session(directory) as session:
        if identifier == session.source.settings.protected_branch:
            following = "ordain reconcile --once"  # It is merged already; the next pass asks again.
        else:
            following = f"ordain proposals merge {shown(identifier)} --as PERSON"
        if statement is not None and signature is None:
            _write(session, identifier, by, statement)
            return
        if signature is None:
            approval = _approve(session, identifier, by)
        else:
            approval = _take(session, identifier, by, statement, signature)
    who = f"{approval.person} approves {shown(identifier)} as {approval.role}"
    click.echo(f"{who} (key {approval.key}).")
    click.echo(f"Next: {following}")


def _approve(session: Session, identifier: str, by: Reviewer) -> Approval:
    from ordain.reconciler.review import approve

    good = session.state.get("good")
    return approve(session.source, session.ledger, identifier, by=by, now=now(), good=good)


def _write(session: Session, identifier: str, by: Reviewer, place: Path) -> None:
    """Write the statement, and say how to sign it."""
    from shlex import quote

    from ordain.cli.places import refuse_place
    from ordain.reconciler.statements import write_statement
    from ordain.specs.files import write_whole
    from ordain.vcs.signatures import APPROVAL

    refuse_place(place)
    good = session.state.get("good")
    text, role = write_statement(session.source, identifier, by=by, now=now(), good=good)
    write_whole(place, text)
    name = shown(quote(str(place)))
    click.echo(f"Wrote {name}: {by.person} approves {shown(identifier)} as {role}.")
    click.echo("Carry it to your key as it is, sign it there, and bring the signature back:")
    click.echo(f"  ssh-keygen -Y sign -n {APPROVAL} -f KEY {name}")
    back = f"--signature {shown(quote(f'{place}.sig'))}"
    click.echo(f"Next: ordain approve {shown(identifier)} --as {by.person} {back}")


def _take(
    session: Session, identifier: str, by: Reviewer, statement: Path | None, signature: Path
) -> Approval:
    """Take the signature back, with the bytes that it was made over."""
    from ordain.reconciler.statements import Signed, approve_signed

    if statement is None and signature.suffix != ".sig":
        raise click.UsageError(f"{signature} does not end with .sig; name the file of --statement")
    text = statement or signature.with_suffix("")
    signed = Signed(
        text.read_bytes(), signature.read_text(encoding="ascii", errors="replace"), str(signature)
    )
    good = session.state.get("good")
    return approve_signed(
        session.source, session.ledger, identifier, signed, by=by, now=now(), good=good
    )
