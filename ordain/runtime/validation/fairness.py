"""Who gets the favourable decision, by the rows that training makes as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.errors import RunError
from ordain.runtime.fairness import Decided, rows_of
from ordain.runtime.training.outcomes import class_name
from ordain.runtime.validation.checks import untold
from ordain.specs.features import protected_names
from ordain.specs.tasks import CLASSIFICATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.runtime.validation.scene import Mask, Scene
    from ordain.specs.evidence import FairnessRow
    from ordain.specs.validations import Check

SECTION = "fairness"


def examine(scene: Scene) -> tuple[tuple[FairnessRow, ...], tuple[Check, ...]]:
    """The rows of every gate, or rows that inform; a check says what keeps a gate from them."""
    reason = _unmeasurable(scene)
    if not reason:
        order, answered = scene.order, scene.given.answered
        try:
            rows, decided = scene.rows[answered], _decided(scene)
            found = rows_of(order.spec, order.groups, scene.table, rows, decided, incomplete=True)
            return found, tuple(_nobody(found))
        except RunError as error:
            reason = error.message
    limit = "acceptance.fairness" if scene.order.spec.acceptance.fairness else ""
    return (), (untold(SECTION, "groups", reason, limit=limit, n=len(scene.rows)),)


def _nobody(rows: Sequence[FairnessRow]) -> Iterator[Check]:
    """Attributes of which a gate has no reference group, or that the rows do not have."""
    for row in dict.fromkeys(
        (row.attribute, row.reason) for row in rows if not (row.n_reference or row.informs)
    ):
        yield untold(SECTION, "groups", row[1], subject=row[0], limit="acceptance.fairness")


def _unmeasurable(scene: Scene) -> str:
    """Why no group can be compared; empty where they can."""
    if scene.unreadable:
        return scene.unreadable
    if scene.favourable is None or scene.favourable not in scene.given.decisions:
        return "no decision is favourable: the Dataset or the Model does not say which"
    if not protected_names(scene.order.groups):
        return "the Dataset has no protected column"
    return "" if scene.given.answered.any() else "no row has an answer"


def _decided(scene: Scene) -> Decided:
    """Decisions and scores of the rows with an answer, and what came true where that is known."""
    given, answered = scene.given, scene.given.answered
    place = given.decisions.index(str(scene.favourable))
    favourable: Mask = given.decision[answered] == place
    seen = np.zeros(len(scene.rows), dtype=bool)
    seen[scene.truth.places] = True
    if scene.served.plan.task != CLASSIFICATION or not seen.any():
        return Decided(favourable, None, _scores(scene, place))
    good = np.zeros(len(scene.rows), dtype=bool)
    good[scene.truth.places] = scene.truth.values == _good_value(scene, place)
    return Decided(favourable, good[answered], _scores(scene, place), seen[answered])


def _good_value(scene: Scene, place: int) -> int:
    """How outcomes are written where the favourable one came true."""
    return place if scene.served.plan.classes else int(_favours_positive(scene))


def _scores(scene: Scene, place: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The probability of the favourable outcome, for the rows with an answer."""
    given, answered = scene.given, scene.given.answered
    if scene.served.plan.classes:
        return np.asarray(given.scores[answered, place], dtype=np.float64)
    output = given.output[answered]
    return np.asarray(output if _favours_positive(scene) else 1.0 - output, dtype=np.float64)


def _favours_positive(scene: Scene) -> bool:
    target, plan = scene.order.meant, scene.served.plan
    if target is None or target.favourable is None:
        return False
    return class_name(target.favourable) == (plan.positive or class_name(target.positive))
