"""Intervals around a measured value, shared by the metrics of every task.

wilson         of a share (Wilson 1927)
mean_interval  of a mean over rows: normal, from the standard error of that mean
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


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the ends of its interval."""

    value: float
    low: float
    high: float


def quantile(confidence: float) -> float:
    """How many standard errors an interval of this confidence reaches."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(count: float, n: int, z: float) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927); a row may count in part."""
    share, square = count / n, z * z / n
    middle = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / n + square / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


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
    low, high = percentiles(found[np.isfinite(found)], confidence)
    return Estimate(value, min(low, value), max(high, value))


def percentiles(values: Floats, confidence: float) -> tuple[float, float]:
    """The ends that hold this share of the values."""
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
