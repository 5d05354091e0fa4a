"""Metrics of more than two classes, each with an interval.

    accuracy           share of rows whose class was chosen; Wilson 1927
    balanced_accuracy  mean over the classes of the share of their rows that were found (recall)
    macro_f1           mean over the classes, of those that are there or were chosen, of
                       2 tp / (2 tp + fp + fn)
    log_loss           mean of -ln of the probability of the right class
    brier              mean of the squared distance of the probabilities from the right class,
                       summed over the classes (Brier 1950): from 0 to 2
    ece                expected calibration error of the class that was chosen, in ten bins of
                       its probability (Guo et al. 2017)
    roc_auc            mean over the classes of the area of each against the rest, every class
                       counting the same (macro average; Provost and Domingos 2000 weight the
                       areas by how frequent the classes are); variance from DeLong's placements,
                       summed for each row over the classes (DeLong, DeLong and Clarke-Pearson 1988)

Means over rows have a normal interval; balanced_accuracy, macro_f1 and ece a seeded percentile
bootstrap over rows. Of balanced_accuracy and roc_auc a class of which the part holds no row is left
out of the mean over classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.training.intervals import (
    FEW,
    Estimate,
    area_bounds,
    bootstrapped,
    mean_interval,
    mean_of_shares,
    quantile,
    share_interval,
    widened,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

BINS = 10
SMALLEST = 1e-15  # Probabilities are kept this far from 0 in the logarithm.


@dataclass(frozen=True, slots=True)
class Decisions:
    """The right class and the chosen one of each row, as places among this many classes."""

    right: Indices
    chosen: Indices
    classes: int
    seed: int

    def confusion(self, drawn: Indices) -> Floats:
        """How many rows of each class were given each class, (right, chosen)."""
        places = self.right * self.classes + self.chosen
        counts = np.bincount(places, weights=drawn, minlength=self.classes**2)
        return np.asarray(counts.reshape(self.classes, self.classes))


@dataclass(frozen=True, slots=True)
class ClassSample:
    """What was judged: places of the right classes, and probabilities of the shape (rows, classes).

    The class of the greatest probability is chosen, of equals the first.
    """

    right: Indices
    scores: Floats
    seed: int

    @property
    def n(self) -> int:
        return len(self.right)

    @property
    def decisions(self) -> Decisions:
        chosen = np.argmax(self.scores, axis=1)
        return Decisions(self.right, chosen, self.scores.shape[1], self.seed)


def estimate(name: str, sample: ClassSample, confidence: float) -> Estimate:
    """One metric with its interval at this confidence.

    Raises:
        KeyError: for a name of no metric of classes.
    """
    match name:
        case "accuracy":
            decisions = sample.decisions
            right = int(np.sum(decisions.right == decisions.chosen))
            return share_interval(right, sample.n, confidence)
        case "balanced_accuracy" | "macro_f1":
            return of_decisions(name, sample.decisions, confidence)
        case "ece":
            table = _gaps(sample)
            return bootstrapped(
                lambda drawn: binned_error(table, drawn), sample.n, sample.seed, confidence
            )
        case "roc_auc":
            value, parts = _areas(sample)
            half = quantile(confidence) * math.sqrt(float(np.sum(parts**2)))
            found = Estimate(value, max(0.0, value - half), min(1.0, value + half))
            return _parted(sample, found, confidence)
        case _:
            return mean_interval(row_losses(name, sample), confidence)


def difference(name: str, ours: ClassSample, other: ClassSample, confidence: float) -> Estimate:
    """How much better `ours` is than `other` on the same rows; more is better for every metric."""
    match name:
        case "balanced_accuracy" | "macro_f1":
            return decisions_difference(name, ours.decisions, other.decisions, confidence)
        case "ece":
            mine, theirs = _gaps(ours), _gaps(other)
            return bootstrapped(
                lambda drawn: binned_error(theirs, drawn) - binned_error(mine, drawn),
                ours.n,
                ours.seed,
                confidence,
            )
        case "roc_auc":
            (value, parts), (other_value, other_parts) = _areas(ours), _areas(other)
            half = quantile(confidence) * math.sqrt(float(np.sum((parts - other_parts) ** 2)))
            gain = value - other_value
            return Estimate(gain, gain - half, gain + half)
        case _:
            gains = row_losses(name, other) - row_losses(name, ours)
            return mean_interval(gains, confidence)


def calibration_error(sample: ClassSample) -> float:
    """The expected calibration error alone, without its interval."""
    return binned_error(_gaps(sample), np.ones(sample.n, dtype=np.int64))


def row_losses(name: str, sample: ClassSample) -> Floats:
    """What each row costs; the metric is the mean, or one minus it for accuracy.

    Raises:
        KeyError: for a metric that is no mean over rows.
    """
    rows = np.arange(sample.n)
    match name:
        case "log_loss":
            return np.asarray(-np.log(np.clip(sample.scores[rows, sample.right], SMALLEST, 1.0)))
        case "brier":
            gaps = sample.scores.copy()
            gaps[rows, sample.right] -= 1.0
            return np.asarray(np.sum(gaps**2, axis=1))
        case "accuracy":
            return np.asarray(sample.decisions.chosen != sample.right, dtype=float)
        case _:
            raise KeyError(name)


def of_decisions(name: str, made: Decisions, confidence: float) -> Estimate:
    """`balanced_accuracy` or `macro_f1` of decisions, over bootstraps of the rows."""
    measure = _MEASURES[name]
    rows = len(made.right)
    found = bootstrapped(lambda drawn: measure(made.confusion(drawn)), rows, made.seed, confidence)
    sizes = np.bincount(made.right, minlength=made.classes)
    if found.low < found.high and sizes[sizes > 0].min() >= FEW:
        return found
    counted = _SHARES[name](made.confusion(np.ones(rows, dtype=np.int64)))
    return widened(found, mean_of_shares(*counted, confidence))


def decisions_difference(
    name: str, ours: Decisions, other: Decisions, confidence: float
) -> Estimate:
    """The gain in `balanced_accuracy` or `macro_f1` over the same bootstraps of the same rows."""
    measure = _MEASURES[name]
    return bootstrapped(
        lambda drawn: measure(ours.confusion(drawn)) - measure(other.confusion(drawn)),
        len(ours.right),
        ours.seed,
        confidence,
    )


def _recall(confusion: Floats) -> float:
    found, rows = _found(confusion)
    return float(np.mean(found / rows))


def _f1(confusion: Floats) -> float:
    found, sizes = _agreed(confusion)
    return float(np.mean(found / sizes))


def _found(confusion: Floats) -> tuple[Floats, Floats]:
    """Of every class that is there the rows that were found, and all of its rows."""
    rows = confusion.sum(axis=1)
    return np.diagonal(confusion)[rows > 0], rows[rows > 0]


def _agreed(confusion: Floats) -> tuple[Floats, Floats]:
    """Of every class that is there or was chosen tp, and tp + (fp + fn) / 2."""
    sizes = (confusion.sum(axis=0) + confusion.sum(axis=1)) / 2.0
    return np.diagonal(confusion)[sizes > 0], sizes[sizes > 0]


_SHARES = {"balanced_accuracy": _found, "macro_f1": _agreed}
_MEASURES = {"balanced_accuracy": _recall, "macro_f1": _f1}


def _gaps(sample: ClassSample) -> Floats:
    """Probability of the chosen class minus whether it was right, in its bin; (rows, bins)."""
    rows, made = np.arange(sample.n), sample.decisions
    sure = sample.scores[rows, made.chosen]
    table = np.zeros((sample.n, BINS))
    places = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    table[rows, places] = sure - (made.chosen == made.right)
    return table


def binned_error(table: Floats, drawn: Indices) -> float:
    """The calibration error of rows, each in the column of its bin, by how often it was drawn."""
    return float(np.abs(drawn @ table).sum() / drawn.sum())


def _parted(sample: ClassSample, found: Estimate, confidence: float) -> Estimate:
    """The interval; where all classes are parted, which leaves no variance, that of the areas."""
    sizes = np.bincount(sample.right, minlength=sample.scores.shape[1])
    met = [place for place, size in enumerate(sizes) if 0 < size < sample.n]
    if found.low < found.high:
        return found
    ends = []
    for place in met:
        area, _ = _area(sample.right == place, sample.scores[:, place])
        ours = int(sizes[place])
        ends.append(area_bounds(area, ours, sample.n - ours, confidence))
    low, high = np.mean(ends, axis=0)
    return widened(found, (float(low), float(high)))


def _areas(sample: ClassSample) -> tuple[float, Floats]:
    """The mean area, and what each row adds to its error; the variance is the sum of squares."""
    total = np.zeros(sample.n)
    areas = []
    for place in range(sample.scores.shape[1]):
        inside = sample.right == place
        if not inside.any() or inside.all():
            continue
        area, parts = _area(inside, sample.scores[:, place])
        areas.append(area)
        total += parts
    return float(np.mean(areas)), total / len(areas)


def _area(inside: NDArray[np.bool_], scores: Floats) -> tuple[float, Floats]:
    """The area of one class against the rest, and the centred placements of its rows over n."""
    above, below = scores[inside], scores[~inside]
    ranks = midranks(np.concatenate([above, below]))
    of_inside = (ranks[: len(above)] - midranks(above)) / len(below)
    of_rest = 1.0 - (ranks[len(above) :] - midranks(below)) / len(above)
    area = float(np.mean(of_inside))
    parts = np.empty(len(scores))
    parts[inside] = (of_inside - area) / _divisor(len(above))
    parts[~inside] = (of_rest - area) / _divisor(len(below))
    return area, parts


def _divisor(n: int) -> float:
    """So that the sum of squares is the variance with n - 1, over n."""
    return math.sqrt(n * (n - 1)) if n > 1 else 1.0


def midranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Floats = (ends - (counts - 1) / 2.0)[inverse]
    return ranks
