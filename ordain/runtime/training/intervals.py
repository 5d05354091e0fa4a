"""Intervals around a measured value, shared by the metrics of every task.

wilson         of a share (Wilson 1927)
mean_interval  of a mean over rows: normal, from the standard error of that mean
area_bounds    of an area under the curve: Hanley and McNeil 1982, Newcombe 2006
mean_of_shares of a mean of shares, from their Wilson intervals (Zou and Donner 2008)
bootstrapped   of anything else: percentiles of the value over bootstraps of the rows (Efron
               1979), seeded; a bootstrap is given as how often each row was drawn
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

BOOTSTRAPS = 300
_HALVINGS = 50
FEW = 30  # Below as many rows of a class, normal intervals and bootstraps are too narrow.


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the ends of its interval."""

    value: float
    low: float
    high: float


def quantile(confidence: float) -> float:
    """How many standard errors an interval of this confidence reaches."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(count: float, n: float, z: float) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927); rows may count in part."""
    share, square = count / n, z * z / n
    middle = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / n + square / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def area_bounds(area: float, ours: int, others: int, confidence: float) -> tuple[float, float]:
    """The interval of an area under the curve by its value and the sizes of both classes alone.

    It holds every area that is as near to the value as the variance of exponential scores with
    that area (Hanley and McNeil 1982) allows, which is an interval for parted rows as well
    (Newcombe 2006, method 5).
    """
    z = quantile(confidence)

    def end(far: float) -> float:
        near = area
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            inside = abs(area - middle) <= z * math.sqrt(_exponential(middle, ours, others))
            near, far = (middle, far) if inside else (near, middle)
        return near

    return end(0.0), end(1.0)


def _exponential(area: float, ours: int, others: int) -> float:
    """The variance of an area under the curve of exponential scores."""
    pairs = (ours - 1) * (area / (2 - area) - area**2)
    pairs += (others - 1) * (2 * area**2 / (1 + area) - area**2)
    return max(0.0, (area * (1 - area) + pairs) / (ours * others))


def mean_of_shares(counts: Floats, sizes: Floats, confidence: float) -> tuple[float, float]:
    """The interval of the mean of independent shares, by the distances of their own intervals."""
    shares = counts / sizes
    z = quantile(confidence)
    ends = np.array([wilson(*one, z) for one in zip(counts, sizes, strict=True)])
    below, above = np.sqrt(np.sum((ends.T - shares) ** 2, axis=1)) / len(shares)
    value = float(np.mean(shares))
    return max(0.0, value - float(below)), min(1.0, value + float(above))


def widened(found: Estimate, bounds: tuple[float, float]) -> Estimate:
    """The wider of two intervals, at either end."""
    return Estimate(found.value, min(found.low, bounds[0]), max(found.high, bounds[1]))


def share_interval(right: int, n: int, confidence: float) -> Estimate:
    """A share of rows with its Wilson interval."""
    return Estimate(right / n, *wilson(right, n, quantile(confidence)))


def mean_interval(values: Floats, confidence: float) -> Estimate:
    """The mean of the rows with its normal interval."""
    z, mean = quantile(confidence), float(np.mean(values))
    half = z * float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return Estimate(mean, mean - half, mean + half)


def draws(n: int, seed: int, times: int = BOOTSTRAPS) -> Iterator[Indices]:
    """How often each of n rows was drawn, for every bootstrap."""
    generator = np.random.default_rng(seed)
    for _ in range(times):
        yield np.bincount(generator.integers(0, n, size=n), minlength=n)


def bootstrapped(
    measure: Callable[[Indices], float], n: int, seed: int, confidence: float
) -> Estimate:
    """The value of a measure over all rows, with percentiles over bootstraps of them.

    `measure` is given how often each row counts. A bootstrap in which it is no number is left out.
    """
    value = measure(np.ones(n, dtype=np.int64))
    found = np.array([measure(drawn) for drawn in draws(n, seed)])
    finite = found[np.isfinite(found)]
    if not len(finite):
        return Estimate(value, math.nan, math.nan)
    low, high = percentiles(finite, confidence)
    return Estimate(value, min(low, value), max(high, value))


def percentiles(values: Floats, confidence: float) -> tuple[float, float]:
    """The ends that hold this share of the values."""
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
