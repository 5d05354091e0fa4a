"""What a model may declare about decisions and their reasons, by its task.

A threshold parts the probability of one of two outcomes; of more than two the most probable is
chosen, a regression gives a number and a clustering a cluster. Declared all the same, a threshold
would stand in the report and never have an effect. How many outcomes there are is a fact of the
data; the language knows it where the Dataset lists the levels of the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import Document
    from ordain.specs.kinds.dataset import Dataset

_TWO: Final = 2
_WITHOUT: Final = {
    "regression": "a regression gives a number and decides nothing",
    "clustering": "a clustering gives a cluster and decides nothing",
}


def check_decisions(model: Document, dataset: Dataset | None) -> Iterator[Finding]:
    """Decisions, reason codes and explanations that the task has no use for."""
    spec = model.spec
    if spec.decision is not None:
        yield from _check_decision(model, dataset)
    if spec.task == "clustering" and "explanation" in model.raw["spec"]:
        message = "`explanation` is declared, and a clustering has no reasons"
        yield _error("SPEC143", model, ("spec", "explanation"), message, "remove `explanation`")
    elif spec.explanation.reasons is not None and spec.task in _WITHOUT:
        message = f"`reasons` tell why a decision was unfavourable, and {_WITHOUT[spec.task]}"
        path = ("spec", "explanation", "reasons")
        yield _error("SPEC143", model, path, message, "remove `reasons`")
    if spec.task != "clustering":
        yield from _check_explanation(model, dataset)


def _check_explanation(model: Document, dataset: Dataset | None) -> Iterator[Finding]:
    """What is declared of explanations and cannot have an effect."""
    spec, place = model.spec, ("spec", "explanation")
    why = _WITHOUT.get(spec.task, "")
    target = None if dataset is None else dataset.target
    if not why and dataset is not None and (target is None or target.favourable is None):
        why = "the Dataset declares no favourable outcome"
    if not why and spec.decision is None and len(_target_levels(dataset)) == _TWO:
        why = "the Model declares no decision"
    if spec.explanation.background.of == "favourable" and why:
        message = f"the background is of favourable decisions, and {why}"
        path = (*place, "background", "of")
        yield _error("SPEC167", model, path, message, "remove `of`, or declare what is not there")
    if spec.explanation.reasons is None and "gates" in (model.raw["spec"].get("explanation") or {}):
        message = "`gates` judge reasons, and no reason codes are declared"
        yield _error("SPEC167", model, (*place, "gates"), message, "declare `reasons`")


def _check_decision(model: Document, dataset: Dataset | None) -> Iterator[Finding]:
    why = _WITHOUT.get(model.spec.task)
    levels = _target_levels(dataset)
    if why is None and len(levels) > _TWO:
        why = f"the target has {len(levels)} levels, of which the most probable is decided"
    if why is not None:
        message = f"`decision` parts two outcomes by a threshold: {why}"
        yield _error("SPEC142", model, ("spec", "decision"), message, "remove `decision`")


def _target_levels(dataset: Dataset | None) -> tuple[str, ...]:
    """The outcomes that the Dataset lists; empty where it lists none."""
    if dataset is None or dataset.target is None:
        return ()
    column = dataset.columns.get(dataset.target.column)
    return () if column is None else column.levels or ()


def _error(code: str, model: Document, path: tuple[str, ...], message: str, remedy: str) -> Finding:
    return Finding(code, Severity.ERROR, message, model.marks.key(*path), (), remedy)
