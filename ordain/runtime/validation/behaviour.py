"""What would be decided otherwise than by the version now running, and for whom.

Two versions of equal performance may decide a tenth of all cases differently. Whoever approves a
promotion is asked to approve exactly that, so it is counted: flips in both directions with the
exact test of McNemar (1947), rates for every declared segment and protected group, reasons for the
unfavourable decision, and how rows move between the deciles of the score.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.errors import RunError
from ordain.runtime.reasons.backgrounds import background_of
from ordain.runtime.reasons.codes import ReasonCodes
from ordain.runtime.reasons.explainer import Explainer
from ordain.runtime.reasons.ranking import ranked, subject_of
from ordain.runtime.reasons.sides import favourable_class, unfavourable_side
from ordain.runtime.training.evaluation import CONFIDENCE
from ordain.runtime.training.intervals import quantile, wilson
from ordain.runtime.validation.cells import cells_of
from ordain.runtime.validation.explanations import codes_of
from ordain.runtime.validation.scene import protected
from ordain.specs.chance import holm
from ordain.specs.validations import Behaviour, Shift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ordain.runtime.validation.answering import Answered, Row, Served
    from ordain.runtime.validation.champion import Champion
    from ordain.runtime.validation.scene import Scene

    Indices = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    Reasons = tuple[tuple[str, float, float], ...]

DECILES = 10
REASONED = 100


def compare(scene: Scene, champion: Champion) -> tuple[Behaviour | None, str]:
    """The difference in behaviour, and why reasons are not compared; empty where they are.

    There is no difference where there is no champion, or it cannot answer.
    """
    if champion.served is None or champion.given is None or scene.order.champion is None:
        return None, ""
    both = scene.given.answered & champion.given.answered
    if not both.any():
        return None, ""
    reasons, why = _reasons(scene, champion, both)
    behaviour = Behaviour(
        champion=scene.order.champion,
        shifts=tuple(_shifts(scene, champion.given, both)),
        reasons=reasons,
        movement=movement(scene.given.output[both], champion.given.output[both]),
    )
    return behaviour, why


# ── decisions ────────────────────────────────────────────────────────────────────────────────────


def _shifts(scene: Scene, theirs: Answered, both: Mask) -> Iterator[Shift]:
    """All rows first, then every group of segments and protected columns."""
    ours = scene.given
    wanted = counted_decision(scene)
    if wanted is None or not theirs.decisions:
        return
    mine = _gets(ours, wanted)
    other = _gets(theirs, alike(ours, theirs, wanted))
    yield shift("", mine[both], other[both])
    groups = list(_groups(scene, mine, other, both))
    corrected = holm([one.p_value for one in groups])
    for one, p_holm in zip(groups, corrected, strict=True):
        yield replace(one, p_holm=p_holm)


def _groups(scene: Scene, mine: Mask, other: Mask, both: Mask) -> Iterator[Shift]:
    """Every group of a declared segment or a protected column."""
    declared = scene.order.spec.validation.segments
    columns = [*(declared.columns if declared else ()), *protected(scene)]
    for column in dict.fromkeys(columns):
        for level, places in cells_of(scene, column):
            inside = places[both[places]]
            if len(inside):
                yield shift(f"{column}={level}", mine[inside], other[inside])


def counted_decision(scene: Scene) -> str | None:
    """The favourable decision, whose share is counted; None where nobody says which one that is."""
    return scene.favourable if scene.favourable in scene.given.decisions else None


def alike(ours: Answered, theirs: Answered, name: str) -> str:
    """What the champion calls the same decision: the one on the same side, where names differ."""
    return name if name in theirs.decisions else theirs.decisions[ours.decisions.index(name)]


def _gets(given: Answered, name: str) -> Mask:
    found: Mask = given.decision == given.decisions.index(name)
    return found


def shift(subject: str, ours: Mask, theirs: Mask) -> Shift:
    """Who gets the favourable decision from one version only; at least one row."""
    n = len(ours)
    up, down = int(np.sum(ours & ~theirs)), int(np.sum(~ours & theirs))
    rates = float(np.mean(ours)), float(np.mean(theirs))
    low, high = paired_interval(int(np.sum(ours & theirs)), up, down, n)
    return Shift(subject, n, up, down, *rates, mcnemar(up, down), low, high)


def paired_interval(same: int, up: int, down: int, n: int) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares of the same rows.

    `same` rows have both versions' favourable decision. Two Wilson intervals are joined by the
    correlation of the pairs, which is corrected for continuity (Newcombe 1998, method 10).
    """
    z = quantile(CONFIDENCE)
    ours, theirs = (same + up) / n, (same + down) / n
    (low, high), (low_t, high_t) = wilson(same + up, n, z), wilson(same + down, n, z)
    between = _correlation(same, up, down, n)
    below = _joined(ours - low, high_t - theirs, between)
    above = _joined(high - ours, theirs - low_t, between)
    gap = (up - down) / n
    return max(-1.0, gap - below), min(1.0, gap + above)


