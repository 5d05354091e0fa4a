"""What is compared between two groups: one function for each metric.

P is a rate of the group, P_r that of its reference; D the favourable decision, Y the favourable
outcome, s the probability of Y. A difference below zero is worse for the group.

    adverse_impact_ratio           P(D) / P_r(D)
    demographic_parity_difference  P(D) - P_r(D)
    equal_opportunity_difference   P(D given Y) - P_r(D given Y)
    equalised_odds_difference      the larger of that and P(D given not Y) - P_r(D given not Y)
    predictive_parity_difference   P(Y given D) - P_r(Y given D)
    standardised_mean_difference   (mean s - mean_r s) / standard deviation pooled over both groups
    calibration_within_groups      (mean s - P(Y)) - (mean_r s - P_r(Y)): below zero, the score of
                                   the group promises less than comes true, beside the reference
    conditional_parity             P(D) / P_r(D) inside of strata, pooled

With unequal base rates no score has calibration and equal error rates at once (Kleinberg et al.
2016, Chouldechova 2017): which of them is a gate is chosen before results are seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from ordain.runtime.fairness.power import power_of_estimate, power_of_rates
from ordain.runtime.fairness.rates import (
    CONFIDENCE,
    difference_interval,
    pooled_interval,
    pooled_ratio,
    ratio_interval,
)
from ordain.runtime.fairness.significance import (
    lower_in_strata,
    other_calibration,
    other_gap,
    other_in_strata,
    other_mean,
)
from ordain.runtime.training.intervals import quantile
from ordain.specs import fairness as language
from ordain.specs.chance import Counts, holm, lower_rate, other_rate
from ordain.specs.fairness import FEWEST_EXPECTED, is_too_high, limit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ordain.runtime.fairness.samples import Floats, Sample
    from ordain.specs.kinds.model import FairnessGate

NO_OUTCOME = "no row has an outcome"
_BANDS = 5
_EQUAL = 1e-12  # Scores that differ by less have no spread that a mean could be measured in.
_FARTHEST = 100.0  # Standard deviations that are shown at most.
_EDGE = 1e-6  # Scores of 0 and 1 have no log-odds.


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found about two groups; a reason says why there is no value."""

    ours: Counts
    reference: Counts
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    power: float | None = None
    detail: str = ""
    reason: str = ""


def ratio_of(ours: Counts, reference: Counts, gate: FairnessGate) -> Measured:
    """The ratio of two rates, tested against a lower rate of ours.

    One so high that it is the reference which is worse off is tested in both directions.
    """
    found = Measured(ours, reference)
    if not (ours.n and reference.n):
        return found
    if not reference.favourable:
        return replace(found, reason="no favourable decision in the reference group")
    low, high = ratio_interval(ours, reference, CONFIDENCE)
    rate, value = reference.rate * gate.min, ours.rate / reference.rate
    tested = other_rate if is_too_high(gate, value) else lower_rate
    return replace(
        found,
        value=value,
        low=low,
        high=high,
        p_value=tested(ours, reference),
        power=power_of_rates(ours.n, reference, rate, gate.alpha, sided=1),
    )


def difference_of(ours: Counts, reference: Counts, gate: FairnessGate) -> Measured:
    """The difference of two rates, tested in both directions."""
    found = Measured(ours, reference)
    if not (ours.n and reference.n):
        return found
    low, high = difference_interval(ours, reference, CONFIDENCE)
    size = limit_of(gate)
    # The limit lies on both sides; where there is room for one only, that one is looked for.
    rate = reference.rate - size if reference.rate >= size else min(1.0, reference.rate + size)
    return replace(
        found,
        value=ours.rate - reference.rate,
        low=low,
        high=high,
        p_value=other_rate(ours, reference),
        power=power_of_rates(ours.n, reference, rate, gate.alpha, sided=2),
    )


def _impact(sample: Sample, gate: FairnessGate) -> Measured:
    return ratio_of(*sample.counts(sample.decided.favourable), gate)


def _parity(sample: Sample, gate: FairnessGate) -> Measured:
    return difference_of(*sample.counts(sample.decided.favourable), gate)


def _opportunity(sample: Sample, gate: FairnessGate) -> Measured:
    decided = sample.decided
    if decided.truth is None or not _any_seen(sample):
        return _without_outcomes(sample)
    good = decided.truth & decided.labelled()
    return _told(difference_of(*sample.counts(decided.favourable, good), gate), "favourable")


