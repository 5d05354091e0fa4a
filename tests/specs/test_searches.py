"""What a search may declare, and what is found where it may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from ordain.specs.kinds import kind_validator
from ordain.specs.parity import EXACT, SINGLE, plan_limit
from ordain.specs.searches import automl_of, families_of, metric_of, search_problems
from ordain.specs.tasks import estimators_named

if TYPE_CHECKING:
    from ordain.specs.kinds.model import Model

Check = Callable[..., list[str]]
Edit = Callable[[str, str, str], dict[str, str]]

NAMED = "estimator: hist_gradient_boosting"


def model(task: str, *families: str, **changed: object) -> Model:
    automl = {"families": list(families), "budget": {"trials": 3}, **changed}
    spec = {"purpose": "x", "tier": 3, "owner": "x", "task": task, "training": {"automl": automl}}
    found: Model = kind_validator("Model").validate_python(spec)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "automl: {families: [extra_trees], budget: {trials: 3}, metric: rmse}",
            (
                "SPEC150 model.yaml:10:77 error: `rmse` is no metric of a classification | use one "
                "of roc_auc, log_loss, brier, accuracy, ece, balanced_accuracy, macro_f1"
            ),
        ),
        (
            "automl: {families: [ridge], budget: {trials: 3}}",
            (
                "SPEC152 model.yaml:10:34 error: `ridge` does no classification | use families of "
                "logistic_regression, logistic_spline, hist_gradient_boosting, lightgbm, xgboost, "
                "extra_trees"
            ),
        ),
        (
            "automl: {families: [extra_trees, extra_trees], budget: {trials: 3}}",
            "SPEC152 model.yaml:10:47 error: `extra_trees` is named twice | name each family once",
        ),
        (
            "automl: {families: [extra_trees], budget: {trials: 3}, kMax: 4}",
            (
                "SPEC153 model.yaml:10:75 error: `kMax` counts clusters, and this is a "
                "classification | take `kMax` out"
            ),
        ),
        (
            "automl: {families: [extra_trees], budget: {trials: 3}}, parameters: {C: 1}",
            (
                "SPEC153 model.yaml:10:82 error: `parameters` are those of an estimator, and a "
                "search chooses them | take `parameters` out, or name one `estimator`"
            ),
        ),
    ],
)
def test_what_a_search_cannot_do_is_found(
    check: Check, edit: Edit, text: str, expected: str
) -> None:
    assert expected in check(edit("model", NAMED, text))


def test_a_search_that_can_be_done_is_no_finding(check: Check, edit: Edit) -> None:
    text = "automl: {families: [logistic_spline, extra_trees], budget: {trials: 3}, folds: 3}"
    assert check(edit("model", NAMED, text)) == []


def test_clusters_are_ranked_by_no_metric() -> None:
    (problem,) = search_problems(model("clustering", "kmeans", metric="log_loss"))
    assert (problem.code, problem.message) == (
        "SPEC150",
        "a search for clusters is ranked by no metric: stability and a null test decide",
    )
    (problem,) = search_problems(model("regression", "ridge", alternatives={}))
    assert (problem.code, problem.message) == (
        "SPEC153",
        "alternatives are compared by their decisions, and a regression makes none",
    )


@pytest.mark.parametrize(
    ("task", "named", "tried"),
    [
        (
            "classification",
            ["hist_gradient_boosting"],
            ("logistic_regression", "hist_gradient_boosting"),
        ),
        (
            "classification",
            ["extra_trees", "logistic_spline"],
            ("logistic_regression", "logistic_spline", "extra_trees"),
        ),
        ("regression", ["extra_trees"], ("ridge", "extra_trees")),
        ("clustering", ["gaussian_mixture"], ("gaussian_mixture",)),
    ],
)
def test_where_there_is_an_outcome_a_linear_candidate_is_tried(
    task: str, named: list[str], tried: tuple[str, ...]
) -> None:
    declared = model(task, *named)
    assert families_of(declared, automl_of(declared), directed=False) == (tried, ())


def test_a_direction_leaves_out_what_cannot_be_held_to_it() -> None:
    declared = model("regression", "ridge_spline", "hist_gradient_boosting")
    assert families_of(declared, automl_of(declared), directed=True) == (
        ("hist_gradient_boosting",),
        ("ridge", "ridge_spline"),
    )


@pytest.mark.parametrize(
    ("task", "family", "metric"),
    [("classification", "extra_trees", "log_loss"), ("regression", "ridge", "rmse")],
)
def test_the_metric_of_a_search_follows_from_the_task(task: str, family: str, metric: str) -> None:
    declared = model(task, family)
    assert metric_of(declared, automl_of(declared)) == metric


def test_a_lock_must_have_what_proposes_and_what_may_be_fitted() -> None:
    declared = model("classification", "extra_trees", "lightgbm")
    assert estimators_named([declared]) == {"automl", "lightgbm"}
    assert plan_limit(declared) == EXACT
    assert plan_limit(model("classification", "xgboost")) == SINGLE


def test_directions_of_dataset_and_model_must_agree(check: Check, edit: Edit) -> None:
    files = edit("dataset", "income: {type: float", "income: {type: float, monotone: increasing")
    assert check(files) == []
    declared = edit(
        "model",
        NAMED,
        f"{NAMED}}}\n  preprocessing: {{numeric: {{monotone: {{income: decreasing}}}}",
    )
    found = check(files | {"specs/model.yaml": declared["specs/model.yaml"]})
    assert len(found) == 1
    assert (
        "`income` is decreasing here and increasing in the Dataset | write increasing" in found[0]
    )
    assert found[0].startswith("SPEC151 ")


def test_a_direction_needs_a_family_that_holds_it(check: Check, edit: Edit) -> None:
    files = edit("dataset", "income: {type: float", "income: {type: float, monotone: increasing")
    declared = edit(
        "model", NAMED, "automl: {families: [logistic_regression], budget: {trials: 3}}"
    )
    found = check(files | {"specs/model.yaml": declared["specs/model.yaml"]})
    assert found == [
        (
            "SPEC151 model.yaml:10:23 error: no family that is named can hold the direction of "
            "`income` | add one of hist_gradient_boosting, lightgbm, xgboost, extra_trees"
        )
    ]


def test_what_is_no_number_has_no_direction(check: Check, edit: Edit) -> None:
    found = check(edit("dataset", "{type: category", "{type: category, monotone: increasing"))
    assert any(one.startswith("SPEC151 ") and "is no number" in one for one in found)
