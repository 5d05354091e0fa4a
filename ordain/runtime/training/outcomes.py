"""What is learnt, row by row: a class, a number, or nothing.

Whether a classification tells two classes apart or more is a fact of the pinned data and not of the
declaration, so it is found here: two distinct outcomes make it binary, with `target.positive` as
the one whose probability is given; more of them are classes in the order of their names. A model
of more than a hundred classes is refused: that is a number or a name that was taken for a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import DataError, TrainingError
from ordain.specs.tasks import BINARY, CLASSIFICATION, CLUSTERING, REGRESSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ordain.specs.kinds.dataset import Dataset, Target

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

MAXIMUM_CLASSES = 100
SMALLEST_CLASS = 2
LARGEST = 1e100  # The sum of squares of any number of smaller values is finite.
_NUMBERS = ("int", "float")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcome of every row.

    `task` tells binary from other classification. `values` are 1 for the positive of two outcomes,
    places in `classes` for more, numbers for a regression, and zeros where nothing is learnt from.
    `positive` is the name of that one of two outcomes, `negative` of the other.
    """

    task: str
    values: Any
    classes: tuple[str, ...] = ()
    positive: str = ""
    negative: str = ""

    @property
    def declared(self) -> str:
        """The task in the word of the language, which does not count the classes."""
        return CLASSIFICATION if self.task == BINARY else self.task


def read_outcomes(
    task: str,
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    known: NDArray[np.bool_] | None = None,
) -> Outcomes:
    """The outcomes of the rows of a cast `pyarrow.Table`, for a task of the language.

    `known` tells, per row, whether it has an outcome that may be learnt from; whatever stands in
    the others is not looked at, and their value says nothing.

    Raises:
        TrainingError: when the task needs a target and the Dataset names none.
        DataError: when the outcomes are not those of the task.
    """
    if task == CLUSTERING:
        return Outcomes(CLUSTERING, np.zeros(table.num_rows, dtype=np.int64))
    if dataset.target is None:
        message = f"a {task} needs a target, and the Dataset names none"
        raise TrainingError(message, remedy="set spec.target of the Dataset")
    values = table[dataset.target.column].combine_chunks()
    if known is not None and not known.all():
        values = _hidden(values, known)
    if values.null_count:
        message = f"target {dataset.target.column}: {values.null_count} rows without an outcome"
        raise DataError(message, remedy="leave out rows whose outcome is not known yet")
    if task == REGRESSION:
        kind = dataset.columns[dataset.target.column].type
        return _numbers(dataset.target, kind, values)
    return _classes(dataset.target, values)


