from __future__ import annotations

from collections.abc import Callable
from typing import get_args, get_type_hints

import pytest

from ordain.specs.documents import LoadedEstate
from ordain.specs.features import feature_names
from ordain.specs.kinds.model import MetricGate, Training
from ordain.specs.tasks import ESTIMATORS, LIBRARIES, METRICS, TASKS, estimators_named

Check = Callable[..., list[str]]
Load = Callable[..., LoadedEstate]
Edit = Callable[[str, str, str], dict[str, str]]

LAST = "  decision: {threshold: 0.3}\n"
GATE = "  acceptance: {metrics: [{name: rmse, max: 5.0}]}\n"


def model(edit: Edit, task: str, estimator: str, more: str = "") -> dict[str, str]:
    """The small estate with a model of this task, which has no threshold."""
    (path, text), *_ = edit("model", "hist_gradient_boosting", estimator).items()
    text = text.replace("task: classification", f"task: {task}").replace(LAST, more)
    return {path: text}


@pytest.mark.parametrize(
    ("task", "estimator", "more"),
    [
        ("regression", "ridge", GATE),
        ("regression", "hist_gradient_boosting", ""),
        ("clustering", "kmeans", ""),
        ("classification", "xgboost", ""),
    ],
)
def test_a_model_of_any_task_is_in_order(
    check: Check, edit: Edit, task: str, estimator: str, more: str
) -> None:
    assert check(model(edit, task, estimator, more)) == []


@pytest.mark.parametrize(
    ("task", "estimator", "more", "expected"),
    [
        (
            "regression",
            "logistic_regression",
            "",
            (
                "SPEC140 model.yaml:10:25 error: `logistic_regression` does no regression | use one"
                " of linear_regression, ridge, lasso, elastic_net, poisson, gamma, decision_tree, "
                "random_forest, extra_trees, hist_gradient_boosting, lightgbm, xgboost, or change "
                "`task`"
            ),
        ),
        (
            "classification",
            "kmeans",
            "",
            (
                "SPEC140 model.yaml:10:25 error: `kmeans` does no classification | use one of "
                "logistic_regression, decision_tree, random_forest, extra_trees, "
                "hist_gradient_boosting, lightgbm, xgboost, or change `task`"
            ),
        ),
        (
            "clustering",
            "kmeans",
            GATE,
            (
                "SPEC141 model.yaml:11:33 error: `rmse` is no metric of a clustering | use one of "
                "silhouette, davies_bouldin, stability"
            ),
        ),
        (
            "clustering",
            "kmeans",
            ("  acceptance: {metrics: [{name: silhouette, versus: champion, minDelta: 0.0}]}\n"),
            (
                "SPEC141 model.yaml:11:53 error: versions of a clustering are not compared: their "
                "clusters have no names | take out `versus`, and set `min` or `max`"
            ),
        ),
        (
            "regression",
            "ridge",
            "  acceptance: {fairness: [{}]}\n",
            (
                "SPEC144 model.yaml:11:16 error: fairness compares decisions, and a regression "
                "makes none | take out `fairness`"
            ),
        ),
    ],
)
def test_what_the_task_does_not_know_is_told_where_it_stands(
    check: Check, edit: Edit, task: str, estimator: str, more: str, expected: str
) -> None:
    assert check(model(edit, task, estimator, more)) == [expected]


def fair(edit: Edit, gate: str) -> dict[str, str]:
    """The small estate, whose model has a threshold, with one fairness gate."""
    return edit("model", LAST, f"{LAST}  acceptance: {{fairness: [{gate}]}}\n")


@pytest.mark.parametrize(
    "gate",
    [
        "{}",
        "{metric: equalised_odds_difference, max: 0.05, minPower: 0}",
        "{metric: conditional_parity, within: [purpose], min: 0.9}",
        "{metric: calibration_within_groups, attributes: [sex]}",
    ],
)
def test_fairness_gates_of_every_kind_are_in_order(check: Check, edit: Edit, gate: str) -> None:
    assert check(fair(edit, gate)) == []


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (
            "{metric: equal_opportunity_difference, min: 0.8}",
            (
                "SPEC156 model.yaml:12:71 error: `equal_opportunity_difference` is a difference and"
                " has no smallest ratio | set `max` instead"
            ),
        ),
        (
            "{max: 0.1}",
            (
                "SPEC156 model.yaml:12:33 error: `adverse_impact_ratio` is a ratio and has no "
                "largest difference | set `min` instead"
            ),
        ),
        (
            "{metric: conditional_parity}",
            (
                "SPEC157 model.yaml:12:27 error: `conditional_parity` compares inside of strata, "
                "and names no column of them | add `within:` with the columns of the policy, or "
                "use `adverse_impact_ratio`"
            ),
        ),
        (
            "{within: [purpose]}",
            (
                "SPEC157 model.yaml:12:36 error: `adverse_impact_ratio` is not measured inside of "
                "strata | use `conditional_parity`"
            ),
        ),
        (
            "{intersections: [[sex]]}",
            (
                "SPEC158 model.yaml:12:43 error: `sex` is no intersection of columns | name two "
                "columns or more, each once"
            ),
        ),
        (
            "{metric: conditional_parity, within: [sex]}",
            (
                "SPEC159 model.yaml:12:65 error: `sex` is protected; a comparison inside of it "
                "compares nobody | name columns of the credit policy"
            ),
        ),
        (
            "{metric: conditional_parity, within: [outcome]}",
            (
                "SPEC159 model.yaml:12:65 error: `outcome` is the outcome; a comparison inside of "
                "it is of another metric | name columns of the credit policy"
            ),
        ),
        (
            "{metric: conditional_parity, within: [purpse]}",
            (
                "REF003 model.yaml:12:65 error: there is no column `purpse` | did you mean "
                "`purpose`?"
            ),
        ),
        (
            "{intersections: [[sex, purpose]]}",
            (
                "REF003 model.yaml:12:50 error: `purpose` is no protected column of the Dataset | "
                "give the column `role: protected`"
            ),
        ),
    ],
)
def test_a_fairness_gate_that_means_nothing_is_told(
    check: Check, edit: Edit, gate: str, expected: str
) -> None:
    assert check(fair(edit, gate)) == [expected]


