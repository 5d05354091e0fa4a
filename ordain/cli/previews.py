"""What the commands that try out a work tree share: the workshop, signals, and the page."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from ordain.reconciler.source import Source
    from ordain.reconciler.unsigned_previews import Candidate, Preview, Workshop
    from ordain.reports.facts import ReportInput

MARK = "unsigned preview"


@contextmanager
def workshop_at(directory: Path) -> Iterator[tuple[Source, Workshop]]:
    """The work tree around a directory, and the estate that it is of."""
    from ordain.reconciler.source import open_source
    from ordain.reconciler.unsigned_previews import open_workshop

    source = open_source(directory, os.environ)
    try:
        yield source, open_workshop(source.home, source.repository.path)
    finally:
        source.repository.close()


@contextmanager
def heeding_signals() -> Iterator[None]:
    """SIGTERM is heard as Ctrl-C is, so that whoever supervises a command cancels it as well."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def train_one(
    source: Source, workshop: Workshop, candidate: Candidate, mode: str, *, again: bool = False
) -> Preview:
    """Train one model with its progress told, and write its page."""
    from ordain.cli.progress import told
    from ordain.reconciler.unsigned_previews import train_preview

    with told(mode, candidate.document.name) as progress:
        preview = train_preview(workshop, candidate, now, progress, again=again)
    write_page(source, workshop, preview)
    return preview


def preview_of(source: Source, workshop: Workshop, model: str, mode: str) -> Preview:
    """The preview of a model as it is declared now, trained if there is none."""
    from ordain.reconciler.unsigned_previews import candidate_of, chosen_models, standing_preview

    (document,) = chosen_models(workshop.estate, (model,))
    candidate = candidate_of(workshop, document)
    standing = standing_preview(workshop, candidate)
    if standing is not None:
        return standing
    tell_data(candidate)
    click.echo(f"note: {model} has no preview of what is declared now; training it", err=True)
    return train_one(source, workshop, candidate, mode)


def tell_data(candidate: Candidate) -> None:
    """Say beforehand on which data a preview is trained, if nobody has pinned them."""
    if not candidate.pinned:
        name, rows = candidate.dataset.name, candidate.recipe.data[:19]
        click.echo(f"note: {name} is not pinned; training on what is there now, {rows}", err=True)


def write_page(source: Source, workshop: Workshop, preview: Preview) -> Path:
    """Write the page of a preview beside its evidence.

    Also over one that is there: what the gate finds depends on documents that no recipe covers.
    """
    from ordain.reconciler.attempts import PAGE
    from ordain.reports.model_reports import model_report
    from ordain.specs.files import write_whole

    place = preview.run.directory / PAGE
    write_whole(place, model_report(facts_of(source, workshop, preview, now())))
    return place


def facts_of(source: Source, workshop: Workshop, preview: Preview, moment: datetime) -> ReportInput:
    """What the page of a preview says: its evidence, and what the gate finds in the work tree."""
    import ordain
    from ordain.policies.gate import check
    from ordain.reconciler.standing import paths_by_model
    from ordain.reports.facts import PreviewFacts, ReportInput

    document, estate = preview.candidate.document, workshop.estate
    paths = paths_by_model(estate)[document.name]
    found = check(estate, moment, tree=workshop.files).findings
    about = [one for one in found if one.location is not None and one.location.path in paths]
    return ReportInput(
        as_of=moment,
        name=document.name,
        model=document.spec,
        spec_commit=source.repository.resolve("HEAD"),
        tool=ordain.__version__,
        evidence=preview.evidence,
        findings=(*preview.findings, *about),
        preview=PreviewFacts(
            run=preview.run.id,
            recipe=preview.candidate.recipe.digest,
            artifact=preview.artifact,
            data=preview.candidate.recipe.data,
            pinned=preview.candidate.pinned,
            seed=preview.candidate.recipe.seed,
            threads=preview.candidate.recipe.threads,
            environment=preview.candidate.recipe.environment,
            changed=len(source.repository.dirty_paths()),
        ),
    )


def plain(preview: Preview, rows: str) -> dict[str, Any]:
    """A preview for programs; `rows` are told as for people."""
    from dataclasses import asdict

    from ordain.reconciler.attempts import PAGE
    from ordain.runtime.training.order import EVIDENCE

    candidate, run = preview.candidate, preview.run
    return {
        "model": candidate.document.name,
        "preview": True,
        "signed": False,
        "run": run.id,
        "state": run.state,
        "worked": preview.worked,
        "accepted": preview.accepted,
        "verdict": preview.evidence.verdict,
        "recipe": candidate.recipe.digest,
        "data": {
            "dataset": candidate.dataset.name,
            "digest": candidate.recipe.data,
            "pinned": candidate.pinned,
            "rows": rows,
        },
        "artifact": preview.artifact,
        "split": preview.evidence.split,
        "metrics": [asdict(one) for one in preview.evidence.metrics],
        "findings": [
            {"code": one.code, "severity": one.severity.value, "message": one.message}
            for one in preview.findings
        ],
        "evidence": str(run.directory / EVIDENCE),
        "page": str(run.directory / PAGE),
    }
