"""A calibrated probability is learnt once and is the same in every form, measured and served."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from learning import inputs_of
from scipy.optimize import minimize
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.calibration import Isotonic, Sigmoid, read_calibration
from ordain.runtime.errors import PlanError, SkopsError, TrainingError
from ordain.runtime.formats.onnx_checks import open_onnx
from ordain.runtime.formats.skops_files import dump_pipeline, load_pipeline
from ordain.runtime.reasons import attributions, expected_margin
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.calibration import (
    Calibrated,
    calibrated,
    margins_of,
    refuse_uncalibrated,
)
from ordain.runtime.training.fitting import Trained, train
from ordain.runtime.training.job import run_job
from ordain.runtime.training.metrics import Sample, estimate
from ordain.runtime.training.order import Job
from ordain.runtime.training.outcomes import Outcomes
from ordain.runtime.training.pipeline import fit
from ordain.specs.kinds import kind_validator
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.runtime.training.inputs import Data

pytestmark = pytest.mark.training

MakeTable = Callable[..., pa.Table]
NeedsData = Callable[[str], "Path"]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

BOOSTING = "hist_gradient_boosting"
ESTIMATORS = (BOOSTING, "logistic_regression", "random_forest", "lightgbm", "xgboost")
PARAMETERS: dict[str, dict[str, Any]] = {
    BOOSTING: {"max_iter": 40},
    "random_forest": {"n_estimators": 10},
    "lightgbm": {"n_estimators": 20},
    "xgboost": {"n_estimators": 20},
}
METHODS = ("sigmoid", "isotonic")
SPLIT = {"by": "random", "train": "40%", "validation": "40%", "test": "20%"}


def quiet(stage: str, fraction: float) -> None:
    """Nobody looks at the progress."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a job; threads that wait for each other cost more than they do."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture
def order(lending: MakeTable, dataset: MakeDataset, model: MakeModel, job: MakeJob) -> MakeJob:
    """`order(estimator, method, rows=..., **changed)`: a job over a lending table."""

    def make(
        estimator: str,
        method: str | None,
        rows: int = 3_000,
        **changed: Any,  # noqa: ANN401
    ) -> Job:
        training = {"estimator": estimator, "parameters": PARAMETERS.get(estimator, {})}
        spec = {"training": training | {"calibrate": method}, "split": SPLIT} | changed
        return job(model(estimator, **spec), dataset(lending(rows)))

    return make


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_form_gives_the_calibrated_probability(
    order: MakeJob, estimator: str, method: str
) -> None:
    placed = order(estimator, method)
    data = inputs_of(placed)
    made = train(placed, data)
    assert json.loads(made.plan_bytes)["calibration"]["method"] == method
    exact = 1e-6 if estimator == "xgboost" else 1e-12
    assert made.proof.rows >= 1_000
    assert made.proof.difference <= exact
    assert made.forms.difference <= 10 * exact
    rows = data.frame.rows(data.held_out[:300])
    served = np.array([made.plan.score(row) for row in rows])
    pipeline = load_pipeline(made.forms.members["pipeline.skops"])
    stored = pipeline.predict_proba(data.frame.encode(rows))[:, 1]
    graph = open_onnx(made.forms.members["model.onnx"])
    scored = graph(np.array([made.plan.encode(row) for row in rows]))[:, 0]
    assert np.max(np.abs(stored - served)) <= exact
    assert np.max(np.abs(scored - served)) <= 10 * exact
    assert np.array_equal(pipeline.predict(data.frame.encode(rows)), served >= 0.5)


def test_what_is_measured_served_and_decided_is_the_calibrated_probability(order: MakeJob) -> None:
    placed = order(BOOSTING, "sigmoid")
    outcome = run_job(placed, quiet)
    artifact = load_artifact(ArtifactStore(placed.store), outcome.artifact)
    plan = RowPlan.read(artifact.member("plan.json"))
    data = inputs_of(placed)
    test = data.parts.test
    answers = [plan.answer(row) for row in data.frame.rows(test)]
    scores = np.array([one.output for one in answers])
    metrics = [metric for metric in outcome.evidence.metrics if metric.part == "test"]
    measured = {metric.name: metric.value for metric in metrics}
    truth = data.outcomes.values[test]
    assert measured["brier"] == pytest.approx(float(np.mean((scores - truth) ** 2)))
    assert all((one.decision == "decline") == (one.output >= 0.35) for one in answers)
    kept = json.loads(artifact.member("parity.json"))
    assert [plan.score(row) for row in kept["rows"]] == kept["scores"]
    assert (
        "The validation part taught the calibration: what is measured on it is of rows that were "
        "learnt from."
    ) in outcome.evidence.limitations
    assert run_job(placed, quiet).artifact == outcome.artifact


def fitted_margins(order: MakeJob, method: str) -> tuple[Trained, Data, Any, Any]:
    placed = order(BOOSTING, method)
    data = inputs_of(placed)
    made = train(placed, data)
    validation = data.parts.validation
    encoded = made.fitted.columns.transform(data.frame.matrix[validation])
    return made, data, margins_of(made.fitted.estimator, encoded), data.outcomes.values[validation]


