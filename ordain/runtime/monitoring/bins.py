"""The bins of one feature: frozen on the reference, then only counted.

A number gets equal-frequency bins of the reference; a category has one bin per level and one for
`other`; missing is a bin of its own in both. A date is counted by its day of UTC and a free text by
its number of words, both as numbers (`MEASURES`): what a text says is not counted, because a bin of
words would hold what people wrote. Equal-width bins over reference and window together,
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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.monitoring.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

BINS = 10
# How a value becomes the number that is counted.
VALUE, DAYS, WORDS = "value", "days", "words"
# More levels than this are counted as `other`: a bin that holds a row in a thousand says nothing.
MAXIMUM_LEVELS = 30
REMEDY = "train the version again, or restore the artifact store"
_BOOLEAN_LEVELS = ("false", "true")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NumberBins:
    """Counts of a number: `counts[i]` rows lie above `edges[i - 1]` and at or below `edges[i]`."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int
    measure: str = VALUE

    @property
    def all_counts(self) -> tuple[int, ...]:
        """Every bin, missing last."""
        return (*self.counts, self.missing)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each of `all_counts` stands for."""
        if not self.edges:
            return ("any value", "missing")
        shown = [_shown(edge, self.measure) for edge in self.edges]
        middle = [f"{low} to {high}" for low, high in pairwise(shown)]
        return (f"≤ {shown[0]}", *middle, f"> {shown[-1]}", "missing")

    def count(self, values: Iterable[object]) -> NumberBins:
        """Other values in the same bins.

        Raises:
            ProfileError: a value is neither of the measure nor missing.
        """
        counts, missing = [0] * (len(self.edges) + 1), 0
        measured = MEASURES[self.measure]
        for value in values:
            number = measured(value)
            if number is None:
                missing += 1
            else:
                counts[bisect_left(self.edges, number)] += 1
        return NumberBins(self.edges, tuple(counts), missing, self.measure)

    def add(self, other: Bins) -> NumberBins:
        """The counts of both.

        Raises:
            ProfileError: the bins differ.
        """
        if (
            not isinstance(other, NumberBins)
            or other.edges != self.edges
            or other.measure != self.measure
        ):
            raise different_bins()
        counts, missing = _sum(self.counts, other.counts), self.missing + other.missing
        return NumberBins(self.edges, counts, missing, self.measure)

    def to_plain(self) -> dict[str, Any]:
        """The JSON value in the profile; the measure is said where it is not the value itself."""
        plain = {
            "kind": "number",
            "edges": list(self.edges),
            "counts": list(self.counts),
            "missing": self.missing,
        }
        return plain if self.measure == VALUE else plain | {"measure": self.measure}


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


def follows_calendar(bins: Bins) -> bool:
    """Whether these are days: each window has later ones, so that they always differ."""
    return isinstance(bins, NumberBins) and bins.measure == DAYS


def freeze(type_: str, values: Sequence[object]) -> Bins:
    """Bins of one feature over its reference values, counted.

    Raises:
        ProfileError: the type is unknown, or a value does not fit it.
    """
    match type_:
        case "float" | "int":
            return freeze_number(values)
        case "bool":
            return CategoryBins(_BOOLEAN_LEVELS, (), 0, 0).count(values)
        case "category":
            return freeze_category(values)
        case "date":
            return freeze_number(values, DAYS)
        case "text":
            return freeze_number(values, WORDS)
    message = f"the type {type_!r} has no bins"
    raise ProfileError(
        message, remedy="declare the feature as float, int, bool, category, date or text"
    )


def freeze_number(values: Iterable[object], measure: str = VALUE) -> NumberBins:
    """Equal-frequency bins of a number over its reference values, counted.

    Raises:
        ProfileError: a value is neither of the measure nor missing.
    """
    numbers, missing = [], 0
    measured = MEASURES[measure]
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


def freeze_category(values: Iterable[object]) -> CategoryBins:
    """A bin for each of the most frequent levels of the reference, counted."""
    values = list(values)
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


def _day(value: object) -> float | None:
    """Days since 1970 of a day or moment of UTC, as ISO 8601 writes it."""
    if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return (aware - _EPOCH) / timedelta(days=1)
    # The value itself may be personal data and stays out of the message.
    raise ProfileError(
        f"a value of type {type(value).__name__} is no date",
        remedy="check the column's type in the Dataset",
    )


def _words(value: object) -> float | None:
    """How many words a text has."""
    if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return None
    if isinstance(value, str):
        return float(len(value.split()))
    raise ProfileError(
        f"a value of type {type(value).__name__} is no text",
        remedy="check the column's type in the Dataset",
    )


def _shown(edge: float, measure: str) -> str:
    """An edge as a reader takes it."""
    if measure == DAYS:
        try:
            return (_EPOCH + timedelta(days=edge)).strftime("%Y-%m-%d")
        except OverflowError:
            return f"day {edge:.4g}"
    return f"{edge:.4g} words" if measure == WORDS else f"{edge:.4g}"


MEASURES: Final[dict[str, Callable[[object], float | None]]] = {
    VALUE: _number,
    DAYS: _day,
    WORDS: _words,
}


def _whole_number(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


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
        measure = raw.get("measure", VALUE)
        if measure not in MEASURES:
            raise ProfileError(f"the measure {measure!r} is unknown", remedy=REMEDY)
        bins = NumberBins(edges, counts, whole(raw["missing"]), measure)
        return _sized(bins, counts, len(edges) + 1)
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
