"""How a reconcile pass is told on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ordain.cli.emergencies import tell_emergencies, tell_findings
from ordain.cli.failures import finding_line

if TYPE_CHECKING:
    from ordain.reconciler.applying import Done
    from ordain.reconciler.passes import PassReport

_MARKS = {"done": ("ok", "green"), "skipped": ("--", "yellow"), "failed": ("!!", "red")}


def show_pass(report: PassReport) -> None:
    """Warnings and refusals first, then each stage, what waits, and the next command."""
    _show_trouble(report)
    if report.planned is None:
        click.echo("No commit passed the gate; nothing is served.", err=True)
        click.echo("Next: ordain check --rev HEAD")
        return
    revision = report.planned.side.revision
    if report.refused:
        click.echo(f"Production stays on {revision[:12]}.", err=True)
    if report.resumed is not None:
        click.echo(f"Going on after pass {report.resumed}, which was interrupted.")
    for one in report.result.done:
        _show_stage(one)
    for waiting in report.planned.plan.waiting:
        click.echo(f"  .. {waiting.key} waits ({waiting.reason}): {waiting.message}")
    tell_emergencies(report.planned.emergencies)
    tell_findings(one for one in report.alarms if one.code == "EMG002")
    if not report.result.done:
        click.echo(_idle(report, revision[:12]))
    click.echo(f"Next: {_next(report)}")


def _show_trouble(report: PassReport) -> None:
    for warning in report.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    if report.damage:
        click.secho(f"The ledger is damaged: {report.damage}", fg="red", bold=True, err=True)
    for refusal in report.refused:
        click.secho(f"Refused commit {refusal.revision[:12]}:", fg="red", bold=True, err=True)
        for finding in refusal.findings:
            click.echo(finding_line(finding), err=True)


def _idle(report: PassReport, revision: str) -> str:
    """What to say of a pass that had nothing to do."""
    waits = report.planned is not None and report.planned.plan.waiting
    if waits or report.refused:
        return f"Nothing to do now; production follows {revision}."
    return f"No changes. Production matches git ({revision})."


def _show_stage(one: Done) -> None:
    mark, colour = _MARKS[one.state]
    click.echo(
        f"  {click.style(mark, fg=colour)} {one.stage.explain()}"
        f"  [{one.seconds:.1f} s] {one.detail}".rstrip()
    )


def _next(report: PassReport) -> str:
    done = {(type(one.stage).__name__, one.state) for one in report.result.done}
    waits = () if report.planned is None else report.planned.plan.waiting
    pending = any(one.reason == "ApprovalPending" for one in waits)
    if ("Propose", "done") in done or pending:
        return "ordain proposals list"
    return "ordain status"
