"""`ordain runs`."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from ordain.cli.options import output_option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ordain.reconciler.comparing import Comparison, Input, Pair
    from ordain.reconciler.home import Home
    from ordain.reconciler.runs import Run
    from ordain.specs.evidence import Evidence

STATES: Final = ("running", "done", "failed", "cancelled")
_MODEL_WIDTH: Final = 20
_VALUE_WIDTH: Final = 36
_UNITS: Final = {
    "wall_seconds": ("time", " s", 1.0, 1),
    "cpu_seconds": ("processor", " s", 1.0, 1),
    "peak_rss_bytes": ("memory", " MB", 1e6, 0),
}
_HEAD: Final = ("RUN", "MODEL", "STATE", "STARTED", "SECONDS", "METRIC", "VERDICT")
_COLOURS: Final = {"failed": "red", "cancelled": "yellow", "running": "cyan"}


@click.group()
def command() -> None:
    """List, show, compare and prune runs of training."""


@contextmanager
def _home(directory: Path) -> Iterator[Home]:
    from ordain.reconciler.source import open_source

    source = open_source(directory, os.environ)
    try:
        yield source.home
    finally:
        source.repository.close()


@command.command("list")
@click.option("--model", help="Only runs of this model.")
@click.option("--state", type=click.Choice(STATES), help="Only runs in this state.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="At most so many, the newest.",
)
@output_option
@click.pass_obj
def list_(directory: Path, model: str | None, state: str | None, limit: int, output: str) -> None:
    """List runs, the newest first.

    Every attempt of the reconciler and of `ordain train` on this machine, also those that failed or
    were cancelled. The id of a preview has a p before its number.
    """
    from ordain.cli.tables import table
    from ordain.reconciler.runs import list_runs

    with _home(directory) as home:
        known = list_runs(home)
    found = [
        run
        for run in known
        if model in (None, run.begun.model) and (state is None or run.state == state)
    ][:limit]
    if output == "json":
        click.echo(json.dumps({"format": "ordain.runs/1", "runs": [summary(run) for run in found]}))
        return
    if not found:
        click.echo("No run of this machine is like that." if known else "Nothing was trained here.")
        click.echo("Next: ordain train")
        return
    table(_HEAD, [_row(run) for run in found])
    click.echo(f"Next: ordain runs show {found[0].id}")


@command.command("show")
@click.argument("run")
@output_option
@click.pass_obj
def show(directory: Path, run: str, output: str) -> None:
    """Show everything that is known of a run.

    RUN is an id or the beginning of one, or the name of a model for its newest run.
    """
    from ordain.reconciler.runs import find_run

    with _home(directory) as home:
        found = find_run(home, run)
    if output == "json":
        click.echo(json.dumps(described(found)))
        return
    _show(found)
    click.echo(f"Next: ordain runs list --model {found.begun.model}")


@command.command("compare")
@click.argument("before")
@click.argument("after")
@output_option
@click.pass_obj
def compare(directory: Path, before: str, after: str, output: str) -> None:
    """Compare two runs: what went in, what came out, what it cost.

    BEFORE and AFTER are ids as `ordain runs list` prints them.
    """
    from ordain.reconciler.comparing import compare as compared
    from ordain.reconciler.runs import find_run

    with _home(directory) as home:
        found = compared(find_run(home, before), find_run(home, after))
    if output == "json":
        click.echo(json.dumps(found.to_json()))
        return
    _show_comparison(found)
    click.echo(f"Next: ordain runs show {found.after.id}")


@command.command("prune")
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="So many runs of each model stay, the newest.",
)
@click.pass_obj
def prune(directory: Path, keep: int) -> None:
    """Remove old runs and the artifacts of previews that are gone.

    What is running stays, and so does the newest attempt of the reconciler at each recipe.
    """
    from ordain.reconciler.runs import prune as pruned
    from ordain.reconciler.sweeping import sweep_previews

    with _home(directory) as home:
        gone = pruned(home, keep)
        freed = sweep_previews(home)
    for name in gone:
        click.echo(f"- {name}")
    blobs = f"{freed.blobs} blobs of previews, {freed.size // 1024} kB"
    click.echo(f"Removed {len(gone)} {'run' if len(gone) == 1 else 'runs'} and {blobs}.")
    click.echo("Next: ordain runs list")


def summary(run: Run) -> dict[str, Any]:
    """A run in a list, for programs."""
    ended = run.ended
    return {
        "id": run.id,
        "model": run.begun.model,
        "recipe": run.begun.recipe,
        "attempt": run.begun.attempt,
        "preview": run.begun.preview,
        "state": run.state,
        "verdict": run.verdict,
        "started": run.begun.started,
        "ended": None if ended is None else ended.isoformat(timespec="milliseconds"),
        "metrics": run.metrics,
        "error": run.error,
    }


def described(run: Run) -> dict[str, Any]:
    """Everything about a run, for programs."""
    from dataclasses import asdict

    from ordain.cli.previews import MARK

    order, evidence = run.order, run.evidence
    return {
        **summary(run),
        "format": "ordain.run.details/1",
        "mark": MARK if run.begun.preview else "",
        "training": order.get("spec", {}).get("training", {}),
        "inputs": order.get("recipe", {}),
        "split": (run.result or {}).get("split"),
        "artifact": (run.result or {}).get("artifact"),
        "champion": run.begun.champion,
        "tool": order.get("tool"),
        "measured": [] if evidence is None else [asdict(one) for one in evidence.metrics],
        "resources": run.resources,
        "trials": run.trials,
        "search": {} if evidence is None else evidence.search,
        "files": {one.name: str(one) for one in files_of(run)},
    }


def files_of(run: Run) -> list[Path]:
    """The files that a run has left."""
    from ordain.reconciler.attempts import FILES

    return [place for name in FILES if (place := run.directory / name).is_file()]


def _row(run: Run) -> tuple[str, ...]:
    from ordain.cli.progress import shortened

    seconds = run.seconds
    return (
        run.id,
        shortened(run.begun.model, _MODEL_WIDTH),
        run.state,
        f"{run.started:%Y-%m-%d %H:%M}",
        "" if seconds is None else f"{seconds:.1f}",
        next((f"{name} {value:.4f}" for name, value in _headline(run)), ""),
        run.verdict,
    )


def _headline(run: Run) -> Iterator[tuple[str, float]]:
    """The metrics, that of the first declared limit first."""
    limits = run.order.get("spec", {}).get("acceptance", {}).get("metrics", [])
    first = [one["name"] for one in limits if one["name"] in run.metrics]
    for name in dict.fromkeys((*first, *run.metrics)):
        yield name, run.metrics[name]


def _show(run: Run) -> None:
    from ordain.cli.failures import finding_line
    from ordain.cli.previews import MARK
    from ordain.cli.tables import metric_rows, table, tell_limitations
    from ordain.reconciler.runs import findings_of

    kind = f", {MARK}" if run.begun.preview else ""
    click.secho(f"{run.id}: {run.begun.model}{kind}", bold=True)
    for name, value in _facts(run):
        if value not in (None, "", {}):
            click.echo(f"{name:<12}{value}")
    if run.error is not None:
        click.secho(f"error[{run.error['code']}]: {run.error['message']}", fg="red")
        click.echo(f"  = help: {run.error['remedy']}")
    _show_trials(run)
    evidence = run.evidence
    if evidence is not None:
        table(("METRIC", "VALUE", "INTERVAL", "LIMIT", "VERDICT"), metric_rows(evidence))
        for finding in findings_of(run):
            click.echo(finding_line(finding))
        tell_limitations(evidence)
    for place in files_of(run):
        click.echo(f"{place.stem:<12}{place}")


def _show_trials(run: Run) -> None:
    """What a search has tried; the one that was chosen has a star."""
    from ordain.cli.tables import table

    if not run.trials:
        return
    chosen = {} if run.evidence is None else run.evidence.search.get("chosen", {})
    rows = [_trial_row(one, chosen=one["number"] == chosen.get("number")) for one in run.trials]
    table(("TRIAL", "FAMILY", "STATE", "SCORE", "SECONDS", "PARAMETERS OR REASON"), rows)
    if run.evidence is not None:
        for note in run.evidence.search.get("notes", ()):
            click.echo(note)


def _trial_row(one: dict[str, Any], *, chosen: bool) -> tuple[str, ...]:
    from ordain.cli.progress import shortened

    score = "" if one["mean"] is None else f"{one['mean']:.4f}"
    if one["error"] is not None:
        score += f" ± {one['error']:.4f}"
    parameters = one["changes"].get("training", {}).get("parameters", {})
    told = " ".join(f"{name}={value}" for name, value in parameters.items())
    if one["state"] != "done" or not parameters:
        told = one["why"]
    return (
        f"{one['number']}{'*' if chosen else ''}",
        one["family"],
        one["state"],
        score,
        f"{one['seconds']:.1f}",
        shortened(told, _VALUE_WIDTH),
    )


def _facts(run: Run) -> Iterator[tuple[str, Any]]:
    order, training = run.order, run.order.get("spec", {}).get("training", {})
    recipe, ended = order.get("recipe", {}), run.ended
    yield "state", click.style(run.state, fg=_COLOURS.get(run.state))
    yield "verdict", run.verdict
    yield "started", f"{run.started:%Y-%m-%d %H:%M:%S} UTC"
    yield "ended", None if ended is None else f"{ended:%Y-%m-%d %H:%M:%S} UTC"
    trained = training if run.evidence is None else (_chosen(run.evidence) or training)
    yield "estimator", trained.get("estimator")
    yield "parameters", json.dumps(trained.get("parameters", {}), sort_keys=True)
    yield "seed", recipe.get("seed")
    yield "threads", recipe.get("threads")
    yield "recipe", run.begun.recipe
    yield "data", recipe.get("data")
    yield "split", (run.result or {}).get("split")
    yield "artifact", (run.result or {}).get("artifact")
    yield "ordain", order.get("tool")
    yield "cost", _cost(run.resources)


def _chosen(evidence: Evidence) -> dict[str, Any]:
    """What a search has found, as it would be declared; empty without a search."""
    found: dict[str, Any] = evidence.search.get("chosen", {}).get("training", {})
    return found


def _cost(resources: dict[str, Any]) -> str:
    """What a run cost, in words."""
    if not resources:
        return ""
    rows = resources.get("rows")
    read = "" if rows is None else f", {rows:,} rows"
    return (
        f"{resources['wall_seconds']:.1f} s, {resources['cpu_seconds']:.1f} s of processor,"
        f" {resources['peak_rss_bytes'] / 1e6:.0f} MB{read}"
    )


def _show_comparison(found: Comparison) -> None:
    from ordain.cli.tables import table

    click.secho(f"{found.before.id} and {found.after.id}", bold=True)
    if found.inputs:
        table(("INPUT", "BEFORE", "AFTER"), [_input_row(one) for one in found.inputs])
    else:
        click.echo("The inputs are the same.")
    paired = any(one.paired is not None for one in found.metrics)
    rows = [_pair_row(one)[: None if paired else -1] for one in found.metrics]
    if rows:
        head = ("METRIC", "BEFORE", "AFTER", "DIFFERENCE", "PAIRED (more is better)")
        table(head[: None if paired else -1], rows)
    if rows and not paired:
        click.echo("Paired differences, on the same rows, are there only with versus: champion.")
    if found.search:
        table(("SEARCH", "BEFORE", "AFTER"), [_input_row(one) for one in found.search])
    cost = [_cost_row(one) for one in found.resources]
    if cost:
        table(("RESOURCE", "BEFORE", "AFTER"), cost)


def _input_row(one: Input) -> tuple[str, ...]:
    from ordain.cli.progress import shortened

    values = (_written(one.before), _written(one.after))
    # The end of the path is what tells one field from another.
    name = one.what if len(one.what) <= _MODEL_WIDTH else one.what.replace(".spec.", " ")
    return (shortened(name, 96 - 2 * 20), *(shortened(value, 20) for value in values))


def _cost_row(one: Input) -> tuple[str, ...]:
    """A cost in the units that people read, as `ordain runs show` has them."""
    name, unit, scale, digits = _UNITS.get(one.what, (one.what, "", 1.0, 0))

    def cell(value: Any) -> str:  # noqa: ANN401 - a JSON value
        return "none" if value is None else f"{value / scale:,.{digits}f}{unit}"

    return (name, cell(one.before), cell(one.after))


def _written(value: Any) -> str:  # noqa: ANN401 - a JSON value
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _pair_row(one: Pair) -> tuple[str, ...]:
    from ordain.cli.tables import interval

    def cell(metric: Any) -> str:  # noqa: ANN401 - a Metric or None
        if metric is None:
            return "none"
        bounds = interval(metric)
        return f"{metric.value:.4f} [{bounds}]" if bounds else f"{metric.value:.4f}"

    change = "" if one.difference is None else f"{one.difference:+.4f}"
    return (one.name, cell(one.before), cell(one.after), change, cell(one.paired))