def test_a_sigmoid_is_that_of_platt(order: MakeJob) -> None:
    """The cross-entropy to his targets, minimised by another method."""
    made, _, margins, truth = fitted_margins(order, "sigmoid")
    positive, negative = truth.sum(), (1 - truth).sum()
    targets = np.where(truth == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(at: Any) -> float:  # noqa: ANN401 - two numbers
        logits = at[0] * margins + at[1]
        return float(np.sum(np.logaddexp(0.0, logits) - targets * logits))

    best = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-8}).x
    found = made.plan.calibration
    assert isinstance(found, Sigmoid)
    assert (found.slope, found.intercept) == pytest.approx(tuple(best), abs=1e-5)


def test_a_sigmoid_agrees_with_the_calibrator_of_the_library(order: MakeJob) -> None:
    made, data, _, truth = fitted_margins(order, "sigmoid")
    encoded = made.fitted.columns.transform(data.frame.matrix)
    library = CalibratedClassifierCV(FrozenEstimator(made.fitted.estimator), method="sigmoid")
    library.fit(encoded[data.parts.validation], truth)
    expected = library.predict_proba(encoded)[:, 1]
    assert np.max(np.abs(made.scores - expected)) < 1e-4


def test_steps_are_those_of_the_library_within_the_rule_of_succession(order: MakeJob) -> None:
    made, _, margins, truth = fitted_margins(order, "isotonic")
    rounded = np.round(margins * 16) / 16
    library = IsotonicRegression(out_of_bounds="clip").fit(rounded, truth)
    found = made.plan.calibration
    assert isinstance(found, Isotonic)
    least = 1 / (len(truth) + 2)
    assert (
        np.mean(np.abs([found(one) for one in margins.tolist()] - library.predict(margins))) < 1e-3
    )
    for margin, share in zip(found.margins, found.shares, strict=True):
        (other,) = np.clip(library.predict([margin]), least, 1 - least)
        assert share == pytest.approx(other, abs=1e-12)
        assert margin * 16 == int(margin * 16)
    assert found(-1e6) == found.shares[0]
    assert found(1e6) == found.shares[-1]
    assert math.isnan(found(math.nan))


def test_a_sigmoid_keeps_the_ranking(order: MakeJob) -> None:
    plain, calibrated = (order(BOOSTING, method) for method in (None, "sigmoid"))
    data = inputs_of(plain)
    before, after = train(plain, data), train(calibrated, data)
    test = data.parts.test
    truth = data.outcomes.values[test]
    areas = [roc_auc_score(truth, made.scores[test]) for made in (before, after)]
    assert areas[0] == areas[1]
    assert not np.array_equal(before.scores, after.scores)
    assert np.array_equal(np.argsort(before.scores[test]), np.argsort(after.scores[test]))


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_is_too_sure_of_itself_is_calibrated(order: MakeJob, method: str) -> None:
    made = {one: order(BOOSTING, one, 6_000) for one in (None, method)}
    data = inputs_of(made[method])
    test = data.parts.test
    errors = {
        one: estimate(
            "ece", Sample(data.outcomes.values[test], train(job, data).scores[test], 0.5, 1), 0.95
        ).value
        for one, job in made.items()
    }
    assert errors[method] < 0.75 * errors[None]


@pytest.mark.parametrize("method", METHODS)
def test_reasons_stay_in_the_margin_and_keep_their_signs(order: MakeJob, method: str) -> None:
    plain, calibrated = order(BOOSTING, None), order(BOOSTING, method)
    data = inputs_of(plain)
    before, after = train(plain, data).plan, train(calibrated, data).plan
    rows = data.frame.rows(data.parts.test[:30])
    assert attributions(before, rows, rows[:5]) == attributions(after, rows, rows[:5])
    for row, values in zip(rows[:5], attributions(after, rows, rows[:5]), strict=True):
        margin = after.margin(after.encode(row))
        assert sum(values.values()) + expected_margin(after, rows) == pytest.approx(margin)
        assert after.probability(margin) == after.score(row)


