"""Rates of two groups, and how far apart they may be.

    ratio       exp(ln ratio ± z sqrt(1/x - 1/n + 1/x_r - 1/n_r)), 0.5 added to each count when one
                of them is 0 (Katz et al. 1978)
    difference  the square-and-add interval on Wilson's limits of either rate (Newcombe 1998,
                method 10), which stays inside of -1 to 1 and needs no correction for empty cells
    strata      ratio of Mantel and Haenszel, with the variance of Greenland and Robins (1985)

The power of a test is that of the normal approximation: how often a disparity of exactly the size
of the limit is found with these numbers of rows, when the rate of the reference group is the one
that was seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from ordain.runtime.training.intervals import quantile, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    counts = (ours.favourable, ours.n, reference.favourable, reference.n)
    shift = 0.5 if min(ours.favourable, reference.favourable) == 0 else 0.0
    x, n, x_r, n_r = (count + shift for count in counts)
    spread = quantile(confidence) * math.sqrt(max(0.0, 1 / x - 1 / n + 1 / x_r - 1 / n_r))
    middle = math.log(x / n) - math.log(x_r / n_r)
    return math.exp(middle - spread), math.exp(middle + spread)


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

    None where one of the groups has no favourable case in any stratum that both are in. The
    variance is that of Greenland and Robins (1985); for one stratum it is that of Katz.
    """
    ours = reference = variance = 0.0
    for one in strata:
        x, n, x_r, n_r = _cells(one)
        total = n + n_r
        ours += x * n_r / total
        reference += x_r * n / total
        variance += (n * n_r * (x + x_r) - x * x_r * total) / total**2
    if not (ours and reference):
        return None
    return ours / reference, math.sqrt(max(0.0, variance) / (ours * reference))


def _cells(one: Stratum) -> tuple[int, int, int, int]:
    return one.ours.favourable, one.ours.n, one.reference.favourable, one.reference.n


def power_of_rates(ours: int, reference: Counts, rate: float, alpha: float, *, sided: int) -> float:
    """How probably `ours` rows with this rate would be found to differ from the reference."""
    n_r, rate_r = reference.n, reference.rate
    pooled = (ours * rate + n_r * rate_r) / (ours + n_r)
    equal = math.sqrt(pooled * (1 - pooled) * (1 / ours + 1 / n_r))
    apart = math.sqrt(rate * (1 - rate) / ours + rate_r * (1 - rate_r) / n_r)
    reach = abs(rate - rate_r) - NormalDist().inv_cdf(1 - alpha / sided) * equal
    return NormalDist().cdf(reach / apart) if apart else float(reach > 0)


def power_of_estimate(size: float, error: float, alpha: float, *, sided: int) -> float:
    """How probably an effect of this size is found by an estimate with this standard error."""
    if error <= 0:
        return 1.0
    return NormalDist().cdf(size / error - NormalDist().inv_cdf(1 - alpha / sided))
