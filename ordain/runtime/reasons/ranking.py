"""The reasons of one recorded prediction.

Nothing is explained before it has been replayed: the artifact must be the recorded one, and the
recorded inputs must give the recorded output to the bit. An explanation by a newer version, or of
inputs that are no longer what was scored, would read just as well and be about something else.

Reasons are what moved the answer towards the unfavourable decision, the strongest first. What spoke
for the applicant is no reason for a refusal and is left out. Of more than two classes the margin of
the class that was decided is explained; where that is the favourable one, what spoke against it. A
regression decides nothing, so both directions of its value are told, the largest first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ordain.runtime.reasons.backgrounds import background_of
from ordain.runtime.reasons.codes import ReasonCodes
from ordain.runtime.reasons.errors import ReasonsError, ReplayError
from ordain.runtime.reasons.explainer import Explainer
from ordain.runtime.reasons.shapley import unit_of
from ordain.runtime.scoring import RowPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.ledger.records import Prediction
    from ordain.runtime.artifacts import Artifact
    from ordain.runtime.reasons.codes import ReasonCode
    from ordain.runtime.reasons.explainer import Attribution

Side = Literal["above", "below"]
UNFAVOURABLE = "the unfavourable decision"
SEPARATED = 1.96  # Standard errors that two estimates have to be apart, at a confidence of 95 %.


@dataclass(frozen=True, slots=True)
class Subject:
    """What reasons are about: one margin of the plan, and which direction of it.

    `about` names it to a reader and `unit` says what is added up. A `sign` of 0 tells both
    directions.
    """

    output: int
    sign: int
    about: str
    unit: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: `contribution` is towards what is explained, and > 0 except for a regression.

    `feature` is the input of the family that contributed most. `error` is the standard error of an
    estimate, 0 where the contribution is exact; a reason is not `separated` where its rank before
    the next one could be the work of that error.
    """

    rank: int
    code: str
    text: str
    feature: str
    contribution: float
    error: float = 0.0
    separated: bool = True


def reasons_for(
    prediction: Prediction,
    artifact: Artifact,
    reason_codes: ReasonCodes | None = None,
    *,
    top: int = 4,
    unfavourable: Side = "above",
    favourable: str | None = None,
) -> tuple[Reason, ...]:
    """At most `top` reasons, strongest first; none where nothing spoke against the applicant.

    `unfavourable` says which side of the threshold is the unfavourable decision of two, and
    `favourable` names the good one of more than two classes. Without reason codes every input is a
    reason of its own.

    Raises:
        ReplayError: the artifact or its answer is not the recorded one.
        ReasonCodesError: the reason codes do not fit the model.
        ReasonsError: a clustering is asked, the artifact has no background, or the attributions do
            not add up.
    """
    plan = RowPlan.read(artifact.member("plan.json"))
    replay(prediction, artifact, plan)
    subject = subject_of(plan, prediction.decision, unfavourable, favourable)
    names = [given.name for given in plan.inputs]
    codes = reason_codes or ReasonCodes.plain(names)
    codes.check(names)
    explainer = Explainer.of(plan, background_of(artifact).rows)
    (found,) = explainer.explain([prediction.inputs], subject.output)
    return ranked(codes, found, prediction.inputs, sign=subject.sign)[:top]


def subject_of(
    plan: RowPlan,
    decision: str | None,
    unfavourable: Side = "above",
    favourable: str | None = None,
) -> Subject:
    """What the reasons of a decision of this plan are about.

    Raises:
        ReasonsError: the plan has no class of the name that was decided.
    """
    unit = unit_of(plan)
    if plan.task != "classification":
        return Subject(0, 0, "the value", unit)
    if not plan.classes:
        return Subject(0, 1 if unfavourable == "above" else -1, UNFAVOURABLE, unit)
    if decision not in plan.classes:
        message = f"the version has no class {decision!r}"
        raise ReasonsError(message, remedy=f"its classes are {', '.join(plan.classes)}")
    output = plan.classes.index(decision)
    if decision == favourable:
        return Subject(output, -1, f"what spoke against the class {decision}", unit)
    return Subject(output, 1, f"the class {decision}", unit)


def replay(prediction: Prediction, artifact: Artifact, plan: RowPlan) -> None:
    """Score the recorded inputs again and compare to the bit.

    Raises:
        ReplayError: saying what differs.
        RowError: the recorded inputs do not fit the plan.
    """
    if artifact.digest != prediction.artifact:
        raise ReplayError(
            f"prediction {prediction.id} was made by artifact {prediction.artifact}, "
            f"not by {artifact.digest}",
            remedy="explain it with the artifact that the ledger names",
        )
    if prediction.output is None:
        raise ReplayError(
            f"prediction {prediction.id} was answered by the route's fallback, not by a model",
            remedy="a fallback has no reasons in a model; see `ordain audit query --id`",
        )
    scored = plan.answer(prediction.inputs)
    if scored.output != prediction.output:
        raise ReplayError(
            f"prediction {prediction.id} replays to {scored.output!r}, the ledger says "
            f"{prediction.output!r}",
            remedy="run `ordain audit verify`; report the difference before explaining anything",
        )
    if scored.decision != prediction.decision:
        raise ReplayError(
            f"prediction {prediction.id} replays to the decision {scored.decision!r}, the ledger "
            f"says {prediction.decision!r}",
            remedy="run `ordain audit verify`; report the difference before explaining anything",
        )


def ranked(
    codes: ReasonCodes,
    found: Attribution,
    row: Mapping[str, object],
    *,
    sign: int = 1,
) -> tuple[Reason, ...]:
    """All reasons of one row, strongest first; a `sign` of 0 tells both directions.

    Errors of the inputs of a family are added up, which is the most that they can be together.
    """
    turned = {name: (sign or 1) * value for name, value in found.values.items()}
    weighed = [_weigh(code, turned) for code in codes.codes]
    told = [pair for pair in weighed if pair[0] > 0 or (sign == 0 and pair[0] < 0)]
    # The code decides between equals, so that a rerun never swaps two reasons.
    order = sorted(told, key=lambda pair: (-abs(pair[0]), pair[1].code))
    errors = [math.fsum(found.errors.get(name, 0.0) for name in one.features) for _, one in order]
    reasons = []
    for place, (weight, code) in enumerate(order):
        strongest = _strongest(code, weight, turned)
        text = code.missing if code.missing and is_missing(row.get(strongest)) else code.text
        next_weight, next_error = (
            (order[place + 1][0], errors[place + 1]) if place + 1 < len(order) else (0.0, 0.0)
        )
        gap = abs(weight) - abs(next_weight)
        separated = found.exact or gap > SEPARATED * math.hypot(errors[place], next_error)
        reasons.append(
            Reason(place + 1, code.code, text, strongest, weight, errors[place], separated)
        )
    return tuple(reasons)


def is_missing(value: object) -> bool:
    """Whether a plan takes a value for a missing one."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _weigh(code: ReasonCode, values: Mapping[str, float]) -> tuple[float, ReasonCode]:
    return math.fsum(values[feature] for feature in code.features), code


def _strongest(code: ReasonCode, weight: float, values: Mapping[str, float]) -> str:
    """The input that contributed most in the direction of the whole family."""
    return max(sorted(code.features), key=lambda name: math.copysign(1, weight) * values[name])
