"""Which columns a model may look at, and the matrix that scikit-learn sees.

Target, entity, time, leaks, identifiers and protected attributes are never features; asking for one
by name is an error and not a quiet omission. Categories become codes: the rank of the level, as a
float, so that one dense float64 matrix holds everything. Arrays of Python objects and pandas were
refused: both cost more than fitting the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.encoding import TYPES
from ordain.runtime.errors import TrainingError
from ordain.specs.features import feature_names, never_features

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from ordain.specs.kinds.dataset import Column, Dataset
    from ordain.specs.kinds.model import Features

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]
    Row = dict[str, object]

UNSEEN = 1e6  # The code of a level that no row of the table has.


@dataclass(frozen=True, slots=True)
class Frame:
    """The features of all rows.

    `matrix` is float64 of the shape (rows, features) with NaN where a value is missing; `levels`
    lists the levels of each category in the order of their codes 0, 1, 2, …
    """

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    matrix: Floats
    levels: dict[str, tuple[str, ...]]
    table: Any

    def rows(self, positions: Indices) -> list[Row]:
        """Raw rows as JSON values, as a request would bring them; None where missing."""
        return raw_rows(self.table, self.names, positions)

    def encode(self, rows: Sequence[Mapping[str, object]]) -> Floats:
        """Raw rows as a matrix like `matrix`; a level that the table has not is `UNSEEN`."""
        return np.array([[self._code(name, row[name]) for name in self.names] for row in rows])

    def _code(self, name: str, value: object) -> float:
        if value is None:
            return math.nan
        if isinstance(value, str):
            levels = self.levels[name]
            return float(levels.index(value)) if value in levels else UNSEEN
        if isinstance(value, int | float):
            return float(value)
        raise TypeError(value)


def raw_rows(table: Any, names: Sequence[str], positions: Indices) -> list[Row]:  # noqa: ANN401
    """These columns of these rows of a cast `pyarrow.Table` as JSON values."""
    taken = table.select(list(names)).take(positions)
    values = [taken[name].to_pylist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def learnt_columns(features: Features, dataset: Dataset) -> tuple[str, ...]:
    """The columns that are features, sorted by name, because their order is in no digest.

    Raises:
        TrainingError: when a name is unknown, may never be a feature, or none is left.
    """
    never = never_features(dataset)
    for field, names in (("include", features.include), ("exclude", features.exclude)):
        _refuse_unknown(field, names, dataset)
    for name in features.include:
        if name in never:
            message = f"features.include: {name} can be no feature: {never[name]}"
            raise TrainingError(message, remedy=f"take {name} out of features.include")
    chosen = tuple(sorted(feature_names(features, dataset)))
    for name in chosen:
        kind = dataset.columns[name].type
        if kind not in TYPES:
            message = f"features: {name} has the type {kind}, which no model can use yet"
            raise TrainingError(message, remedy=f"add {name} to features.exclude")
    if not chosen:
        raise TrainingError("features: no column is left", remedy="include at least one column")
    return chosen


def _refuse_unknown(field: str, names: Iterable[str], dataset: Dataset) -> None:
    for name in names:
        if name not in dataset.columns:
            message = f"features.{field}: {name} is no column of the Dataset"
            raise TrainingError(message, remedy="correct the name or declare the column")


def make_frame(
    names: Sequence[str],
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    ranking: tuple[Indices, Any] | None = None,
) -> Frame:
    """The matrix of these columns.

    `ranking` is (training rows, outcomes of all rows): levels are then ranked by the share of
    positive outcomes among the training rows, those without a training row last; else by name.
    """
    columns = tuple(dataset.columns[name] for name in names)
    matrix = np.empty((table.num_rows, len(names)), dtype=np.float64)
    levels: dict[str, tuple[str, ...]] = {}
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        if column.type == "category":
            levels[name], matrix[:, place] = _codes(table[name], ranking)
        else:
            matrix[:, place] = _numbers(table[name])
    return Frame(tuple(names), columns, matrix, levels, table)


def _numbers(column: Any) -> Floats:  # noqa: ANN401 - an Arrow column
    import pyarrow as pa

    values: Floats = column.cast(pa.float64(), safe=False).to_numpy()
    return values


def _codes(
    column: Any,  # noqa: ANN401 - an Arrow column
    ranking: tuple[Indices, NDArray[np.int64]] | None,
) -> tuple[tuple[str, ...], Floats]:
    import pyarrow as pa
    import pyarrow.compute as pc

    levels = sorted(level for level in pc.unique(column).to_pylist() if level is not None)
    codes: Floats = (
        pc.index_in(column, pa.array(levels, pa.large_string())).cast(pa.float64()).to_numpy()
    )
    if ranking is None:
        return tuple(levels), codes
    order = _order(codes, len(levels), *ranking)
    places = np.empty(len(levels) + 1)
    places[order] = np.arange(len(levels))
    places[-1] = np.nan
    ranked = places[np.where(np.isnan(codes), len(levels), codes).astype(np.int64)]
    return tuple(levels[place] for place in order), ranked


def _order(codes: Floats, size: int, train: Indices, positive: NDArray[np.int64]) -> Indices:
    """Positions of the levels by their share of positive outcomes; ties keep the order of names."""
    known = train[~np.isnan(codes[train])]
    places = codes[known].astype(np.int64)
    counts = np.bincount(places, minlength=size)
    sums = np.bincount(places, weights=positive[known], minlength=size)
    shares = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    return np.argsort(shares, kind="stable")
