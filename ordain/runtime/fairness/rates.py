"""Rates of two groups, and how far apart they may be.

    ratio       exp(ln ratio ± z sqrt(1/x - 1/n + 1/x_r - 1/n_r)), 0.5 added to each of the four
                cells (x, n - x and those of the reference) when one is 0 (Katz et al. 1978)
    difference  the square-and-add interval on Wilson's limits of either rate (Newcombe 1998,
                method 10), which stays inside of -1 to 1 and needs no correction for empty cells
    strata      ratio of Mantel and Haenszel, with the variance of Greenland and Robins (1985)

An interval that would not hold its value is widened to it: 0.5 moves a ratio of 0 away from 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.runtime.training.intervals import quantile, wilson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ordain.specs.chance import Counts

CONFIDENCE = 0.95
Interval = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Stratum:
    """A group and its reference among the rows of one stratum."""

    ours: Counts
    reference: Counts


def ratio_interval(ours: Counts, reference: Counts, confidence: float) -> tuple[float, float]:
    """The interval of the ratio of two rates, on the scale of its logarithm (Katz et al. 1978)."""
    x, n, x_r, n_r = _shifted(Stratum(ours, reference))
    spread = quantile(confidence) * math.sqrt(max(0.0, 1 / x - 1 / n + 1 / x_r - 1 / n_r))
    value = ours.rate / reference.rate if reference.rate else None
    return _around(value, x / n * n_r / x_r, spread)


def _around(value: float | None, middle: float, spread: float) -> tuple[float, float]:
    low, high = middle * math.exp(-spread), middle * math.exp(spread)
    return (low, high) if value is None else (min(low, value), max(high, value))


def _shifted(one: Stratum) -> tuple[float, float, float, float]:
    """Cases and rows of both, 0.5 added to each of the four cells when one of them is 0."""
    x, n, x_r, n_r = _cells(one)
    shift = 0.5 if min(x, n - x, x_r, n_r - x_r) == 0 else 0.0
    return x + shift, n + 2 * shift, x_r + shift, n_r + 2 * shift


def difference_interval(ours: Counts, reference: Counts, confidence: float) -> tuple[float, float]:
    """The interval of the difference of two rates (Newcombe 1998, method 10)."""
    z, value = quantile(confidence), ours.rate - reference.rate
    low, high = wilson(ours.favourable, ours.n, z)
    low_r, high_r = wilson(reference.favourable, reference.n, z)
    below = math.hypot(ours.rate - low, high_r - reference.rate)
    above = math.hypot(high - ours.rate, reference.rate - low_r)
    return max(-1.0, value - below), min(1.0, value + above)


def pooled_ratio(strata: Sequence[Stratum]) -> tuple[float, float] | None:
    """The ratio of Mantel and Haenszel over strata, and the standard error of its logarithm.

    None where the reference has no favourable case in any stratum that both are in. The variance is
    that of Greenland and Robins (1985); for one stratum it is that of Katz.
    """
    ours, reference, _ = _pooled([_cells(one) for one in strata])
    if not reference:
        return None
    return ours / reference, _centre(strata)[1]


def pooled_interval(strata: Sequence[Stratum], confidence: float) -> tuple[float, float]:
    """The interval of that ratio; the reference has a favourable case in some stratum."""
    ours, reference, _ = _pooled([_cells(one) for one in strata])
    middle, error = _centre(strata)
    return _around(ours / reference, middle, quantile(confidence) * error)


def _centre(strata: Sequence[Stratum]) -> tuple[float, float]:
    """The ratio and the standard error of its logarithm; 0.5 is added to cells where one is 0.

    That is so where nobody of the group is in a counted cell, or everybody of both is.
    """
    ours, reference, variance = _pooled([_cells(one) for one in strata])
    if not ours or variance <= 0:
        ours, reference, variance = _pooled([_shifted(one) for one in strata])
    return ours / reference, math.sqrt(variance / (ours * reference))


def _pooled(strata: Iterable[tuple[float, float, float, float]]) -> tuple[float, float, float]:
    ours = reference = variance = 0.0
    for x, n, x_r, n_r in strata:
        total = n + n_r
        ours += x * n_r / total
        reference += x_r * n / total
        variance += (n * n_r * (x + x_r) - x * x_r * total) / total**2
    return ours, reference, variance


def _cells(one: Stratum) -> tuple[int, int, int, int]:
    return one.ours.favourable, one.ours.n, one.reference.favourable, one.reference.n
