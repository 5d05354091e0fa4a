"""What a Model declares is fitted, exported exactly, and refused where it cannot be done."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from ordain.runtime.datasets.reading import read_table
from ordain.runtime.errors import DataError, ParityError, RunError, TrainingError
from ordain.runtime.scoring import LinearModel, RowPlan
from ordain.runtime.training import features, pipeline
from ordain.runtime.training.export import export
from ordain.runtime.training.outcomes import read_outcomes
from ordain.runtime.training.parity import UNSEEN_LEVEL, prove
from ordain.specs.canonical import canonical_json
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Features, Model

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.training

MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]

BOOSTING = "hist_gradient_boosting"
LINEAR = "logistic_regression"


class Made:
    """A fitted pipeline with everything that it was made from."""

    def __init__(self, declared: Model, dataset: Dataset, root: Path) -> None:
        table = read_table(dataset, root)
        names = features.learnt_columns(declared.features, dataset)
        self.outcomes = read_outcomes(declared.task, dataset, table)
        self.train = np.arange(0, table.num_rows * 2 // 3)
        self.held_out = np.arange(table.num_rows * 2 // 3, table.num_rows)
        ranked = declared.preprocessing.categorical.encode == "ordinal_by_target"
        ranking = (self.train, self.outcomes.values) if ranked else None
        self.frame = features.make_frame(names, dataset, table, ranking)
        self.fitted = pipeline.fit(declared, self.frame, self.train, self.outcomes)
        learnt = self.frame.matrix[self.train]
        self.data = export(self.fitted, self.frame, learnt, declared.decision)
        self.raw: dict[str, Any] = json.loads(self.data)
        self.plan = RowPlan.read(self.data)

    def column(self, name: str, op: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = next(
            column
            for column in self.raw["columns"]
            if column["input"] == name and op in {None, column["op"]}
        )
        return found


@pytest.fixture
def made(tmp_path: Path, dataset: MakeDataset, model: MakeModel) -> Callable[..., Made]:
    def make(
        estimator: str = BOOSTING,
        data: dict[str, Any] | None = None,
        **changed: Any,  # noqa: ANN401
    ) -> Made:
        return Made(model(estimator, **changed), dataset(**data or {}), tmp_path)

    return make


CLIPPED = {"clip": ["p01", "p99"]}
PREPROCESSING: list[dict[str, Any]] = [
    {},
    {"numeric": {"impute": "mean", "indicator": True, "outliers": CLIPPED, "scale": "standard"}},
    {"numeric": {"scale": "none"}, "categorical": {"encode": "ordinal"}},
    {"categorical": {"encode": "ordinal_by_target"}},
]


@pytest.mark.parametrize("estimator", [BOOSTING, LINEAR])
@pytest.mark.parametrize("preprocessing", PREPROCESSING)
def test_the_plan_answers_as_the_pipeline_does(
    made: Callable[..., Made], estimator: str, preprocessing: dict[str, Any]
) -> None:
    one = made(estimator, preprocessing=preprocessing)
    proof = prove(one.fitted, one.plan, one.frame, one.held_out, 1e-9)
    assert proof.rows == len(one.held_out) + proof.changed
    assert proof.changed >= 20
    assert proof.difference <= 1e-12


def test_missing_numbers_reach_the_trees_where_nothing_replaces_them(
    made: Callable[..., Made],
) -> None:
    one = made(preprocessing={"numeric": {"impute": "none"}, "categorical": {"encode": "ordinal"}})
    assert one.column("income")["impute"] is None
    assert one.column("purpose")["missing"] is None
    assert one.column("debts")["impute"] is None
    proof = prove(one.fitted, one.plan, one.frame, one.held_out, 1e-9)
    rows = json.loads(proof.member)["rows"]
    assert any(row["debts"] is None for row in rows)


def test_a_thousand_rows_are_compared_where_there_are_so_many(
    tmp_path: Path, lending: Callable[..., pa.Table], dataset: MakeDataset, model: MakeModel
) -> None:
    one = Made(model(), dataset(lending(4_000)), tmp_path)
    proof = prove(one.fitted, one.plan, one.frame, one.held_out, 1e-9)
    assert proof.rows - proof.changed >= 1_000


def test_parity_rows_hold_missing_values_and_levels_that_nobody_has_seen(
    made: Callable[..., Made],
) -> None:
    one = made()
    member = json.loads(prove(one.fitted, one.plan, one.frame, one.held_out, 1e-9).member)
    assert len(member["rows"]) == len(member["scores"]) >= 200
    assert any(row["purpose"] == UNSEEN_LEVEL for row in member["rows"])
    assert any(row["purpose"] is None for row in member["rows"])
    assert [one.plan.score(row) for row in member["rows"]] == member["scores"]


def test_a_plan_that_answers_otherwise_stops_training(made: Callable[..., Made]) -> None:
    one = made(LINEAR)
    assert isinstance(one.plan.model, LinearModel)
    shifted = replace(one.plan.model, intercepts=(one.plan.model.intercepts[0] + 1e-6,))
    wrong = replace(one.plan, model=shifted)
    with pytest.raises(ParityError, match=r"parity: plan and pipeline differ by 2\.[0-9]+e-07"):
        prove(one.fitted, wrong, one.frame, one.held_out, 1e-9)


def test_floats_of_the_plan_are_those_that_were_fitted(made: Callable[..., Made]) -> None:
    one = made(LINEAR, preprocessing={"numeric": {"outliers": CLIPPED}})
    assert isinstance(one.plan.model, LinearModel)
    assert list(one.plan.model.coefficients[0]) == one.fitted.estimator.coef_[0].tolist()
    income = one.frame.matrix[one.train][:, one.frame.names.index("income")]
    column = one.column("income")
    assert column["impute"] == np.nanmedian(income)
    assert (column["low"], column["high"]) == tuple(np.nanquantile(income, [0.01, 0.99]))
    assert canonical_json(json.loads(one.data)) == one.data


def test_inputs_say_what_a_request_must_bring(made: Callable[..., Made]) -> None:
    inputs = {given.name: given for given in made().plan.inputs}
    assert list(inputs) == ["debts", "employed", "income", "purpose"]
    assert [given.type for given in inputs.values()] == ["int", "bool", "float", "category"]
    assert [given.missing for given in inputs.values()] == [False, False, True, True]
    assert inputs["income"].range == (0.0, 1_000_000.0)
    assert inputs["purpose"].levels == ("boat", "car", "home", "plane", "study")


def test_rare_levels_share_a_column(made: Callable[..., Made]) -> None:
    one = made()
    column = one.column("purpose")
    assert (column["op"], column["rare"]) == ("one_hot", ["boat", "plane"])
    assert one.plan.names[-1] == "purpose=(rare)"
    sources = {("debts",), ("employed",), ("income",), ("purpose",)}
    assert set(one.plan.sources) == sources


def test_levels_are_ranked_by_their_share_of_positive_outcomes(made: Callable[..., Made]) -> None:
    one = made(preprocessing={"categorical": {"encode": "ordinal_by_target"}})
    assert one.column("purpose")["levels"][-1] == "study"


def test_an_indicator_stands_beside_what_was_missing(made: Callable[..., Made]) -> None:
    one = made(preprocessing={"numeric": {"indicator": True}})
    assert one.column("income", "missing") == {"op": "missing", "input": "income"}
    ops = {(column["op"], column["input"]) for column in one.raw["columns"]}
    assert ("missing", "debts") not in ops


@pytest.mark.parametrize(("direction", "sign"), [("increasing", 1), ("decreasing", -1)])
def test_a_monotone_feature_moves_the_output_one_way(
    made: Callable[..., Made], direction: str, sign: int
) -> None:
    one = made(preprocessing={"numeric": {"monotone": {"income": direction}}})
    row = one.frame.rows(one.held_out[:1])[0]
    scores = [one.plan.score(row | {"income": float(income)}) for income in range(500, 9_000, 250)]
    assert all(sign * (later - earlier) >= 0 for earlier, later in itertools.pairwise(scores))


def test_no_protected_leaking_or_naming_column_is_a_feature(
    dataset: MakeDataset, model: MakeModel
) -> None:
    names = features.learnt_columns(model().features, dataset())
    assert names == ("debts", "employed", "income", "purpose")


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"include": ("sex",)},
            "include: sex can be no feature: it is protected: for fairness only, never a feature",
        ),
        (
            {"include": ("days_past_due",)},
            (
                "include: days_past_due can be no feature: "
                "it is known only after the outcome (`leaks`)"
            ),
        ),
        ({"include": ("defaulted",)}, "include: defaulted can be no feature: it is the outcome"),
        (
            {"include": ("applied_on",)},
            "include: applied_on can be no feature: it is the time column",
        ),
        (
            {"include": ("applicant_id",)},
            "include: applicant_id can be no feature: its role is entity",
        ),
        ({"exclude": ("incme",)}, "exclude: incme is no column of the Dataset"),
    ],
)
def test_what_may_never_be_a_feature_is_refused(
    dataset: MakeDataset, chosen: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        features.learnt_columns(Features(**chosen), dataset())
    assert caught.value.message == f"features.{message}"


def test_no_feature_at_all_is_refused(dataset: MakeDataset) -> None:
    excluded = ("debts", "employed", "income", "purpose")
    with pytest.raises(TrainingError) as caught:
        features.learnt_columns(Features(exclude=excluded), dataset())
    assert caught.value.message == "features: no column is left"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"task": "clustering"},
            "training.estimator: hist_gradient_boosting does no clustering",
        ),
        ({"training": {}}, "training: no estimator is declared"),
        (
            {"training": {"estimator": LINEAR, "parameters": {"max_iterations": 5}}},
            "training.parameters: logistic_regression has no parameter max_iterations",
        ),
        (
            {"training": {"estimator": LINEAR, "parameters": {"random_state": 5}}},
            "training.parameters: logistic_regression has no parameter random_state",
        ),
        (
            {"training": {"estimator": LINEAR, "parameters": {"max_iter": 1}}},
            "training: logistic_regression did not converge",
        ),
        (
            {"preprocessing": {"numeric": {"monotone": {"purpose": "increasing"}}}},
            "preprocessing.numeric.monotone: purpose is no numeric feature",
        ),
        (
            {"preprocessing": {"numeric": {"outliers": {"clip": ["1%", "p99"]}}}},
            "preprocessing.numeric.outliers.clip: ['1%', 'p99'] are no quantiles",
        ),
        (
            {"preprocessing": {"numeric": {"outliers": {"clip": ["p99", "p01"]}}}},
            "preprocessing.numeric.outliers.clip: ['p99', 'p01'] keeps nothing",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(
    made: Callable[..., Made], changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        made(**changed)
    assert caught.value.message == message
    assert caught.value.remedy


def test_scikit_learn_says_what_is_wrong_with_a_value(made: Callable[..., Made]) -> None:
    training = {"estimator": BOOSTING, "parameters": {"max_iter": -1}}
    with pytest.raises(TrainingError, match=r"training\.parameters: The 'max_iter' parameter of"):
        made(training=training)


@pytest.mark.parametrize(
    ("preprocessing", "message"),
    [
        (
            {"numeric": {"impute": "none"}},
            "feature income has missing values, which logistic_regression cannot take",
        ),
        (
            {"numeric": {"monotone": {"income": "decreasing"}}},
            "preprocessing.numeric.monotone: logistic_regression takes no directions",
        ),
    ],
)
def test_a_linear_model_cannot_do_everything(
    made: Callable[..., Made], preprocessing: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        made(LINEAR, preprocessing=preprocessing)
    assert caught.value.message == message


def test_a_feature_that_training_never_sees_is_refused(
    tmp_path: Path, lending: Callable[..., pa.Table], dataset: MakeDataset, model: MakeModel
) -> None:
    table = lending()
    place = table.column_names.index("income")
    income = pa.array([None] * 400 + [1.0] * 200)
    data = dataset(table.set_column(place, "income", income), income={"missing": "100%"})
    with pytest.raises(TrainingError) as caught:
        Made(model(), data, tmp_path)
    assert caught.value.message == "feature income: all values of the training part are missing"


def test_a_level_that_training_never_sees_is_refused_where_unknown_ones_are(
    tmp_path: Path, lending: Callable[..., pa.Table], dataset: MakeDataset, model: MakeModel
) -> None:
    table = lending()
    place = table.column_names.index("purpose")
    purpose = pa.array(["car", "home"] * 200 + ["boat"] * 200)
    changed = table.set_column(place, "purpose", purpose)
    with pytest.raises(DataError) as caught:
        Made(model(), dataset(changed, purpose={"unknown": "refuse"}), tmp_path)
    expected = "column purpose: 'boat' is in no training row, and unknown is refuse"
    assert caught.value.message == expected


def test_too_many_levels_are_refused(
    tmp_path: Path, lending: Callable[..., pa.Table], dataset: MakeDataset, model: MakeModel
) -> None:
    table = lending(900)
    place = table.column_names.index("purpose")
    purpose = pa.array([f"p{number}" for number in range(900)])
    data = dataset(table.set_column(place, "purpose", purpose), purpose={"rare": None})
    with pytest.raises(TrainingError) as caught:
        Made(model(), data, tmp_path)
    assert caught.value.message == "feature purpose has 600 levels, one_hot takes 500"


@pytest.mark.parametrize(
    ("target", "outcomes", "message"),
    [
        (
            {"positive": 2},
            [0, 1],
            "target defaulted: no row has the positive outcome 2",
        ),
        ({}, range(150), "target defaulted: 150 different outcomes, a classification takes 100"),
    ],
)
def test_a_classifier_tells_outcomes_apart(
    tmp_path: Path,
    lending: Callable[..., pa.Table],
    dataset: MakeDataset,
    model: MakeModel,
    target: dict[str, Any],
    outcomes: Sequence[int],
    message: str,
) -> None:
    table = lending()
    values = pa.array([*outcomes] * (600 // len(outcomes)))
    changed = table.set_column(table.column_names.index("defaulted"), "defaulted", values)
    with pytest.raises(RunError) as caught:
        Made(model(), dataset(changed, target={"column": "defaulted", **target}), tmp_path)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("values", "kind", "positive"),
    [
        (["no", "yes"], "category", "yes"),
        ([False, True], "bool", True),
        (["0", "1"], "category", 1),
    ],
)
def test_outcomes_may_be_text_or_truth(
    tmp_path: Path,
    lending: Callable[..., pa.Table],
    dataset: MakeDataset,
    values: list[object],
    kind: str,
    positive: object,
) -> None:
    table = lending()
    outcomes = pa.array(values * 300)
    changed = table.set_column(table.column_names.index("defaulted"), "defaulted", outcomes)
    target = {"column": "defaulted", "positive": positive}
    data = dataset(changed, defaulted={"type": kind}, target=target)
    found = read_outcomes("classification", data, read_table(data, tmp_path))
    assert found.task == "binary"
    assert found.values.tolist() == [0, 1] * 300
