"""Every estimator, for every task that it does, becomes a plan that answers as it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.datasets.reading import read_table
from ordain.runtime.errors import TrainingError
from ordain.runtime.scoring import RowPlan, TreeModel
from ordain.runtime.training import export_boosters, features, pipeline
from ordain.runtime.training.answering import chosen_of, single
from ordain.runtime.training.estimators import REGISTRY
from ordain.runtime.training.export import export
from ordain.runtime.training.export_trees import single_bound
from ordain.runtime.training.fitting import refuse_infinite
from ordain.runtime.training.judging import refitted
from ordain.runtime.training.outcomes import read_outcomes
from ordain.runtime.training.parity import prove
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model
from ordain.specs.parity import plan_limit
from ordain.specs.preprocessing import LINEAR
from ordain.specs.tasks import ESTIMATORS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.training

MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]

AS_NUMBERS = {"numeric": {"impute": "none"}, "categorical": {"encode": "ordinal"}}
TREES = (
    "decision_tree",
    "random_forest",
    "extra_trees",
    "hist_gradient_boosting",
    "lightgbm",
    "xgboost",
)
# As few as show everything: the size of a forest adds nothing to the proof.
FEW: dict[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 12},
    "extra_trees": {"n_estimators": 12},
    "hist_gradient_boosting": {"max_iter": 12},
    "lightgbm": {"n_estimators": 12},
    "xgboost": {"n_estimators": 12},
    "kmeans": {"n_clusters": 4},
    "gaussian_mixture": {"n_components": 3},
}


def table_of(rows: int = 420, seed: int = 3) -> pa.Table:
    """Numbers and a category with gaps, and an outcome for every task."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, rows))
    kind = rng.choice(["flat", "house", "shed"], rows, p=[0.5, 0.4, 0.1])
    pull = x + 0.5 * y + (kind == "flat")
    grade = np.digitize(pull + rng.normal(0, 0.5, rows), [-0.3, 0.8])
    return pa.table(
        {
            "x": pa.array(x * 1000, mask=rng.random(rows) < 0.08),
            "y": y,
            "rooms": rng.integers(1, 7, rows),
            "kind": pa.array(kind, mask=rng.random(rows) < 0.05),
            "price": np.exp(0.4 * pull + rng.normal(0, 0.3, rows)) * 1000,
            "grade": np.array(["low", "middle", "top"])[grade],
            "sold": pull + rng.normal(0, 0.5, rows) > 0,
        }
    )


TYPES = {"x": "float", "y": "float", "rooms": "int", "kind": "category"}
TARGETS = {"price": "float", "grade": "category", "sold": "bool"}


class Made:
    """A fitted pipeline and its plan, with what they were made from."""

    def __init__(self, declared: Model, data: Dataset, root: Path) -> None:
        table = read_table(data, root)
        self.declared = declared
        self.outcomes = read_outcomes(declared.task, data, table)
        names = features.learnt_columns(declared.features, data)
        self.frame = features.make_frame(names, data, table)
        cut = table.num_rows * 2 // 3
        self.train, self.held_out = np.arange(cut), np.arange(cut, table.num_rows)
        self.fitted = pipeline.fit(declared, self.frame, self.train, self.outcomes)
        self.data = export(self.fitted, self.frame, self.frame.matrix[self.train], None)
        self.raw: dict[str, Any] = json.loads(self.data)
        self.plan = RowPlan.read(self.data)


@pytest.fixture
def made(tmp_path: Path, dataset: MakeDataset, model: MakeModel) -> Callable[..., Made]:
    """`made("ridge", "regression", "price", {"alpha": 2.0}, preprocessing={...})`."""

    def make(
        estimator: str,
        task: str,
        target: str | None,
        parameters: dict[str, Any] | None = None,
        **changed: Any,  # noqa: ANN401
    ) -> Made:
        table = table_of()
        kinds = TYPES | ({target: TARGETS[target]} if target else {})
        columns = {name: {"type": kind} for name, kind in kinds.items()}
        outcome = {"column": target, "positive": True} if target else None
        data = dataset(table, columns=columns, entity=None, time=None, leaks=[], target=outcome)
        training = {
            "estimator": estimator,
            "parameters": FEW.get(estimator, {}) | (parameters or {}),
        }
        declared = model(task=task, training=training, decision=None, **changed)
        return Made(declared, data, tmp_path)

    return make