def _odds(sample: Sample, gate: FairnessGate) -> Measured:
    """The farther of two differences, with Holm's correction over both of them.

    The p-value is that of a difference beyond the limit where there is one, so that a large but
    uncertain difference does not hide one that is both too large and certain.
    """
    decided = sample.decided
    if decided.truth is None or not _any_seen(sample):
        return _without_outcomes(sample)
    seen = decided.labelled()
    sides = ((decided.truth & seen, "favourable"), (~decided.truth & seen, "unfavourable"))
    found = [
        _told(difference_of(*sample.counts(decided.favourable, among), gate), outcome)
        for among, outcome in sides
    ]
    smaller, larger = sorted(found, key=_fewest)
    if _fewest(smaller) < gate.min_cell:
        return _of_one_side(smaller, larger, gate)
    corrected = holm([one.p_value or 0.0 for one in found])
    sizes = [abs(one.value or 0.0) for one in found]
    beyond = [p for p, size in zip(corrected, sizes, strict=True) if size > limit_of(gate)]
    return replace(
        found[sizes.index(max(sizes))],
        p_value=min(beyond or corrected),
        power=min(one.power or 0.0 for one in found),
    )


def _of_one_side(smaller: Measured, larger: Measured, gate: FairnessGate) -> Measured:
    """What one side tells where the other is too small: a gap that is certain, else nothing.

    A power of 0 keeps a gap that does not survive Holm's correction from being more.
    """
    few = f"{_fewest(smaller)} rows on the other side, {gate.min_cell} are needed"
    far = larger.value is not None and abs(larger.value) > limit_of(gate)
    if far and _fewest(larger) >= gate.min_cell and (larger.p_value or 0.0) < gate.alpha:
        return replace(larger, power=0.0, detail=f"{larger.detail}; {few}")
    return replace(smaller, value=None, low=None, high=None, p_value=None, power=None)


def _fewest(found: Measured) -> int:
    return min(found.ours.n, found.reference.n)


def _predictive(sample: Sample, gate: FairnessGate) -> Measured:
    decided = sample.decided
    if decided.truth is None or not _any_seen(sample):
        return _without_outcomes(sample)
    among = decided.favourable & decided.labelled()
    counts = sample.counts(decided.truth, among)
    return replace(
        difference_of(*counts, gate), detail="favourable outcomes among favourable decisions"
    )


def _means(sample: Sample, gate: FairnessGate) -> Measured:
    """The interval is that of Hedges and Olkin (1985)."""
    counts = sample.counts(sample.decided.favourable)
    scores = sample.decided.scores
    if scores is None:
        return Measured(*counts, reason="the model gives no score")
    ours, reference = scores[sample.ours], scores[sample.reference]
    n, n_r = len(ours), len(reference)
    if min(n, n_r) <= 1:
        return Measured(*counts)
    spread = (n - 1) * np.var(ours, ddof=1) + (n_r - 1) * np.var(reference, ddof=1)
    deviation = math.sqrt(float(spread) / (n + n_r - 2))
    gap = float(np.mean(ours) - np.mean(reference))
    equal = (n + n_r) / (n * n_r)
    power = power_of_estimate(limit_of(gate), math.sqrt(equal), gate.alpha, sided=2)
    if max(np.ptp(ours), np.ptp(reference)) < _EQUAL:
        if abs(gap) < _EQUAL:
            return Measured(*counts, reason="the scores of each group are all the same")
        certain = math.copysign(_FARTHEST, gap)
        said = "each group has one score, and they differ"
        return Measured(*counts, certain, certain, certain, 0.0, power, said)
    value = gap / deviation
    half = quantile(CONFIDENCE) * math.sqrt(equal + value**2 / (2 * (n + n_r)))
    low, high = _bounded(value - half), _bounded(value + half)
    return Measured(*counts, _bounded(value), low, high, other_mean(ours, reference), power)


def _bounded(deviations: float) -> float:
    """Where scores have hardly any spread, millions of deviations say no more than these."""
    return max(-_FARTHEST, min(_FARTHEST, deviations))


