"""Which columns a model may look at, and the matrix that scikit-learn sees.

Target, entity, time, leaks, identifiers and protected attributes are never features; asking for one
by name is an error and not a quiet omission. Categories become codes: the rank of the level, as a
float, so that one dense float64 matrix holds everything. Dates become seconds since 1970, which a
float holds exactly in every year of the calendar, and texts become numbers under which `Texts` has
them. Arrays of Python objects and pandas were refused: both cost more than fitting the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ordain.runtime.dates import as_date, date_text
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


class Texts:
    """Texts by number, in the order in which they were first met.

    Only the pipeline that is being fitted looks them up. They are personal data, so that copies for
    a file (pickle's protocol, which skops uses as well) are empty.
    """

    __slots__ = ("_codes", "_texts")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, text: str) -> float:
        """The number of a text; one that is new gets the next."""
        place = self._codes.setdefault(text, len(self._texts))
        if place == len(self._texts):
            self._texts.append(text)
        return float(place)

    def lookup(self, codes: Floats) -> list[str]:
        """The texts of one column of codes, (rows, 1); empty where missing."""
        return ["" if math.isnan(code) else self._texts[int(code)] for code in codes[:, 0].tolist()]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Cloning a pipeline must not part it from the texts that are met later."""
        return self

    def __reduce__(self) -> tuple[type[Texts], tuple[()]]:
        """Without the texts."""
        return Texts, ()


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
    texts: dict[str, Texts] = field(default_factory=dict)

    def rows(self, positions: Indices) -> list[Row]:
        """Raw rows as JSON values, as a request would bring them; None where missing."""
        return raw_rows(self.table, self.names, positions)

    def encode(self, rows: Sequence[Mapping[str, object]]) -> Floats:
        """Raw rows as a matrix like `matrix`; a level that the table has not is `UNSEEN`."""
        columns = [
            [self._code(name, column.type, row[name]) for row in rows]
            for name, column in zip(self.names, self.columns, strict=True)
        ]
        return np.array(columns, dtype=np.float64).T

    def _code(self, name: str, kind: str, value: object) -> float:
        if value is None:
            return math.nan
        if kind == "date":
            moment = as_date(name, value)
            return math.nan if moment is None else moment.replace(microsecond=0).timestamp()
        if isinstance(value, str):
            if kind == "text":
                return self.texts[name].code(value)
            levels = self.levels[name]
            return float(levels.index(value)) if value in levels else UNSEEN
        if isinstance(value, int | float):
            return float(value)
        raise TypeError(value)


def raw_rows(table: Any, names: Sequence[str], positions: Indices) -> list[Row]:  # noqa: ANN401
    """These columns of these rows of a cast `pyarrow.Table` as JSON values."""
    taken = table.select(list(names)).take(positions)
    values = [_plain(taken[name].to_pylist()) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _plain(values: list[Any]) -> list[Any]:
    """Moments as text, everything else as it is."""
    return [date_text(value) if isinstance(value, datetime) else value for value in values]


def learnt_columns(features: Features, dataset: Dataset) -> tuple[str, ...]:
    """The columns that are features, sorted by name, because their order is in no digest.

    Raises:
        TrainingError: when a name is unknown, may never be a feature, or none is left.
    """
    never = never_features(dataset)
    for which, names in (("include", features.include), ("exclude", features.exclude)):
        _refuse_unknown(which, names, dataset)
    for name in features.include:
        if name in never:
            message = f"features.include: {name} can be no feature: {never[name]}"
            raise TrainingError(message, remedy=f"take {name} out of features.include")
    chosen = tuple(sorted(feature_names(features, dataset)))
    for name in chosen:
        kind = dataset.columns[name].type
        if kind not in TYPES:
            message = f"features: {name} has the type {kind}, which no model can use"
            raise TrainingError(message, remedy=f"add {name} to features.exclude")
    if not chosen:
        raise TrainingError("features: no column is left", remedy="include at least one column")
    return chosen


def _refuse_unknown(which: str, names: Iterable[str], dataset: Dataset) -> None:
    for name in names:
        if name not in dataset.columns:
            message = f"features.{which}: {name} is no column of the Dataset"
            raise TrainingError(message, remedy="correct the name or declare the column")


def make_frame(
    names: Sequence[str],
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    ranking: tuple[Indices, NDArray[Any]] | None = None,
) -> Frame:
    """The matrix of these columns.

    `ranking` is (training rows, outcomes of all rows): levels are then ranked by the mean outcome
    of the training rows (for two classes the share of positive ones), those without a training row
    last; else by name.
    """
    columns = tuple(dataset.columns[name] for name in names)
    matrix = np.empty((table.num_rows, len(names)), dtype=np.float64)
    levels: dict[str, tuple[str, ...]] = {}
    texts = {name: Texts() for name, column in zip(names, columns, strict=True) if _is_text(column)}
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        if column.type == "category":
            levels[name], matrix[:, place] = _codes(table[name], ranking)
        elif column.type == "date":
            matrix[:, place] = _seconds(table[name])
        elif column.type == "text":
            matrix[:, place] = _met(texts[name], table[name])
        else:
            matrix[:, place] = _numbers(table[name])
    return Frame(tuple(names), columns, matrix, levels, table, texts)


def _is_text(column: Column) -> bool:
    return column.type == "text"


def _met(texts: Texts, column: Any) -> list[float]:  # noqa: ANN401 - an Arrow column
    return [math.nan if text is None else texts.code(text) for text in column.to_pylist()]


def _seconds(column: Any) -> Floats:  # noqa: ANN401 - an Arrow column
    """Whole seconds since 1970 in UTC, rounded down; NaN where missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    micros = column.cast(pa.int64())
    missing = np.asarray(column.is_null().to_numpy())
    seconds = np.floor_divide(pc.fill_null(micros, 0).to_numpy(), 1_000_000)
    return np.where(missing, np.nan, seconds.astype(np.float64))


def _numbers(column: Any) -> Floats:  # noqa: ANN401 - an Arrow column
    import pyarrow as pa

    values: Floats = column.cast(pa.float64(), safe=False).to_numpy()
    return values


def _codes(
    column: Any,  # noqa: ANN401 - an Arrow column
    ranking: tuple[Indices, NDArray[Any]] | None,
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


def _order(codes: Floats, size: int, train: Indices, outcomes: NDArray[Any]) -> Indices:
    """Positions of the levels by their mean outcome; ties keep the order of names."""
    known = train[~np.isnan(codes[train])]
    places = codes[known].astype(np.int64)
    counts = np.bincount(places, minlength=size)
    sums = np.bincount(places, weights=outcomes[known], minlength=size)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    return np.argsort(means, kind="stable")
