"""`ordain emergencies`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ordain.cli.acting import PERSON, REASON, break_glass, tell_acted
from ordain.cli.options import key_option, output_option
from ordain.cli.session import now, open_session
from ordain.specs.diagnostics import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ordain.reconciler.emergencies import Emergencies
    from ordain.specs.findings import Finding


@click.group()
def command() -> None:
    """List, show and end what was done in an emergency."""


@command.command("list")
@output_option
@click.pass_obj
def list_emergencies(directory: Path, output: str) -> None:
    """List the emergencies, how each stands, and the statements that have no effect."""
    from ordain.vcs.emergencies import branch_of

    moment = now()
    with open_session(directory) as session:
        found = break_glass(session).look()
    if output == "json":
        click.echo(json.dumps([one.to_json(moment) for one in found.all], sort_keys=True))
        return
    for one in found.all:
        click.echo(shown(one.line(moment)))
    if not found.all:
        click.echo("There was no emergency.")
    tell_findings(found.findings(moment))
    waiting = [branch_of(one.id) for one in found.waiting]
    click.echo(f"Next: ordain proposals show {waiting[0]}" if waiting else "Next: ordain status")


@command.command()
@click.argument("identifier")
@click.pass_obj
def show(directory: Path, identifier: str) -> None:
    """Show one emergency: who did what and why, its proof, its approval."""
    from ordain.reconciler.break_glass import named
    from ordain.vcs.emergencies import branch_of

    moment = now()
    with open_session(directory) as session:
        one = named(break_glass(session).look(), identifier)
    said = one.statement
    click.secho(shown(one.line(moment)), bold=True)
    click.echo(f"reason    {shown(said.reason)}")
    click.echo(f"stated    {said.time:%Y-%m-%d %H:%M:%S} UTC, by {said.person} as {said.role}")
    click.echo(f"seen      {one.seen:%Y-%m-%d %H:%M:%S} UTC, by our own record")
    click.echo(f"given on  {said.revision}")
    click.echo(f"key       {one.signed.fingerprint}")
    click.echo(f"proof     {one.signed.proof}")
    if one.ended is not None:
        ended = one.ended.statement
        click.echo(f"ended     by {ended.person}: {shown(ended.reason)}")
    if one.approved is not None:
        click.echo(f"approved  {one.approved.commit} at {one.approved.time:%Y-%m-%d %H:%M} UTC")
        click.echo("Next: ordain audit query")
        return
    click.echo(f"branch    {branch_of(one.id)}")
    if one.overdue(moment):
        click.secho("It should have been approved by now.", fg="red", bold=True)
    click.echo(f"Next: ordain approve {branch_of(one.id)} --as PERSON")


@command.command()
@click.argument("identifier")
@PERSON
@REASON
@key_option
@click.pass_obj
def end(directory: Path, identifier: str, person: str, reason: str, key: Path | None) -> None:
    """End an emergency: what git declares is served again.

    A manager signs the end as well. That the emergency was never approved stays an error until it
    is.
    """
    from ordain.reconciler.review import Reviewer
    from ordain.vcs.emergencies import branch_of

    with open_session(directory) as session:
        acted = break_glass(session).end(identifier, reason, Reviewer(person, key))
    tell_acted(acted, f"Ended {identifier}")
    click.echo(f"Next: ordain approve {branch_of(identifier)} --as PERSON")


def tell_emergencies(found: Emergencies) -> None:
    """Loudly what is in force, or waits for an approval, and what is wrong with it."""
    moment = now()
    for one in found.waiting:
        tell_emergency(one.line(moment), in_force=one.in_force, err=True)
    tell_findings(found.findings(moment))


def tell_emergency(line: str, *, in_force: bool, err: bool = False) -> None:
    """One that waits for an approval, in capitals while it decides what is served."""
    effect = "EMERGENCY" if in_force else "emergency"
    click.secho(f"{effect} {shown(line)}", fg="red", bold=True, err=err)


def tell_findings(findings: Iterable[Finding]) -> None:
    """Findings of emergencies, each with its evidence and remedy."""
    from ordain.cli.failures import finding_line

    for finding in findings:
        click.echo(finding_line(finding), err=True)
