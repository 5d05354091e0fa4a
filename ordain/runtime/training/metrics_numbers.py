"""Metrics of a regression, each with an interval.

rmse  root of the mean squared error; seeded percentile bootstrap over rows
mae   mean absolute error; normal interval from the standard error of that mean
r2    1 minus squared error over squared deviation from the mean of the part (coefficient of
      determination); seeded percentile bootstrap over rows
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.training.intervals import Estimate, bootstrapped, mean_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NumberSample:
    """What was judged: the numbers that came true and those that were given, (rows,)."""

    truth: Floats
    given: Floats
    seed: int

    @property
    def n(self) -> int:
        return len(self.truth)

    @property
    def errors(self) -> Floats:
        return self.given - self.truth


def estimate(name: str, sample: NumberSample, confidence: float) -> Estimate:
    """One metric with its interval at this confidence.

    Raises:
        KeyError: for a name of no metric of a regression.
    """
    if name == "mae":
        return mean_interval(np.abs(sample.errors), confidence)
    measure = _MEASURES[name]
    return bootstrapped(lambda drawn: measure(sample, drawn), sample.n, sample.seed, confidence)


def difference(name: str, ours: NumberSample, other: NumberSample, confidence: float) -> Estimate:
    """How much better `ours` is than `other` on the same rows; more is better for every metric."""
    if name == "mae":
        return mean_interval(np.abs(other.errors) - np.abs(ours.errors), confidence)
    measure, sign = _MEASURES[name], 1.0 if name == "r2" else -1.0
    return bootstrapped(
        lambda drawn: sign * (measure(ours, drawn) - measure(other, drawn)) + 0.0,
        ours.n,
        ours.seed,
        confidence,
    )


def _rmse(sample: NumberSample, drawn: Indices) -> float:
    return math.sqrt(float(drawn @ sample.errors**2) / float(drawn.sum()))


def _r2(sample: NumberSample, drawn: Indices) -> float:
    mean = float(drawn @ sample.truth) / float(drawn.sum())
    spread = float(drawn @ (sample.truth - mean) ** 2)
    return 1.0 - float(drawn @ sample.errors**2) / spread if spread else math.nan


_MEASURES = {"rmse": _rmse, "r2": _r2}