CASES: list[tuple[str, str, str | None, dict[str, Any]]] = [
    ("logistic_regression", "classification", "sold", {}),
    ("logistic_regression", "classification", "grade", {}),
    *((name, "classification", target, {}) for name in TREES for target in ("sold", "grade")),
    *(
        (name, "regression", "price", {})
        for name, tasks in ESTIMATORS.items()
        if "regression" in tasks
    ),
    *(
        ("hist_gradient_boosting", "regression", "price", {"loss": loss})
        for loss in ("poisson", "gamma", "absolute_error")
    ),
    ("hist_gradient_boosting", "regression", "price", {"loss": "quantile", "quantile": 0.8}),
    *(
        ("lightgbm", "regression", "price", {"objective": objective})
        for objective in ("poisson", "gamma", "tweedie", "huber", "quantile", "regression_l1")
    ),
    *(
        ("xgboost", "regression", "price", {"objective": objective})
        for objective in ("count:poisson", "reg:gamma", "reg:tweedie", "reg:absoluteerror")
    ),
    ("kmeans", "clustering", None, {}),
    *(
        ("gaussian_mixture", "clustering", None, {"covariance_type": form})
        for form in ("full", "tied", "diag", "spherical")
    ),
]


@pytest.mark.parametrize(("estimator", "task", "target", "parameters"), CASES)
def test_a_plan_answers_as_what_was_fitted(
    made: Callable[..., Made],
    estimator: str,
    task: str,
    target: str | None,
    parameters: dict[str, Any],
) -> None:
    one = made(estimator, task, target, parameters)
    proof = prove(one.fitted, one.plan, one.frame, one.held_out, plan_limit(one.declared))
    assert proof.rows == len(one.held_out) + proof.changed
    assert proof.changed >= 15
    exact = 1e-6 if estimator == "xgboost" else 1e-10
    assert proof.difference <= exact
    member = json.loads(proof.member)
    answers = [one.plan.answer(row) for row in member["rows"]]
    assert [answer.output for answer in answers] == member["scores"]
    assert [list(answer.scores) for answer in answers] == member["all"]


@pytest.mark.parametrize("estimator", TREES)
@pytest.mark.parametrize(("task", "target"), [("regression", "price"), ("classification", "grade")])
def test_missing_values_reach_the_trees_as_they_are(
    made: Callable[..., Made], estimator: str, task: str, target: str
) -> None:
    one = made(estimator, task, target, preprocessing=AS_NUMBERS)
    assert all(column.get("impute") is None for column in one.raw["columns"])
    proof = prove(one.fitted, one.plan, one.frame, one.held_out, plan_limit(one.declared))
    rows = json.loads(proof.member)["rows"]
    assert any(row["y"] is None for row in rows)
    assert any(row["rooms"] is None and row["kind"] is None for row in rows)


def test_more_than_two_classes_are_chosen_by_their_probability(made: Callable[..., Made]) -> None:
    one = made("logistic_regression", "classification", "grade")
    assert one.plan.classes == ("low", "middle", "top")
    rows = one.frame.rows(one.held_out)
    answers = [one.plan.answer(row) for row in rows]
    matrix = one.frame.matrix[one.held_out]
    expected = chosen_of(one.fitted.estimator.predict_proba(one.fitted.columns.transform(matrix)))
    assert [one.plan.classes.index(str(answer.decision)) for answer in answers] == (
        expected.chosen.tolist()
    )
    assert [answer.output for answer in answers] == pytest.approx(expected.output.tolist())
    assert all(answer.output == max(answer.scores) for answer in answers)
    assert len(one.plan.margins(one.plan.encode(rows[0]))) == 3


def test_a_regression_gives_a_value_and_no_decision(made: Callable[..., Made]) -> None:
    one = made("poisson", "regression", "price")
    row = one.frame.rows(one.held_out[:1])[0]
    answer = one.plan.answer(row)
    expected = one.fitted.scores(one.frame.matrix[one.held_out[:1]])[0]
    assert answer.output == pytest.approx(expected)
    assert (answer.scores, answer.decision) == ((), None)
    assert one.plan.link == "log"


def test_a_value_beyond_the_floats_is_no_defect_of_the_plan(made: Callable[..., Made]) -> None:
    one = made("gamma", "regression", "price")
    far = one.frame.rows(one.held_out[:1])[0] | {"x": 1e300, "y": 1e300}
    assert one.plan.answer(far).output in {0.0, float("inf")}
    proof = prove(one.fitted, one.plan, one.frame, one.held_out, 1e-9)
    assert b"Infinity" not in proof.member


def test_a_cluster_has_a_name_and_a_distance(made: Callable[..., Made]) -> None:
    one = made("kmeans", "clustering", None)
    assert one.plan.classes == ("cluster-1", "cluster-2", "cluster-3", "cluster-4")
    rows = one.frame.rows(one.held_out)
    encoded = one.fitted.columns.transform(one.frame.matrix[one.held_out])
    labels = one.fitted.estimator.predict(encoded)
    distances = one.fitted.estimator.transform(encoded).min(axis=1)
    answers = [one.plan.answer(row) for row in rows]
    assert [answer.decision for answer in answers] == [f"cluster-{label + 1}" for label in labels]
    assert [answer.output for answer in answers] == pytest.approx(distances.tolist(), abs=1e-6)


