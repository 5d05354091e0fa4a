"""`ordain proposals`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ordain.cli.approve import command as approve
from ordain.cli.options import key_option
from ordain.cli.session import now, open_session
from ordain.specs.diagnostics import shown

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.cli.session import Session
    from ordain.reconciler.review import Reviewed
    from ordain.vcs.forge import Proposal

_PERSON = click.option(
    "--as", "person", required=True, help="Who you are, by the name in the Organization."
)


@click.group()
def command() -> None:
    """List, show, approve and merge what the machine proposes.

    On plain git every branch that people push is a proposal too. The name of the protected branch
    stands for what is on it already and was refused.
    """


@command.command("list")
@click.pass_obj
def list_proposals(directory: Path) -> None:
    """List the open proposals, and whose approval each still needs."""
    with open_session(directory) as session:
        found = session.source.forge.proposals()
        for proposal in found:
            click.echo(
                f"{shown(proposal.id):<28} {shown(proposal.title)}  ({_state(session, proposal)})"
            )
        for line in session.source.forge.unreadable:
            click.echo(f"warning: {shown(line)}", err=True)
    if not found:
        click.echo("There is no open proposal.\nNext: ordain status")
        return
    click.echo(f"Next: ordain proposals show {shown(found[0].id)}")


@command.command()
@click.argument("identifier")
@click.pass_obj
def show(directory: Path, identifier: str) -> None:
    """Show one proposal: its evidence, its approvals, what is missing."""
    from ordain.cli.failures import finding_line
    from ordain.reconciler.review import review

    with open_session(directory) as session:
        reviewed = review(session.source, identifier, now(), good=session.state.get("good"))
    proposal = reviewed.proposal
    click.secho(f"{shown(proposal.id)}: {shown(proposal.title)}", bold=True)
    click.echo(f"branch {shown(proposal.branch)}, signed by {_signer(reviewed)}")
    change = reviewed.judged.change
    click.echo(f"change {'without a digest' if change.unnameable else change.digest}\n")
    click.echo("\n".join(map(shown, proposal.body.splitlines())))
    click.echo("\nFiles:")
    for path in change.paths:
        click.echo(f"  {'+' if path.old_blob is None else '~'} {shown(path.path)}")
    click.echo("\nApprovals:")
    for approval in reviewed.judged.approvals.valid:
        how = f"as {approval.role}" if approval.role else "in a review"
        click.echo(f"  {approval.person} {how}, {approval.time:%Y-%m-%d %H:%M} UTC")
    for rejected in reviewed.judged.approvals.rejected:
        click.echo(f"  not counted: {shown(rejected.person)}: {shown(rejected.reason)}")
    if not reviewed.judged.approvals.valid:
        click.echo("  none")
    for finding in reviewed.judged.findings:
        click.echo(finding_line(finding))
    blocked = reviewed.judged.blocked
    if blocked and proposal.url:
        click.echo(f"\nNext: review it at {shown(proposal.url)}")
        return
    verb = "approve" if blocked else "proposals merge"
    click.echo(f"\nNext: ordain {verb} {shown(proposal.id)} --as PERSON")


command.add_command(approve, "approve")


@command.command()
@click.argument("identifier")
@_PERSON
@key_option
@click.pass_obj
def merge(directory: Path, identifier: str, person: str, key: Path | None) -> None:
    """Merge a proposal if the gate lets it pass; the rules run on the merged tree."""
    from ordain.reconciler.review import Reviewer
    from ordain.reconciler.review import merge as merge_proposal

    with open_session(directory) as session:
        merged = merge_proposal(
            session.source, session.ledger, identifier, by=Reviewer(person, key), now=now()
        )
    click.echo(f"Merged {identifier} as {merged.commit[:12]}.")
    for note in merged.notes:
        click.echo(f"note: {shown(note)}")
    click.echo("Next: ordain reconcile --once")


def _state(session: Session, proposal: Proposal) -> str:
    """Whether a proposal may be merged, or what stands against it."""
    from ordain.reconciler.review import review
    from ordain.specs.errors import OrdainError

    try:
        # A branch may be proposed from several forks; a number is one proposal's.
        name = proposal.branch if proposal.number is None else str(proposal.number)
        reviewed = review(session.source, name, now())
    except OrdainError as error:
        return shown(error.message)
    blockers = [f for f in reviewed.judged.findings if f.severity.value == "error"]
    state = "; ".join(finding.message for finding in blockers[:2]) or "may be merged"
    return f"by {_signer(reviewed)}; {shown(state)}"


def _signer(reviewed: Reviewed) -> str:
    """Who signed what is proposed; a branch's name says nothing about who has made it."""
    return reviewed.judged.facts.pusher or "nobody in the Organization"
