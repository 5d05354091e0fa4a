"""How probably a disparity of exactly the size of the limit would be found.

The rate of the reference group is taken for the one that was seen. Where `specs.chance` asks
Fisher, its rejection region is counted out, because the normal approximation promises more in small
groups. Elsewhere it is that approximation.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from ordain.specs.chance import Counts, is_small

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_POINTS = 40  # Counts of the reference that stand for all where it has many rows.
_CERTAIN = 1e-9


def power_of_rates(ours: int, reference: Counts, rate: float, alpha: float, *, sided: int) -> float:
    """How probably `ours` rows with this rate would be found to differ from the reference."""
    if is_small(Counts(round(ours * rate), ours), reference):
        return _exact(ours, reference, rate, alpha, sided)
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


@lru_cache(maxsize=4096)
def _exact(ours: int, reference: Counts, rate: float, alpha: float, sided: int) -> float:
    """The share of samples in Fisher's rejection region, on the side where the rate lies."""
    from scipy.stats import binom

    if rate > reference.rate:
        # The same question about those who are not counted.
        turned = Counts(reference.n - reference.favourable, reference.n)
        return _exact(ours, turned, 1 - rate, alpha, sided)
    counts, weights = _likely(reference)
    most = [_most(ours, int(x_r), reference.n, alpha, sided) for x_r in counts]
    return min(1.0, float(np.sum(weights * binom.cdf(most, ours, rate))))


def _likely(reference: Counts) -> tuple[Floats, Floats]:
    """Counts of the reference that its rate gives and their chances; of many, as many quantiles."""
    from scipy.stats import binom

    n, rate = reference.n, reference.rate
    low, high = binom.ppf([_CERTAIN, 1 - _CERTAIN], n, rate) if 0 < rate < 1 else [n * rate] * 2
    if high - low < _POINTS:
        counts = np.arange(low, high + 1)
        return counts, np.asarray(binom.pmf(counts, n, rate))
    counts = np.asarray(binom.ppf((np.arange(_POINTS) + 0.5) / _POINTS, n, rate))
    return counts, np.full(_POINTS, 1 / _POINTS)


def _most(n: int, x_r: int, n_r: int, alpha: float, sided: int) -> int:
    """The largest count of ours that Fisher's test calls lower; -1 where it calls none so."""
    low, high = -1, math.ceil(n * x_r / n_r)
    while high - low > 1:
        middle = (low + high) // 2
        if _fisher(middle, n, x_r, n_r, sided) < alpha:
            low = middle
        else:
            high = middle
    return low


def _fisher(x: int, n: int, x_r: int, n_r: int, sided: int) -> float:
    """`significance.fisher` over arrays: it is asked hundreds of times for one power."""
    from scipy.special import gammaln

    total = x + x_r
    support = np.arange(max(0, total - n_r), min(total, n) + 1)
    rest = total - support
    logs = -(gammaln(support + 1) + gammaln(n - support + 1))
    logs -= gammaln(rest + 1) + gammaln(n_r - rest + 1)
    weights = np.exp(logs - logs.max())
    place = x - int(support[0])
    counted = weights[: place + 1]
    if sided > 1:
        counted = weights[weights <= weights[place] * (1 + 1e-7)]
    return float(counted.sum() / weights.sum())