def _calibration(sample: Sample, gate: FairnessGate) -> Measured:
    decided = sample.decided
    if decided.scores is None:
        return Measured(*sample.counts(decided.favourable), reason="the model gives no score")
    if decided.truth is None or not _any_seen(sample):
        return _without_outcomes(sample)
    seen = decided.labelled()
    counts = sample.counts(decided.truth, seen)
    if min(one.n for one in counts) <= 1:
        return Measured(*counts)
    masks = (sample.ours & seen, sample.reference & seen)
    pairs = [(decided.scores[one], decided.truth[one].astype(float)) for one in masks]
    gaps = [scores - outcomes for scores, outcomes in pairs]
    value = float(np.mean(gaps[0]) - np.mean(gaps[1]))
    error = math.sqrt(sum(_spread(*pair) / len(pair[0]) for pair in pairs))
    half = quantile(CONFIDENCE) * error
    lines = [(_log_odds(scores), outcomes) for scores, outcomes in pairs]
    apart = other_calibration(lines[0], lines[1])
    return Measured(
        *counts,
        value,
        value - half,
        value + half,
        other_gap(value, error),
        power_of_estimate(limit_of(gate), error, gate.alpha, sided=2),
        "; ".join(filter(None, [_farthest_band(*pairs[0]), f"lines: p = {apart:.3g}"])),
    )


def _spread(scores: Floats, outcomes: Floats) -> float:
    """The variance of score less outcome; of one outcome alone at least the one scores promise."""
    seen = float(np.var(scores - outcomes, ddof=1))
    return seen if np.ptp(outcomes) else max(seen, float(np.mean(scores * (1 - scores))))


def _conditional(sample: Sample, gate: FairnessGate) -> Measured:
    """Counts are those of the strata that both groups are in; the others compare nothing."""
    strata = list(sample.by_stratum())
    sides = ([one.ours for one in strata], [one.reference for one in strata])
    ours, reference = (
        Counts(sum(one.favourable for one in side), sum(one.n for one in side)) for side in sides
    )
    found = Measured(ours, reference, detail=f"{len(strata)} strata")
    if not strata:
        return replace(found, reason="no stratum has both groups")
    pooled = pooled_ratio(strata)
    if pooled is None:
        return replace(found, reason="no favourable decision in the reference group")
    value, error = pooled
    low, high = pooled_interval(strata, CONFIDENCE)
    tested = other_in_strata if is_too_high(gate, value) else lower_in_strata
    return replace(
        found,
        value=value,
        low=low,
        high=high,
        p_value=tested(strata),
        power=power_of_estimate(-math.log(gate.min), error, gate.alpha, sided=1),
    )


def _any_seen(sample: Sample) -> bool:
    return bool(np.any(sample.decided.labelled()))


def _without_outcomes(sample: Sample) -> Measured:
    """Whoever has no outcome is in no count."""
    nobody = np.zeros(len(sample.ours), dtype=bool)
    return Measured(*sample.counts(nobody, nobody), reason=NO_OUTCOME)


def _told(found: Measured, outcome: str) -> Measured:
    return replace(found, detail=f"favourable decisions among {outcome} outcomes")


def _log_odds(scores: Floats) -> Floats:
    inside = np.clip(scores, _EDGE, 1 - _EDGE)
    found: Floats = np.log(inside) - np.log1p(-inside)
    return found


def _farthest_band(scores: Floats, outcomes: Floats) -> str:
    """The fifth of the scale where outcomes are farthest from what the scores promise."""
    edges = np.linspace(0, 1, _BANDS + 1)
    places = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, _BANDS - 1)
    promised = np.bincount(places, scores, _BANDS)
    seen = np.bincount(places, outcomes, _BANDS)
    # A ratio of observed to expected says nothing where hardly anything is expected.
    enough = promised >= FEWEST_EXPECTED
    if not enough.any():
        return ""
    ratios = np.abs(seen / np.where(enough, promised, 1.0) - 1) * enough
    place = int(np.argmax(ratios))
    low, high = list(pairwise(edges.tolist()))[place]
    return (
        f"scores of {low:g} to {high:g}: {seen[place]:.0f} favourable outcomes, "
        f"{promised[place]:.1f} expected"
    )


METRICS: Final[Mapping[str, Callable[[Sample, FairnessGate], Measured]]] = {
    language.IMPACT: _impact,
    language.PARITY: _parity,
    language.OPPORTUNITY: _opportunity,
    language.ODDS: _odds,
    language.PREDICTIVE: _predictive,
    language.MEANS: _means,
    language.CALIBRATION: _calibration,
    language.CONDITIONAL: _conditional,
}


def measure(sample: Sample, gate: FairnessGate) -> Measured:
    """The metric of a gate on two groups."""
    return METRICS[gate.metric](sample, gate)
