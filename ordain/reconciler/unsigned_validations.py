"""Validating without rights: any artifact of this machine, on any rows of a work tree.

It is the same process as the one that a promotion rests on, with an order that nobody has approved:
limits as the work tree declares them now, rows as they are now. So its document is kept with the
unsigned previews, is signed by nobody and goes into no commit. A validation for a promotion is
ordered by the reconciler, from what git has.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import ordain
from ordain.compilers.serving import champion
from ordain.reconciler.errors import DriverFailed, Untrainable
from ordain.reconciler.jobs import run_alone
from ordain.reconciler.lending import lend_artifact
from ordain.reconciler.runs import find_run
from ordain.reconciler.unsigned_previews import cancellable, chosen_models, have_rows
from ordain.reconciler.validating import ValidationJob
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.errors import ArtifactError, DataError
from ordain.runtime.training.order import RESULT
from ordain.runtime.validation.order import VALIDATION, ValidationOrder
from ordain.specs.evidence import evidence_path
from ordain.specs.kinds.dataset import Source
from ordain.specs.spelling import did_you_mean
from ordain.specs.trees import file_in
from ordain.specs.validations import read_validation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from ordain.reconciler.unsigned_previews import Preview, Workshop
    from ordain.specs.documents import Document
    from ordain.specs.kinds.dataset import Column, Dataset, Target
    from ordain.specs.validations import ValidationReport

_FILES: Final = {".csv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is validated: an artifact, what it is called here, and the rows that it learnt from.

    `data` is their digest and `split` that of their parts.
    """

    label: str
    document: Document
    artifact: str
    data: str
    split: str | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows: their Dataset with its digest, and the part of them; empty for all.

    `own` is the Dataset that the model learns from, where the rows are of another one.
    """

    name: str
    data: Dataset
    part: str
    split: str | None = None
    own: Dataset | None = None


@dataclass(frozen=True, slots=True)
class Validated:
    """What was validated, what was measured, and where the document is."""

    subject: Subject
    rows: Rows
    report: ValidationReport
    path: Path


# ── what to validate ─────────────────────────────────────────────────────────────────────────────


def subject_of_version(workshop: Workshop, model: str, number: int) -> Subject:
    """A version that the work tree has, copied to where a preview may read it.

    Raises:
        Untrainable: there is no such model or version.
        ArtifactError: its artifact is not on this machine.
    """
    (document,) = chosen_models(workshop.estate, (model,))
    keys = workshop.estate.versions(model, number)
    version = workshop.estate.find(keys[-1]) if keys else None
    if version is None:
        known = sorted(
            one.spec.version
            for one in workshop.estate.all("ModelVersion")
            if one.spec.model == model
        )
        remedy = f"one of: {', '.join(map(str, known)) or 'none'}"
        raise Untrainable(f"Model {model} has no version {number}", remedy=remedy)
    spec = version.spec
    _lend(workshop, spec.artifact)
    return Subject(f"{model}@{number}", document, spec.artifact, spec.inputs.data, spec.split)


def subject_of_preview(preview: Preview) -> Subject:
    """What an unsigned preview has made."""
    candidate = preview.candidate
    return Subject(
        f"{candidate.document.name}, run {preview.run.id}",
        candidate.document,
        preview.artifact,
        candidate.recipe.data,
        preview.evidence.split,
    )


def subject_of_run(workshop: Workshop, model: str, wanted: str) -> Subject:
    """What a run of this machine has made.

    Raises:
        RunUnknown: there is no such run.
        Untrainable: it is of another model, or has made nothing.
        ArtifactError: its artifact is gone.
    """
    (document,) = chosen_models(workshop.estate, (model,))
    run = find_run(workshop.home, wanted)
    if run.begun.model != model:
        message = f"run {run.id} is of model {run.begun.model}"
        raise Untrainable(message, remedy="see: ordain runs list")
    if run.evidence is None:
        raise Untrainable(f"run {run.id} has made nothing", remedy=f"ordain runs show {run.id}")
    evidence = run.evidence
    _lend(workshop, evidence.artifact)
    data = str(evidence.data["digest"])
    return Subject(f"{model}, run {run.id}", document, evidence.artifact, data, evidence.split)


def _lend(workshop: Workshop, artifact: str) -> None:
    home = workshop.home
    previews = ArtifactStore(home.preview_artifacts)
    if previews.has(artifact):
        return
    if not lend_artifact(ArtifactStore(home.artifacts), artifact, previews):
        message = f"artifact store {home.artifacts}: no blob {artifact}"
        raise ArtifactError(message, remedy="validate on the machine that has it, or train it here")


# ── which rows ───────────────────────────────────────────────────────────────────────────────────


def rows_of(workshop: Workshop, subject: Subject, wanted: str | None) -> Rows:
    """The rows that are named, those that the Model declares, or its test part.

    A file is read as the Dataset of the model is, with those of its columns that the file has.

    Raises:
        Untrainable: no Dataset has the name, or the model names none.
        DataError: the rows cannot be read.
    """
    model, estate = subject.document.spec, workshop.estate
    own = estate.get("Dataset", model.dataset) if model.dataset else None
    if own is None:
        message = f"Model {subject.document.name} names no dataset"
        raise Untrainable(message, remedy="set spec.dataset")
    name = wanted or model.validation.dataset
    if name is None:
        data = replace(own.spec, digest=subject.data)
        return Rows(own.name, data, "test", subject.split)
    if (suffix := PurePosixPath(name).suffix) in _FILES:
        return Rows(
            name,
            _pinned(workshop, name, _of_file(workshop, own.spec, name, suffix)),
            "",
            own=own.spec,
        )
    document = estate.get("Dataset", name)
    if document is None:
        known = [one.name for one in estate.all("Dataset")]
        remedy = did_you_mean(name, known) or f"one of: {', '.join(known)}, or a file of the estate"
        raise Untrainable(f"there is no Dataset {name!r}", remedy=remedy)
    return Rows(name, _pinned(workshop, name, document.spec), "", own=own.spec)


def _pinned(workshop: Workshop, name: str, data: Dataset) -> Dataset:
    """The Dataset with a digest: the one that is pinned, or that of what its source holds now."""
    from ordain.runtime.datasets.reading import digest_of

    if data.digest is not None:
        return data
    return replace(data, digest=digest_of(data, workshop.root, name))


def _of_file(workshop: Workshop, own: Dataset, path: str, suffix: str) -> Dataset:
    """The model's Dataset over another file; what the file has not is not declared of it.

    An outcome or a time that is not there is no fault: new cases have none yet.
    """
    place = workshop.root / path
    there = _columns_of(place, suffix, path)
    columns = {name: column for name, column in own.columns.items() if name in there}
    if not columns:
        message = f"{path}: it has no column of the Dataset of the model"
        raise DataError(message, remedy="give a file with the columns of the Dataset")

    def kept(name: str | None) -> str | None:
        return name if name in columns else None

    target, columns = _outcome_in(own.target, columns)
    return replace(
        own,
        source=Source(type="csv" if suffix == ".csv" else "parquet", uri=path),
        columns=columns,
        digest=None,
        as_of=None,
        entity=kept(own.entity),
        time=kept(own.time),
        target=target,
        leaks=tuple(name for name in own.leaks if name in columns),
        expect=replace(own.expect, rows=None, unique=(), fresh=None, relations=()),
    )


def _outcome_in(
    target: Target | None, columns: dict[str, Column]
) -> tuple[Target | None, dict[str, Column]]:
    """The target, and the columns that are read.

    Without the columns that say whose outcome was seen, an outcome is none, and is not read. What
    it means stays: who gets the favourable decision is known without a single outcome.
    """
    if target is None:
        return target, columns
    loop = target.feedback
    seen = set() if loop is None else {loop.observed, loop.explored or loop.observed}
    if {target.column, *seen} <= columns.keys():
        return target, columns
    kept = {name: column for name, column in columns.items() if name != target.column}
    return replace(target, feedback=None, mature_after=None), kept


def _columns_of(place: Path, suffix: str, path: str) -> set[str]:
    import pyarrow as pa
    from pyarrow import parquet

    remedy = "name a CSV or Parquet file inside the estate"
    try:
        if suffix == ".parquet":
            return set(parquet.read_schema(place).names)
        with place.open(encoding="utf-8-sig", newline="") as file:
            return set(next(csv.reader(file), ()))
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        message = f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        raise DataError(message, remedy=remedy) from error


# ── the validation ───────────────────────────────────────────────────────────────────────────────


def order_of(workshop: Workshop, subject: Subject, rows: Rows) -> ValidationOrder:
    """The order for a validation, by what the work tree declares now."""
    estate, model = workshop.estate, subject.document.spec
    (settings,) = estate.all("Estate")
    running = champion(estate, subject.document.name)
    store = ArtifactStore(workshop.home.preview_artifacts)
    if running is not None:
        # One that is not on this machine is told of by the validation itself.
        lend_artifact(ArtifactStore(workshop.home.artifacts), running, store)
    return ValidationOrder(
        model=subject.document.name,
        spec=model,
        artifact=subject.artifact,
        dataset=rows.name,
        data=rows.data,
        part=rows.part,
        split=rows.split,
        champion=running,
        edge_cases=_text(workshop, model.validation.edge_cases),
        reasons=_text(workshop, model.explanation.reasons),
        environment=_text(workshop, settings.spec.environment_lock) or "",
        store=workshop.home.preview_artifacts,
        seed=0 if model.training is None else model.training.seed,
        tool=ordain.__version__,
        own=rows.own,
    )


def _text(workshop: Workshop, path: str | None) -> str | None:
    data = file_in(workshop.files, path) if path is not None else None
    return None if data is None else data.decode()


def validate_preview(
    workshop: Workshop,
    subject: Subject,
    rows: Rows,
    now: datetime,
    progress: Callable[[str], None],
) -> Validated:
    """Validate in a process of its own; the document is kept with the previews.

    Raises:
        DriverFailed: the process failed, with the code of its error, or ended without a result.
        Cancelled: somebody stopped it.
    """
    home = workshop.home
    home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with cancellable(subject.document.name, "validation", "validate"):
        order = order_of(workshop, subject, rows)
        directory = home.previews / "validations" / order.digest.removeprefix("sha256:")[:32]
        have_rows(workshop, rows.name, rows.data, directory, now)
        run_alone(directory, ValidationJob(order, order.digest), progress)
    result: dict[str, Any] = json.loads((directory / RESULT).read_bytes())
    if "error" in result:
        error = result["error"]
        raise DriverFailed(error["message"], remedy=error["remedy"], code=error["code"])
    path = directory / VALIDATION
    report = read_validation(path.read_bytes(), evidence_path(result["validation"]))
    return Validated(subject, rows, report, path)
