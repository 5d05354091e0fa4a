"""The version now running, asked about the same rows.

Two numbers of two samples say little; the difference on the same rows says much more. A champion
that cannot answer these rows is no reason to stop: what was asked is then insufficient, and one
sentence says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.errors import RunError
from ordain.runtime.training import evaluation
from ordain.runtime.training.features import raw_rows
from ordain.runtime.training.measuring import difference, tells_apart
from ordain.runtime.validation.answering import Answered, Served, answer_rows
from ordain.runtime.validation.checks import estimated, of_metric, untold
from ordain.runtime.validation.performance import cases_of, gates_of, limit_of
from ordain.runtime.validation.schema import unreadable
from ordain.runtime.validation.truths import sample_of
from ordain.specs.tasks import CLUSTERING
from ordain.specs.validation_verdicts import NO_CHAMPION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.training.measuring import AnySample
    from ordain.runtime.validation.answering import Row
    from ordain.runtime.validation.scene import Scene
    from ordain.specs.validations import Check

SECTION = "champion"


@dataclass(frozen=True, slots=True)
class Champion:
    """The version now running and its answers to the rows; `reason` says why there are none."""

    served: Served | None = None
    raw: tuple[Row, ...] = ()
    given: Answered | None = None
    reason: str = ""


def meet(scene: Scene) -> Champion:
    """Ask the champion about the rows of the validation."""
    digest = scene.order.champion
    if digest is None:
        return Champion(reason=NO_CHAMPION)
    if scene.unreadable:
        return Champion(reason=scene.unreadable)
    try:
        served = Served.load(scene.store, digest)
    except RunError as error:
        return Champion(reason=f"the champion cannot be loaded: {error.message}")
    if reason := _other(scene, served):
        return Champion(reason=f"the champion cannot read these rows: {reason}")
    raw = tuple(raw_rows(scene.table, served.names, scene.rows))
    return Champion(served, raw, answer_rows(served, raw))


def _other(scene: Scene, served: Served) -> str:
    """Why its answers cannot stand beside ours."""
    ours, theirs = scene.served.plan, served.plan
    if (ours.task, ours.classes) != (theirs.task, theirs.classes):
        return "it answers with other classes"
    if ours.positive and theirs.positive and ours.positive != theirs.positive:
        return f"its probability is of {theirs.positive!r}, and not of {ours.positive!r}"
    return unreadable(theirs, scene.table)


def examine(scene: Scene, champion: Champion) -> Iterator[Check]:
    """The differences that gates ask for, judged; without a gate those that every reader asks for.

    The first version of a model has no champion, which is not held against it.
    """
    gates = [gate for gate in gates_of(scene) if gate.versus is not None]
    pair = _pair(scene, champion)
    if isinstance(pair, str):
        limits = [("" if scene.order.champion is None else limit_of(gate)) for gate in gates]
        for gate, limit in zip(gates, limits, strict=True):
            yield untold(SECTION, f"{gate.name}_delta", pair, limit=limit)
        if not gates:
            yield untold(SECTION, "difference", pair)
        return
    ours, theirs = pair
    cases = cases_of(scene)
    rows = evaluation.evaluate({"test": ours}, gates, theirs, everybody=cases.everybody)
    deltas = [row for row in rows if row.name.endswith("_delta")]
    yield from (of_metric(SECTION, row) for row in cases.qualified(deltas, gates))
    asked = {gate.name for gate in gates}
    for name in evaluation.INFORMING[scene.served.plan.task]:
        if name not in asked:
            found = difference(name, ours, theirs, evaluation.CONFIDENCE)
            yield estimated(SECTION, f"{name}_delta", found, ours.n)


def _pair(scene: Scene, champion: Champion) -> tuple[AnySample, AnySample] | str:
    """Both versions on the rows that both have answered."""
    if champion.served is None or champion.given is None:
        return champion.reason
    plan, given = champion.served.plan, champion.given
    if plan.task == CLUSTERING:
        return "versions of a clustering have no clusters in common"
    places = scene.judged[given.answered[scene.judged]]
    if not len(places):
        return scene.truth.reason or "no row was answered by both versions"
    values, seed = scene.truth.at(places), scene.order.seed
    ours = sample_of(scene.served.plan, scene.given, scene.raw, places, values, seed)
    theirs = sample_of(plan, given, list(champion.raw), places, values, seed)
    if not tells_apart(ours):
        return f"all {len(places)} rows have the same outcome"
    if len(places) != int(np.sum(scene.given.answered[scene.judged])) and cases_of(scene).loop:
        return "the champion refuses rows, and a feedback loop is declared"
    return ours, theirs
