"""Metrics of two classes, each with an interval that says how far the test part can be trusted.

    roc_auc    Mann-Whitney; variance by DeLong, DeLong and Clarke-Pearson 1988, computed from
               midranks as in Sun and Xu 2014 (O(n log n)); with fewer than 30 rows of a class, or
               rows that are parted, the wider of it and Hanley and McNeil 1982 (`area_bounds`)
    log_loss,  mean over the rows; normal interval from the standard error of that mean
    brier
    accuracy   share of rows on the right side of the threshold; Wilson 1927
    ece        expected calibration error over ten bins of equal width of the probability of the
               positive outcome (Naeini, Cooper and Hauskrecht 2015); percentile bootstrap over
               rows, seeded. It is a sum of absolute values, therefore biased upwards when rows
               are few.
    balanced_accuracy, macro_f1: of the decisions, as for more classes (`metrics_classes`)

Two models are compared on the same rows: differences are paired, which is far sharper than looking
whether two intervals overlap. All arrays have the shape (rows,): `positive` is 0 or 1, `scores` are
probabilities of 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.training import metrics_classes as classes
from ordain.runtime.training.intervals import (
    FEW,
    Estimate,
    area_bounds,
    bootstrapped,
    mean_interval,
    quantile,
    share_interval,
    widened,
    wilson,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

__all__ = ["Estimate", "Sample", "difference", "estimate", "row_losses", "wilson"]

BINS = 10
SMALLEST = 1e-15  # Probabilities are kept this far from 0 and 1 in the logarithm.


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

    @property
    def decisions(self) -> classes.Decisions:
        """What was decided, and what would have been right."""
        return classes.Decisions(self.positive, self.upper.astype(np.int64), 2, self.seed)

    @property
    def upper(self) -> NDArray[np.bool_]:
        """Which rows reach the threshold."""
        return np.asarray(self.scores >= self.threshold)


def estimate(name: str, sample: Sample, confidence: float) -> Estimate:
    """One metric with its interval at this confidence.

    Raises:
        KeyError: for a name of no metric of two classes.
    """
    match name:
        case "roc_auc":
            return _area(sample, confidence)
        case "accuracy":
            right = int(np.sum(sample.upper == sample.positive))
            return share_interval(right, sample.n, confidence)
        case "ece":
            table = _gaps(sample)
            return bootstrapped(
                lambda drawn: classes.binned_error(table, drawn), sample.n, sample.seed, confidence
            )
        case "balanced_accuracy" | "macro_f1":
            return classes.of_decisions(name, sample.decisions, confidence)
        case _:
            return mean_interval(row_losses(name, sample), confidence)


def difference(name: str, ours: Sample, other: Sample, confidence: float) -> Estimate:
    """How much better `ours` is than `other` on the same rows; more is better for every metric."""
    match name:
        case "roc_auc":
            return _auc_difference(ours, other, quantile(confidence))
        case "ece":
            mine, theirs = _gaps(ours), _gaps(other)
            return bootstrapped(
                lambda drawn: (
                    classes.binned_error(theirs, drawn) - classes.binned_error(mine, drawn)
                ),
                ours.n,
                ours.seed,
                confidence,
            )
        case "balanced_accuracy" | "macro_f1":
            return classes.decisions_difference(name, ours.decisions, other.decisions, confidence)
        case _:
            gains = row_losses(name, other) - row_losses(name, ours)
            return mean_interval(gains, confidence)


def calibration_error(sample: Sample) -> float:
    """The expected calibration error alone, without its interval."""
    return classes.binned_error(_gaps(sample), np.ones(sample.n, dtype=np.int64))


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
            wrong = sample.upper != sample.positive
            return np.asarray(wrong, dtype=float)
        case _:
            raise KeyError(name)


def _area(sample: Sample, confidence: float) -> Estimate:
    """DeLong's interval; where it is none, or rows are few, the wider of it and the area's own."""
    found = _bounded(*_delong(sample), quantile(confidence))
    positives = int(np.sum(sample.positive))
    sizes = positives, sample.n - positives
    if found.low < found.high and min(sizes) >= FEW:
        return found
    return widened(found, area_bounds(found.value, *sizes, confidence))


def _bounded(value: float, variance: float, z: float) -> Estimate:
    half = z * math.sqrt(max(variance, 0.0))
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def _placements(sample: Sample) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it, for each negative of positives above."""
    above, below = sample.scores[sample.positive == 1], sample.scores[sample.positive == 0]
    ranks = classes.midranks(np.concatenate([above, below]))
    of_positives = (ranks[: len(above)] - classes.midranks(above)) / len(below)
    of_negatives = 1.0 - (ranks[len(above) :] - classes.midranks(below)) / len(above)
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