@pytest.mark.parametrize(
    ("method", "rows", "message", "remedy"),
    [
        (
            "sigmoid",
            200,
            (
                "training.calibrate: sigmoid takes 100 rows of the validation part, 50 of each "
                "outcome, and it has 80, 19 of the rarer one"
            ),
            "widen split.validation, or take it out",
        ),
        (
            "isotonic",
            1_500,
            (
                "training.calibrate: isotonic takes 1,000 rows of the validation part, 100 of each "
                "outcome, and it has 600, 157 of the rarer one"
            ),
            "write sigmoid, widen split.validation, or take it out",
        ),
    ],
)
def test_too_few_rows_calibrate_nothing(
    order: MakeJob, method: str, rows: int, message: str, remedy: str
) -> None:
    placed = order("logistic_regression", method, rows)
    with pytest.raises(TrainingError) as caught:
        train(placed, inputs_of(placed))
    assert caught.value.message == message
    assert caught.value.remedy == remedy


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        (
            Outcomes("classification", np.arange(9) % 3, ("boat", "car", "home")),
            "training.calibrate is of two outcomes, and there are 3 classes",
        ),
        (
            Outcomes("regression", np.arange(9.0)),
            "training.calibrate: a regression gives no probability that could be calibrated",
        ),
    ],
)
def test_only_the_probability_of_two_outcomes_is_calibrated(
    model: MakeModel, outcomes: Outcomes, message: str
) -> None:
    declared = model(BOOSTING, training={"estimator": BOOSTING, "calibrate": "sigmoid"})
    with pytest.raises(TrainingError) as caught:
        refuse_uncalibrated(declared, outcomes, np.arange(9))
    assert caught.value.message == message


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_ranks_the_wrong_way_round_is_not_calibrated(method: str) -> None:
    rng = np.random.default_rng(3)
    encoded = rng.normal(size=(2_000, 1))
    learnt = (rng.random(2_000) < 1 / (1 + np.exp(-2 * encoded[:, 0]))).astype(int)
    estimator = LogisticRegression().fit(encoded, learnt)
    assert Calibrated(estimator, method).fit(encoded, learnt).rises
    assert not Calibrated(estimator, method).fit(encoded, 1 - learnt).rises


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, "calibration None is not known"),
        ({"method": "beta"}, "calibration 'beta' is not known"),
        ({"method": "sigmoid", "slope": 0, "intercept": 1}, "its calibration does not rise"),
        (
            {"method": "isotonic", "x": [0.0], "y": [0.5]},
            "the points of its calibration are no pairs",
        ),
        (
            {"method": "isotonic", "x": [0.0, 0.0], "y": [0.1, 0.2]},
            "the margins of its calibration do not ascend",
        ),
        ({"method": "isotonic", "x": [0.0, 1.0], "y": [0.3, 0.2]}, "its calibration falls"),
        (
            {"method": "isotonic", "x": [0.0, 1.0], "y": [0.3, 1.2]},
            "its calibration gives no probabilities",
        ),
    ],
)
def test_a_calibration_that_contradicts_itself_is_refused(
    raw: dict[str, Any], message: str
) -> None:
    with pytest.raises(PlanError) as caught:
        read_calibration(raw)
    assert caught.value.message == f"plan.json: {message}"


@pytest.fixture
def german(tmp_path: Path, needs_data: NeedsData) -> Dataset:
    table = pq.read_table(needs_data("german_credit/german_credit.parquet"))
    (tmp_path / "data").mkdir()
    pq.write_table(table, tmp_path / "data/german.parquet")
    types = {name: "category" if kind == "large_string" else "int" for name, kind in kinds(table)}
    spec = {
        "source": {"type": "parquet", "uri": "data/german.parquet"},
        "columns": {name: {"type": kind, "missing": "100%"} for name, kind in types.items()},
        "target": {"column": "bad", "positive": 1, "favourable": 0},
    }
    declared: Dataset = kind_validator("Dataset").validate_python(spec)
    return declared


def kinds(table: pa.Table) -> list[tuple[str, str]]:
    return [(field.name, str(field.type)) for field in table.schema]


def test_a_boosted_model_of_real_applicants_says_what_comes_true(
    german: Dataset, model: MakeModel, job: MakeJob
) -> None:
    """Fully grown on 400 applicants it is far too sure; the mean of three draws of the parts."""
    errors: list[list[float]] = [[], []]
    for seed in (1, 2, 3):
        training = {"estimator": BOOSTING, "calibrate": "sigmoid", "seed": seed}
        placed = job(model(BOOSTING, training=training, split=SPLIT), german)
        data = inputs_of(placed)
        parts, frame, outcomes = data.parts, data.frame, data.outcomes
        plain = fit(placed.spec, frame, parts.train, outcomes)
        made = calibrated(placed.spec, plain, frame, parts.validation, outcomes)
        truth, held_out = outcomes.values[parts.test], frame.matrix[parts.test]
        samples = [Sample(truth, one.scores(held_out), 0.5, 1) for one in (plain, made)]
        losses = [estimate("log_loss", sample, 0.95).value for sample in samples]
        assert losses[1] < losses[0]
        for found, sample in zip(errors, samples, strict=True):
            found.append(estimate("ece", sample, 0.95).value)
    before, after = (float(np.mean(found)) for found in errors)
    assert before > 0.12
    assert after < 0.6 * before


def test_a_stored_calibration_whose_points_are_no_pairs_is_refused() -> None:
    rng = np.random.default_rng(3)
    encoded, outcomes = rng.normal(size=(200, 1)), rng.integers(0, 2, 200)
    made = Calibrated(LogisticRegression().fit(encoded, outcomes), "isotonic")
    made.fit(encoded, outcomes)
    again = load_pipeline(dump_pipeline(made))
    assert np.array_equal(again.predict_proba(encoded), made.predict_proba(encoded))
    made.calibrator_.X_thresholds_ = made.calibrator_.X_thresholds_[:-1]
    with pytest.raises(SkopsError, match="cannot be opened"):
        load_pipeline(dump_pipeline(made))
