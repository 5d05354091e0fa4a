"""`ordain reconcile`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ordain.cli.passes import show_pass
from ordain.cli.session import open_session, reconciler_of

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.reconciler.passes import PassReport


# How long the daemon leaves a training run alone that broke.
_PATIENCE = timedelta(minutes=15)


@click.command()
@click.option("--once", is_flag=True, help="One pass, then stop.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    help="Seconds between two passes.",
)
@click.option("--trust-again", is_flag=True, help="Trust the present ref, remote and root commit.")
@click.option("-v", "--verbose", is_flag=True, help="Show the progress of training.")
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    directory: Path,
    once: bool,
    interval: float,
    trust_again: bool,
    verbose: bool,
) -> None:
    """Make production equal to git, once or for ever.

    Follows the protected branch: every new commit is judged again before anything acts on it. With
    --once the exit code is 0 when all is well or waits for people, 1 for a refusal, 2 for a failed
    stage.
    """
    from ordain.reconciler.daemon import run_for_ever
    from ordain.reconciler.home import sole_reconciler
    from ordain.reconciler.source import forget_trust

    if trust_again:
        # The settings of the last good commit are among what is forgotten, so it is opened anew.
        with open_session(directory) as session, sole_reconciler(session.source.home):
            forget_trust(session.state)
    with open_session(directory) as session, sole_reconciler(session.source.home):
        reconciler = reconciler_of(
            session,
            click.echo if verbose else _quiet,
            retry_after=timedelta() if once else _PATIENCE,
        )
        if once:
            report = reconciler.run()
            show_pass(report)
            ctx.exit(report.exit_code)
        click.echo(f"Reconciling {session.source.ref} every {interval:g} s; stop with Ctrl-C.")
        run_for_ever(reconciler, interval, show=_show_if_any, complain=_complain)


def _show_if_any(report: PassReport) -> None:
    if report.result.done or report.refused:
        show_pass(report)


def _complain(line: str) -> None:
    click.echo(line, err=True)


def _quiet(line: str) -> None:
    """Progress of training is for --verbose."""
