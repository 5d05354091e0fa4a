"""What came true of the rows, in the numbers of the artifact that is judged.

Training reads outcomes to learn from them, and refuses a table that has one outcome only. Here the
classes are those of the plan: rows that hold fewer of them are rows all the same, and an outcome
that the plan does not know is a finding and no new class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.training.metrics import Sample
from ordain.runtime.training.metrics_classes import ClassSample
from ordain.runtime.training.metrics_clusters import ClusterSample
from ordain.runtime.training.metrics_numbers import NumberSample
from ordain.runtime.training.outcomes import LARGEST, class_name
from ordain.specs.tasks import CLASSIFICATION, CLUSTERING, REGRESSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordain.runtime.scoring import RowPlan
    from ordain.runtime.training.measuring import AnySample
    from ordain.runtime.validation.answering import Answered, Row
    from ordain.specs.kinds.dataset import Dataset, Target

    Indices = NDArray[np.int64]
    Mask = NDArray[np.bool_]

THRESHOLD = 0.5  # Of a model that declares no decision.
_TWO = 2


@dataclass(frozen=True, slots=True)
class Truth:
    """Outcomes of some of the rows: their `places` among the rows that are judged, and `values`.

    `values` are 1 for the positive of two outcomes, places among the classes of the plan, or
    numbers. `reason` says why there are none, and `unlearnt` which outcome the model does not know.
    """

    places: Indices
    values: Any
    reason: str = ""
    unlearnt: str = ""

    def at(self, places: Indices) -> Any:  # noqa: ANN401 - an array
        """The outcomes of these rows, which all have one."""
        return self.values[np.searchsorted(self.places, places)]


def unknown_truth(reason: str) -> Truth:
    """No outcomes, and why."""
    return Truth(np.empty(0, dtype=np.int64), np.empty(0), reason)


def truth_of_rows(
    plan: RowPlan,
    dataset: Dataset,
    meant: Target | None,
    table: Any,  # noqa: ANN401 - pa.Table
    rows: Indices,
    known: Mask,
) -> Truth:
    """The outcomes of the rows of a cast `pyarrow.Table`; `known` is of the shape (rows,).

    `meant` is the target of the Dataset that the model learns from.
    """
    if plan.task == CLUSTERING:
        return Truth(np.arange(len(rows)), np.zeros(len(rows), dtype=np.int64))
    target = dataset.target
    if target is None or target.column not in table.column_names:
        absent = f"column {target.column} is not in the rows" if target else ""
        return unknown_truth(absent or "the Dataset names no target")
    taken = table[target.column].take(rows).to_pylist()
    places = [place for place, value in enumerate(taken) if known[place] and value is not None]
    if not places:
        return unknown_truth(f"no row has an outcome in {target.column}")
    found = [taken[place] for place in places]
    if plan.task == CLASSIFICATION:
        positions = [int(rows[place]) for place in places]
        if told := _unlearnt(plan, meant, found, positions):
            return replace(unknown_truth(f"target {target.column}: {told}"), unlearnt=told)
    values = _numbers(found) if plan.task == REGRESSION else _classes(plan, meant, found)
    if isinstance(values, str):
        return unknown_truth(f"target {target.column}: {values}")
    return Truth(np.array(places, dtype=np.int64), values)


def _numbers(found: list[Any]) -> Any:  # noqa: ANN401 - an array, or what is wrong
    if not all(isinstance(value, int | float) for value in found):
        return "its values are no numbers, and the model gives one"
    values = np.array(found, dtype=np.float64)
    wrong = int((~np.isfinite(values)).sum())
    if wrong:
        return f"{wrong} of {len(found)} outcomes are not finite"
    huge = int((np.abs(values) > LARGEST).sum())
    return f"{huge} of {len(found)} outcomes are beyond {LARGEST:g}" if huge else values


def _classes(plan: RowPlan, meant: Target | None, found: list[Any]) -> Any:  # noqa: ANN401
    names = [class_name(value) for value in found]
    if plan.classes:
        return np.array([plan.classes.index(name) for name in names], dtype=np.int64)
    positive = _positive(plan, meant)
    return np.array([name == positive for name in names], dtype=np.int64)


def _positive(plan: RowPlan, meant: Target | None) -> str:
    return plan.positive or class_name(None if meant is None else meant.positive)


def _unlearnt(plan: RowPlan, meant: Target | None, found: list[Any], places: list[int]) -> str:
    """The first outcome that the model has not learnt, with its row; empty where it knows all.

    Two outcomes are those of the plan. One that was written before it named both is held against
    its positive outcome alone: whatever else there is must be one outcome.
    """
    names = [class_name(value) for value in found]
    positive = _positive(plan, meant)
    known = set(plan.classes) or {positive, plan.negative}
    if not plan.classes and not plan.negative:
        others = sorted(set(names) - {positive})
        known = {positive, *(others if len(others) < _TWO else ())}
    for name, place in zip(names, places, strict=True):
        if name not in known:
            return f"row {place + 1} has the outcome {name}, which the model has not learnt"
    return ""


def sample_of(
    plan: RowPlan,
    given: Answered,
    raw: list[Row],
    places: Indices,
    values: Any,  # noqa: ANN401 - an array
    seed: int,
) -> AnySample:
    """What is judged at these places; `values` are the outcomes there."""
    if plan.task == CLUSTERING:
        points = np.array([plan.encode(raw[place]) for place in places.tolist()])
        return ClusterSample(points, given.decision[places], (), seed)
    if plan.task == REGRESSION:
        return NumberSample(values, given.output[places], seed)
    if plan.classes:
        return ClassSample(values, given.scores[places], seed)
    threshold = THRESHOLD if plan.decision is None else plan.decision.threshold
    return Sample(values, given.output[places], threshold, seed)
