"""The reasons of one recorded prediction.

Nothing is explained before it has been replayed: the artifact must be the recorded one, and the
recorded inputs must give the recorded output to the bit. An explanation by a newer version, or of
inputs that are no longer what was scored, would read just as well and be about something else.

Reasons are what moved the answer towards the unfavourable decision, the strongest first. What spoke
for the applicant is no reason for a refusal and is left out.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ordain.runtime.reasons.codes import ReasonCodes
from ordain.runtime.reasons.errors import ReasonsError, ReplayError
from ordain.runtime.reasons.shapley import attributions
from ordain.runtime.scoring import RowPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.ledger.records import Prediction
    from ordain.runtime.artifacts import Artifact
    from ordain.runtime.reasons.codes import ReasonCode

Side = Literal["above", "below"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: `contribution` is in log-odds towards the unfavourable decision, always > 0.

    `feature` is the input of the family that contributed most.
    """

    rank: int
    code: str
    text: str
    feature: str
    contribution: float


def reasons_for(
    prediction: Prediction,
    artifact: Artifact,
    reason_codes: ReasonCodes | None = None,
    *,
    top: int = 4,
    unfavourable: Side = "above",
) -> tuple[Reason, ...]:
    """At most `top` reasons, strongest first; none where nothing spoke against the applicant.

    `unfavourable` says which side of the threshold is the unfavourable decision. Without reason
    codes every input is a reason of its own.

    Raises:
        ReplayError: the artifact or its answer is not the recorded one.
        ReasonCodesError: the reason codes do not fit the model.
        ReasonsError: the artifact has no background, or the attributions do not add up.
    """
    plan = RowPlan.read(artifact.member("plan.json"))
    replay(prediction, artifact, plan)
    names = [given.name for given in plan.inputs]
    codes = reason_codes or ReasonCodes.plain(names)
    codes.check(names)
    background = _background(artifact)
    (values,) = attributions(plan, background, [prediction.inputs])
    sign = 1.0 if unfavourable == "above" else -1.0
    harmful = {name: sign * value for name, value in values.items()}
    return _ranked(codes, harmful)[:top]


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
    score = plan.score(prediction.inputs)
    if score != prediction.output:
        raise ReplayError(
            f"prediction {prediction.id} replays to {score!r}, the ledger says "
            f"{prediction.output!r}",
            remedy="run `ordain audit verify`; report the difference before explaining anything",
        )
    decision = plan.decide(score)
    if decision != prediction.decision:
        raise ReplayError(
            f"prediction {prediction.id} replays to the decision {decision!r}, the ledger says "
            f"{prediction.decision!r}",
            remedy="run `ordain audit verify`; report the difference before explaining anything",
        )


def _background(artifact: Artifact) -> list[Mapping[str, Any]]:
    try:
        rows: list[Mapping[str, Any]] = json.loads(artifact.member("background.json"))["rows"]
    except (ValueError, KeyError, TypeError) as error:
        raise ReasonsError(
            f"background.json of artifact {artifact.digest} cannot be read",
            remedy="train the recipe again with this version",
        ) from error
    return rows


def _ranked(codes: ReasonCodes, harmful: Mapping[str, float]) -> tuple[Reason, ...]:
    found = [_weigh(code, harmful) for code in codes.codes]
    # The code decides between equals, so that a rerun never swaps two reasons.
    order = sorted(
        (pair for pair in found if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].code)
    )
    return tuple(
        Reason(rank, code.code, code.text, _strongest(code, harmful), weight)
        for rank, (weight, code) in enumerate(order, start=1)
    )


def _weigh(code: ReasonCode, harmful: Mapping[str, float]) -> tuple[float, ReasonCode]:
    return math.fsum(harmful[feature] for feature in code.features), code


def _strongest(code: ReasonCode, harmful: Mapping[str, float]) -> str:
    return max(sorted(code.features), key=lambda feature: harmful[feature])
