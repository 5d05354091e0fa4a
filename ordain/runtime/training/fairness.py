"""Adverse impact: does one group get the favourable decision less often than another?

The ratio alone (the four-fifths rule) raises a false alarm in up to a quarter of small samples
without any disparity, and a test alone calls a ratio of .97 significant once rows are many. A fail
therefore needs both: a ratio below the minimum *and* a test that survives Holm's correction over
all groups that were tested. What is too small to say anything is `insufficient`, never a pass.

    ratio     rate of the group / rate of the reference group
    interval  exp(ln ratio ± z sqrt(1/x - 1/n + 1/x_r - 1/n_r)), 0.5 added to each count when one
              of them is 0 (Katz et al. 1978)
    test      is the group's rate lower than that of the reference? Fisher's exact test when an
              expected count is below 5, else the pooled z. One-sided, because a fail can only
              come from a lower rate; a two-sided test would find fewer real disparities
    family    step-down correction of Holm 1979 over every row that was tested

Attributes are read from the Dataset here and nowhere else; they are in no plan and no request. How
likely a disparity of the size of the limit would have been found (power) is not part of the
verdict; the counts and the interval stand in every row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

from ordain.specs.evidence import FairnessRow
from ordain.specs.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.specs.kinds.model import FairnessGate

CONFIDENCE = 0.95
SMALL = 5.0  # Below this expected count the normal approximation is not used.
CLOSE = 0.9  # A ratio below it whose whole interval is below 1 deserves a look.


@dataclass(frozen=True, slots=True)
class Counts:
    """Favourable decisions in one group."""

    favourable: int
    n: int

    @property
    def rate(self) -> float:
        return self.favourable / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of one attribute, and the one that the others are compared with."""

    attribute: str
    reference: str
    counts: dict[str, Counts]


def judge(
    gates: Sequence[tuple[FairnessGate, Sequence[Groups]]],
) -> tuple[FairnessRow, ...]:
    """A row per gate, attribute and group other than the reference, corrected as one family."""
    measured = [
        _measure(gate, groups, group)
        for gate, attributes in gates
        for groups in attributes
        for group in sorted(groups.counts)
        if group != groups.reference
    ]
    tested = [row for row in measured if not row.reason]
    corrected = iter(holm([row.p_value or 0.0 for row in tested]))
    return tuple(
        row if row.reason else _verdict(replace(row, p_holm=next(corrected))) for row in measured
    )


def _measure(gate: FairnessGate, groups: Groups, group: str) -> FairnessRow:
    """Everything but the verdict; a reason says why there will be none."""
    ours, reference = groups.counts[group], groups.counts[groups.reference]
    reason = _insufficient(gate, ours, reference)
    ratio = ours.rate / reference.rate if reference.rate else None
    low, high = (None, None) if ratio is None else ratio_interval(ours, reference, CONFIDENCE)
    return FairnessRow(
        attribute=groups.attribute,
        group=group,
        reference=groups.reference,
        metric=gate.metric,
        n=ours.n,
        n_reference=reference.n,
        favourable=ours.favourable,
        favourable_reference=reference.favourable,
        value=ratio,
        low=low,
        high=high,
        p_value=None if reason else lower_rate(ours, reference),
        p_holm=None,
        minimum=gate.min,
        alpha=gate.alpha,
        verdict=Verdict.INSUFFICIENT.value,
        reason=reason,
    )


def _insufficient(gate: FairnessGate, ours: Counts, reference: Counts) -> str:
    """Why nothing can be said about this group, or an empty text."""
    if ours.n < gate.min_cell:
        return f"{ours.n} rows, {gate.min_cell} are needed"
    if reference.n < gate.min_cell:
        return f"{reference.n} rows in the reference group, {gate.min_cell} are needed"
    pooled = (ours.favourable + reference.favourable) / (ours.n + reference.n)
    expected = pooled * min(ours.n, reference.n)
    if expected < SMALL:
        return f"{expected:.1f} favourable decisions expected, {SMALL:g} are needed"
    return ""


def _verdict(row: FairnessRow) -> FairnessRow:
    """Fail on size and significance; warn on either a low ratio or a clear small gap."""
    ratio, p_holm = row.value, row.p_holm
    if ratio is None or p_holm is None:
        return replace(row, reason="no favourable decision in the reference group")
    if ratio < row.minimum and p_holm < row.alpha:
        return replace(row, verdict=Verdict.FAIL.value)
    if ratio < row.minimum:
        reason = "below the minimum, but within what chance explains"
        return replace(row, verdict=Verdict.WARN.value, reason=reason)
    if ratio < CLOSE and row.high is not None and row.high < 1:
        reason = "above the minimum, but the gap is not chance"
        return replace(row, verdict=Verdict.WARN.value, reason=reason)
    return replace(row, verdict=Verdict.PASS.value)


def ratio_interval(ours: Counts, reference: Counts, confidence: float) -> tuple[float, float]:
    """The interval of the ratio of two rates, on the scale of its logarithm (Katz et al. 1978)."""
    counts = (ours.favourable, ours.n, reference.favourable, reference.n)
    shift = 0.5 if min(ours.favourable, reference.favourable) == 0 else 0.0
    x, n, x_r, n_r = (count + shift for count in counts)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    spread = z * math.sqrt(max(0.0, 1 / x - 1 / n + 1 / x_r - 1 / n_r))
    middle = math.log(x / n) - math.log(x_r / n_r)
    return math.exp(middle - spread), math.exp(middle + spread)


def lower_rate(ours: Counts, reference: Counts) -> float:
    """The p-value of equal rates against a lower rate of ours: Fisher's exact test or pooled z."""
    total = ours.n + reference.n
    favourable = ours.favourable + reference.favourable
    smallest = min(favourable, total - favourable) * min(ours.n, reference.n) / total
    if smallest < SMALL:
        return fisher(ours, reference)
    pooled = favourable / total
    error = math.sqrt(pooled * (1 - pooled) * (1 / ours.n + 1 / reference.n))
    return NormalDist().cdf((ours.rate - reference.rate) / error)


def fisher(ours: Counts, reference: Counts) -> float:
    """Fisher's exact test, one-sided: the chance of so few favourable decisions or fewer."""
    favourable = ours.favourable + reference.favourable
    fewest = max(0, favourable - reference.n)
    logs = [
        _log_choose(ours.n, x) + _log_choose(reference.n, favourable - x)
        for x in range(fewest, min(favourable, ours.n) + 1)
    ]
    highest = max(logs)
    weights = [math.exp(value - highest) for value in logs]
    as_few = weights[: ours.favourable - fewest + 1]
    return min(1.0, math.fsum(as_few) / math.fsum(weights))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def holm(values: Sequence[float]) -> list[float]:
    """p-values corrected for having tested all of them (Holm 1979), in the given order."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected = [0.0] * len(values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, values[place] * (len(values) - rank)))
        corrected[place] = highest
    return corrected
