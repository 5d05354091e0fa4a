"""`ordain validate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from ordain.cli.options import output_option
from ordain.cli.train import progress_option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ordain.reconciler.source import Source
    from ordain.reconciler.unsigned_previews import Workshop
    from ordain.reconciler.unsigned_validations import Rows, Subject, Validated
    from ordain.specs.validations import Check, ValidationReport

FORMAT: Final = "ordain.validate/1"
# Checks that need a look, by section; the document has all of them.
_TOLD: Final = 8
_ACCEPTED: Final = ("pass", "warn")


@click.command()
@click.argument("version", metavar="MODEL[@VERSION]")
@click.option(
    "--data",
    help="A Dataset of the estate, or a CSV or Parquet file in it with the columns of the model's"
    " own. By default what `validation.dataset` says, else the test part.",
)
@click.option("--run", "run_id", help="The artifact of this run; see `ordain runs list`.")
@progress_option
@output_option
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    directory: Path,
    version: str,
    data: str | None,
    run_id: str | None,
    progress: str,
    output: str,
) -> None:
    """Validate an artifact on rows, as an unsigned preview.

    MODEL[@VERSION] is a version of a model, such as credit@3. Without a number it is the preview of
    what the work tree declares now, which is trained if there is none. The artifact is loaded as a
    server loads it, and held against what the Model declares; nothing is committed and nobody has
    signed it. The exit code is 1 when the verdict is fail or insufficient, and 2 when nothing could
    be measured.
    """
    from ordain.cli.previews import heeding_signals, workshop_at
    from ordain.reconciler.unsigned_validations import rows_of

    with heeding_signals(), workshop_at(directory) as (source, workshop):
        subject = _subject(source, workshop, version, run_id, progress)
        rows = rows_of(workshop, subject, data)
        found = _validated(workshop, subject, rows, progress)
    if output == "json":
        click.echo(json.dumps(plain(found)))
    else:
        _show(found)
        click.echo(f"Next: {_next(found.report)}")
    ctx.exit(0 if found.report.verdict in _ACCEPTED else 1)


def _subject(
    source: Source, workshop: Workshop, version: str, run_id: str | None, mode: str
) -> Subject:
    """The artifact that is meant."""
    from ordain.cli.previews import preview_of
    from ordain.reconciler.unsigned_validations import (
        subject_of_preview,
        subject_of_run,
        subject_of_version,
    )

    model, at, number = version.partition("@")
    if at:
        if run_id is not None:
            raise click.UsageError("give a version or --run, not both")
        if not number.isdecimal():
            raise click.BadParameter(f"{number!r} is no number of a version", param_hint="MODEL")
        return subject_of_version(workshop, model, int(number))
    if run_id is not None:
        return subject_of_run(workshop, model, run_id)
    return subject_of_preview(preview_of(source, workshop, model, mode))


def _validated(workshop: Workshop, subject: Subject, rows: Rows, mode: str) -> Validated:
    from ordain.cli.progress import told
    from ordain.cli.session import now
    from ordain.reconciler.unsigned_validations import validate_preview

    with told(mode, subject.document.name) as progress:
        return validate_preview(workshop, subject, rows, now(), progress)


def plain(found: Validated) -> dict[str, Any]:
    """A validation for programs: the document as it is, and what it is worth."""
    document = json.loads(found.report.to_json())
    return {
        "format": FORMAT,
        "subject": found.subject.label,
        "preview": True,
        "signed": False,
        "verdict": found.report.verdict,
        "digest": found.report.digest,
        "path": str(found.path),
        "document": document,
    }


# ── text ─────────────────────────────────────────────────────────────────────────────────────────


def _show(found: Validated) -> None:
    """The result for people: the sections, what needs a look, what changes, where all of it is."""
    from ordain.cli.previews import MARK
    from ordain.cli.tables import table
    from ordain.specs.diagnostics import one_line

    report = found.report
    part = f"{report.part} part of {report.dataset}" if report.part else report.dataset
    click.secho(f"{found.subject.label}: {MARK} of a validation", bold=True)
    click.echo(f"artifact  {report.artifact}")
    click.echo(f"rows      {report.rows}, {one_line(part)}, {report.data[:19]}")
    table(("SECTION", "MEASURED", "JUDGED", "VERDICT"), list(_sections(report)))
    numbers = list(_numbers(report))
    if numbers:
        table(("METRIC", "VALUE", "INTERVAL", "LIMIT", "VERDICT"), numbers)
    for line in _looks(report):
        click.echo(line)
    for line in (*_behaviour(report), *_load(report)):
        click.echo(line)
    for limitation in report.limitations:
        click.echo(f"note: {one_line(limitation)}")
    click.echo(f"document  {found.path}")
    click.secho(*_verdict(report))


def _next(report: ValidationReport) -> str:
    """What the machine would do with it, or what the gate says of such a version."""
    return "ordain plan" if report.verdict in _ACCEPTED else "ordain explain PRO013"


def _verdict(report: ValidationReport) -> tuple[str]:
    words = {
        "pass": "Passes what the model declares; nobody has signed it.",
        "warn": "Passes what the model declares, and something asks for a look.",
        "fail": "Does not meet what the model declares.",
        "insufficient": "Something that the model declares could not be measured, so that it has"
        " not passed.",
    }
    return (words[report.verdict],)


def _sections(report: ValidationReport) -> Iterator[tuple[str, ...]]:
    """By section: how much was measured, how much of it decides, and its worst verdict."""
    from ordain.specs.findings import Verdict
    from ordain.specs.validations import verdict_of

    for section in dict.fromkeys(one.section for one in report.checks):
        checks = [one for one in report.checks if one.section == section]
        limited = [one for one in checks if one.limit]
        measured = sum(1 for one in checks if one.value is not None or one.limit)
        worst = "" if measured else "not measured"
        if limited:
            worst = Verdict.worst(Verdict(one.verdict) for one in limited).value
        yield section, str(measured), str(len(limited)), worst
    if report.fairness:
        deciding = [row for row in report.fairness if not row.informs]
        worst = verdict_of((), report.fairness).value if deciding else ""
        yield "fairness", str(len(report.fairness)), str(len(deciding)), worst


def _numbers(report: ValidationReport) -> Iterator[tuple[str, ...]]:
    for one in report.checks:
        if one.section in {"performance", "champion"} and one.value is not None:
            verdict = one.verdict if one.limit else ""
            yield one.name, f"{one.value:.4f}", _interval(one), one.limit, verdict


def _interval(check: Check) -> str:
    if check.low is None or check.high is None:
        return ""
    return f"{check.low:.4f} to {check.high:.4f}"


def _looks(report: ValidationReport) -> Iterator[str]:
    """What decides and did not pass, at most so many of a section."""
    from ordain.specs.diagnostics import one_line

    told: dict[str, int] = {}
    for one in report.checks:
        if not one.limit or one.verdict == "pass":
            continue
        told[one.section] = told.get(one.section, 0) + 1
        if told[one.section] > _TOLD:
            continue
        value = "" if one.value is None else f" {one.value:.4g}"
        subject = f" {one.subject}" if one.subject else ""
        reason = f": {one.reason}" if one.reason else ""
        line = f"{one.section}: {one.name}{subject}{value}, limit {one.limit}{reason}"
        yield f"{one.verdict}: {one_line(line)}"
    for section, count in told.items():
        if count > _TOLD:
            yield f"note: {count - _TOLD} more of {section} did not pass; the document has them"
    for row in report.fairness:
        if not row.informs and row.verdict != "pass":
            reason = f": {row.reason}" if row.reason else ""
            line = f"fairness: {row.metric} of {row.attribute} {row.group}{reason}"
            yield f"{row.verdict}: {one_line(line)}"


def _behaviour(report: ValidationReport) -> Iterator[str]:
    from ordain.specs.diagnostics import one_line
    from ordain.specs.validation_verdicts import uncompared

    if report.behaviour is None:
        if reason := uncompared(report):
            yield f"decisions not compared with the version now running: {one_line(reason)}"
        return
    for one in report.behaviour.shifts[:1]:
        yield (
            f"decisions {one.up} of {one.n} become favourable, {one.down} cease to be; "
            f"{one.rate:.1%} are, {one.rate_champion:.1%} by the version now running "
            f"(p = {one.p_value:.2g})"
        )


def _load(report: ValidationReport) -> Iterator[str]:
    load = report.load
    if "p50_ms" in load:
        yield (
            f"load      {load['p50_ms']:.3f} ms a row ({load['p99_ms']:.3f} ms at the 99th "
            f"percentile), {load['bytes'] / 1e6:.2f} MB"
        )
