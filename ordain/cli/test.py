"""`ordain test`."""

from __future__ import annotations

import sys
from functools import reduce
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ordain.cli.session import now

if TYPE_CHECKING:
    from ordain.policies.testing.reports import Report


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--pack",
    "packs",
    multiple=True,
    metavar="NAME[@VERSION]",
    help="Run the examples of a pack instead, which are its tests.",
)
@click.option("--coverage", is_flag=True, help="Say which answers of policies no case has seen.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit with 1 where the coverage is lower.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(("text", "json", "junit")),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs, JUnit XML for CI.",
)
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    directory: Path,
    paths: tuple[Path, ...],
    packs: tuple[str, ...],
    coverage: bool,
    fail_under: float | None,
    output: str,
) -> None:
    """Run the unit tests of policies.

    Cases stand in policies/**/*.test.yaml, beside the policies. PATHS are such files, or
    directories that hold some. The exit code is 1 when a case fails, or the coverage is below
    --fail-under.
    """
    if packs and paths:
        raise click.UsageError("name either packs or files", ctx)
    if fail_under is not None and isnan(fail_under):
        raise click.BadParameter("nan is no percentage", ctx, param_hint="'--fail-under'")
    watch = coverage or fail_under is not None
    report = _of_packs(packs, watch=watch) if packs else _of_estate(directory, paths, watch=watch)
    _print(ctx, report, output)
    low = _too_low(report, fail_under)
    if low:
        click.echo(low, err=output != "text")
    elif output == "text":
        click.echo(_next(report))
    ctx.exit(1 if report.failed or low else 0)


def _of_packs(packs: tuple[str, ...], *, watch: bool) -> Report:
    from ordain.policies.engine import cel_engine
    from ordain.policies.testing.benches import run_pack
    from ordain.policies.testing.reports import Report

    reports = []
    for one in packs:
        name, _, version = one.partition("@")
        reports.append(run_pack(name, version or None, cel_engine(), watch=watch))
    return reduce(Report.joined, reports)


def _of_estate(directory: Path, paths: tuple[Path, ...], *, watch: bool) -> Report:
    from ordain.policies.engine import cel_engine
    from ordain.policies.testing.benches import run_estate
    from ordain.specs.trees import find_root, work_tree

    root = find_root(directory)
    names = [_inside(root, path) for path in paths]
    return run_estate(work_tree(root), names, cel_engine(), watch=watch)


def _inside(root: Path, path: Path) -> str:
    """The path as the estate calls it."""
    place = path.resolve()
    if not place.is_relative_to(root):
        raise click.UsageError(f"{path} is not in the estate at {root}")
    return place.relative_to(root).as_posix()


def _too_low(report: Report, fail_under: float | None) -> str:
    """What to say where too little is covered."""
    from ordain.policies.testing.coverage import percent

    reached = percent(report.coverage or ())
    if fail_under is None or reached >= fail_under:
        return ""
    return f"The coverage is {reached:.1f} %; --fail-under asks for {fail_under:g} %."


def _next(report: Report) -> str:
    if report.failed:
        return f"Next: ordain explain {report.all_findings[0].code}"
    return "Next: ordain test --coverage" if report.coverage is None else "Next: ordain check"


def _print(ctx: click.Context, report: Report, output: str) -> None:
    from ordain.policies.testing.printing import as_json, as_junit, as_text

    if output == "text":
        colour = ctx.color if ctx.color is not None else sys.stdout.isatty()
        click.echo(as_text(report, colour=colour))
    else:
        import ordain

        json = output == "json"
        click.echo(as_json(report, now(), ordain.__version__) if json else as_junit(report))
