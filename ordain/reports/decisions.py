"""One decision, found in the ledger, replayed by the version that made it, and explained.

Artifact, background and inputs are those of the recorded prediction. Reason codes, and what counts
as unfavourable, come from the estate as it was when that version was approved: a later edit must
not give an old decision other reasons.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ordain.runtime.artifacts import load_artifact
from ordain.runtime.reasons import (
    background_of,
    favourable_class,
    is_exact,
    read_reason_codes,
    reasons_for,
    subject_of,
    unfavourable_side,
)
from ordain.runtime.scoring import RowPlan
from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.ledger.ledger import Ledger
    from ordain.ledger.records import Prediction
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.runtime.reasons import Background, Reason, ReasonCodes, Subject
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.dataset import Target


class DecisionUnknown(OrdainError):
    """There is no such decision, or nothing that explains it."""

    exit_code = 1
    code = "REP001"


@dataclass(frozen=True, slots=True)
class Explained:
    """A recorded prediction and why it came out as it did; `subject` is what the reasons add to.

    Contributions that are not `exact` are estimates, each with its standard error.
    """

    prediction: Prediction
    subject: Subject
    reasons: tuple[Reason, ...]
    exact: bool
    background: Background

    def to_json(self) -> dict[str, Any]:
        """The explanation as data."""
        prediction = {**asdict(self.prediction), "time": self.prediction.time.isoformat()}
        reasons = [asdict(reason) for reason in self.reasons]
        return {
            "format": "ordain.reasons/1",
            "prediction": prediction,
            "about": self.subject.about,
            "unit": self.subject.unit,
            "method": "exact" if self.exact else "estimated",
            "background": {
                "digest": self.background.digest,
                "rows": len(self.background.rows),
                "of": self.background.of,
            },
            "reasons": reasons,
        }


def find_decision(identifier: str, ledger: Ledger) -> Prediction:
    """The recorded prediction with this id.

    Raises:
        DecisionUnknown: the ledger holds none.
    """
    prediction = ledger.prediction(identifier)
    if prediction is None:
        message = f"the ledger holds no prediction {identifier}"
        raise DecisionUnknown(message, remedy="list them with: ordain audit query --predictions")
    return prediction


def explain_decision(
    prediction: Prediction,
    store: ArtifactStore,
    estate: LoadedEstate,
    tree: Mapping[str, bytes],
) -> Explained:
    """Explain a prediction, with `estate` and `tree` as they were when its version was approved.

    Raises:
        DecisionUnknown: the model was not declared then, or its reason codes are not there.
        ReplayError: the ledger and the version do not agree.
        ArtifactError: the version's artifact is not in the store, or was changed.
    """
    document = estate.get("Model", prediction.model)
    if document is None:
        message = f"the model {prediction.model} of this prediction is not declared"
        raise DecisionUnknown(message, remedy="see: ordain audit query --kind gate")
    artifact = load_artifact(store, prediction.artifact)
    target = _target_of(document, estate)
    side, favourable = unfavourable_side(target), favourable_class(target)
    reasons = reasons_for(
        prediction,
        artifact,
        _codes(document, tree),
        top=document.spec.explanation.top,
        unfavourable=side,
        favourable=favourable,
    )
    plan = RowPlan.read(artifact.member("plan.json"))
    subject = subject_of(plan, prediction.decision, side, favourable)
    return Explained(prediction, subject, reasons, is_exact(plan), background_of(artifact))


def _target_of(model: Document, estate: LoadedEstate) -> Target | None:
    dataset = estate.get("Dataset", model.spec.dataset or "")
    return None if dataset is None else dataset.spec.target


def _codes(model: Document, tree: Mapping[str, bytes]) -> ReasonCodes | None:
    path = model.spec.explanation.reasons
    if path is None:
        return None
    if path not in tree:
        message = f"the reason codes {path} of {model.name} are not in the estate"
        raise DecisionUnknown(message, remedy="commit the file, or remove explanation.reasons")
    return read_reason_codes(tree[path], path)
