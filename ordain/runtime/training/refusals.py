"""What a Model declares and its training rows cannot give, each with one clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.errors import DataError, TrainingError
from ordain.specs.preprocessing import NUMBERS, preprocessing_problems

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordain.runtime.training.features import Floats, Frame
    from ordain.specs.kinds.dataset import Column
    from ordain.specs.kinds.model import Model

MAXIMUM_LEVELS = 500
MAXIMUM_NUMBERS = 100_000_000  # Of columns by level or term: 800 MB of memory.


def refuse_misfit(
    model: Model, frame: Frame, matrix: Floats, outcomes: NDArray[np.generic] | None
) -> None:
    """Everything that can be seen before anything is fitted; `matrix` is the training part.

    Raises:
        DataError: a level is in no training row, and unknown ones are refused.
        TrainingError: the declaration does not fit the features.
    """
    _refuse_declared(model, frame)
    _refuse_empty(frame, matrix)
    _refuse_constant(model, frame, matrix)
    _refuse_unknown(frame, matrix)
    _refuse_wide(model, frame, matrix)
    _refuse_encoding(model, frame, outcomes)


def _refuse_empty(frame: Frame, matrix: Floats) -> None:
    empties = np.all(np.isnan(matrix), axis=0).tolist()
    for name, empty in zip(frame.names, empties, strict=True):
        if empty:
            message = f"feature {name}: all values of the training part are missing"
            raise TrainingError(message, remedy=f"add {name} to features.exclude, or mend the data")


def _refuse_constant(model: Model, frame: Frame, matrix: Floats) -> None:
    """A column that says the same of every row says nothing; it is a mistake of who made it."""
    for place, (name, column) in enumerate(zip(frame.names, frame.columns, strict=True)):
        values = matrix[:, place]
        present = values[~np.isnan(values)]
        gaps = len(present) < len(values)
        if len(values) == 1 or np.any(present != present[0]):
            continue
        if gaps and _keeps_gaps(model, column, present[0]):
            continue
        message = f"feature {name}: all values of the training part are the same"
        remedy = f"add {name} to features.exclude, or mend the data"
        if gaps:
            remedy = f"{remedy}; numeric.indicator: true tells rows with and without it apart"
        raise TrainingError(message, remedy=remedy)


def _keeps_gaps(model: Model, column: Column, value: float) -> bool:
    """Whether a row without the value is still told from the rows that have it."""
    numeric = model.preprocessing.numeric
    if column.type in {"category", "text"} or numeric.indicator or numeric.impute == "none":
        return True
    return numeric.impute == "constant" and value != numeric.fill


def _refuse_unknown(frame: Frame, matrix: Floats) -> None:
    """Where unknown levels are refused and none are declared, training rows must show all."""
    for place, (name, column) in enumerate(zip(frame.names, frame.columns, strict=True)):
        if column.type != "category" or column.unknown != "refuse" or column.levels is not None:
            continue
        seen = set(np.unique(matrix[:, place]).tolist())
        unseen = [level for code, level in enumerate(frame.levels[name]) if code not in seen]
        if unseen:
            message = f"column {name}: {unseen[0]!r} is in no training row, and unknown is refuse"
            remedy = f"declare spec.columns.{name}.levels, or set unknown: bucket"
            raise DataError(message, remedy=remedy)


def _refuse_wide(model: Model, frame: Frame, matrix: Floats) -> None:
    """One column per level is for few levels."""
    if model.preprocessing.categorical.encode != "one_hot":
        return
    for place, (name, column) in enumerate(zip(frame.names, frame.columns, strict=True)):
        if column.type != "category":
            continue
        levels = frequent_levels(matrix[:, place], column.rare)
        if levels > MAXIMUM_LEVELS:
            message = f"feature {name} has {levels} levels, one_hot takes {MAXIMUM_LEVELS}"
            verb = "set" if column.rare is None else "raise"
            remedy = f"{verb} spec.columns.{name}.rare, or encode: target"
            raise TrainingError(message, remedy=remedy)


def frequent_levels(values: Floats, rare: int | None) -> int:
    """How many levels, missing as one of them, are not put together as rare."""
    _, counts = np.unique(values, return_counts=True)
    return int(np.sum(counts >= (rare or 1)))


def refuse_large(rows: int, width: int) -> None:
    """Columns by level and term are many, and a matrix holds every one of every row.

    Raises:
        TrainingError: when they are too many numbers for the memory of a usual machine.
    """
    if rows * width > MAXIMUM_NUMBERS:
        message = (
            f"{rows} rows of {width} columns by level or term are more than "
            f"{MAXIMUM_NUMBERS} numbers"
        )
        remedy = "lower preprocessing.texts.terms, raise `rare` of categories, or encode: target"
        raise TrainingError(message, remedy=remedy)


def _refuse_declared(model: Model, frame: Frame) -> None:
    """What `check` would have refused."""
    features = dict(zip(frame.names, frame.columns, strict=True))
    for problem in preprocessing_problems(model, features):
        raise TrainingError(str(problem), remedy=problem.remedy)
    for name in model.preprocessing.numeric.monotone:
        if name not in features or features[name].type not in NUMBERS:
            message = f"preprocessing.numeric.monotone: {name} is no numeric feature"
            raise TrainingError(message, remedy="correct the name, or take it out")


def _refuse_encoding(model: Model, frame: Frame, outcomes: NDArray[np.generic] | None) -> None:
    """What is learnt from classes needs as many, and as many rows of each, as it can use."""
    declared = model.preprocessing.categorical
    if outcomes is None or model.task != "classification":
        return
    if all(column.type != "category" for column in frame.columns):
        return
    where = f"preprocessing.categorical.encode: {declared.encode}"
    _, counts = np.unique(outcomes, return_counts=True)
    if declared.encode == "ordinal_by_target" and len(counts) > 2:  # noqa: PLR2004 - two outcomes
        message = f"{where} ranks levels by one outcome, and there are {len(counts)} classes"
        raise TrainingError(message, remedy="use target, one_hot or ordinal")
    if declared.encode == "target" and counts.min() < declared.folds:
        message = (
            f"{where} makes {declared.folds} folds, and one outcome has "
            f"{counts.min()} training rows"
        )
        raise TrainingError(message, remedy="lower preprocessing.categorical.folds, or use one_hot")
