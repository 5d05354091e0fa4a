"""`ordain apply`."""

from __future__ import annotations

from pathlib import Path

import click

from ordain.cli.passes import show_pass
from ordain.cli.session import open_session, reconciler_of


@click.command()
@click.argument("plan_file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
@click.pass_context
def command(ctx: click.Context, directory: Path, plan_file: Path | None) -> None:
    """Carry out a plan, exactly as it was saved or as it is now.

    With PLAN_FILE nothing is done unless the commit, the stages and what is observed are still
    those of the plan.
    """
    from ordain.reconciler.home import sole_reconciler
    from ordain.reconciler.saved_plans import read_plan

    saved = None if plan_file is None else read_plan(plan_file)
    with open_session(directory) as session, sole_reconciler(session.source.home):
        report = reconciler_of(session, click.echo).run(expected=saved)
        show_pass(report)
    ctx.exit(report.exit_code)
