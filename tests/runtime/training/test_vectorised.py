"""Many rows at once get, to the last bit, what each of them gets alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from learning import inputs_of
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ordain.runtime import vectorised
from ordain.runtime.errors import RowError
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.fitting import train
from ordain.runtime.training.order import Job
from ordain.runtime.vectorised import answers_of_plan, columns_of, encode_columns
from tests.support.task_plans import CLASSES, an_input, linear, number, plan

if TYPE_CHECKING:
    import pyarrow as pa

    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model

pytestmark = pytest.mark.training

Row = dict[str, object]
MakeJob = Callable[..., Job]
SPLIT = {"by": "random", "train": "40%", "validation": "40%", "test": "20%"}
SPLINES = {"numeric": {"splines": {}, "indicator": True}, "categorical": {"encode": "target"}}
CLIPPED: dict[str, Any] = {
    "numeric": {"scale": "minmax", "outliers": {"clip": ["p05", "p95"]}},
    "interactions": [["income", "debts"]],
}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "curves": ("logistic_regression", {"preprocessing": SPLINES}),
    "one piece": ("logistic_regression", {"preprocessing": {"numeric": {"splines": {"knots": 3}}}}),
    "products": ("logistic_regression", {"preprocessing": CLIPPED}),
    "kept": ("logistic_regression", {"features": {"select": {"method": "anova", "keep": 4}}}),
    "boosting": ("hist_gradient_boosting", {"preprocessing": {"numeric": {"impute": "none"}}}),
    "forest": ("random_forest", {}),
    "single precision": ("xgboost", {}),
    "values": ("gamma", {"task": "regression", "decision": None}),
    "centres": ("kmeans", {"task": "clustering", "decision": None}),
    "mixture": ("gaussian_mixture", {"task": "clustering", "decision": None}),
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "hist_gradient_boosting": {"max_iter": 15},
    "random_forest": {"n_estimators": 5},
    "xgboost": {"n_estimators": 15},
    "kmeans": {"n_clusters": 3},
}


def assert_equal(made: RowPlan, rows: list[Row]) -> None:
    """Every number and decision, bit for bit; a value beyond the floats is the same one."""
    names = [given.name for given in made.inputs]
    alone = [made.answer(row) for row in rows]
    columns = columns_of(rows, names)
    encoded = encode_columns(made, columns)
    np.testing.assert_array_equal(encoded, [made.encode(row) for row in rows])
    found = answers_of_plan(made, columns)
    np.testing.assert_array_equal(found.output, [one.output for one in alone])
    np.testing.assert_array_equal(found.scores, [one.scores for one in alone])
    np.testing.assert_array_equal(found.margins, [made.margins(made.encode(row)) for row in rows])
    assert found.decisions == tuple(one.decision for one in alone)
    assert [made.classes[place] for place in found.chosen] == list(
        found.decisions if made.classes else ()
    )


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a job; threads that wait for each other cost more than they do."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture
def order(
    lending: Callable[..., pa.Table],
    dataset: Callable[..., Dataset],
    model: Callable[..., Model],
    job: MakeJob,
) -> MakeJob:
    def make(
        estimator: str,
        method: str | None = None,
        rows: int = 1_000,
        **changed: Any,  # noqa: ANN401
    ) -> Job:
        training = {"estimator": estimator, "parameters": PARAMETERS.get(estimator, {})}
        spec = {"training": training | {"calibrate": method}, "split": SPLIT} | changed
        targets = {"regression": {"column": "age"}, "clustering": None}
        task = spec.get("task")
        data = {"target": targets[task]} if task in targets else {}
        return job(model(estimator, **spec), dataset(lending(rows), **data))

    return make


@pytest.mark.parametrize("case", CASES)
def test_rows_together_are_answered_as_each_alone(order: MakeJob, case: str) -> None:
    estimator, changed = CASES[case]
    placed = order(estimator, **changed)
    made = train(placed, inputs_of(placed))
    assert len(made.proof.sample) >= 1_000
    assert_equal(made.plan, list(made.proof.sample))


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibrated_rows_too(order: MakeJob, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = order("hist_gradient_boosting", method, 2_600)
    made = train(placed, inputs_of(placed))
    monkeypatch.setattr(vectorised, "CHUNK", 300)
    assert_equal(made.plan, list(made.proof.sample))


def test_arrays_are_taken_as_they_are(order: MakeJob) -> None:
    placed = order("logistic_regression", preprocessing={"numeric": {"indicator": True}})
    data = inputs_of(placed)
    made = train(placed, data)
    rows = data.frame.rows(np.arange(400))
    columns: dict[str, Any] = columns_of(rows, data.frame.names)
    columns["income"] = np.array([row["income"] for row in rows], dtype=np.float64)
    columns["debts"] = np.array([row["debts"] for row in rows], dtype=np.int64)
    columns["employed"] = np.array([row["employed"] for row in rows], dtype=bool)
    columns["purpose"] = np.array([row["purpose"] for row in rows], dtype=object)
    found = answers_of_plan(made.plan, columns)
    assert found.output.tolist() == [made.plan.score(row) for row in rows]


def test_no_rows_have_no_answers() -> None:
    made = RowPlan.read(plan("regression", "identity", linear((1.0, 2.0, 0.5))))
    found = answers_of_plan(made, {"income": [], "debt": []})
    assert (len(found.output), found.decisions) == (0, ())
    assert found.margins.shape == (0, 1)


def test_an_absent_column_is_missing_everywhere() -> None:
    made = RowPlan.read(plan("regression", "identity", linear((1.0, 2.0, 0.5))))
    found = answers_of_plan(made, {"income": [3, True, None]})
    assert found.output.tolist() == [3.5, 1.5, 0.5]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("much", "a number was expected, not str"),
        ([1.0], "a number was expected, not list"),
        (float("inf"), "this number is too large"),
        (10**400, "this number is too large"),
    ],
)
def test_what_is_refused_alone_is_refused_together(value: object, message: str) -> None:
    made = RowPlan.read(plan("regression", "identity", linear((1.0, 2.0, 0.5))))
    with pytest.raises(RowError) as alone:
        made.answer({"income": value})
    with pytest.raises(RowError) as together:
        answers_of_plan(made, {"income": [1.0, value], "debt": [1.0, 2.0]})
    assert together.value.message == alone.value.message
    assert message in together.value.message


def test_a_list_is_no_category() -> None:
    column = {"op": "one_hot", "input": "kind", "levels": ["a"], "rare": [], "missing_level": None}
    raw = plan(
        "regression",
        "identity",
        linear((1.0, 0.0)),
        names=["kind=a"],
        inputs=[an_input("kind", "category")],
        columns=[column],
        sources=[["kind"]],
    )
    made = RowPlan.read(raw)
    assert answers_of_plan(made, {"kind": ["a", "b", None]}).output.tolist() == [1.0, 0.0, 0.0]
    with pytest.raises(RowError, match="a category is text, not list"):
        answers_of_plan(made, {"kind": ["a", ["a"]]})


def test_columns_of_different_lengths_are_refused() -> None:
    made = RowPlan.read(plan("regression", "identity", linear((1.0, 2.0, 0.5))))
    with pytest.raises(ValueError, match="the columns are not of one length"):
        answers_of_plan(made, {"income": [1.0], "debt": []})


def test_sums_beyond_the_floats_are_no_number_on_both_sides() -> None:
    columns = [number("income", scale=1e-300), number("debt")]
    made = RowPlan.read(plan("regression", "identity", linear((1.0, 1.0, 0.0)), columns=columns))
    assert_equal(made, [{"income": 1e300, "debt": -1e308}, {"income": 1.0, "debt": 2.0}])


def test_classes_are_chosen_as_alone() -> None:
    outputs = [(0.3, -1.0, 0.1), (-0.2, 0.4, 0.0), (0.1, 0.4, 0.0)]
    made = RowPlan.read(plan("classification", "softmax", linear(*outputs), classes=CLASSES))
    draws = np.random.default_rng(3).normal(size=(200, 2)).tolist()
    rows: list[Row] = [{"income": income, "debt": debt} for income, debt in draws]
    assert_equal(made, [*rows, {"income": 0.0, "debt": 0.0}])
    assert set(answers_of_plan(made, columns_of(rows, ["income", "debt"])).chosen) == {0, 1, 2}
