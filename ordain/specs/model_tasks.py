"""A model against its own task: estimator, metrics and fairness are those that the task has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.fairness import fairness_problems
from ordain.specs.findings import Finding, Severity
from ordain.specs.gates import gate_problems
from ordain.specs.searches import search_problems
from ordain.specs.tasks import CLASSIFICATION, ESTIMATORS, estimators_of

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
    calibrates = model.training is not None and model.training.calibrate is not None
    if calibrates and task != CLASSIFICATION:
        path = ("spec", "training", "calibrate")
        message = f"a {task} gives no probability that could be calibrated"
        yield _error("SPEC154", document, path, message, "take out `calibrate`")
    for problem in search_problems(model):
        found = ("spec", "training", "automl", *problem.path)
        path = ("spec", "training", *problem.path[1:]) if problem.path[0] == ".." else found
        yield _error(problem.code, document, path, problem.message, problem.remedy)
    for place, gate in enumerate(model.acceptance.metrics):
        for one in gate_problems(gate, task):
            path = ("spec", "acceptance", "metrics", place, *filter(None, [one.field]))
            yield _error(one.code, document, path, one.message, one.remedy)
    if model.acceptance.fairness and task != CLASSIFICATION:
        path = ("spec", "acceptance", "fairness")
        message = f"fairness compares decisions, and a {task} makes none"
        place_of = document.marks.key(*path)
        remedy = "take out `fairness`"
        yield Finding("SPEC144", Severity.ERROR, message, place_of, remedy=remedy)
    for place, fairness in enumerate(model.acceptance.fairness):
        path = ("spec", "acceptance", "fairness", place)
        given = document.raw["spec"]["acceptance"]["fairness"][place]
        for wrong in fairness_problems(fairness, tuple(given)):
            where: Path = (*path, *filter(None, [wrong.field]))
            yield _error(wrong.code, document, where, wrong.message, wrong.remedy)


def _error(code: str, document: Document, path: Path, message: str, remedy: str) -> Finding:
    return Finding(code, Severity.ERROR, message, document.marks.value(*path), remedy=remedy)
