"""What a Model declares of its validation, against its task, its features and the Datasets.

A validation runs after a training, and a mistake in it would be found when the machine has worked
for an hour and somebody waits for the promotion. Everything that can be told from the documents is
told by the check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.edge_cases import CODE, read_edge_cases, unknown_inputs
from ordain.specs.features import feature_names, protected_names
from ordain.specs.findings import Finding, Severity
from ordain.specs.spelling import did_you_mean
from ordain.specs.tasks import CLASSIFICATION, METRICS
from ordain.specs.trees import file_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.edge_cases import EdgeCase
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model
    from ordain.specs.paths import Path

REFITTED: Final = "stability"  # It is measured by fitting again, which a validation does not do.
_GROUPS: Final = ("float", "int", "bool", "category", "date")
_PROTECTED: Final = "protected"
_AT: Final = ("spec", "validation")


def check_validation(document: Document, estate: LoadedEstate) -> Iterator[Finding]:
    """What is wrong with `validation` of a Model, but for the file of edge cases."""
    if "validation" not in document.raw["spec"]:
        return
    yield from _segments_of_task(document)
    yield from _without_effect(document)
    own = _dataset(estate, document.spec.dataset)
    name = document.spec.validation.dataset
    other = _dataset(estate, name) if name is not None else None
    if own is not None and other is not None:
        yield from _same_columns(document, own, str(name), other)
        yield from _same_meaning(document, own, str(name), other)
    if (rows := other or own) is not None:
        yield from _segment_columns(document, rows)


def _dataset(estate: LoadedEstate, name: str | None) -> Dataset | None:
    found = estate.get("Dataset", name) if name is not None else None
    return None if found is None else found.spec


def _same_columns(document: Document, own: Dataset, name: str, other: Dataset) -> Iterator[Finding]:
    """Rows that the model could not read."""
    model: Model = document.spec
    features = [one for one in feature_names(model.features, own) if one in own.columns]
    missing = [one for one in features if one not in other.columns]
    wrong = [
        one
        for one in features
        if one in other.columns and other.columns[one].type != own.columns[one].type
    ]
    if missing:
        message = f"the Dataset `{name}` has no column `{missing[0]}`, which is a feature"
        remedy = f"declare it in the Dataset `{name}`, or validate on another one"
        yield _error("SPEC160", document, ("dataset",), message, remedy)
    elif wrong:
        theirs, ours = other.columns[wrong[0]].type, own.columns[wrong[0]].type
        message = f"`{wrong[0]}` is {theirs} in the Dataset `{name}`, and a feature of type {ours}"
        yield _error("SPEC160", document, ("dataset",), message, f"declare it as {ours}")


def _same_meaning(document: Document, own: Dataset, name: str, other: Dataset) -> Iterator[Finding]:
    """Rows of which the Dataset says otherwise who is compared, or which outcome is which."""
    for message, remedy in (*unlike_groups(own, name, other), *unlike_outcome(own, name, other)):
        yield _error("SPEC160", document, ("dataset",), message, remedy)


def unlike_groups(own: Dataset, name: str, other: Dataset) -> Iterator[tuple[str, str]]:
    """What the Dataset of the rows says otherwise of protected columns, and what to do."""
    for column in protected_names(own):
        ours, theirs = own.columns[column], other.columns.get(column)
        remedy = f"declare it as the Dataset of the model does, with `role: {_PROTECTED}`"
        if theirs is None:
            told = f"the Dataset `{name}` has no column `{column}`, by which groups are compared"
            yield told, remedy
        elif theirs.role != _PROTECTED:
            yield f"`{column}` is not protected in the Dataset `{name}`", remedy
        else:
            for field in ("type", "reference", "levels"):
                if getattr(ours, field) != getattr(theirs, field):
                    told = f"`{column}` has another `{field}` in the Dataset `{name}`"
                    yield f"{told} than in that of the model", remedy


def unlike_outcome(own: Dataset, name: str, other: Dataset) -> Iterator[tuple[str, str]]:
    """What it says otherwise of outcomes; without a target it is of cases that have none yet."""
    if own.target is None or other.target is None:
        return
    for field in ("column", "positive", "favourable"):
        ours, theirs = getattr(own.target, field), getattr(other.target, field)
        if ours != theirs:
            message = f"`target.{field}` is {_shown(theirs)} in the Dataset `{name}`"
            told = f"{message}, and {_shown(ours)} in that of the model"
            yield told, f"write {_shown(ours)} in the Dataset `{name}`"


def _shown(value: object) -> str:
    """A value of a document in a sentence."""
    return "not declared" if value is None else f"`{value}`"


def _segment_columns(document: Document, rows: Dataset) -> Iterator[Finding]:
    segments = document.spec.validation.segments
    for place, name in enumerate(segments.columns if segments is not None else ()):
        path: Path = ("segments", "columns", place)
        if name not in rows.columns:
            remedy = did_you_mean(name, rows.columns) or "name a column of the Dataset"
            yield _error("SPEC160", document, path, f"there is no column `{name}`", remedy)
        elif rows.columns[name].type not in _GROUPS:
            message = f"`{name}` is of the type {rows.columns[name].type}, and makes no groups"
            yield _error("SPEC160", document, path, message, "name a category, number or date")


def _segments_of_task(document: Document) -> Iterator[Finding]:
    segments, task = document.spec.validation.segments, document.spec.task
    if segments is None:
        return
    known = [name for name in METRICS[task] if name != REFITTED]
    if segments.metric and segments.metric not in known:
        message = f"`{segments.metric}` is no metric of a {task} that a group can have"
        remedy = f"use one of {', '.join(known)}"
        yield _error("SPEC161", document, ("segments", "metric"), message, remedy)
    if segments.min is not None and segments.max is not None and segments.min > segments.max:
        message = "`min` of the segments is above their `max`"
        yield _error("SPEC161", document, ("segments", "min"), message, "write the lower one first")


def _without_effect(document: Document) -> Iterator[Finding]:
    """Limits of what the task does not have."""
    validation, task = document.spec.validation, document.spec.task
    if task == CLASSIFICATION:
        return
    if validation.calibration is not None:
        message = f"`calibration` is of probabilities, and a {task} gives none"
        yield _error("SPEC163", document, ("calibration",), message, "remove `calibration`")
    if validation.robustness.max_flips is not None and task == "regression":
        message = "`maxFlips` counts decisions, and a regression makes none"
        yield _error("SPEC163", document, ("robustness", "maxFlips"), message, "remove `maxFlips`")


def check_edge_cases(
    document: Document, estate: LoadedEstate, files: Mapping[str, bytes]
) -> Iterator[Finding]:
    """What is wrong with the file of edge cases that a Model names."""
    path = document.spec.validation.edge_cases
    if path is None:
        return
    data = file_in(files, path)
    if data is None:
        message = f"the file `{path}` is not in the estate"
        remedy = "write it at the root or in `cases/`, or correct the path"
        yield _error(CODE, document, ("edgeCases",), message, remedy)
        return
    cases, findings = read_edge_cases(data, path)
    yield from findings
    yield from _decisions(document, cases)
    own = _dataset(estate, document.spec.dataset)
    if own is None:
        return
    known = frozenset(feature_names(document.spec.features, own))
    for case, name in unknown_inputs(cases, known):
        message = f"the edge case {case.name!r} names `{name}`, which is no feature"
        remedy = did_you_mean(name, known) or "take it out, or expect {refused: true}"
        yield _error(CODE, document, ("edgeCases",), message, remedy)


def _decisions(document: Document, cases: Iterable[EdgeCase]) -> Iterator[Finding]:
    """Decisions that a Model never makes; classes that no document names are known to the data."""
    declared = document.spec.decision
    if declared is None:
        return
    made = (declared.above, declared.below)
    for case in cases:
        if case.decision is not None and case.decision not in made:
            message = f"the edge case {case.name!r} expects the decision {case.decision!r}"
            message += f", and {document.name} decides {made[0]!r} or {made[1]!r}"
            remedy = did_you_mean(case.decision, made) or "expect one of them"
            yield _error(CODE, document, ("edgeCases",), message, remedy)


def _error(code: str, document: Document, below: Path, message: str, remedy: str) -> Finding:
    place = document.marks.value(*_AT, *below)
    return Finding(code, Severity.ERROR, message, place, remedy=remedy)
