"""A model against its own task: estimator, metrics and fairness are those that the task has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.findings import Finding, Severity
from ordain.specs.tasks import CLASSIFICATION, CLUSTERING, ESTIMATORS, METRICS, estimators_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import Document
    from ordain.specs.paths import Path


def check_task(document: Document) -> Iterator[Finding]:
    """What a Model declares that its task does not know."""
    model = document.spec
    task = model.task
    name = None if model.training is None else model.training.estimator
    if name is not None and task not in ESTIMATORS[name]:
        path: Path = ("spec", "training", "estimator")
        message = f"`{name}` does no {task}"
        remedy = f"use one of {', '.join(estimators_of(task))}, or change `task`"
        yield _error("SPEC140", document, path, message, remedy)
    for place, gate in enumerate(model.acceptance.metrics):
        path = ("spec", "acceptance", "metrics", place)
        if gate.name not in METRICS[task]:
            message = f"`{gate.name}` is no metric of a {task}"
            remedy = f"use one of {', '.join(METRICS[task])}"
            yield _error("SPEC141", document, (*path, "name"), message, remedy)
        elif gate.versus is not None and task == CLUSTERING:
            message = "versions of a clustering are not compared: their clusters have no names"
            remedy = "take out `versus`, and set `min` or `max`"
            yield _error("SPEC141", document, (*path, "versus"), message, remedy)
    if model.acceptance.fairness and task != CLASSIFICATION:
        path = ("spec", "acceptance", "fairness")
        message = f"fairness compares decisions, and a {task} makes none"
        place_of = document.marks.key(*path)
        remedy = "take out `fairness`"
        yield Finding("SPEC144", Severity.ERROR, message, place_of, remedy=remedy)


def _error(code: str, document: Document, path: Path, message: str, remedy: str) -> Finding:
    return Finding(code, Severity.ERROR, message, document.marks.value(*path), remedy=remedy)
