"""The bins of one feature: frozen on the reference, then only counted.

A number gets equal-frequency bins of the reference; a category has one bin per level and one for
`other`; missing is a bin of its own in both. A date is counted by its day and a text by its length
in characters: what a text says is not kept here, and a language that changes shows in what the
model answers. Equal-width bins over reference and window together,
the usual shortcut, were refused: they move with every window, so that two windows cannot be
compared, and they are blind on skewed amounts of money.

The edge rule is part of the format: x is in bin i when i edges are smaller than x, so an edge
belongs to the bin on its left. -0.0 is 0.0, and NaN is missing.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ordain.runtime.dates import as_date
from ordain.runtime.encoding import TYPES
from ordain.runtime.errors import RowError
from ordain.runtime.monitoring.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

BINS = 10
# More levels than this are counted as `other`: a bin that holds a row in a thousand says nothing.
MAXIMUM_LEVELS = 30
REMEDY = "train the version again, or restore the artifact store"
_EPOCH = date(1970, 1, 1).toordinal()
_BOOLEAN_LEVELS = ("false", "true")


@dataclass(frozen=True, slots=True)
class NumberBins:
    """Counts of a number: `counts[i]` rows lie above `edges[i - 1]` and at or below `edges[i]`.

    `measure` is what of a value is counted: the `value` itself, the `days` of a date since 1970, or
    the `length` of a text.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int
    measure: str = "value"

    @property
    def all_counts(self) -> tuple[int, ...]:
        """Every bin, missing last."""
        return (*self.counts, self.missing)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each of `all_counts` stands for."""
        if not self.edges:
            return ("any value", "missing")
        pairs = pairwise(self.edges)
        middle = [f"{self._shown(low)} to {self._shown(high)}" for low, high in pairs]
        ends = (f"≤ {self._shown(self.edges[0])}", f"> {self._shown(self.edges[-1])}")
        return (ends[0], *middle, ends[1], "missing")

    def _shown(self, edge: float) -> str:
        if self.measure != "days":
            return f"{edge:.4g}"
        place = min(max(math.floor(edge) + _EPOCH, date.min.toordinal()), date.max.toordinal())
        return date.fromordinal(place).isoformat()

    def count(self, values: Iterable[object]) -> NumberBins:
        """Other values in the same bins.

        Raises:
            ProfileError: a value is neither of the feature's type nor missing.
        """
        counts, missing = [0] * (len(self.edges) + 1), 0
        measured = _MEASURES[self.measure]
        for value in values:
            number = measured(value)
            if number is None:
                missing += 1
            else:
                counts[bisect_left(self.edges, number)] += 1
        return replace(self, counts=tuple(counts), missing=missing)

    def add(self, other: Bins) -> NumberBins:
        """The counts of both.

        Raises:
            ProfileError: the bins differ.
        """
        own = (self.measure, self.edges)
        if not isinstance(other, NumberBins) or (other.measure, other.edges) != own:
            raise different_bins()
        counts = _sum(self.counts, other.counts)
        return replace(self, counts=counts, missing=self.missing + other.missing)

    def to_plain(self) -> dict[str, Any]:
        """The JSON value in the profile; `measure` is left out where it is the value itself."""
        plain = {
            "kind": "number",
            "edges": list(self.edges),
            "counts": list(self.counts),
            "missing": self.missing,
        }
        return plain if self.measure == "value" else plain | {"measure": self.measure}


@dataclass(frozen=True, slots=True)
class CategoryBins:
    """Counts of a category: one bin per level, `other` for the levels that have none."""

    levels: tuple[str, ...]
    counts: tuple[int, ...]
    other: int
    missing: int

    @property
    def all_counts(self) -> tuple[int, ...]:
        """Every bin, other and missing last."""
        return (*self.counts, self.other, self.missing)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each of `all_counts` stands for."""
        return (*self.levels, "other", "missing")

    def count(self, values: Iterable[object]) -> CategoryBins:
        """Other values in the same bins."""
        found = Counter(_level(value) for value in values)
        missing = found.pop(None, 0)
        counts = tuple(found.pop(level, 0) for level in self.levels)
        return CategoryBins(self.levels, counts, found.total(), missing)

    def add(self, other: Bins) -> CategoryBins:
        """The counts of both.

        Raises:
            ProfileError: the bins differ.
        """
        if not isinstance(other, CategoryBins) or other.levels != self.levels:
            raise different_bins()
        return CategoryBins(
            self.levels,
            _sum(self.counts, other.counts),
            self.other + other.other,
            self.missing + other.missing,
        )

    def to_plain(self) -> dict[str, Any]:
        """The JSON value in the profile."""
        return {
            "kind": "category",
            "levels": list(self.levels),
            "counts": list(self.counts),
            "other": self.other,
            "missing": self.missing,
        }


Bins = NumberBins | CategoryBins


def freeze(type_: str, values: Sequence[object]) -> Bins:
    """Bins of one feature over its reference values, counted.

    Raises:
        ProfileError: the type is unknown, or a value does not fit it.
    """
    match type_:
        case "float" | "int":
            return freeze_number(values)
        case "date":
            return freeze_number(values, "days")
        case "text":
            return freeze_number(values, "length")
        case "bool":
            return CategoryBins(_BOOLEAN_LEVELS, (), 0, 0).count(values)
        case "category":
            return _freeze_category(values)
    message = f"the type {type_!r} has no bins"
    raise ProfileError(message, remedy=f"declare the feature as one of {', '.join(TYPES)}")


