"""The groups of rows that a column makes: its levels, or bands of a number.

A number is cut at the quartiles of the whole table, as fairness cuts it, unless the Dataset
declares bands such as `18..24` as its levels. A day belongs to its year. Beyond a limit the rarest
levels are put together, because a table of a thousand groups tells nobody anything.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.training.outcomes import class_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ordain.runtime.validation.scene import Scene
    from ordain.specs.kinds.dataset import Column

    Indices = NDArray[np.int64]

MISSING, OTHER = "(missing)", "(other)"
MOST = 20


def cells_of(scene: Scene, name: str) -> Iterator[tuple[str, Indices]]:
    """(level, places among the rows) of every group, by name; none for a column that is absent."""
    if name not in scene.table.column_names or name not in scene.order.groups.columns:
        return
    values = scene.table[name].to_pylist()
    labels = np.array(_labels(scene.order.groups.columns[name], values), dtype=np.str_)[scene.rows]
    for label in sorted(set(labels.tolist())):
        yield label, np.flatnonzero(labels == label)


def _labels(column: Column, values: Sequence[Any]) -> list[str]:
    if column.type in {"float", "int"}:
        return _banded(column, values)
    named = [_level(value) for value in values]
    kept = {level for level, _ in sorted(Counter(named).items(), key=_commonest)[:MOST]}
    return [level if level in kept else OTHER for level in named]


def _commonest(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _level(value: Any) -> str:  # noqa: ANN401 - a value of a table
    if value is None:
        return MISSING
    return str(value.year) if isinstance(value, datetime) else class_name(value)


def _banded(column: Column, values: Sequence[Any]) -> list[str]:
    declared = [level for level in column.levels or () if ".." in level]
    bands = [_declared(level) for level in declared] or _quartiles(values)
    return [_band(value, bands) for value in values]


def _declared(level: str) -> tuple[str, float, float]:
    low, _, high = level.partition("..")
    return level, float(low or "-inf"), float(high or "inf")


def _band(value: float | None, bands: Sequence[tuple[str, float, float]]) -> str:
    if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return MISSING
    return next((label for label, low, high in bands if low <= value <= high), OTHER)


def _quartiles(values: Sequence[Any]) -> list[tuple[str, float, float]]:
    """Up to four bands; a band begins just above the one before."""
    present = np.array([value for value in values if value is not None], dtype=float)
    present = present[np.isfinite(present)]
    if not len(present):
        return []
    edges = [float(edge) for edge in np.unique(np.quantile(present, [0.25, 0.5, 0.75]))]
    lows = [-np.inf, *(float(np.nextafter(edge, np.inf)) for edge in edges)]
    labels = [f"up to {edges[0]:g}"]
    labels += [f"over {low:g} to {high:g}" for low, high in pairwise(edges)]
    labels.append(f"over {edges[-1]:g}")
    return list(zip(labels, lows, [*edges, np.inf], strict=True))