def gate_of(more: str) -> str:
    return f"  acceptance: {{metrics: [{{name: rmse, {more}}}]}}\n"


LUCKY = "is held against the end of the interval that is sooner met with few rows"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("population: all", "11:26 error: `rmse` has no limit | set `min` or `max`"),
        (
            "minDelta: 0.0",
            (
                "11:49 error: `minDelta` limits a difference, and nothing is compared | add "
                "`versus: champion`, or set `min` or `max`"
            ),
        ),
        (
            "min: 1.0, bound: upper",
            f"11:56 error: `min` {LUCKY} | set `bound: lower` or `bound: value`",
        ),
        (
            "max: 1.0, bound: lower",
            f"11:56 error: `max` {LUCKY} | set `bound: upper` or `bound: value`",
        ),
        ("versus: champion", "11:26 error: `rmse` has no limit | set `minDelta`"),
        (
            "versus: champion, minDelta: 0.0, max: 5.0",
            (
                "11:77 error: `max` limits a value, and `versus` compares a difference | set "
                "`minDelta`, and write `max` in its own gate"
            ),
        ),
        (
            "versus: champion, minDelta: 0.0, bound: upper",
            f"11:79 error: `minDelta` {LUCKY} | set `bound: lower` or `bound: value`",
        ),
    ],
)
def test_a_gate_that_judges_nothing_is_told(
    check: Check, edit: Edit, more: str, expected: str
) -> None:
    told = check(model(edit, "regression", "ridge", gate_of(more)))
    assert told == [f"SPEC149 model.yaml:{expected}"]


def test_directions_are_for_estimators_that_take_them(check: Check, edit: Edit) -> None:
    more = "  preprocessing: {numeric: {monotone: {income: increasing}}}\n"
    assert check(model(edit, "regression", "lightgbm", more)) == []
    (told,) = check(model(edit, "regression", "ridge", more))
    assert "REF012 model.yaml:11:29 error: `ridge` takes no directions" in told


def test_many_classes_are_chosen_without_a_threshold(check: Check, edit: Edit) -> None:
    three = edit("dataset", "outcome: {type: int}", "outcome: {type: category, levels: [a, b, c]}")
    fair = model(edit, "classification", "ridge", "  acceptance: {fairness: [{}]}\n")
    fair = {path: text.replace("ridge", "random_forest") for path, text in fair.items()}
    assert check(three | fair) == []
    assert "this model makes none" in check(fair)[0]


def test_a_clustering_needs_no_target(load: Load, check: Check, edit: Edit) -> None:
    target = "  target: {column: outcome, favourable: 0}\n"
    without = edit("dataset", target, "") | model(edit, "clustering", "kmeans")
    assert check(without) == []
    estate = load(without)
    (found,) = estate.all("Model")
    (data,) = estate.all("Dataset")
    assert feature_names(found.spec.features, data.spec) == ("income", "purpose", "outcome")


def test_the_tables_name_what_the_language_has() -> None:
    hints = get_type_hints(Training, include_extras=False)["estimator"]
    literal, _ = get_args(hints)
    assert set(ESTIMATORS) == set(get_args(literal))
    gates = get_type_hints(MetricGate)["name"]
    assert {name for names in METRICS.values() for name in names} == set(get_args(gates))
    assert set(METRICS) == set(TASKS)
    assert LIBRARIES.keys() <= ESTIMATORS.keys()


def test_the_estimators_of_an_estate(load: Load) -> None:
    models = [one.spec for one in load().all("Model")]
    assert estimators_named(models) == {"hist_gradient_boosting"}


@pytest.mark.parametrize(("task", "estimator"), [("regression", "ridge"), ("clustering", "kmeans")])
def test_only_a_probability_can_be_calibrated(
    check: Check, edit: Edit, task: str, estimator: str
) -> None:
    ((path, text),) = model(edit, task, estimator).items()
    changed = text.replace(estimator, f"{estimator}, calibrate: sigmoid")
    assert check({path: changed}) == [
        (
            f"SPEC154 model.yaml:10:{len(estimator) + 38} error: a {task} gives no probability "
            "that could be calibrated | take out `calibrate`"
        )
    ]


def test_a_classification_may_be_calibrated(check: Check, edit: Edit) -> None:
    name = "hist_gradient_boosting"
    assert check(edit("model", name, f"{name}, calibrate: isotonic")) == []
