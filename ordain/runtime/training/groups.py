"""The groups that fairness compares: read from the protected columns of the Dataset.

A category or truth value is its own groups. A number (age) is cut at its quartiles, unless `levels`
declare bands such as `18..24` or `62..`, both ends included. Rows without a value are a group too:
who does not answer may be treated worse than who does.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import DataError, TrainingError
from ordain.runtime.training.fairness import Counts, Groups
from ordain.runtime.training.outcomes import class_name
from ordain.specs.features import protected_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ordain.specs.kinds.dataset import Column, Dataset
    from ordain.specs.kinds.model import Model

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]
    Mask = NDArray[np.bool_]

MISSING = "(missing)"
OTHER = "(other)"
NUMBERS = ("float", "int")


def favourable_decisions(model: Model, dataset: Dataset, scores: Floats) -> Mask:
    """Which of the scores lead to the decision that is good for the person.

    Raises:
        TrainingError: when the declarations do not say which decision that is.
    """
    target = dataset.target
    if target is None or target.favourable is None:
        message = "acceptance.fairness needs to know which outcome is good for the person"
        raise TrainingError(message, remedy="set target.favourable in the Dataset")
    if model.decision is None:
        message = "acceptance.fairness compares decisions, and the Model declares none"
        raise TrainingError(message, remedy="set decision.threshold in the Model")
    above: Mask = scores >= model.decision.threshold
    return above if str(target.favourable) == str(target.positive) else ~above


def favourable_choices(dataset: Dataset, classes: Sequence[str], chosen: Indices) -> Mask:
    """Which of the chosen classes are the one that is good for the person.

    Raises:
        TrainingError: when the Dataset does not say which one that is, or no class has its name.
    """
    target = dataset.target
    if target is None or target.favourable is None:
        message = "acceptance.fairness needs to know which outcome is good for the person"
        raise TrainingError(message, remedy="set target.favourable in the Dataset")
    name = class_name(target.favourable)
    if name not in classes:
        message = f"acceptance.fairness: no row has the favourable outcome {name}"
        raise TrainingError(message, remedy=f"set target.favourable to one of {', '.join(classes)}")
    found: Mask = chosen == classes.index(name)
    return found


def count_groups(
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    names: Sequence[str],
    rows: Indices,
    favourable: Mask,
) -> tuple[Groups, ...]:
    """The groups of each attribute among these rows; `favourable` is of the shape (rows,).

    Raises:
        TrainingError: when an attribute is not protected, or its reference group is empty.
    """
    known = protected_names(dataset)
    for name in names:
        if name not in known:
            message = f"acceptance.fairness: {name} is no protected column of the Dataset"
            raise TrainingError(message, remedy=f"use {', '.join(known) or 'role: protected'}")
    return tuple(
        _groups(name, dataset.columns[name], table[name], rows, favourable) for name in names
    )


def _groups(
    name: str,
    column: Column,
    values: Any,  # noqa: ANN401 - an Arrow column
    rows: Indices,
    favourable: Mask,
) -> Groups:
    labels = _bands(name, column, values) if column.type in NUMBERS else _labels(values)
    taken = labels[rows]
    counts = {
        str(label): Counts(int(favourable[taken == label].sum()), int((taken == label).sum()))
        for label in np.unique(taken)
    }
    return Groups(name, _reference(name, column, counts), counts)


def _reference(name: str, column: Column, counts: dict[str, Counts]) -> str:
    """The declared group, or the largest; of two equally large ones the first by name."""
    if column.reference is None:
        return min(counts, key=lambda label: (-counts[label].n, label))
    if column.reference not in counts:
        message = f"acceptance.fairness: {name} has no group {column.reference} in the test part"
        remedy = f"set reference in spec.columns.{name} to one of {', '.join(sorted(counts))}"
        raise TrainingError(message, remedy=remedy)
    return column.reference


def _labels(values: Any) -> NDArray[np.str_]:  # noqa: ANN401 - an Arrow column
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.fill_null(values.cast(pa.large_string()), MISSING)
    return np.array(text.to_pylist(), dtype=np.str_)


def _bands(name: str, column: Column, values: Any) -> NDArray[np.str_]:  # noqa: ANN401
    import pyarrow as pa

    numbers: Floats = values.cast(pa.float64(), safe=False).to_numpy()
    bands = _declared(name, column.levels) if column.levels else _quartiles(numbers)
    inside = [(numbers >= low) & (numbers <= high) for _, low, high in bands]
    labels = [label for label, _, _ in bands]
    return np.select([np.isnan(numbers), *inside], [MISSING, *labels], default=OTHER)


def _quartiles(numbers: Floats) -> list[tuple[str, float, float]]:
    """Up to four bands; equal quartiles fall together. A band begins just above the one before."""
    present = numbers[~np.isnan(numbers)]
    edges = [float(edge) for edge in np.unique(np.quantile(present, [0.25, 0.5, 0.75]))]
    lows = [-np.inf, *(float(np.nextafter(edge, np.inf)) for edge in edges)]
    highs = [*edges, np.inf]
    labels = [f"up to {edges[0]:g}"]
    labels += [f"over {low:g} to {high:g}" for low, high in pairwise(edges)]
    labels.append(f"over {edges[-1]:g}")
    return list(zip(labels, lows, highs, strict=True))


def _declared(name: str, levels: Sequence[str]) -> list[tuple[str, float, float]]:
    bands = []
    for label in levels:
        low, dots, high = label.partition("..")
        try:
            if not dots:
                raise ValueError(label)
            bands.append((label, float(low or "-inf"), float(high or "inf")))
        except ValueError as error:
            message = f"column {name}: the level {label!r} is no band of numbers"
            remedy = "write bands such as 18..24 and 62.., or leave levels out"
            raise DataError(message, remedy=remedy) from error
    return bands
