"""How well one column tells another: a number from 0 (nothing) to 1 (everything), and its test.

    groups and levels     V of Cramér, corrected for bias (Bergsma 2013): the plain V of two
                          columns that have nothing to do with each other grows with their levels,
                          and a postcode would look like a proxy for everything. Test: chi-squared
    two numbers           absolute rank correlation (Spearman), tested by Student's t, or V over the
                          tenths of both where that is larger: a number that is high for the young
                          and the old has no rank correlation with age, and tells it all the same

A number is held against groups by its tenths, where a missing value is a level of its own: whether
something was left out tells groups apart too, and so does a number that is neither high nor low.
The ratio of variances (eta) and the area under the curve were refused for that: both see one
direction only, and eta calls a number small that finds a group of one in twenty without error.

The interval of V turns the noncentral chi-squared distribution round, as Smithson (2003) does; it
is wider than it need be above 0.6. That of the rank correlation is of Bonett and Wright (2000).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.training.intervals import quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]
    Labels = NDArray[np.str_]

CRAMER = "cramers_v"
SPEARMAN = "spearman"
BINS = 10
MISSING = "(missing)"
_FEWEST = 4  # Pairs below which a rank correlation has no interval.


@dataclass(frozen=True, slots=True)
class Association:
    """A measure with its interval and p-value; `value` is None where nothing can be told."""

    measure: str
    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    reason: str = ""


def cut(numbers: Floats) -> Labels:
    """Each number by its tenth; equal ones stay together, and missing ones are a level."""
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return np.full(len(numbers), MISSING)
    edges = np.unique(np.quantile(present, np.arange(1, BINS) / BINS))
    labels = np.searchsorted(edges, numbers).astype(np.str_)
    return np.where(np.isnan(numbers), MISSING, labels)


def of_levels(one: Labels, other: Labels, confidence: float) -> Association:
    """The corrected V of two columns of levels, both of the shape (rows,)."""
    table = _crossed(one, other)
    n, (left, right) = len(one), table.shape
    if min(left, right) < 2:  # noqa: PLR2004 - something to tell apart
        return Association(CRAMER, n, reason="all rows have one level")
    from scipy.stats import chi2_contingency

    found = chi2_contingency(table, correction=False)
    statistic, degrees = float(found.statistic), (left - 1) * (right - 1)
    scale = _scale(left, right, n)
    excess = max(0.0, statistic / n - degrees / (n - 1))
    low, high = (
        min(1.0, math.sqrt(center / n / scale))
        for center in _centers(statistic, degrees, confidence)
    )
    value = min(1.0, math.sqrt(excess / scale))
    p_value = float(found.pvalue)
    return Association(CRAMER, n, value, min(low, value), max(high, value), p_value)


def of_numbers(one: Floats, other: Floats, confidence: float) -> Association:
    """The absolute rank correlation of two numbers, over the rows in which both have a value."""
    both = ~np.isnan(one) & ~np.isnan(other)
    ours, theirs = one[both], other[both]
    n = len(ours)
    if n < _FEWEST or len(np.unique(ours)) == 1 or len(np.unique(theirs)) == 1:
        return Association(SPEARMAN, n, reason="all rows have one value")
    from scipy.stats import spearmanr

    found = spearmanr(ours, theirs)
    rank = float(found.statistic)
    # An area of tanh ends at 1, where the interval has no width left.
    middle = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, rank)))
    half = quantile(confidence) * math.sqrt((1 + rank**2 / 2) / (n - 3))
    ends = sorted(abs(math.tanh(end)) for end in (middle - half, middle + half))
    low = 0.0 if abs(middle) < half else ends[0]
    value = min(1.0, abs(rank))
    return Association(
        SPEARMAN, n, value, min(low, value), max(ends[1], value), float(found.pvalue)
    )


def stronger(one: Association, other: Association) -> Association:
    """The larger of two measures of the same columns; its p-value is taken twice (Bonferroni)."""
    if one.value is None or other.value is None:
        return other if one.value is None and other.value is not None else one
    found = max(one, other, key=lambda measure: measure.value or 0.0)
    return replace(found, p_value=min(1.0, 2 * (found.p_value or 0.0)))


def _crossed(one: Labels, other: Labels) -> Indices:
    """How many rows have each pair of levels."""
    lefts, left = np.unique(one, return_inverse=True)
    rights, right = np.unique(other, return_inverse=True)
    counts = np.bincount(left * len(rights) + right, minlength=len(lefts) * len(rights))
    return counts.reshape(len(lefts), len(rights))


def _scale(left: int, right: int, n: int) -> float:
    """The largest value that the square can have, with the corrected numbers of levels."""
    levels = min(count - (count - 1) ** 2 / (n - 1) for count in (left, right))
    return max(levels - 1, 1 / n)


def _centers(statistic: float, degrees: int, confidence: float) -> tuple[float, float]:
    """The noncentralities between which the true one lies."""
    from scipy.optimize import brentq
    from scipy.stats import ncx2

    def center(share: float) -> float:
        missed: Callable[[float], float] = lambda found: (  # noqa: E731 - a root is looked for
            float(ncx2.cdf(statistic, degrees, found)) - share
        )
        if missed(1e-9) <= 0:
            return 0.0
        return float(brentq(missed, 1e-9, 2 * statistic + 50))

    return center((1 + confidence) / 2), center((1 - confidence) / 2)
