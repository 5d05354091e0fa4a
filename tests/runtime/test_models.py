"""What stands at the end of a plan: several outputs, centres, mixtures, and what their sums are."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest

from ordain.runtime.errors import PlanError
from ordain.runtime.models import (
    CentresModel,
    LinearModel,
    MixtureModel,
    exponential,
    read_model,
    softmax,
)
from ordain.runtime.scoring import RowPlan

Plain = dict[str, Any]

X = {
    "name": "x",
    "type": "float",
    "missing": False,
    "range": None,
    "levels": None,
    "unknown": "bucket",
}
COLUMN = {
    "op": "number",
    "input": "x",
    "impute": None,
    "low": None,
    "high": None,
    "center": 0.0,
    "scale": 1.0,
}
SPLIT = {
    "feature": [0, -1, -1],
    "threshold": [0.5, 0.0, 0.0],
    "left": [1, 0, 0],
    "right": [2, 0, 0],
    "missing_left": [True, False, False],
}
LINEAR = {
    "kind": "linear",
    "coefficients": [[1.0], [0.0], [-1.0]],
    "intercepts": [0.0, 0.5, 0.0],
}
CENTRES = {"kind": "centres", "centres": [[0.0], [4.0], [4.0]]}
MIXTURE = {
    "kind": "mixture",
    "means": [[0.0], [3.0]],
    "factors": [[[1.0]], [[2.0]]],
    "offsets": [-1.0, -0.5],
    "diagonal": True,
}


def raw(model: Plain, task: str, link: str, *classes: str, **changed: object) -> Plain:
    plan = {
        "format": "ordain.plan/2",
        "task": task,
        "classes": list(classes),
        "inputs": [X],
        "columns": [COLUMN],
        "keep": None,
        "names": ["x"],
        "sources": [["x"]],
        "model": model,
        "link": link,
        "calibration": None,
        "decision": None,
    }
    return plan | changed


def plan(model: Plain, task: str, link: str, *classes: str, **changed: object) -> RowPlan:
    return RowPlan.read(json.dumps(raw(model, task, link, *classes, **changed)).encode())


def test_the_class_of_the_greatest_probability_is_chosen() -> None:
    three = plan(LINEAR, "classification", "softmax", "a", "b", "c")
    answer = three.answer({"x": 2.0})
    weights = [math.exp(2.0), math.exp(0.5), math.exp(-2.0)]
    assert answer.scores == pytest.approx([weight / sum(weights) for weight in weights])
    assert (answer.output, answer.decision) == (answer.scores[0], "a")
    assert three.margins([2.0]) == [2.0, 0.5, -2.0]
    assert three.answer({"x": -1.0}).decision == "c"


def test_of_equal_classes_the_first_is_chosen() -> None:
    even = LINEAR | {"intercepts": [0.0, 0.0, 0.0]}
    assert plan(even, "classification", "softmax", "a", "b", "c").answer({"x": 0.0}).decision == "a"
    nearest = plan(CENTRES, "clustering", "none", "p", "q", "r").answer({"x": 3.0})
    assert (nearest.output, nearest.decision, nearest.scores) == (1.0, "q", ())


def test_one_margin_is_asked_of_one_output_only() -> None:
    with pytest.raises(ValueError, match="too many values"):
        plan(LINEAR, "classification", "softmax", "a", "b", "c").margin([2.0])


def test_trees_of_an_output_add_to_it_alone() -> None:
    trees = [
        SPLIT | {"output": 0, "value": [0.0, 0.7, 0.2]},
        SPLIT | {"output": 1, "value": [0.0, 0.2, 0.5]},
        SPLIT | {"output": 2, "value": [0.0, 0.1, 0.3]},
    ]
    model = {"kind": "trees", "baselines": [0.0, 0.0, 0.0], "trees": trees}
    forest = plan(model, "classification", "identity", "a", "b", "c")
    assert forest.answer({"x": 0.0}).scores == (0.7, 0.2, 0.1)
    assert forest.answer({"x": 1.0}).decision == "b"


def test_a_share_that_left_its_bounds_by_rounding_is_brought_back() -> None:
    trees = [SPLIT | {"output": 0, "value": [0.0, 0.01, 0.0]} for _ in range(100)]
    model = {"kind": "trees", "baselines": [0.0], "trees": trees}
    forest = plan(model, "classification", "identity")
    assert forest.margin([0.0]) == 1.0000000000000007
    assert forest.answer({"x": 0.0}).output == 1.0


def test_single_precision_is_rounded_at_every_sum() -> None:
    trees = [SPLIT | {"output": 0, "value": [0.0, 0.1, 0.2]} for _ in range(3)]
    model = {"kind": "trees", "baselines": [5.0], "trees": trees, "single": True}
    found = plan(model, "regression", "identity").answer({"x": 0.0}).output
    total = 5.0
    for _ in range(3):
        (total,) = struct.unpack("f", struct.pack("f", total + 0.1))
    assert found == total != 5.0 + 0.1 + 0.1 + 0.1


def test_a_value_may_be_the_exponential_of_its_margin() -> None:
    model = {"kind": "linear", "coefficients": [[1.0]], "intercepts": [0.0]}
    answer = plan(model, "regression", "log").answer({"x": 2.0})
    assert (answer.output, answer.scores, answer.decision) == (math.exp(2.0), (), None)
    assert plan(model, "regression", "log").answer({"x": 1e4}).output == math.inf
    assert exponential(-1e4) == 0.0


def test_a_mixture_is_weights_times_normal_densities() -> None:
    answer = plan(MIXTURE, "clustering", "softmax", "p", "q").answer({"x": 1.0})
    logs = [-1.0 - 0.5 * 1.0**2, -0.5 - 0.5 * (2.0 * -2.0) ** 2]
    assert answer.scores == pytest.approx(softmax(logs), abs=1e-15)
    assert answer.decision == "p"


def test_a_full_factor_turns_the_columns() -> None:
    model = MixtureModel(((1.0, 2.0),), (((2.0, 3.0), (0.0, 5.0)),), (0.25,), diagonal=False)
    first, second = 1.0 * 2.0, 1.0 * 3.0 + 2.0 * 5.0
    assert model.margins([2.0, 4.0]) == [0.25 - (first**2 + second**2) / 2.0]


def test_sums_beyond_the_floats_are_infinite_and_no_crash() -> None:
    assert CentresModel(((0.0, 0.0),)).margins([1e200, 1e200]) == [math.inf]
    assert math.isnan(LinearModel(((1.0, -1.0),), (0.0,)).margins([math.inf, math.inf])[0])


def test_probabilities_of_great_margins_add_up_to_one() -> None:
    assert softmax([1e308, -1e308]) == [1.0, 0.0]
    assert sum(softmax([1000.0, 1000.0, 999.0])) == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize(
    ("model", "task", "link", "classes", "message"),
    [
        (LINEAR, "classification", "softmax", ("a", "b"), "3 outputs do not agree with 2"),
        (LINEAR, "regression", "identity", (), "3 outputs do not agree with 1 of regression"),
        (LINEAR, "clustering", "none", ("a", "b", "c"), "such a model gives no clustering"),
        (LINEAR, "classification", "logit", ("a", "b", "c"), "link 'logit' is not known"),
        (CENTRES, "classification", "softmax", ("a", "b", "c"), "gives no classification"),
        (CENTRES, "clustering", "softmax", ("a", "b", "c"), "has no link 'softmax'"),
        (MIXTURE, "clustering", "none", ("a", "b"), "such a model has no link 'none'"),
        (MIXTURE, "clustering", "softmax", ("a", "a"), "a class is listed twice"),
        (LINEAR, "regression", "identity", ("a", "b", "c"), "regression has no classes"),
    ],
)
def test_a_model_that_means_two_things_is_refused(
    model: Plain, task: str, link: str, classes: tuple[str, ...], message: str
) -> None:
    with pytest.raises(PlanError) as caught:
        plan(model, task, link, *classes)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LINEAR | {"intercepts": []}, "there is no output"),
        (LINEAR | {"intercepts": [0.0]}, "coefficients do not agree with intercepts"),
        (CENTRES | {"centres": []}, "there is no centre"),
        (CENTRES | {"centres": [[0.0, 1.0]]}, "centres do not agree with columns"),
        (MIXTURE | {"means": [[0.0]]}, "components do not agree with each other"),
        (MIXTURE | {"means": [[0.0, 1.0], [1.0]]}, "means do not agree with columns"),
        (MIXTURE | {"factors": [[[1.0]], [[1.0], [2.0]]]}, "factors do not agree with columns"),
        ({"kind": "trees", "baselines": [], "trees": []}, "there is no output"),
        (
            {
                "kind": "trees",
                "baselines": [0.0],
                "trees": [SPLIT | {"output": 1, "value": [0] * 3}],
            },
            "a tree adds to no output",
        ),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(model: Plain, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        read_model(model, 1)
    assert caught.value.message == f"plan.json: {message}"


@pytest.mark.parametrize("keep", [[1], [0, 0], [-1]])
def test_what_is_kept_are_columns(keep: list[int]) -> None:
    model = {"kind": "linear", "coefficients": [[1.0]], "intercepts": [0.0]}
    with pytest.raises(PlanError):
        plan(model, "regression", "identity", keep=keep)


def test_columns_that_selection_left_out_are_not_looked_at() -> None:
    model = {"kind": "linear", "coefficients": [[1.0]], "intercepts": [0.0]}
    columns = [COLUMN, {"op": "missing", "input": "x"}]
    kept = plan(model, "regression", "identity", columns=columns, keep=[1])
    assert kept.encode({"x": 7.0}) == [0.0]
    assert kept.encode({"x": None}) == [1.0]
