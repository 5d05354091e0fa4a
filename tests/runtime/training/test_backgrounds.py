"""Which training rows explanations compare with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from ordain.runtime.artifacts import Artifact, ArtifactStore, load_artifact
from ordain.runtime.errors import TrainingError
from ordain.runtime.reasons import background_of
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import Job
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

pytestmark = pytest.mark.training

MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]
FAVOURABLE = {"background": {"of": "favourable", "rows": 100}}
DECISION = {"threshold": 0.5, "above": "decline", "below": "approve"}


def trained(order: Job) -> Artifact:
    outcome = run_job(order, lambda _stage, _fraction: None)
    return load_artifact(ArtifactStore(order.store), outcome.artifact)


def test_a_background_of_favourable_decisions_holds_no_other(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    spec = model("logistic_regression", decision=DECISION, explanation=FAVOURABLE)
    artifact = trained(job(spec, dataset()))
    plan = RowPlan.read(artifact.member("plan.json"))
    found = background_of(artifact)
    assert (len(found.rows), found.of) == (100, "favourable")
    assert {plan.answer(row).decision for row in found.rows} == {"approve"}


def test_the_usual_background_is_told_as_it_always_was(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    artifact = trained(job(model("logistic_regression", decision=DECISION), dataset()))
    assert set(json.loads(artifact.member("background.json"))) == {"rows"}
    plan = RowPlan.read(artifact.member("plan.json"))
    decided = {plan.answer(row).decision for row in background_of(artifact).rows}
    assert decided == {"approve", "decline"}


@pytest.mark.parametrize(
    ("decision", "favourable", "why"),
    [
        (None, 0, "the Model declares no decision"),
        (DECISION, None, "the Dataset declares no favourable outcome"),
        (DECISION | {"threshold": 0.0}, 0, "no training row gets one"),
    ],
)
def test_a_background_that_cannot_be_is_one_error(
    model: MakeModel,
    dataset: MakeDataset,
    job: MakeJob,
    decision: dict[str, object] | None,
    favourable: int | None,
    why: str,
) -> None:
    data = dataset()
    assert data.target is not None
    data = replace(data, target=replace(data.target, favourable=favourable))
    spec = model("logistic_regression", decision=decision, explanation=FAVOURABLE)
    spec = replace(spec, acceptance=type(spec.acceptance)())
    with pytest.raises(TrainingError) as caught:
        trained(job(spec, data))
    assert caught.value.message == f"the background is of favourable decisions, and {why}"
