"""One decision, found in the ledger, replayed by the version that made it, and explained.

Artifact, background and inputs are those of the recorded prediction. Reason codes, and what counts
as unfavourable, come from the estate as it was when that version was approved: a later edit must
not give an old decision other reasons.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from ordain.runtime.artifacts import load_artifact
from ordain.runtime.reasons import read_reason_codes, reasons_for, subject_of
from ordain.runtime.scoring import RowPlan
from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.ledger.ledger import Ledger
    from ordain.ledger.records import Prediction
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.runtime.reasons import Reason, ReasonCodes, Subject
    from ordain.specs.documents import Document, LoadedEstate


class DecisionUnknown(OrdainError):
    """There is no such decision, or nothing that explains it."""

    exit_code = 1
    code = "REP001"


@dataclass(frozen=True, slots=True)
class Explained:
    """A recorded prediction and why it came out as it did; `subject` is what the reasons add to."""

    prediction: Prediction
    subject: Subject
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        """The explanation as data."""
        prediction = {**asdict(self.prediction), "time": self.prediction.time.isoformat()}
        reasons = [asdict(reason) for reason in self.reasons]
        return {
            "format": "ordain.reasons/1",
            "prediction": prediction,
            "about": self.subject.about,
            "unit": self.subject.unit,
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
    side, favourable = unfavourable_side(document, estate), favourable_class(document, estate)
    reasons = reasons_for(
        prediction,
        artifact,
        _codes(document, tree),
        top=document.spec.explanation.top,
        unfavourable=side,
        favourable=favourable,
    )
    plan = RowPlan.read(artifact.member("plan.json"))
    return Explained(prediction, subject_of(plan, prediction.decision, side, favourable), reasons)


def unfavourable_side(model: Document, estate: LoadedEstate) -> Literal["above", "below"]:
    """On which side of the threshold the decision is bad for the person.

    The output is the probability of the positive outcome; where that outcome is the favourable one,
    low outputs are the bad ones.
    """
    dataset = estate.get("Dataset", model.spec.dataset or "")
    target = None if dataset is None else dataset.spec.target
    if target is None or target.favourable is None:
        return "above"
    return "below" if target.favourable == target.positive else "above"


def favourable_class(model: Document, estate: LoadedEstate) -> str | None:
    """The class that is good for the person, by the name that a plan gives it.

    That is how YAML writes the value: `true`, and 1 also where the column holds 1.0.
    """
    dataset = estate.get("Dataset", model.spec.dataset or "")
    target = None if dataset is None else dataset.spec.target
    if target is None or target.favourable is None:
        return None
    value = target.favourable
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _codes(model: Document, tree: Mapping[str, bytes]) -> ReasonCodes | None:
    path = model.spec.explanation.reasons
    if path is None:
        return None
    if path not in tree:
        message = f"the reason codes {path} of {model.name} are not in the estate"
        raise DecisionUnknown(message, remedy="commit the file, or remove explanation.reasons")
    return read_reason_codes(tree[path], path)