def _joined(one: float, two: float, between: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * between * one * two + two * two))


def _correlation(same: int, up: int, down: int, n: int) -> float:
    """Of the pairs, corrected for continuity where it is positive; 0 where all are alike."""
    neither = n - same - up - down
    margins = (same + up) * (down + neither) * (same + down) * (up + neither)
    if not margins:
        return 0.0
    product = float(same * neither - up * down)
    if product > 0:
        product = max(product - n / 2, 0.0)
    return product / math.sqrt(margins)


def mcnemar(up: int, down: int) -> float:
    """The exact test: as many turn one way as the other, by twice the smaller binomial tail."""
    n, fewer = up + down, min(up, down)
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2)
        for k in range(fewer + 1)
    ]
    return min(1.0, 2.0 * math.fsum(math.exp(value) for value in logs))


def movement(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[tuple[int, ...], ...]:
    """Rows by decile of the champion's score and of ours, each by its own deciles."""
    table = np.zeros((DECILES, DECILES), dtype=np.int64)
    np.add.at(table, (_decile(theirs), _decile(ours)), 1)
    return tuple(tuple(row) for row in table.tolist())


def _decile(scores: NDArray[np.float64]) -> Indices:
    """Equal scores stand in one decile, the one of the last of them."""
    edges = np.quantile(scores, np.arange(1, DECILES) / DECILES, method="higher")
    return np.asarray(np.searchsorted(edges, scores, side="right"), dtype=np.int64)


# ── reasons ──────────────────────────────────────────────────────────────────────────────────────


def _reasons(scene: Scene, champion: Champion, both: Mask) -> tuple[Reasons, str]:
    """Shares of the first reasons of unfavourable decisions, or why there are none."""
    name = scene.favourable
    if name is None or champion.served is None or champion.given is None:
        return (), ""
    if name not in scene.given.decisions or not champion.given.decisions:
        return (), ""
    other = alike(scene.given, champion.given, name)
    try:
        ours = _first(scene, scene.served, scene.raw, scene.given, name, both)
        raw = list(champion.raw)
        theirs = _first(scene, champion.served, raw, champion.given, other, both)
    except RunError as error:
        return (), error.message
    names = sorted(ours.keys() | theirs.keys())
    return tuple((code, ours.get(code, 0.0), theirs.get(code, 0.0)) for code in names), ""


def _first(
    scene: Scene, served: Served, raw: list[Row], given: Answered, favourable: str, both: Mask
) -> dict[str, float]:
    places = np.flatnonzero(both & (given.decision != given.decisions.index(favourable)))
    rng = np.random.default_rng([scene.order.seed, 3])
    size = min(len(places), REASONED)
    drawn = np.sort(rng.choice(places, size=size, replace=False)) if size else places
    found = Counter(_reasons_at(scene, served, raw, given, drawn))
    return {name: count / len(drawn) for name, count in found.items()}


def _reasons_at(
    scene: Scene, served: Served, raw: list[Row], given: Answered, places: Indices
) -> Iterator[str]:
    """The reason that weighs most against each of these rows; of some there is none."""
    target = scene.order.meant
    side, favourable = unfavourable_side(target), favourable_class(target)
    codes = codes_of(scene) or ReasonCodes.plain(served.names)
    codes.check(served.names)
    explainer = Explainer.of(served.plan, background_of(served.artifact).rows)
    for place in places.tolist():
        decision = given.decisions[given.decision[place]]
        subject = subject_of(served.plan, decision, side, favourable)
        (found,) = explainer.explain([raw[place]], subject.output)
        told = ranked(codes, found, raw[place], sign=subject.sign)
        if told:
            yield told[0].code
