"""`ordain plan`."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ordain.cli.emergencies import tell_emergencies
from ordain.cli.session import (
    differ,
    dirty_files,
    mention_dirty,
    now,
    open_session,
    reconciler_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.reconciler.gating import Refusal
    from ordain.reconciler.planning import Plan
    from ordain.reconciler.preview import Preview
    from ordain.reconciler.source import Source

# Whoever approves begins with the list of proposals; there is nothing to mend.
_MISSING = "SOD-QUORUM"
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


@click.command()
@click.option("--rev", "revision", default="HEAD", show_default=True, help="Commit to plan.")
@click.option("--base", help="Show what merging into this commit would change in production.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan here.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when there is something to do.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(("text", "markdown", "json")),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs, Markdown (with --base) for a pull request.",
)
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    directory: Path,
    revision: str,
    base: str | None,
    out: Path | None,
    exit_code: bool,
    output: str,
) -> None:
    """Show what would be done to make production equal to git.

    Nothing is changed. A saved plan is carried out by `ordain apply FILE` as long as neither git
    nor production has moved. With --base it is told from git alone what a merge would change: which
    documents and fields, what is trained again and why, what is served otherwise, and whose
    approval is missing.
    """
    from ordain.cli.places import refuse_place

    if base is not None:
        if out is not None:
            raise click.UsageError("a plan with --base cannot be applied, so it is not saved", ctx)
        ctx.exit(1 if _show_change(ctx, directory, base, revision, output) and exit_code else 0)
    if output == "markdown":
        raise click.UsageError("-o markdown shows a change: say into what, with --base", ctx)
    if out is not None:
        refuse_place(out)
    stages = _show_stages(directory, revision, out, output)
    ctx.exit(1 if stages and exit_code else 0)


def _show_change(
    ctx: click.Context, directory: Path, base: str, revision: str, output: str
) -> bool:
    """Print what a merge would change, and say whether it changes anything."""
    from ordain.reconciler.preview import preview
    from ordain.reconciler.review import judge_sides
    from ordain.reconciler.source import open_source

    source = open_source(directory, os.environ)
    try:
        mention_dirty(source, revision)
        onto, head = source.repository.resolve(base), source.repository.resolve(revision)
        before, after, judged = judge_sides(source, onto, head, now())
        found = preview(before, after, judged, head=head)
    finally:
        source.repository.close()
    _print_change(ctx, found, shlex.join(("--base", base, "--rev", revision)), output)
    return found.changes


def _print_change(ctx: click.Context, found: Preview, options: str, output: str) -> None:
    if output == "json":
        click.echo(json.dumps(found.to_json(), sort_keys=True))
    elif output == "markdown":
        from ordain.reconciler.preview_markdown import render_markdown

        click.echo(render_markdown(found), nl=False)
    else:
        from ordain.reconciler.preview_text import render_text

        colour = ctx.color if ctx.color is not None else sys.stdout.isatty()
        click.echo(render_text(found, colour=colour))
        refused = any(code != _MISSING for code in found.blocked_by)
        click.echo(f"Next: ordain check {options}" if refused else "Next: ordain proposals list")


def _show_stages(directory: Path, revision: str, out: Path | None, output: str) -> int:
    """Print what a pass would do on this machine, and say how many stages it has."""
    from ordain.policies.gate import check
    from ordain.reconciler.gating import gate_history, read_side
    from ordain.specs.errors import FindingsError
    from ordain.specs.files import write_whole

    with open_session(directory) as session:
        source = session.source
        _refuse_dirty(source, revision)
        side = read_side(source, source.repository.resolve(revision))
        judgement = check(side.estate, now(), tree=side.tree)
        if judgement.blocked:
            message = f"{side.revision[:12]} does not pass the check, so there is nothing to plan"
            raise FindingsError(message, judgement.findings, remedy="see: ordain check")
        planned = reconciler_of(session, click.echo).plan(side)
        plan = planned.plan
        good = session.state.get("good")
        gated = gate_history(source, good, side.revision, now()) if good else None
    _warn_of(gated.refused if gated is not None else ())
    if output != "json":
        tell_emergencies(planned.emergencies)
    if out is not None:
        text = json.dumps(plan.to_json(), indent=1, sort_keys=True) + "\n"
        write_whole(out, text.encode())
    if output == "json":
        click.echo(json.dumps(plan.to_json(), sort_keys=True))
    else:
        show_plan(plan)
        click.echo(
            f"Next: ordain apply {shlex.quote(str(out))}"
            if out
            else "Next: ordain reconcile --once"
        )
    return len(plan.stages)


def _refuse_dirty(source: Source, revision: str) -> None:
    from ordain.reconciler.errors import DirtyTree

    dirty = dirty_files(source, revision)
    if dirty:
        names = ", ".join(dirty[:3]) + (" and more" if len(dirty) > 3 else "")  # noqa: PLR2004 - three are enough to recognize it
        message = f"{differ(dirty)}: {names}"
        raise DirtyTree(message, remedy="commit or stash them; a plan is made of commits")


def _warn_of(refused: Iterable[Refusal]) -> None:
    """Say beforehand what the reconciler would not act on."""
    from ordain.specs.findings import Severity

    for finding in (finding for one in refused for finding in one.findings):
        if finding.severity is Severity.ERROR:
            reason = f"the reconciler would refuse this commit: {finding.message}"
            click.secho(f"warning[{finding.code}]: {reason}", fg="yellow", err=True)


def show_plan(plan: Plan) -> None:
    """Print the stages and what waits."""
    for stage in plan.stages:
        click.secho(f"  {stage.symbol} {stage.explain()}", fg=_COLOURS.get(stage.symbol))
    for one in plan.waiting:
        click.echo(f"  . {one.key} waits ({one.reason}): {one.message}")
    counts = [sum(stage.symbol == symbol for stage in plan.stages) for symbol in "+~-"]
    if any(counts):
        click.echo(f"Plan: {counts[0]} to add, {counts[1]} to change, {counts[2]} to remove.")
    else:
        click.echo(f"No changes. Production matches git ({plan.revision[:12]}).")
