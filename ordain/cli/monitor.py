"""`ordain monitor`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ordain.cli.options import output_option
from ordain.cli.session import now, open_session

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.runtime.monitoring.psi import FeatureDrift


@click.group()
def command() -> None:
    """Compare recent predictions with the reference."""


@command.command()
@click.argument("deployments", nargs=-1)
@output_option
@click.pass_obj
@click.pass_context
def run(ctx: click.Context, directory: Path, deployments: tuple[str, ...], output: str) -> None:
    """Evaluate the monitors of the deployments, or of all.

    Each result is recorded. The exit code is 1 when a limit is breached; too little data is
    `insufficient`, which is no pass and no breach.
    """
    from ordain.reconciler.watching import watch
    from ordain.specs.findings import Verdict

    with open_session(directory) as session:
        estate = session.in_force().estate
        watched = watch(estate, session.artifacts, session.ledger, deployments, now())
    for one in watched:
        report = one.report
        if output == "json":
            click.echo(json.dumps({"monitor": one.monitor, **report.to_json()}, sort_keys=True))
            continue
        click.secho(
            f"{one.deployment}: {one.model}@{one.version}, {report.rows} predictions:"
            f" {report.verdict.value} {report.reason}".rstrip(),
            bold=True,
        )
        for row in (*report.outputs, *report.features):
            click.echo(_row(row))
    if not watched and output == "text":
        click.echo("No deployment has an approved version yet, so there is nothing to watch.")
    breached = any(one.report.verdict is Verdict.FAIL for one in watched)
    if output == "text":
        click.echo(f"Next: ordain report {watched[0].model}" if watched else "Next: ordain status")
    ctx.exit(1 if breached else 0)


def _row(row: FeatureDrift) -> str:
    """One feature: verdict, index, limits, counts."""
    index = "no data" if row.psi is None else f"PSI {row.psi:.4f}"
    limits = f"warn {row.limit_warn:g}, fail {row.limit_fail:g}"
    counts = f"n = {row.n} against {row.n_reference}"
    return f"  {row.verdict.value:<12} {row.feature:<24} {index:<11} ({limits}; {counts})"
