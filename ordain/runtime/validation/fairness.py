"""Who gets the favourable decision, as training counts it, on the rows of the validation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.errors import RunError
from ordain.runtime.training import fairness, groups
from ordain.runtime.validation.checks import untold
from ordain.runtime.validation.scene import protected
from ordain.specs.evidence import NO_GATE, FairnessRow
from ordain.specs.kinds.model import FairnessGate

if TYPE_CHECKING:
    from ordain.runtime.validation.scene import Scene
    from ordain.specs.validations import Check

SECTION = "fairness"


def examine(scene: Scene) -> tuple[tuple[FairnessRow, ...], tuple[Check, ...]]:
    """The rows of every gate, or rows that inform; a check says what keeps a gate from them."""
    gates = scene.order.spec.acceptance.fairness
    reason = _unmeasurable(scene)
    if not reason:
        try:
            return fairness_rows(scene), ()
        except RunError as error:
            reason = error.message
    limit = "acceptance.fairness" if gates else ""
    return (), (untold(SECTION, "groups", reason, limit=limit, n=len(scene.rows)),)


def _unmeasurable(scene: Scene) -> str:
    """Why no group can be compared; empty where they can."""
    if scene.unreadable:
        return scene.unreadable
    if scene.favourable is None or scene.favourable not in scene.given.decisions:
        return "no decision is favourable: the Dataset or the Model does not say which"
    if not protected(scene):
        return "the Dataset has no protected column"
    return "" if scene.given.answered.any() else "no row has an answer"


def fairness_rows(scene: Scene) -> tuple[FairnessRow, ...]:
    """All declared gates, corrected as one family, over the rows with an answer.

    Raises:
        RunError: when the groups cannot be told.
    """
    given, favourable = scene.given, scene.favourable
    answered = given.answered
    wanted = given.decisions.index(str(favourable))
    gets = np.asarray(given.decision[answered] == wanted)
    rows, known = scene.rows[answered], protected(scene)
    gates = scene.order.spec.acceptance.fairness
    data, table = scene.order.data, scene.table
    found = fairness.judge(
        [
            (gate, groups.count_groups(data, table, gate.attributes or known, rows, gets))
            for gate in gates or (FairnessGate(),)
        ]
    )
    return found if gates else tuple(_informing(row) for row in found)


def _informing(row: FairnessRow) -> FairnessRow:
    return replace(row, reason="; ".join(filter(None, [row.reason, NO_GATE])))
