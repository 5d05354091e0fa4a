"""Reasons that hold: the explanations of the artifact, examined on the rows of the validation."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

from ordain.runtime.errors import ArtifactError
from ordain.runtime.reasons.backgrounds import background_of
from ordain.runtime.reasons.codes import ReasonCodes, read_reason_codes
from ordain.runtime.reasons.errors import ReasonsError
from ordain.runtime.reasons.examining import ReasonLimits, examine_explanations
from ordain.runtime.reasons.sides import favourable_class, unfavourable_side
from ordain.runtime.validation.checks import judged, untold
from ordain.specs.validations import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.validation.scene import Scene

SECTION = "explanations"


def examine(scene: Scene) -> Iterator[Check]:
    """What the reasons of unfavourable decisions are worth; they decide where codes are declared.

    Backgrounds to compare with are drawn from the same rows: the artifact has only its own.
    """
    declared = scene.order.spec.explanation
    limit = "explanation.reasons" if declared.reasons else ""
    if declared.reasons and scene.order.reasons is None:
        # Without codes the rest informs, so that this check alone keeps it from passing.
        yield untold(SECTION, "codes", f"{declared.reasons} is not there", limit=limit)
    rows = list(compress(scene.raw, scene.given.answered))
    if scene.unreadable or not rows:
        reason = scene.unreadable or "no row has an answer"
        yield untold(SECTION, "reasons", reason, limit=limit)
        return
    try:
        codes = codes_of(scene)
        background = background_of(scene.served.artifact)
    except (ReasonsError, ArtifactError) as error:
        yield judged(Check(SECTION, "reasons", reason=error.message), limit, ok=False)
        return
    target = scene.order.meant
    yield from examine_explanations(
        scene.served.plan,
        background.rows,
        rows,
        codes,
        unfavourable=unfavourable_side(target),
        favourable=favourable_class(target),
        pool=rows,
        seed=scene.order.seed,
        limits=ReasonLimits(declared.gates.agreement, declared.gates.flips),
    )


def codes_of(scene: Scene) -> ReasonCodes | None:
    """The reason codes that the Model declares; None where it declares none.

    Raises:
        ReasonCodesError: when the file cannot be read.
    """
    path = scene.order.spec.explanation.reasons
    if scene.order.reasons is None or path is None:
        return None
    return read_reason_codes(scene.order.reasons.encode(), path)
