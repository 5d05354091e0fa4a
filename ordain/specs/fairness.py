"""What a fairness gate means, and the verdict on one group that was measured for it.

The check of documents, training, validation and the gate of a promotion ask here, so that no two of
them judge one row differently. Training measures and calls `verdict_on`; the gate of a promotion
calls it again on the row of the evidence with the limits of the Model, and so need not believe what
stands there.

A metric is a ratio with a smallest value, or a difference with a largest one. A difference is
signed (group less reference; below zero is worse for the group) and limited in both directions. The
defaults are conventions and no law: four fifths for ratios (29 CFR 1607.4(D)), .1 for differences
of rates (what AI Fairness 360 takes for fair; at a base rate of .5 it is the four-fifths rule), .3
standard deviations for a mean score (a flag of credit practice), .05 for calibration, half of what
is accepted of decisions, because a score that is off by .1 moves most people across a threshold.

    fail          beyond the limit, and significant after Holm's correction over all rows, or not
                  tested at all
    insufficient  a cell below `minCell`; fewer than five favourable decisions expected; or no fail
                  where a disparity of the size of the limit would have been found with a
                  probability below `minPower`. A small sample never passes
    warn          beyond the limit within what chance explains; within the limit, and the gap is no
                  chance: a ratio below .9, a difference beyond half of the limit, significant after
                  Holm's correction; a ratio above 1 / `min` that is significant, because then it is
                  the reference that is worse off; and for tier 1, within the limit with an interval
                  that is not
    pass          else

An optional fail for `too small` was refused: no sample of the estate can make a group larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.specs.chance import Counts, lower_rate, other_rate
from ordain.specs.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.specs.evidence import FairnessRow
    from ordain.specs.kinds.model import FairnessGate

IMPACT: Final = "adverse_impact_ratio"
CONDITIONAL: Final = "conditional_parity"
PARITY: Final = "demographic_parity_difference"
OPPORTUNITY: Final = "equal_opportunity_difference"
ODDS: Final = "equalised_odds_difference"
PREDICTIVE: Final = "predictive_parity_difference"
MEANS: Final = "standardised_mean_difference"
CALIBRATION: Final = "calibration_within_groups"

RATIOS: Final = frozenset({IMPACT, CONDITIONAL})
OF_OUTCOMES: Final = frozenset({OPPORTUNITY, ODDS, PREDICTIVE, CALIBRATION})
OF_SCORES: Final = frozenset({MEANS, CALIBRATION})
OF_DECISIONS: Final = frozenset({IMPACT, CONDITIONAL, PARITY})
# What the two counts of a row give again; the others need more than counts.
OF_COUNTS: Final = frozenset({IMPACT, PARITY, OPPORTUNITY, ODDS, PREDICTIVE})
# Of equalised odds the row has the counts of one of two tests.
_OF_TESTED_COUNTS: Final = OF_COUNTS - {ODDS}
LARGEST: Final = {PARITY: 0.1, OPPORTUNITY: 0.1, ODDS: 0.1, PREDICTIVE: 0.1} | {
    MEANS: 0.3,
    CALIBRATION: 0.05,
}
FEWEST_EXPECTED: Final = 5.0
CROSS: Final = " + "
# A ratio below it, or a difference beyond this share of the limit, deserves a look where the whole
# interval is on one side.
_CLOSE: Final = 0.9
_NEAR: Final = 0.5
_TWO: Final = 2
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class FairnessProblem:
    """Why a gate cannot be judged; `field` is empty where it is about the gate as a whole."""

    code: str
    field: str
    message: str
    remedy: str


def is_ratio(metric: str) -> bool:
    """Whether the metric has a smallest value; the others have a largest difference."""
    return metric in RATIOS


def limit_of(gate: FairnessGate) -> float:
    """The limit of a gate: its `min` for a ratio, its `max` or the default for a difference."""
    if is_ratio(gate.metric):
        return gate.min
    return LARGEST[gate.metric] if gate.max is None else gate.max


def subjects_of(gate: FairnessGate, protected: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """What a gate compares groups of: attributes one by one, then its intersections."""
    alone = tuple((name,) for name in gate.attributes or protected)
    return (*alone, *gate.intersections)


def subject_name(names: Sequence[str]) -> str:
    """How rows of evidence name an attribute or an intersection."""
    return CROSS.join(names)


def within_name(gate: FairnessGate) -> str:
    """How rows of evidence name the columns inside of whose strata groups are compared."""
    return CROSS.join(gate.within)


def fairness_problems(gate: FairnessGate, given: Sequence[str]) -> Iterator[FairnessProblem]:
    """What keeps a gate from being judged; `given` are the fields that the document writes."""
    name = gate.metric
    if is_ratio(name) and "max" in given:
        message = f"`{name}` is a ratio and has no largest difference"
        yield FairnessProblem("SPEC156", "max", message, "set `min` instead")
    if not is_ratio(name) and "min" in given:
        message = f"`{name}` is a difference and has no smallest ratio"
        yield FairnessProblem("SPEC156", "min", message, "set `max` instead")
    if name == CONDITIONAL and not gate.within:
        message = f"`{name}` compares inside of strata, and names no column of them"
        remedy = f"add `within:` with the columns of the policy, or use `{IMPACT}`"
        yield FairnessProblem("SPEC157", "", message, remedy)
    if name != CONDITIONAL and gate.within:
        message = f"`{name}` is not measured inside of strata"
        yield FairnessProblem("SPEC157", "within", message, f"use `{CONDITIONAL}`")
    for names in gate.intersections:
        if len(set(names)) < _TWO or len(set(names)) < len(names):
            message = f"`{', '.join(names)}` is no intersection of columns"
            remedy = "name two columns or more, each once"
            yield FairnessProblem("SPEC158", "intersections", message, remedy)


def too_small(gate: FairnessGate, row: FairnessRow) -> str:
    """Why nothing can be said about the group of a row, or an empty text."""
    if row.n < gate.min_cell:
        return f"{row.n} rows, {gate.min_cell} are needed"
    if row.n_reference < gate.min_cell:
        return f"{row.n_reference} rows in the reference group, {gate.min_cell} are needed"
    if gate.metric in OF_DECISIONS and (expected := _expected(row)) < FEWEST_EXPECTED:
        return f"{expected:.1f} favourable decisions expected, {FEWEST_EXPECTED:g} are needed"
    return ""


def verdict_on(gate: FairnessGate, row: FairnessRow, tier: int) -> tuple[Verdict, str]:
    """The verdict on a row by what was measured, and the reason for it."""
    if small := too_small(gate, row):
        # Of a group that nobody is in, the reason says why there is none.
        return Verdict.INSUFFICIENT, small if row.n else row.reason or small
    if row.value is None:
        return Verdict.INSUFFICIENT, row.reason or "nothing was measured"
    far = _beyond(gate, row.value)
    if far and row.p_holm is None:
        return Verdict.FAIL, f"{_too_far(gate, row.value)}, and no test says that it is chance"
    if far and row.p_holm is not None and row.p_holm < gate.alpha:
        return Verdict.FAIL, _too_far(gate, row.value)
    if row.power is not None and row.power < gate.min_power:
        said = f"{_too_far(gate, row.value)}, within what chance explains; " if far else ""
        return Verdict.INSUFFICIENT, said + _powerless(gate, row.power)
    return _softer(gate, row, tier, far=far)


def uncorrected(row: FairnessRow, tested: int) -> str:
    """Why the corrected p-value of a row is none of Holm's (1979), or an empty text.

    Of m tested rows his step-down correction multiplies a p-value by 1 at least and by m at most.
    """
    if row.p_value is None and row.p_holm is None:
        return ""
    if row.p_value is None or row.p_holm is None:
        return "of the p-value and the corrected one only one is there"
    most = min(1.0, tested * row.p_value)
    if row.p_value * (1 - _ROUNDING) <= row.p_holm <= most * (1 + _ROUNDING):
        return ""
    least = f"{row.p_value:.3g}"
    return f"p (Holm) is {row.p_holm:.3g}, and {least} to {most:.3g} are possible of {tested} tests"


def overstated(row: FairnessRow) -> str:
    """Why the p-value of a row is not that of its counts, or an empty text.

    Only a greater one speaks for the version. Which side was tested is not asked: the greater
    p-value of both tests bounds it.
    """
    if row.p_value is None or row.metric not in _OF_TESTED_COUNTS:
        return ""
    ours = Counts(row.favourable, row.n)
    reference = Counts(row.favourable_reference, row.n_reference)
    if not all(0 <= one.favourable <= one.n and one.n for one in (ours, reference)):
        return "the counts are none"
    most = max(lower_rate(ours, reference), other_rate(ours, reference))
    if row.p_value <= most * (1 + _ROUNDING) + _ROUNDING:
        return ""
    return f"the counts give a p-value of {most:.3g}, and the evidence says {row.p_value:.3g}"


def _softer(gate: FairnessGate, row: FairnessRow, tier: int, *, far: bool) -> tuple[Verdict, str]:
    """Warn or pass, for a row that neither fails nor is too small."""
    value = row.value or 0.0
    if far:
        return Verdict.WARN, f"{_too_far(gate, value)}, but within what chance explains"
    # Without a p-value nobody has shown that it is chance.
    certain = row.p_holm is None or row.p_holm < gate.alpha
    if certain and is_too_high(gate, value):
        said = f"the ratio is {value:.3f}, above {1 / gate.min:g}: the reference group is worse off"
        return Verdict.WARN, said
    if certain and _is_clear(gate, value):
        return Verdict.WARN, "within the limit, but the gap is not chance"
    if tier != 1 or row.low is None or row.high is None:
        return Verdict.PASS, ""
    if _beyond(gate, row.low) or _beyond(gate, row.high):
        reason = f"within the limit, but its interval {row.low:.3f} to {row.high:.3f} is not"
        return Verdict.WARN, reason
    return Verdict.PASS, ""


def _beyond(gate: FairnessGate, value: float) -> bool:
    limit = limit_of(gate)
    return value < limit if is_ratio(gate.metric) else abs(value) > limit


def is_too_high(gate: FairnessGate, value: float) -> bool:
    """Whether a ratio is as high as the limit turned round: then the reference is worse off."""
    return is_ratio(gate.metric) and value * gate.min > 1


def _is_clear(gate: FairnessGate, value: float) -> bool:
    """Whether a gap within the limit is large enough for a look."""
    if is_ratio(gate.metric):
        return value < _CLOSE
    return abs(value) > _NEAR * limit_of(gate)


def _too_far(gate: FairnessGate, value: float) -> str:
    if is_ratio(gate.metric):
        return f"the ratio is {value:.3f}, below {gate.min:g}"
    return f"the difference is {value:+.3f}, more than {limit_of(gate):g}"


def _powerless(gate: FairnessGate, power: float) -> str:
    return (
        f"a disparity of the size of the limit would be found with a probability of {power:.2f}, "
        f"{gate.min_power:g} is needed"
    )


def _expected(row: FairnessRow) -> float:
    """The favourable decisions in the smaller group if both had the same rate."""
    rate = (row.favourable + row.favourable_reference) / (row.n + row.n_reference)
    return min(row.n, row.n_reference) * rate
