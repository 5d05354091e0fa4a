"""From what was measured to rows with a verdict, corrected as one family.

The ratio alone (the four-fifths rule) raises a false alarm in up to a quarter of small samples
without any disparity, and a test alone calls a ratio of .97 significant once rows are many. A fail
therefore needs both: a value beyond the limit *and* a test that survives Holm's correction over
every row of every gate that was tested. What is too small to be tested is in no family. The verdict
itself is that of `ordain.specs.fairness`, where the gate of a promotion finds it as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ordain.specs.chance import holm
from ordain.specs.evidence import FairnessRow
from ordain.specs.fairness import is_ratio, limit_of, too_small, verdict_on, within_name
from ordain.specs.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.fairness.metrics import Measured
    from ordain.specs.kinds.model import FairnessGate


@dataclass(frozen=True, slots=True)
class Compared:
    """What a gate found about a group of an attribute and its reference."""

    gate: FairnessGate
    attribute: str
    group: str
    reference: str
    measured: Measured


def judge(compared: Sequence[Compared], tier: int) -> tuple[FairnessRow, ...]:
    """A row for everything that was compared, in the given order."""
    rows = [_row(one) for one in compared]
    tested = [
        place
        for place, (row, one) in enumerate(zip(rows, compared, strict=True))
        if row.p_value is not None and not too_small(one.gate, row)
    ]
    corrected = holm([rows[place].p_value or 0.0 for place in tested])
    adjusted = dict(zip(tested, corrected, strict=True))
    judged = []
    for place, (row, one) in enumerate(zip(rows, compared, strict=True)):
        p_holm = adjusted.get(place)
        known = replace(row, p_holm=p_holm, p_value=None if p_holm is None else row.p_value)
        verdict, reason = verdict_on(one.gate, known, tier)
        judged.append(replace(known, verdict=verdict.value, reason=reason))
    return tuple(judged)


def _row(one: Compared) -> FairnessRow:
    gate, found = one.gate, one.measured
    limit = limit_of(gate)
    ratio = is_ratio(gate.metric)
    return FairnessRow(
        attribute=one.attribute,
        group=one.group,
        reference=one.reference,
        metric=gate.metric,
        n=found.ours.n,
        n_reference=found.reference.n,
        favourable=found.ours.favourable,
        favourable_reference=found.reference.favourable,
        value=found.value,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        p_holm=None,
        minimum=limit if ratio else None,
        alpha=gate.alpha,
        verdict=Verdict.INSUFFICIENT.value,
        reason=found.reason,
        maximum=None if ratio else limit,
        power=found.power,
        within=within_name(gate),
        detail=found.detail,
    )