def test_a_mixture_gives_the_probability_of_each_cluster(made: Callable[..., Made]) -> None:
    one = made("gaussian_mixture", "clustering", None)
    answers = [one.plan.answer(row) for row in one.frame.rows(one.held_out)]
    encoded = one.fitted.columns.transform(one.frame.matrix[one.held_out])
    expected = one.fitted.estimator.predict_proba(encoded)
    assert np.array([answer.scores for answer in answers]) == pytest.approx(expected, abs=1e-9)
    assert {answer.decision for answer in answers} <= set(one.plan.classes)


@given(
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.integers(-3, 3),
)
def test_a_double_goes_where_single_precision_sends_it(near: float, steps: int) -> None:
    """Thresholds beside a single, and values around the bound that they become."""
    threshold = near
    for _ in range(abs(steps)):
        threshold = float(np.nextafter(threshold, np.inf if steps > 0 else -np.inf))
    bound = float(single_bound(np.array([threshold]))[0])
    for value in (bound, float(np.nextafter(bound, np.inf)), float(np.nextafter(bound, -np.inf))):
        with np.errstate(over="ignore"):
            single = float(np.float32(value))
        assert (single <= threshold) == (value <= bound)


def test_an_infinite_threshold_parts_missing_from_present_values() -> None:
    low, high = single_bound(np.array([-np.inf, np.inf])).tolist()
    assert low < -1e308
    assert high > 1e308


@pytest.mark.parametrize("estimator", TREES)
def test_values_on_a_threshold_go_where_the_library_sends_them(
    made: Callable[..., Made], estimator: str
) -> None:
    """Each threshold of the plan, the double before and after it, and the single beside it."""
    raw = {"numeric": {"impute": "none", "scale": "none"}, "categorical": {"encode": "ordinal"}}
    one = made(estimator, "regression", "price", preprocessing=raw)
    assert isinstance(one.plan.model, TreeModel)
    place = one.plan.names.index("x")
    found = {
        threshold
        for tree in one.plan.model.trees
        for feature, threshold in zip(tree.feature, tree.threshold, strict=True)
        if feature == place and abs(threshold) < 1e30  # else it parts missing values alone
    }
    row = one.frame.rows(one.held_out[:1])[0]
    near = [
        value
        for threshold in sorted(found)
        for value in (
            threshold,
            float(np.nextafter(threshold, -np.inf)),
            float(np.nextafter(threshold, np.inf)),
            float(np.float32(threshold)),
        )
    ]
    rows = [row | {"x": value} for value in near]
    expected = one.fitted.scores(one.frame.encode(rows))
    assert len(near) >= 12
    assert [one.plan.score(each) for each in rows] == pytest.approx(expected.tolist(), rel=1e-12)


def test_sums_of_xgboost_are_rounded_as_it_rounds_them(made: Callable[..., Made]) -> None:
    one = made("xgboost", "regression", "price", {"n_estimators": 200})
    assert isinstance(one.plan.model, TreeModel)
    assert one.plan.model.single
    answers = [one.plan.answer(row).output for row in one.frame.rows(one.held_out)]
    assert answers == one.fitted.scores(one.frame.matrix[one.held_out]).tolist()


