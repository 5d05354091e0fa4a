"""Is a gap between two groups more than chance?

    rates, family  in `specs.chance`, where the gate of a promotion finds them as well
    strata        the test of Cochran (1954), Mantel and Haenszel (1959), without a correction
    means         the t-test of Welch (1947), which lets the groups differ in their spread
    gaps          the z of the mean gap between score and outcome; beside it, to be read and not to
                  decide, the likelihood ratio of a line per group against one line for both

Ratios are tested against a lower rate, because only that fails them; a two-sided test would find
fewer real disparities. One that is higher than the limit turned round warns, and is tested in both
directions. Differences are limited in both directions and tested in both.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ordain.runtime.fairness.rates import Stratum

    Floats = NDArray[np.float64]

_STEPS = 60
_SMALLEST = 1e-9
_FARTHEST = 30.0  # Log-odds beyond it are certain to double precision.


def across_strata(strata: Sequence[Stratum]) -> tuple[float, float]:
    """Favourable cases of ours less those expected, over all strata, and their variance."""
    gap = variance = 0.0
    for one in strata:
        n, n_r = one.ours.n, one.reference.n
        favourable, total = one.ours.favourable + one.reference.favourable, n + n_r
        gap += one.ours.favourable - n * favourable / total
        if total > 1:
            others = total - favourable
            variance += n * n_r * favourable * others / (total**2 * (total - 1))
    return gap, variance


def lower_in_strata(strata: Sequence[Stratum]) -> float:
    """The p-value of equal rates inside of every stratum against lower rates of ours."""
    gap, variance = across_strata(strata)
    return NormalDist().cdf(gap / math.sqrt(variance)) if variance else 1.0


def other_in_strata(strata: Sequence[Stratum]) -> float:
    """The p-value of equal rates inside of every stratum against others of ours."""
    gap, variance = across_strata(strata)
    return 2 * NormalDist().cdf(-abs(gap) / math.sqrt(variance)) if variance else 1.0


def other_gap(gap: float, error: float) -> float:
    """The p-value of no gap, for an estimate with this standard error."""
    return 2 * NormalDist().cdf(-abs(gap) / error) if error else float(gap == 0)


def other_mean(ours: Floats, reference: Floats) -> float:
    """The p-value of equal means against others (Welch 1947)."""
    from scipy import special

    of_ours, of_reference = (float(np.var(one, ddof=1)) / len(one) for one in (ours, reference))
    error = of_ours + of_reference
    gap = abs(float(np.mean(ours)) - float(np.mean(reference)))
    if not error:
        return float(gap == 0)
    freedom = error**2 / (of_ours**2 / (len(ours) - 1) + of_reference**2 / (len(reference) - 1))
    return 2 * float(special.stdtr(freedom, -gap / math.sqrt(error)))


def other_calibration(ours: tuple[Floats, Floats], reference: tuple[Floats, Floats]) -> float:
    """The p-value of one line from log-odds of the score to log-odds of the outcome for both.

    Each group is (log-odds of its scores, outcomes of 0 and 1). Twice the gain in log-likelihood of
    a line per group is chi-squared with two degrees of freedom, whose tail is exp(-x / 2).
    """
    margins = np.concatenate([ours[0], reference[0]])
    outcomes = np.concatenate([ours[1], reference[1]])
    gain = _likelihood(*ours) + _likelihood(*reference) - _likelihood(margins, outcomes)
    return min(1.0, math.exp(-max(0.0, gain)))


def _likelihood(margins: Floats, outcomes: Floats) -> float:
    """The greatest log-likelihood of a logistic line, by Newton's steps.

    Outcomes that a line parts wholly have no greatest one; the steps end at certain log-odds.
    """
    columns = np.stack([np.ones_like(margins), margins], axis=1)
    line: Floats = np.zeros(2)
    reached = _reached(columns @ line, outcomes)
    for _ in range(_STEPS):
        chances = 1 / (1 + np.exp(-np.clip(columns @ line, -_FARTHEST, _FARTHEST)))
        step = _step(columns, outcomes - chances, chances * (1 - chances))
        better = _reached(columns @ (line + step), outcomes)
        while better < reached and np.max(np.abs(step)) > _SMALLEST:
            step = step / 2
            better = _reached(columns @ (line + step), outcomes)
        if better <= reached + _SMALLEST:
            break
        line = np.add(line, step)
        reached = better
    return reached


def _reached(z: Floats, outcomes: Floats) -> float:
    inside = np.clip(z, -_FARTHEST, _FARTHEST)
    return float(np.sum(outcomes * inside - np.logaddexp(0, inside)))


def _step(columns: Floats, residuals: Floats, weights: Floats) -> Floats:
    """Newton's step; the least one where scores are all equal and a slope means nothing."""
    curvature = (columns * weights[:, None]).T @ columns
    found = np.linalg.lstsq(curvature, columns.T @ residuals, rcond=None)[0]
    return np.asarray(found, dtype=np.float64)
