"""`ordain train`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ordain.cli.options import output_option
from ordain.cli.progress import MODES

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.reconciler.source import Source
    from ordain.reconciler.unsigned_previews import Preview, Workshop
    from ordain.specs.documents import Document
    from ordain.specs.errors import OrdainError

progress_option = click.option(
    "--progress",
    type=click.Choice(MODES),
    default="auto",
    show_default=True,
    help="A bar, JSON lines, or nothing; a bar where the error stream is a terminal.",
)


@click.command()
@click.argument("models", nargs=-1)
@click.option("--again", is_flag=True, help="Train also what was trained before.")
@progress_option
@output_option
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    directory: Path,
    models: tuple[str, ...],
    again: bool,
    progress: str,
    output: str,
) -> None:
    """Train what the work tree declares, as an unsigned preview.

    MODELS are names of Model documents; without any, all that are trained here. It needs no key and
    no role, and commits nothing: what it makes is kept apart, can be served by `ordain serve
    --local` only, and is trained again by the reconciler once it is merged. The exit code is 1 when
    the evidence does not meet what a model declares, and 2 when a model cannot be trained.
    """
    from ordain.cli.previews import heeding_signals, workshop_at
    from ordain.reconciler.unsigned_previews import chosen_models

    with heeding_signals(), workshop_at(directory) as (source, workshop):
        done = [
            _train(source, workshop, document, progress, again=again, text=output == "text")
            for document in chosen_models(workshop.estate, models)
        ]
    code = max(one for one, _ in done)
    if output == "json":
        click.echo(json.dumps({"format": "ordain.train/1", "models": [said for _, said in done]}))
    else:
        click.echo(f"Next: {_next(done)}")
    ctx.exit(code)


def _train(
    source: Source, workshop: Workshop, document: Document, mode: str, *, again: bool, text: bool
) -> tuple[int, dict[str, Any]]:
    """Train one model; what is wrong with it does not keep the others from being trained."""
    from ordain.cli.previews import plain, tell_data, train_one
    from ordain.reconciler.unsigned_previews import candidate_of, rows_told
    from ordain.runtime.errors import Cancelled
    from ordain.specs.errors import OrdainError

    try:
        candidate = candidate_of(workshop, document)
        tell_data(candidate)
        rows = rows_told(workshop, candidate)
        preview = train_one(source, workshop, candidate, mode, again=again)
    except Cancelled:
        raise
    except OrdainError as error:
        return _failed(document, error)
    if text:
        _show(preview, rows)
    return (0 if preview.accepted else 1), plain(preview, rows)


def _failed(document: Document, error: OrdainError) -> tuple[int, dict[str, Any]]:
    """Say why a model cannot be trained, which one it is, and where it is declared."""
    from ordain.cli.failures import report_failure

    model = document.name
    error.message = f"model {model}: {error.message}"
    error.location = error.location or document.location
    report_failure(error)
    said = {"code": error.code, "message": error.message, "remedy": error.remedy}
    return 2, {"model": model, "preview": True, "signed": False, "state": "failed", "error": said}


def _next(done: list[tuple[int, dict[str, Any]]]) -> str:
    code = max(one for one, _ in done)
    if code == 0:
        return "ordain serve --local"
    worst = next(said for one, said in done if one == code)
    if code == 1:
        blocking = next(one for one in worst["findings"] if one["severity"] == "error")
        return f"ordain explain {blocking['code']}"
    return f"ordain explain {worst['error']['code']}"


def _show(preview: Preview, rows: str) -> None:
    """The result for people: what it is, what was measured, and where to read more."""
    from ordain.cli.failures import finding_line
    from ordain.cli.previews import MARK
    from ordain.cli.tables import metric_rows, table, tell_limitations
    from ordain.reconciler.attempts import PAGE
    from ordain.runtime.training.order import EVIDENCE

    name, run = preview.candidate.document.name, preview.run
    again = "" if preview.worked else " (up to date: an equal recipe was trained before)"
    click.secho(f"{name}: {MARK}, run {run.id}{again}", bold=True)
    table(("METRIC", "VALUE", "INTERVAL", "LIMIT", "VERDICT"), metric_rows(preview.evidence))
    for finding in preview.findings:
        click.echo(finding_line(finding))
    click.echo(f"rows      {rows}")
    tell_limitations(preview.evidence)
    click.echo(f"evidence  {run.directory / EVIDENCE}")
    click.echo(f"page      {run.directory / PAGE}")
    if preview.accepted:
        click.secho("Meets what the model declares; nobody has approved it.", fg="green")
    else:
        click.secho("Does not meet what the model declares.", fg="red")