def _hidden(values: Any, known: NDArray[np.bool_]) -> Any:  # noqa: ANN401 - Arrow arrays
    """The outcomes with the first known one in the place of each that is not known."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mask = pa.array(known)
    seen = values.filter(mask)
    first = seen[0] if len(seen) else pa.scalar(None, values.type)
    return pc.if_else(mask, values, first)


def _numbers(target: Target, kind: str, values: Any) -> Outcomes:  # noqa: ANN401 - an Arrow column
    import pyarrow as pa

    if kind not in _NUMBERS:
        message = f"target {target.column}: its type is {kind}, and a regression learns a number"
        raise DataError(message, remedy="declare it as float or int, or set task: classification")
    found: Floats = values.cast(pa.float64(), safe=False).to_numpy()
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        where = f"{len(wrong)} rows are not finite, first row {wrong[0] + 1}"
        message = f"target {target.column}: {where}"
        raise DataError(message, remedy="correct the values, or leave the rows out")
    huge = np.flatnonzero(np.abs(found) > LARGEST)
    if len(huge):
        where = f"{len(huge)} rows are beyond {LARGEST:g}, first row {huge[0] + 1}"
        message = f"target {target.column}: {where}"
        raise DataError(message, remedy="correct the values, or use another unit")
    if found.min() == found.max():
        message = f"target {target.column}: all {len(found)} rows have the same outcome"
        raise DataError(message, remedy="take rows with different outcomes")
    return Outcomes(REGRESSION, found)


def _classes(target: Target, values: Any) -> Outcomes:  # noqa: ANN401 - an Arrow column
    import pyarrow as pa
    import pyarrow.compute as pc

    present = pc.unique(values).to_pylist()
    if len(present) > MAXIMUM_CLASSES:
        message = (
            f"target {target.column}: {len(present)} different outcomes, a classification takes "
            f"{MAXIMUM_CLASSES}"
        )
        raise DataError(message, remedy="set task: regression, or group the outcomes")
    if len(present) == 1:
        message = f"target {target.column}: all {len(values)} rows have the same outcome"
        raise DataError(message, remedy="take rows with different outcomes")
    if len(present) == 2:  # noqa: PLR2004 - two outcomes are the binary case
        return _binary(target, sorted(present), values)
    names = {value: class_name(value) for value in present}
    classes = tuple(sorted(names.values()))
    if len(set(classes)) != len(present):
        message = f"target {target.column}: two outcomes have the same name"
        raise DataError(message, remedy="write each class in one way")
    coded = values.dictionary_encode()
    places = [classes.index(names[value]) for value in coded.dictionary.to_pylist()]
    codes: Indices = np.asarray(pa.array(places).take(coded.indices), dtype=np.int64)
    return Outcomes(CLASSIFICATION, codes, classes)


def _binary(target: Target, present: list[Any], values: Any) -> Outcomes:  # noqa: ANN401
    import pyarrow.compute as pc

    positive = as_outcome(target.positive, present)
    if positive is None:
        message = f"target {target.column}: no row has the positive outcome {target.positive!r}"
        raise DataError(message, remedy=f"set target.positive to one of {present}")
    found: Indices = np.asarray(pc.equal(values, positive)).astype(np.int64)
    (negative,) = [class_name(value) for value in present if value is not positive]
    return Outcomes(BINARY, found, positive=class_name(positive), negative=negative)


def class_name(value: object) -> str:
    """What a class is called in plans, decisions and evidence: as YAML would write its value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_outcome(declared: object, present: Sequence[object]) -> object | None:
    """The value of the column that a declared outcome means: 1 is true, and `1` in text."""
    for value in present:
        if value == declared or (isinstance(value, str) and value == str(declared)):
            return value
    return None


def refuse_outside(objective: str, learnt: Floats) -> None:
    """Refuse outcomes that an objective cannot learn: of a gamma 0 and below, of counts below 0.

    Raises:
        TrainingError: saying which objective, and the smallest outcome.
    """
    words = objective.split(":")
    positive, counts = "gamma" in words, not {"poisson", "tweedie"}.isdisjoint(words)
    smallest = float(np.min(learnt)) if positive or counts else 1.0
    if smallest > 0.0 or (counts and smallest == 0.0):
        return
    wanted = "outcomes above 0" if positive else "no outcome below 0"
    message = f"target: {objective} takes {wanted}, and the training part has {smallest:g}"
    raise TrainingError(message, remedy="leave such rows out, or learn by another objective")


def refuse_unlearnable(outcomes: Outcomes, train: Indices) -> None:
    """Refuse a training part from which nothing, or not every class, can be learnt.

    Raises:
        TrainingError: naming the outcome that is missing.
    """
    if outcomes.task == CLUSTERING:
        return
    learnt = outcomes.values[train]
    if len(np.unique(learnt)) == 1:
        message = "split: all rows of the training part have the same outcome"
        raise TrainingError(message, remedy="widen split.train")
    if outcomes.task == CLASSIFICATION:
        counts = np.bincount(learnt, minlength=len(outcomes.classes))
        for name, count in zip(outcomes.classes, counts.tolist(), strict=True):
            if count < SMALLEST_CLASS:
                rows = "1 row" if count == 1 else f"{count} rows"
                message = f"split: class {name} has {rows} in the training part, 2 are needed"
                raise TrainingError(message, remedy="widen split.train, or group rare classes")