def freeze_number(values: Iterable[object], measure: str = "value") -> NumberBins:
    """Equal-frequency bins of a number over its reference values, counted.

    Raises:
        ProfileError: a value is neither of the feature's type nor missing.
    """
    numbers, missing = [], 0
    measured = _MEASURES[measure]
    for value in values:
        number = measured(value)
        if number is None:
            missing += 1
        else:
            numbers.append(number)
    numbers.sort()
    edges = _edges(numbers)
    below = [0, *(bisect_right(numbers, edge) for edge in edges), len(numbers)]
    counts = tuple(end - start for start, end in pairwise(below))
    return NumberBins(edges, counts, missing, measure)


def _edges(numbers: Sequence[float]) -> tuple[float, ...]:
    """Inner edges of equal-frequency bins over ascending numbers.

    An edge is the lower quantile at i/10 (Hyndman and Fan 1996, definition 1), so it is a value of
    the reference. A value that fills more than one quantile gets a bin to itself, which is why the
    value below it becomes an edge as well. The largest value is no edge, for nothing of the
    reference would lie above it. A constant gets a bin below and a bin above, both empty: any
    other value is news.
    """
    if not numbers:
        return ()
    smallest, largest = numbers[0], numbers[-1]
    if smallest == largest and math.isfinite(smallest):
        return (math.nextafter(smallest, -math.inf), smallest)
    size = len(numbers)
    quantiles = [numbers[-(-index * size // BINS) - 1] for index in range(1, BINS)]
    edges = set(quantiles)
    for heavy in (value for value, times in Counter(quantiles).items() if times > 1):
        position = bisect_left(numbers, heavy)
        if position:
            edges.add(numbers[position - 1])
    if edges == {largest}:
        edges.add(numbers[bisect_left(numbers, largest) - 1])
    return tuple(sorted(edge for edge in edges - {largest} if math.isfinite(edge)))


def _freeze_category(values: Sequence[object]) -> CategoryBins:
    found = Counter(level for level in map(_level, values) if level is not None)
    ranked = sorted(found, key=lambda level: (-found[level], level))
    return CategoryBins(tuple(ranked[:MAXIMUM_LEVELS]), (), 0, 0).count(values)


def _number(value: object) -> float | None:
    if isinstance(value, float):
        return None if math.isnan(value) else value + 0.0
    if isinstance(value, int):
        return _whole_number(value)
    if value is None:
        return None
    # The value itself may be personal data and stays out of the message.
    raise ProfileError(
        f"a value of type {type(value).__name__} is no number",
        remedy="check the column's type in the Dataset",
    )


def _days(value: object) -> float | None:
    """Whole days since 1970."""
    try:
        moment = as_date("date", value)
    except RowError as error:
        message = f"a value of type {type(value).__name__} is no date"
        raise ProfileError(message, remedy="check the column's type in the Dataset") from error
    return None if moment is None else float(moment.toordinal() - _EPOCH)


def _length(value: object) -> float | None:
    if isinstance(value, str):
        return float(len(value))
    if value is None:
        return None
    message = f"a value of type {type(value).__name__} is no text"
    raise ProfileError(message, remedy="check the column's type in the Dataset")


def _whole_number(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


_MEASURES: dict[str, Callable[[object], float | None]] = {
    "value": _number,
    "days": _days,
    "length": _length,
}


def _level(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and math.isnan(value):
        return None
    return json.dumps(value)


def _sum(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def different_bins() -> ProfileError:
    """The complaint about profiles that cannot be added."""
    return ProfileError(
        "profiles with different bins do not add up",
        remedy="count both windows with the profile of one version",
    )


def read_bins(raw: Mapping[str, Any]) -> Bins:
    """Bins from their JSON value.

    Raises:
        ProfileError: the value contradicts itself.
        KeyError, TypeError, ValueError: it has another shape.
    """
    counts = tuple(whole(count) for count in raw["counts"])
    if raw["kind"] == "number":
        edges = tuple(float(edge) for edge in raw["edges"])
        if any(low >= high for low, high in pairwise(edges)):
            raise ProfileError("edges do not ascend", remedy=REMEDY)
        measure = raw.get("measure", "value")
        if measure not in _MEASURES:
            raise ProfileError(f"the measure {measure!r} is unknown", remedy=REMEDY)
        found = NumberBins(edges, counts, whole(raw["missing"]), measure)
        return _sized(found, counts, len(edges) + 1)
    if raw["kind"] == "category":
        levels = tuple(str(level) for level in raw["levels"])
        other, missing = whole(raw["other"]), whole(raw["missing"])
        return _sized(CategoryBins(levels, counts, other, missing), counts, len(levels))
    raise ProfileError(f"bins of the kind {raw['kind']!r} are unknown", remedy=REMEDY)


def _sized(bins: Bins, counts: tuple[int, ...], expected: int) -> Bins:
    if len(counts) != expected:
        message = f"{len(counts)} counts stand for {expected} bins"
        raise ProfileError(message, remedy=REMEDY)
    return bins


def whole(value: object) -> int:
    """A count.

    Raises:
        ProfileError: it is no integer, or negative.
    """
    if type(value) is not int or value < 0:
        raise ProfileError(f"{value!r} is no count", remedy=REMEDY)
    return value
