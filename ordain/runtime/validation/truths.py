"""What came true of the rows, in the numbers of the artifact that is judged.

Training reads outcomes to learn from them, and refuses a table that has one outcome only. Here the
classes are those of the plan: rows that hold fewer of them are rows all the same, and an outcome
that the plan does not know is a finding and no new class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.training.metrics import Sample
from ordain.runtime.training.metrics_classes import ClassSample
from ordain.runtime.training.metrics_clusters import ClusterSample
from ordain.runtime.training.metrics_numbers import NumberSample
from ordain.runtime.training.outcomes import class_name
from ordain.specs.tasks import CLUSTERING, REGRESSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordain.runtime.scoring import RowPlan
    from ordain.runtime.training.measuring import AnySample
    from ordain.runtime.validation.answering import Answered, Row
    from ordain.specs.kinds.dataset import Dataset

    Indices = NDArray[np.int64]
    Mask = NDArray[np.bool_]

THRESHOLD = 0.5  # Of a model that declares no decision.
_TWO = 2


@dataclass(frozen=True, slots=True)
class Truth:
    """Outcomes of some of the rows: their `places` among the rows that are judged, and `values`.

    `values` are 1 for the positive of two outcomes, places among the classes of the plan, or
    numbers. `reason` says why there are none.
    """

    places: Indices
    values: Any
    reason: str = ""

    def at(self, places: Indices) -> Any:  # noqa: ANN401 - an array
        """The outcomes of these rows, which all have one."""
        return self.values[np.searchsorted(self.places, places)]


def unknown_truth(reason: str) -> Truth:
    """No outcomes, and why."""
    return Truth(np.empty(0, dtype=np.int64), np.empty(0), reason)


def truth_of_rows(
    plan: RowPlan,
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    rows: Indices,
    known: Mask,
) -> Truth:
    """The outcomes of the rows of a cast `pyarrow.Table`; `known` is of the shape (rows,)."""
    if plan.task == CLUSTERING:
        return Truth(np.arange(len(rows)), np.zeros(len(rows), dtype=np.int64))
    target = dataset.target
    if target is None:
        return unknown_truth("the Dataset names no target")
    if target.column not in table.column_names:
        return unknown_truth(f"column {target.column} is not in the Dataset")
    taken = table[target.column].take(rows).to_pylist()
    places = [place for place, value in enumerate(taken) if known[place] and value is not None]
    if not places:
        return unknown_truth(f"no row has an outcome in {target.column}")
    found = [taken[place] for place in places]
    values = _numbers(found) if plan.task == REGRESSION else _classes(plan, dataset, found)
    if isinstance(values, str):
        return unknown_truth(f"target {target.column}: {values}")
    return Truth(np.array(places, dtype=np.int64), values)


def _numbers(found: list[Any]) -> Any:  # noqa: ANN401 - an array, or what is wrong
    if not all(isinstance(value, int | float) for value in found):
        return "its values are no numbers, and the model gives one"
    values = np.array(found, dtype=np.float64)
    wrong = int((~np.isfinite(values)).sum())
    return f"{wrong} of {len(found)} outcomes are not finite" if wrong else values


def _classes(plan: RowPlan, dataset: Dataset, found: list[Any]) -> Any:  # noqa: ANN401 - as above
    names = [class_name(value) for value in found]
    if plan.classes:
        unknown = sorted(set(names) - set(plan.classes))
        if unknown:
            return f"the model has no class {unknown[0]}"
        return np.array([plan.classes.index(name) for name in names], dtype=np.int64)
    if len(set(names)) > _TWO:
        return f"{len(set(names))} different outcomes, and the model tells two apart"
    declared = None if dataset.target is None else dataset.target.positive
    positive = plan.positive or class_name(declared)
    return np.array([name == positive for name in names], dtype=np.int64)


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
