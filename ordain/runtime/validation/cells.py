"""The groups of rows that a column makes: its levels, or bands of a number.

A number is cut at the quartiles of the whole table, as fairness cuts it, unless the Dataset
declares bands such as `18..24` as its levels. A day belongs to its year. Beyond a limit the rarest
levels are put together, because a table of a thousand groups tells nobody anything.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.fairness.groups import MISSING, OTHER, declared_bands, quartile_bands
from ordain.runtime.training.outcomes import class_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ordain.runtime.validation.scene import Scene
    from ordain.specs.kinds.dataset import Column

    Indices = NDArray[np.int64]

MOST = 20


def cells_of(scene: Scene, name: str) -> Iterator[tuple[str, Indices]]:
    """(level, places among the rows) of every group, by name; none for a column that is absent."""
    if name not in scene.table.column_names or name not in scene.order.data.columns:
        return
    values = scene.table[name].to_pylist()
    labels = np.array(_labels(name, scene.order.data.columns[name], values), dtype=np.str_)[
        scene.rows
    ]
    for label in sorted(set(labels.tolist())):
        yield label, np.flatnonzero(labels == label)


def _labels(name: str, column: Column, values: Sequence[Any]) -> list[str]:
    if column.type in {"float", "int"}:
        return _banded(name, column, values)
    named = [_level(value) for value in values]
    kept = {level for level, _ in sorted(Counter(named).items(), key=_commonest)[:MOST]}
    return [level if level in kept else OTHER for level in named]


def _commonest(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _level(value: Any) -> str:  # noqa: ANN401 - a value of a table
    if value is None:
        return MISSING
    return str(value.year) if isinstance(value, datetime) else class_name(value)


def _banded(name: str, column: Column, values: Sequence[Any]) -> list[str]:
    numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
    present = numbers[np.isfinite(numbers)]
    bands = declared_bands(name, column.levels) if column.levels else quartile_bands(present)
    return [_band(value, bands) for value in numbers.tolist()]


def _band(value: float, bands: Sequence[tuple[str, float, float]]) -> str:
    if math.isnan(value):
        return MISSING
    return next((label for label, low, high in bands if low <= value <= high), OTHER)