@pytest.mark.parametrize(
    ("estimator", "task", "target", "message"),
    [
        ("ridge", "classification", "sold", "ridge does no classification"),
        ("kmeans", "regression", "price", "kmeans does no regression"),
        ("logistic_regression", "clustering", None, "logistic_regression does no clustering"),
    ],
)
def test_an_estimator_of_another_task_is_refused(
    made: Callable[..., Made], estimator: str, task: str, target: str | None, message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        made(estimator, task, target)
    assert caught.value.message == f"training.estimator: {message}"
    assert caught.value.remedy.startswith("use one of ")


@pytest.mark.parametrize(
    ("estimator", "parameters", "message"),
    [
        ("lightgbm", {"zero_as_missing": True}, "lightgbm has no parameter zero_as_missing"),
        ("lightgbm", {"boosting_type": "rf"}, "lightgbm has no parameter boosting_type"),
        ("xgboost", {"booster": "gblinear"}, "xgboost has no parameter booster"),
        ("xgboost", {"callbacks": "os.system"}, "xgboost has no parameter callbacks"),
        ("random_forest", {"n_jobs": 2}, "random_forest has no parameter n_jobs"),
        (
            "hist_gradient_boosting",
            {"scoring": "r2"},
            "hist_gradient_boosting has no parameter scoring",
        ),
        (
            "lightgbm",
            {"objective": "lambdarank"},
            "objective of lightgbm cannot be 'lambdarank' in a regression",
        ),
        (
            "xgboost",
            {"objective": "reg:logistic"},
            "objective of xgboost cannot be 'reg:logistic' in a regression",
        ),
        (
            "hist_gradient_boosting",
            {"loss": "log_loss"},
            "loss of hist_gradient_boosting cannot be 'log_loss' in a regression",
        ),
    ],
)
def test_what_a_plan_cannot_say_cannot_be_set(
    made: Callable[..., Made], estimator: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        made(estimator, "regression", "price", parameters)
    assert caught.value.message == f"training.parameters: {message}"
    assert caught.value.remedy.startswith("use one of ")


def test_lightgbm_says_what_is_wrong_with_a_value(made: Callable[..., Made]) -> None:
    with pytest.raises(TrainingError) as caught:
        made("lightgbm", "regression", "price", {"num_leaves": 1})
    expected = "training: lightgbm cannot learn this: Check failed: (num_leaves) > (1)"
    assert caught.value.message == expected
    expected = "look at the rows of the training part, or change training.parameters"
    assert caught.value.remedy == expected


def test_products_are_for_the_estimators_that_add_columns_up() -> None:
    forms = {"linear", "log_linear"}
    assert {name for name, row in REGISTRY.items() if row.form in forms} == set(LINEAR)


def test_an_answer_beyond_the_floats_is_refused() -> None:
    refuse_infinite(single(np.array([1.0, -1e300])))
    with pytest.raises(TrainingError) as caught:
        refuse_infinite(single(np.array([1.0, np.inf, np.nan])))
    assert caught.value.message == "training: the answer to 2 rows is not finite, first row 2"
    assert caught.value.remedy.startswith("clip outliers")


def test_what_xgboost_says_is_told_without_its_clock_and_its_sources(
    made: Callable[..., Made],
) -> None:
    with pytest.raises(TrainingError) as caught:
        made("xgboost", "regression", "price", {"learning_rate": -1.0})
    assert caught.value.message.startswith("training: xgboost cannot learn this: ")
    assert not {"\n", "[", "/"} & set(caught.value.message)


def test_a_refit_that_a_library_refuses_is_an_error_of_ours(made: Callable[..., Made]) -> None:
    fitted = made("gaussian_mixture", "clustering", None).fitted
    with pytest.raises(TrainingError, match="training: gaussian_mixture cannot learn this: "):
        refitted(fitted, np.zeros((1, 4)), np.zeros((1, 4)))


def test_a_library_that_is_not_there_is_named(
    made: Callable[..., Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> Any:  # noqa: ANN401
        raise ImportError(name)

    monkeypatch.setattr("ordain.runtime.training.estimators.import_module", refuse)
    with pytest.raises(TrainingError) as caught:
        made("lightgbm", "regression", "price")
    assert caught.value.message == "training.estimator: lightgbm is not installed"
    assert caught.value.remedy == "install ordain[lightgbm]"


def test_a_plan_that_is_too_large_names_what_makes_it_smaller(
    made: Callable[..., Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordain.runtime.training.export.MAXIMUM_BYTES", 10_000)
    with pytest.raises(TrainingError) as caught:
        made("random_forest", "regression", "price")
    assert caught.value.message.endswith(" bytes, an artifact may have 10,000")
    expected = "lower training.parameters.n_estimators or max_leaf_nodes"
    assert caught.value.remedy == expected


@pytest.mark.parametrize("missing", ["Zero", "NaN"])
def test_a_split_that_a_plan_cannot_say_is_refused(missing: str) -> None:
    split = {
        "split_feature": 0,
        "decision_type": "==",
        "missing_type": missing,
        "threshold": "1||2",
    }
    with pytest.raises(TrainingError) as caught:
        export_boosters._node(split)
    expected = f"training: the model of lightgbm has a split by == with missing {missing}, "
    assert caught.value.message == f"{expected}which no plan can say"


def test_what_did_not_converge_says_what_may_help(made: Callable[..., Made]) -> None:
    with pytest.raises(TrainingError) as caught:
        made("gaussian_mixture", "clustering", None, {"max_iter": 1})
    assert caught.value.message == "training: gaussian_mixture did not converge"
    assert caught.value.remedy.endswith("or lower n_components")


def test_the_registry_has_a_row_for_every_estimator_and_task() -> None:
    assert {name: tuple(row.makes) for name, row in REGISTRY.items()} == ESTIMATORS


def test_directions_hold_for_every_estimator_that_takes_them(made: Callable[..., Made]) -> None:
    for name in ("decision_tree", "extra_trees", "lightgbm", "xgboost"):
        one = made(
            name,
            "regression",
            "price",
            preprocessing={"numeric": {"monotone": {"y": "increasing"}}},
        )
        row = one.frame.rows(one.held_out[:1])[0]
        values = [one.plan.score(row | {"y": float(y)}) for y in np.linspace(-3, 3, 25)]
        assert values == sorted(values)
        assert values[0] < values[-1]
