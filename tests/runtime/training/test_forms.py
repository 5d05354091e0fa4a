"""Every form of a model is proven against the fitted pipeline, or training ends there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from learning import inputs_of
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.naive_bayes import GaussianNB

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.errors import ParityError
from ordain.runtime.formats.onnx_checks import open_onnx
from ordain.runtime.formats.onnx_files import write_onnx
from ordain.runtime.formats.skops_files import load_pipeline
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training import forms
from ordain.runtime.training.fitting import Trained, train
from ordain.runtime.training.forms import forms_of, prove_onnx, stored_pipeline
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import Job
from ordain.specs.evidence import read_evidence
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

if TYPE_CHECKING:
    from ordain.runtime.training.inputs import Data

pytestmark = pytest.mark.training

MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

ESTIMATORS = ("hist_gradient_boosting", "logistic_regression")


@pytest.fixture
def trained(model: MakeModel, dataset: MakeDataset, job: MakeJob) -> tuple[Trained, Data]:
    order = job(model(), dataset())
    data = inputs_of(order)
    return train(order, data), data


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_forms_in_an_artifact_score_as_its_plan_does(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, estimator: str
) -> None:
    order = job(model(estimator), dataset())
    outcome = run_job(order, lambda _stage, _fraction: None)
    artifact = load_artifact(ArtifactStore(order.store), outcome.artifact)
    plan = RowPlan.read(artifact.member("plan.json"))
    data = inputs_of(order)
    rows = data.frame.rows(data.held_out)
    scores = np.array([plan.score(row) for row in rows])
    encoded = np.array([plan.encode(row) for row in rows])
    graph = open_onnx(artifact.member("model.onnx"))
    assert np.max(np.abs(graph(encoded)[:, 0] - scores)) < 1e-12
    pipeline = load_pipeline(artifact.member("pipeline.skops"))
    assert list(pipeline.named_steps) == ["columns", "estimator"]
    found = pipeline.predict_proba(data.frame.encode(rows))[:, 1]
    assert np.max(np.abs(found - scores)) < 1e-12


def test_evidence_names_the_forms_and_how_far_they_are(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    evidence = run_job(job(model(), dataset()), lambda _stage, _fraction: None).evidence
    assert evidence.forms == ("onnx", "skops")
    assert 0 <= evidence.parity["onnx"] < 1e-12
    assert read_evidence(evidence.to_json(), evidence.path) == evidence


def test_few_held_out_rows_are_mixed_until_there_are_a_thousand(
    trained: tuple[Trained, Data],
) -> None:
    made, data = trained
    assert len(data.held_out) == 240
    assert made.proof.rows == len(made.proof.sample) == 1_000
    assert made.proof.changed == 760
    missing = [row for row in made.proof.sample if row["income"] is None]
    unseen = [row for row in made.proof.sample if "nobody has seen" in str(row["purpose"])]
    extreme = [row for row in made.proof.sample if abs(row["income"] or 0) > 1e9]  # type: ignore[arg-type]
    assert len(missing) > 10
    assert unseen
    assert extreme
    held = {json.dumps(row) for row in data.frame.rows(data.held_out)}
    mixed = {json.dumps(row) for row in made.proof.sample} - held
    assert len(mixed) > 400


def test_a_form_beyond_the_limit_ends_the_run(trained: tuple[Trained, Data]) -> None:
    made, _ = trained
    encoded = np.array([made.plan.encode(row) for row in made.proof.sample])
    graph = made.forms.members["model.onnx"]
    expected = open_onnx(graph)(encoded)
    assert prove_onnx(graph, encoded, expected + 1e-6, 1e-5) == pytest.approx(1e-6)
    with pytest.raises(ParityError) as caught:
        prove_onnx(graph, encoded, expected + 2e-5, 1e-5)
    assert caught.value.message == (
        "parity: model.onnx and pipeline differ by 2e-05, accepted is 1e-05"
    )
    assert caught.value.code == "RUN152"


def test_no_number_is_no_parity(trained: tuple[Trained, Data]) -> None:
    made, _ = trained
    encoded = np.array([made.plan.encode(row) for row in made.proof.sample])
    with pytest.raises(ParityError, match="differ by nan"):
        prove_onnx(
            made.forms.members["model.onnx"], encoded, np.full((len(encoded), 1), np.nan), 1.0
        )


def native_categories() -> tuple[Any, Any]:
    """Boosting that splits a category into sets of codes, which are in no order."""
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 12, 3_000)
    good = np.isin(codes, [0, 3, 5, 8, 11])
    outcome = (rng.random(3_000) < np.where(good, 0.9, 0.1)).astype(int)
    matrix = np.column_stack([codes.astype(float), rng.normal(size=3_000)])
    boosting = HistGradientBoostingClassifier(categorical_features=[0], max_iter=20, random_state=1)
    return boosting.fit(matrix, outcome), matrix


def naive_tree(nodes: Any) -> dict[str, Any]:  # noqa: ANN401 - a structured array
    """What a converter makes that takes every split for one at a threshold."""
    leaf = nodes["is_leaf"].astype(bool)
    return {
        "output": 0,
        "feature": np.where(leaf, -1, nodes["feature_idx"]).astype(int).tolist(),
        "threshold": np.where(leaf, 0.0, nodes["num_threshold"]).tolist(),
        "left": nodes["left"].astype(int).tolist(),
        "right": nodes["right"].astype(int).tolist(),
        "missing_left": nodes["missing_go_to_left"].astype(bool).tolist(),
        "value": nodes["value"].tolist(),
    }


def test_native_categories_that_a_naive_conversion_loses_are_blocked() -> None:
    """The known trap: the conversion runs without an error, and most rows change sides."""
    boosting, matrix = native_categories()
    model = {
        "kind": "trees",
        "baselines": boosting._baseline_prediction.ravel().tolist(),
        "trees": [naive_tree(stage[0].nodes) for stage in boosting._predictors],
    }
    graph = write_onnx({"names": ["code", "number"], "model": model, "link": "logit"})
    expected = boosting.predict_proba(matrix)[:, 1:]
    wrong = (open_onnx(graph)(matrix) > 0.5) != (expected > 0.5)
    assert np.mean(wrong) > 0.3
    with pytest.raises(ParityError, match=r"parity: model\.onnx and pipeline differ by 0\.\d+"):
        prove_onnx(graph, matrix, expected, 1e-5)


def test_the_nearest_cluster_is_compared_where_the_pipeline_says_one_distance() -> None:
    model = {"kind": "centres", "centres": [[0.0], [4.0]]}
    graph = write_onnx({"names": ["a"], "model": model, "link": "none"})
    rows = np.array([[1.0], [3.5]])
    assert prove_onnx(graph, rows, np.array([[1.0], [0.5]]), 1e-9) == 0.0
    with pytest.raises(ParityError):
        prove_onnx(graph, rows, np.array([[3.0], [3.5]]), 1e-9)


def test_what_cannot_be_stored_is_left_out_and_said(trained: tuple[Trained, Data]) -> None:
    made, data = trained
    encoded = np.nan_to_num(made.fitted.columns.transform(data.frame.matrix))
    other = GaussianNB().fit(encoded, data.outcomes.values)
    rows = [row for row in made.proof.sample if None not in row.values()]
    found = forms_of(
        replace(made.fitted, estimator=other),
        made.plan,
        made.plan_bytes,
        data.frame,
        rows,
        1.0,
    )
    assert found.names == ("onnx",)
    (said,) = found.left_out
    assert said == (
        "The artifact has no pipeline.skops: the fitted pipeline cannot be stored: pipeline.skops "
        "names sklearn.naive_bayes.GaussianNB as a ObjectNode, which no pipeline of ordain holds."
    )


def test_a_stored_pipeline_that_scores_otherwise_ends_the_run(
    trained: tuple[Trained, Data], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault put in: what is read back has another baseline in the last bit."""
    made, data = trained

    def flipped(stored: bytes) -> Any:  # noqa: ANN401 - sklearn's
        found = load_pipeline(stored)
        baseline = found.named_steps["estimator"]._baseline_prediction
        baseline[:] = np.nextafter(baseline, 1.0)
        return found

    monkeypatch.setattr(forms, "load_pipeline", flipped)
    with pytest.raises(ParityError) as caught:
        stored_pipeline(made.fitted, data.frame.matrix)
    expected = "parity: pipeline.skops does not score as the pipeline that was fitted"
    assert caught.value.message == expected
