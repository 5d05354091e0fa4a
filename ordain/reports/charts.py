"""The charts of a model report, each with the sentence that says the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ordain.reports import svg
from ordain.reports.texts import count, day, number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.reports.facts import PastDrift
    from ordain.runtime.monitoring.psi import FeatureDrift
    from ordain.specs.evidence import Evidence, FairnessRow
    from ordain.specs.validations import Behaviour

MAXIMUM_BARS = 15
# How many bins the sentence of a histogram names; a picture needs no more to be told.
_TOLD = 3


def importance(evidence: Evidence, unit: str) -> str:
    """Mean absolute attribution of the strongest features."""
    shown = evidence.importance[:MAXIMUM_BARS]
    told = ", ".join(f"{name} {value:.3g}" for name, value in shown)
    return svg.bars(shown, label=f"Mean absolute contribution to the {unit}: {told}")


def feature(drift: FeatureDrift) -> str:
    """Reference and window of one feature on the same bins."""
    used = [bin_ for bin_ in drift.bins if bin_.reference or bin_.window]
    moves = sorted(used, key=lambda bin_: -abs(_move(drift, bin_.reference, bin_.window)))[:_TOLD]
    told = "; ".join(
        f"{bin_.label} {percent(bin_.reference / (drift.n_reference or 1))} was, "
        f"{percent(bin_.window / (drift.n or 1))} now"
        for bin_ in moves
    )
    return svg.histograms(
        [bin_.reference for bin_ in used],
        [bin_.window for bin_ in used],
        label=f"{drift.feature}, the bins that moved most: {told}",
    )


def _move(drift: FeatureDrift, reference: int, window: int) -> float:
    return window / (drift.n or 1) - reference / (drift.n_reference or 1)


def fairness(row: FairnessRow) -> str:
    """The value of one group with its interval and the limit; nothing where there is none."""
    if row.value is None or row.low is None or row.high is None:
        return ""
    label = (
        f"{row.named} of {row.group} against {row.reference}: {number(row.value)}, interval "
        f"{number(row.low)} to {number(row.high)}, {row.limited}"
    )
    limit = row.limit if row.maximum is None else math.copysign(row.limit, row.value)
    return svg.interval(row.value, row.low, row.high, limit, label=label)


def flips(behaviour: Behaviour) -> str:
    """The share of each group that loses and gains the favourable decision."""
    shown = behaviour.shifts[:MAXIMUM_BARS]
    values = [(one.subject or "all rows", one.down / one.n, one.up / one.n) for one in shown]
    told = "; ".join(
        f"{name}: {percent(down)} lose it, {percent(up)} gain it" for name, down, up in values
    )
    return svg.pairs(values, label=f"Favourable decisions by group: {told}")


def movement(behaviour: Behaviour) -> str:
    """How rows move between the tenths of the score, from the champion to this version."""
    counts = behaviour.movement
    stayed = sum(row[place] for place, row in enumerate(counts))
    total = sum(map(sum, counts)) or 1
    label = (
        f"Tenths of the score of the version before (down) and of this one (across): "
        f"{percent(stayed / total)} of {count(total)} rows stay in theirs"
    )
    return svg.grid(counts, label=label)


def frontier(found: Mapping[str, Any]) -> str:
    """The candidates of a search for a less discriminatory one, as the search has recorded them."""
    points = {one["number"]: one for one in found["points"]}
    first, chosen = points[found["performer"]], points.get(found["chosen"])
    label = (
        f"{count(found['candidates'])} candidates; the best performer has an area of "
        f"{number(first['performance'])} and a smallest ratio of {number(first['ratio'])}"
    )
    if chosen is not None:
        label += f", the alternative {number(chosen['performance'])} and {number(chosen['ratio'])}"
    drawn = [
        (one["performance"], one["ratio"], _standing(one, found["chosen"]))
        for one in points.values()
    ]
    least = first["performance"] - found["max_loss"]
    return svg.frontier(drawn, least, label=f"{label}: {found['reason']}")


def _standing(point: Mapping[str, Any], chosen: int | None) -> str:
    if point["number"] == chosen:
        return "chosen"
    return "now" if point["best"] else "was"


def history(past: tuple[PastDrift, ...], warn: float, fail: float) -> str:
    """The largest index of each window over time, with the limits of today."""
    last = past[-1]
    label = (
        f"Largest index of {count(len(past))} windows from {day(past[0].time)} to "
        f"{day(last.time)}: the last is {number(last.psi)} ({last.feature}); limits {warn:g} "
        f"and {fail:g}"
    )
    points = [(day(one.time), one.psi) for one in past]
    return svg.line(points, [(f"warn {warn:g}", warn), (f"fail {fail:g}", fail)], label=label)
