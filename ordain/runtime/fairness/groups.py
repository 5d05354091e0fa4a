"""The groups that fairness compares: read from the protected columns of the Dataset.

A category or truth value is its own groups. A number (age) is cut at its quartiles, unless `levels`
declare bands such as `18..24` or `62..`, both ends included. Rows without a value are a group too:
who does not answer may be treated worse than who does.

Attributes are read from the Dataset here and nowhere else; they are in no plan and no request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import DataError, TrainingError
from ordain.runtime.training.outcomes import class_name
from ordain.specs.fairness import subject_name
from ordain.specs.features import protected_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ordain.specs.kinds.dataset import Column, Dataset
    from ordain.specs.kinds.model import Model

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]
    Labels = NDArray[np.str_]
    Mask = NDArray[np.bool_]

MISSING = "(missing)"
OTHER = "(other)"
NOBODY = "(nobody)"
NUMBERS = ("float", "int")


@dataclass(frozen=True, slots=True)
class Grouped:
    """The group of every row, and the one that the others are compared with.

    `declared` tells whether the Dataset names that one; else it is the largest.
    """

    attribute: str
    reference: str
    labels: Labels
    declared: bool = False

    @property
    def others(self) -> tuple[str, ...]:
        """Every group but the reference, by name."""
        found = {str(label) for label in np.unique(self.labels)}
        return tuple(sorted(found - {self.reference}))


def favours_positive(dataset: Dataset) -> bool:
    """Whether the positive one of two outcomes is the one that is good for the person."""
    positive = None if dataset.target is None else dataset.target.positive
    return str(_favourable(dataset)) == str(positive)


def favourable_decisions(model: Model, dataset: Dataset, scores: Floats) -> Mask:
    """Which of the scores lead to the decision that is good for the person.

    Raises:
        TrainingError: when the declarations do not say which decision that is.
    """
    good = favours_positive(dataset)
    if model.decision is None:
        message = "acceptance.fairness compares decisions, and the Model declares none"
        raise TrainingError(message, remedy="set decision.threshold in the Model")
    above: Mask = scores >= model.decision.threshold
    return above if good else ~above


def favourable_class(dataset: Dataset, classes: Sequence[str]) -> int:
    """The place of the class that is good for the person.

    Raises:
        TrainingError: when the Dataset does not say which one that is, or no class has its name.
    """
    name = class_name(_favourable(dataset))
    if name not in classes:
        message = f"acceptance.fairness: no row has the favourable outcome {name}"
        raise TrainingError(message, remedy=f"set target.favourable to one of {', '.join(classes)}")
    return classes.index(name)


def _favourable(dataset: Dataset) -> object:
    target = dataset.target
    if target is None or target.favourable is None:
        message = "acceptance.fairness needs to know which outcome is good for the person"
        raise TrainingError(message, remedy="set target.favourable in the Dataset")
    return target.favourable


def grouped(
    names: Sequence[str],
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    rows: Indices,
) -> Grouped:
    """The group of each of these rows by one protected attribute, or by several at once.

    Raises:
        TrainingError: when an attribute is not protected, or its reference group is empty.
    """
    known = protected_names(dataset)
    for name in names:
        if name not in known:
            message = f"acceptance.fairness: {name} is no protected column of the Dataset"
            raise TrainingError(message, remedy=f"use {', '.join(known) or 'role: protected'}")
    labels = stratified(names, dataset, table, rows)
    sizes = {
        str(one): int(n) for one, n in zip(*np.unique(labels, return_counts=True), strict=True)
    }
    columns = {name: dataset.columns[name] for name in names}
    declared = all(column.reference is not None for column in columns.values())
    reference = _reference(columns, sizes)
    named = declared and reference == subject_name([str(one.reference) for one in columns.values()])
    return Grouped(subject_name(names), reference, labels, named)


def best_treated(groups: Grouped, favourable: Mask, least: int) -> tuple[Grouped, int]:
    """These groups beside the one with the highest rate, and how many could have been it.

    29 CFR 1607.4(D) compares with the group of the highest rate. Beside the largest one a ratio
    would see nothing where that is treated worse. Only a group of `least` rows may be it, and not
    those whose group is unknown; without one the reference stays.
    """
    known = [name for name in np.unique(groups.labels) if MISSING not in name and OTHER not in name]
    rates = {
        str(name): (float(np.mean(favourable[inside])), int(np.count_nonzero(inside)))
        for name in known
        if np.count_nonzero(inside := groups.labels == name) >= least
    }
    if not rates:
        return groups, 1
    best = min(rates, key=lambda name: (-rates[name][0], -rates[name][1], name))
    return replace(groups, reference=best), len(rates)


def stratified(
    names: Sequence[str],
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    rows: Indices,
) -> Labels:
    """The level or band of each of these rows, by one column or by several at once.

    Bands are those of the whole table, so that a part of it is cut where the others are.
    """
    for name in names:
        if name not in dataset.columns:
            message = f"acceptance.fairness: {name} is no column of the Dataset"
            raise TrainingError(message, remedy=f"use some of {', '.join(dataset.columns)}")
        if name not in table.column_names:
            message = f"acceptance.fairness: the rows have no column {name}"
            raise TrainingError(message, remedy="give rows that have it")
    found = [_levels(name, dataset.columns[name], table[name])[rows] for name in names]
    joined: Labels = np.array(
        [subject_name(parts) for parts in zip(*found, strict=True)], dtype=str
    )
    return joined


def _levels(name: str, column: Column, values: Any) -> Labels:  # noqa: ANN401 - an Arrow column
    return _bands(name, column, values) if column.type in NUMBERS else _labels(values)


def _reference(columns: Mapping[str, Column], sizes: Mapping[str, int]) -> str:
    """The declared group, or the largest; of two equally large ones the first by name.

    Of an intersection it is the one of all declared references. Nobody may belong to it, because
    nobody has chosen it; then it is the largest as well.
    """
    declared = [column.reference for column in columns.values() if column.reference is not None]
    wanted = subject_name(declared)
    if len(declared) == len(columns) and wanted in sizes:
        return wanted
    if declared and len(columns) == 1 and sizes:
        name = subject_name(tuple(columns))
        message = f"acceptance.fairness: {name} has no group {wanted} among the measured rows"
        remedy = f"set reference in spec.columns.{name} to one of {', '.join(sorted(sizes))}"
        raise TrainingError(message, remedy=remedy)
    return min(sizes, key=lambda label: (-sizes[label], label), default=NOBODY)


def _labels(values: Any) -> NDArray[np.str_]:  # noqa: ANN401 - an Arrow column
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.fill_null(values.cast(pa.large_string()), MISSING)
    return np.array(text.to_pylist(), dtype=np.str_)


def _bands(name: str, column: Column, values: Any) -> NDArray[np.str_]:  # noqa: ANN401
    import pyarrow as pa

    numbers: Floats = values.cast(pa.float64(), safe=False).to_numpy()
    bands = declared_bands(name, column.levels) if column.levels else quartile_bands(numbers)
    inside = [(numbers >= low) & (numbers <= high) for _, low, high in bands]
    labels = [label for label, _, _ in bands]
    return np.select([np.isnan(numbers), *inside], [MISSING, *labels], default=OTHER)


def quartile_bands(numbers: Floats) -> list[tuple[str, float, float]]:
    """Up to four bands; equal quartiles fall together. A band begins just above the one before."""
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return []
    edges = [float(edge) for edge in np.unique(np.quantile(present, [0.25, 0.5, 0.75]))]
    lows = [-np.inf, *(float(np.nextafter(edge, np.inf)) for edge in edges)]
    highs = [*edges, np.inf]
    labels = [f"up to {edges[0]:g}"]
    labels += [f"over {low:g} to {high:g}" for low, high in pairwise(edges)]
    labels.append(f"over {edges[-1]:g}")
    return list(zip(labels, lows, highs, strict=True))


def declared_bands(name: str, levels: Sequence[str]) -> list[tuple[str, float, float]]:
    """Each level with its two ends.

    Raises:
        DataError: when a level is no band of numbers.
    """
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
