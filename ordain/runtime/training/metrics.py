"""Metrics of a classifier, each with an interval that says how far the test part can be trusted.

    roc_auc    Mann-Whitney; variance by DeLong, DeLong and Clarke-Pearson 1988, computed from
               midranks as in Sun and Xu 2014 (O(n log n))
    log_loss,  mean over the rows; normal interval from the standard error of that mean
    brier
    accuracy   share of rows on the right side of the threshold; Wilson 1927
    ece        expected calibration error over ten bins of equal width (Guo et al. 2017);
               percentile bootstrap over rows, seeded. It is a sum of absolute values, therefore
               biased upwards when rows are few.

Two models are compared on the same rows: differences are paired, which is far sharper than looking
whether two intervals overlap. All arrays have the shape (rows,): `positive` is 0 or 1, `scores` are
probabilities of 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

NAMES = ("roc_auc", "log_loss", "brier", "accuracy", "ece")
BOOTSTRAPS = 300
BINS = 10
SMALLEST = 1e-15  # Probabilities are kept this far from 0 and 1 in the logarithm.


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What was judged: outcomes, scores, and the threshold of the decision."""

    positive: Indices
    scores: Floats
    threshold: float
    seed: int

    @property
    def n(self) -> int:
        return len(self.positive)


def estimate(name: str, sample: Sample, confidence: float) -> Estimate:
    """One metric with its interval at this confidence.

    Raises:
        KeyError: for a name that is not in `NAMES`.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    if name == "roc_auc":
        return _bounded(*_delong(sample), z)
    if name == "accuracy":
        right = int(np.sum((sample.scores >= sample.threshold) == sample.positive))
        return Estimate(right / sample.n, *wilson(right, sample.n, z))
    if name == "ece":
        return _bootstrapped(sample, confidence)
    losses = row_losses(name, sample)
    return Estimate(*_mean_interval(losses, z))


def difference(name: str, ours: Sample, other: Sample, confidence: float) -> Estimate:
    """How much better `ours` is than `other` on the same rows; more is better for every metric."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    if name == "roc_auc":
        return _auc_difference(ours, other, z)
    if name == "ece":
        return _ece_difference(ours, other, confidence)
    gains = row_losses(name, other) - row_losses(name, ours)
    return Estimate(*_mean_interval(gains, z))


def row_losses(name: str, sample: Sample) -> Floats:
    """What each row costs; the metric is the mean, or one minus it for accuracy.

    Raises:
        KeyError: for a metric that is no mean over rows.
    """
    positive, scores = sample.positive.astype(float), sample.scores
    match name:
        case "log_loss":
            kept = np.clip(scores, SMALLEST, 1 - SMALLEST)
            return np.asarray(-(positive * np.log(kept) + (1 - positive) * np.log1p(-kept)))
        case "brier":
            return np.asarray((scores - positive) ** 2)
        case "accuracy":
            wrong = (scores >= sample.threshold) != sample.positive
            return np.asarray(wrong, dtype=float)
        case _:
            raise KeyError(name)


def wilson(count: int, n: int, z: float) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927)."""
    share, square = count / n, z * z / n
    middle = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / n + square / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _mean_interval(values: Floats, z: float) -> tuple[float, float, float]:
    mean = float(np.mean(values))
    half = z * float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return mean, mean - half, mean + half


def _bounded(value: float, variance: float, z: float) -> Estimate:
    half = z * math.sqrt(max(variance, 0.0))
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def _midranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs."""
    ordered, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Floats = (ends - (counts - 1) / 2.0)[inverse]
    return ranks if len(ordered) else np.empty(0)


def _placements(sample: Sample) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it, for each negative of positives above."""
    above, below = sample.scores[sample.positive == 1], sample.scores[sample.positive == 0]
    ranks = _midranks(np.concatenate([above, below]))
    of_positives = (ranks[: len(above)] - _midranks(above)) / len(below)
    of_negatives = 1.0 - (ranks[len(above) :] - _midranks(below)) / len(above)
    return of_positives, of_negatives


def _delong(sample: Sample) -> tuple[float, float]:
    """The area under the curve and its variance."""
    of_positives, of_negatives = _placements(sample)
    return float(np.mean(of_positives)), _variance(of_positives) + _variance(of_negatives)


def _variance(values: Floats) -> float:
    """The variance of the mean of these values."""
    return float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else 0.0


def _auc_difference(ours: Sample, other: Sample, z: float) -> Estimate:
    """DeLong's paired difference: the placements of both models come from the same rows."""
    pairs = zip(_placements(ours), _placements(other), strict=True)
    positives, negatives = (mine - theirs for mine, theirs in pairs)
    value = float(np.mean(positives))
    half = z * math.sqrt(_variance(positives) + _variance(negatives))
    return Estimate(value, value - half, value + half)


def _bins_of(scores: Floats) -> Indices:
    places: Indices = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    return places


def _gaps(sample: Sample) -> Floats:
    """Score minus outcome of each row, in the column of its bin; (rows, bins)."""
    table = np.zeros((sample.n, BINS))
    table[np.arange(sample.n), _bins_of(sample.scores)] = sample.scores - sample.positive
    return table


def _resampled(tables: list[Floats], seed: int) -> Floats:
    """The calibration error of each table for bootstraps of the same rows: (tables, bootstraps)."""
    n = len(tables[0])
    generator = np.random.default_rng(seed)
    errors = np.empty((len(tables), BOOTSTRAPS))
    for turn in range(BOOTSTRAPS):
        weights = np.bincount(generator.integers(0, n, size=n), minlength=n)
        for place, table in enumerate(tables):
            errors[place, turn] = np.abs(weights @ table).sum() / n
    return errors


def _ece(table: Floats) -> float:
    return float(np.abs(table.sum(axis=0)).sum() / len(table))


def _bootstrapped(sample: Sample, confidence: float) -> Estimate:
    table = _gaps(sample)
    low, high = _percentiles(_resampled([table], sample.seed)[0], confidence)
    value = _ece(table)
    return Estimate(value, min(low, value), max(high, value))


def _ece_difference(ours: Sample, other: Sample, confidence: float) -> Estimate:
    mine, theirs = _gaps(ours), _gaps(other)
    errors = _resampled([mine, theirs], ours.seed)
    low, high = _percentiles(errors[1] - errors[0], confidence)
    value = _ece(theirs) - _ece(mine)
    return Estimate(value, min(low, value), max(high, value))


def _percentiles(values: Floats, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
