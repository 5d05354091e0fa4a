"""A curve is scikit-learn's: in the pipeline, in the plan, in reasons and in a stored pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from learning import inputs_of
from sklearn.preprocessing import SplineTransformer

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.encoding import read_columns, read_input
from ordain.runtime.errors import PlanError, TrainingError
from ordain.runtime.formats.skops_files import load_pipeline
from ordain.runtime.reasons import attributions
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.fitting import Trained, train
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import Job
from ordain.runtime.training.splines import curves, knots_of, pieces_of
from ordain.specs.canonical import canonical_json
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

if TYPE_CHECKING:
    from ordain.runtime.encoding import Columns

pytestmark = pytest.mark.training

MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

NUMERIC: dict[str, Any] = {"splines": {}, "indicator": True}
DRAWS = {
    "bell": lambda rng: rng.normal(0.0, 1.0, 400),
    "long tail": lambda rng: rng.lognormal(0.0, 3.0, 400),
    "counts": lambda rng: rng.poisson(1.5, 400).astype(float),
    "mostly zero": lambda rng: np.maximum(0.0, rng.normal(-1.0, 1.0, 400)),
    "far from zero": lambda rng: 1e9 + rng.integers(0, 40, 400).astype(float),
}


def quiet(stage: str, fraction: float) -> None:
    """Nobody looks at the progress."""


def plan_of(knots: list[float], degree: int, changed: dict[str, Any] | None = None) -> Columns:
    given = {"name": "x", "type": "float", "missing": False, "range": None, "levels": None}
    column: dict[str, Any] = {"op": "spline", "input": "x", "impute": None, "low": None}
    column |= {"high": None, "center": 0.0, "scale": 1.0, "knots": knots}
    column |= {"pieces": pieces_of(knots, degree)} | (changed or {})
    exact = json.loads(canonical_json(column))
    return read_columns([exact], None, {"x": read_input(given | {"unknown": "bucket"})})


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize(("count", "degree"), [(3, 1), (5, 2), (5, 3), (20, 3)])
def test_polynomials_are_the_columns_of_the_library(draw: str, count: int, degree: int) -> None:
    values = DRAWS[draw](np.random.default_rng(3))
    knots = knots_of(values, count)
    library = SplineTransformer(
        degree=degree,
        knots=np.reshape(knots, (-1, 1)),
        extrapolation="constant",
        include_bias=False,
    ).fit(values.reshape(-1, 1))
    span = knots[-1] - knots[0]
    outside = [knots[0] - span, knots[-1] + span, np.nextafter(knots[1], knots[0])]
    asked = np.array([*values, *knots, *outside, -1e300, 1e300])
    plan = plan_of(knots, degree)
    found = np.array([plan.every({"x": float(value)}) for value in asked])
    expected = library.transform(asked.reshape(-1, 1))
    assert found.shape[1] == len(knots) + degree - 2 == len(plan.sources)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    assert np.array_equal(curves(asked.reshape(-1, 1), knots, degree), expected)


def test_knots_are_values_that_occur_and_keep_a_distance() -> None:
    values = np.array([0.0] * 60 + [1.0] * 20 + [1.0 + 1e-9] * 20 + [2.0] * 10 + [10.0])
    assert knots_of(values, 3) == [0.0, 10.0]
    assert knots_of(values, 20) == [0.0, 1.0, 2.0, 10.0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"knots": [0.0, 0.0, 1.0]}, "the knots of x do not ascend"),
        ({"knots": [0.0, 1.0]}, "the pieces of x do not agree with its knots"),
        ({"pieces": [[[1.0]], []]}, "the curves of x have no degree from 1 to 3"),
        ({"pieces": [[[1.0, 2.0]] * 2] * 2}, "the pieces of x are uneven"),
        ({"pieces": [[[1.0, 2.0], [1.0]], [[1.0, 2.0]]]}, "the polynomials of x are uneven"),
    ],
)
def test_a_plan_with_broken_curves_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        plan_of([0.0, 0.5, 1.0], 3, changed)
    assert str(caught.value) == f"plan.json: {message}"


@pytest.mark.parametrize(("knots", "degree"), [([0.0, 1.0], 9), ([0.0], 3), ([0.0] * 99, 1)])
def test_a_stored_curve_beyond_what_can_be_declared_is_none(
    knots: list[float], degree: int
) -> None:
    with pytest.raises(ValueError, match="is none"):
        curves(np.zeros((1, 1)), knots, degree)


@pytest.fixture
def trained(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> Callable[..., tuple[Trained, Job]]:
    def make(numeric: dict[str, Any], **changed: Any) -> tuple[Trained, Job]:  # noqa: ANN401
        preprocessing = {"numeric": numeric} | changed
        order = job(model("logistic_regression", preprocessing=preprocessing), dataset())
        return train(order, inputs_of(order)), order

    return make


def test_numbers_become_curves_and_what_has_few_values_stays(
    trained: Callable[..., tuple[Trained, Job]],
) -> None:
    made, _ = trained(NUMERIC)
    columns = json.loads(made.plan_bytes)["columns"]
    ops = {(column["input"], column["op"]) for column in columns}
    assert {("income", "spline"), ("debts", "spline"), ("income", "missing")} <= ops
    assert ("employed", "number") in ops
    of_income = [name for name in made.plan.names if name.startswith("income")]
    assert of_income == [*(f"income curve {place}" for place in range(1, 7)), "income is missing"]
    assert made.proof.rows >= 1_000
    assert made.proof.difference <= 1e-12
    assert made.forms.difference <= 1e-12


def test_only_what_is_named_becomes_a_curve(trained: Callable[..., tuple[Trained, Job]]) -> None:
    made, _ = trained({"splines": {"knots": 4, "degree": 2, "features": ["debts"]}})
    columns = json.loads(made.plan_bytes)["columns"]
    assert [column["input"] for column in columns if column["op"] == "spline"] == ["debts"]


def test_factors_of_products_stay_lines(trained: Callable[..., tuple[Trained, Job]]) -> None:
    made, _ = trained({"splines": {}}, interactions=[["income", "employed"]])
    columns = json.loads(made.plan_bytes)["columns"]
    assert [column["input"] for column in columns if column["op"] == "spline"] == ["debts"]
    assert made.proof.difference <= 1e-12


def test_fewer_values_than_knots_are_no_curve_and_no_error(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: Callable[..., pa.Table]
) -> None:
    table = lending()
    debts = pa.array([place % 4 for place in range(table.num_rows)])
    table = table.set_column(table.column_names.index("debts"), "debts", debts)
    preprocessing = {"numeric": {"splines": {"knots": 5}}}
    order = job(model("logistic_regression", preprocessing=preprocessing), dataset(table))
    made = train(order, inputs_of(order))
    columns = json.loads(made.plan_bytes)["columns"]
    assert [column["op"] for column in columns if column["input"] == "debts"] == ["number"]


def test_the_columns_of_a_curve_are_one_reason(
    trained: Callable[..., tuple[Trained, Job]],
) -> None:
    """By the definition: the margin with and without the input, averaged over the background."""
    made, order = trained(NUMERIC)
    plan, rows = made.plan, inputs_of(order).frame.rows(np.arange(40))
    background, asked = rows[:30], rows[30:]
    for row, values in zip(asked, attributions(plan, background, asked), strict=True):
        assert values.keys() == {given.name for given in plan.inputs}
        alone = [
            plan.margin(plan.encode(one | {"income": row["income"]}))
            - plan.margin(plan.encode(one))
            for one in background
        ]
        assert values["income"] == pytest.approx(float(np.mean(alone)), abs=1e-9)


def test_a_job_with_curves_is_stored_and_made_again(
    trained: Callable[..., tuple[Trained, Job]],
) -> None:
    _, order = trained(NUMERIC)
    outcome = run_job(order, quiet)
    assert outcome.evidence.forms == ("onnx", "skops")
    artifact = load_artifact(ArtifactStore(order.store), outcome.artifact)
    pipeline = load_pipeline(artifact.member("pipeline.skops"))
    plan, frame = RowPlan.read(artifact.member("plan.json")), inputs_of(order).frame
    rows = frame.rows(np.arange(100))
    found = pipeline.predict_proba(frame.encode(rows))[:, 1]
    assert np.max(np.abs(found - [plan.score(row) for row in rows])) <= 1e-12
    assert run_job(order, quiet).artifact == outcome.artifact


@pytest.mark.parametrize(
    ("estimator", "numeric", "pairs", "message"),
    [
        (
            "hist_gradient_boosting",
            {"splines": {}},
            [],
            (
                "preprocessing.numeric.splines: splines are for linear models, and this is "
                "hist_gradient_boosting"
            ),
        ),
        (
            "logistic_regression",
            {"splines": {"features": ["purpose"]}},
            [],
            "preprocessing.numeric.splines.features: purpose is no numeric feature",
        ),
        (
            "logistic_regression",
            {"splines": {"features": ["income"]}},
            [["income", "debts"]],
            (
                "preprocessing.numeric.splines.features: income is a factor of a product, which "
                "multiplies one column"
            ),
        ),
        (
            "logistic_regression",
            {"splines": {"features": ["income", "income"]}},
            [],
            "preprocessing.numeric.splines.features: a feature is named twice",
        ),
    ],
)
def test_curves_that_cannot_be_are_refused(
    model: MakeModel,
    dataset: MakeDataset,
    job: MakeJob,
    estimator: str,
    numeric: dict[str, Any],
    pairs: list[list[str]],
    message: str,
) -> None:
    preprocessing = {"numeric": numeric, "interactions": pairs}
    order = job(model(estimator, preprocessing=preprocessing), dataset())
    with pytest.raises(TrainingError) as caught:
        train(order, inputs_of(order))
    assert caught.value.message == message
