"""A plan scores a row as it says, with the standard library alone."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.errors import PlanError, RowError
from ordain.runtime.scoring import LinearModel, RowPlan, logistic
from ordain.specs.canonical import canonical_json


def an_input(name: str, kind: str, **changed: object) -> dict[str, Any]:
    base = {"missing": True, "range": None, "levels": None, "unknown": "bucket"}
    return {"name": name, "type": kind, **base, **changed}


def number(name: str, **changed: object) -> dict[str, Any]:
    base = {"impute": None, "low": None, "high": None, "center": 0.0, "scale": 1.0}
    return {"op": "number", "input": name, **base, **changed}


def one_hot(name: str, *levels: str, **changed: object) -> dict[str, Any]:
    base = {"levels": list(levels), "rare": [], "missing_level": None}
    return {"op": "one_hot", "input": name, **base, **changed}


def linear(inputs: list[Any], columns: list[Any], names: list[str], /, **changed: object) -> bytes:
    sources = [
        [column["input"]]
        for column in columns
        for _ in range(
            len(column["levels"]) + bool(column["rare"]) if column["op"] == "one_hot" else 1
        )
    ]
    model = {"kind": "linear", "coefficients": [[1.0] * len(names)], "intercepts": [0.0]}
    raw = {
        "format": "ordain.plan/2",
        "task": "classification",
        "classes": [],
        "inputs": inputs,
        "columns": columns,
        "keep": None,
        "names": names,
        "sources": sources,
        "model": model,
        "link": "logit",
        "calibration": None,
        "decision": None,
    }
    return canonical_json(raw | changed)


def one_number(**changed: object) -> RowPlan:
    return RowPlan.read(linear([an_input("x", "float")], [number("x", **changed)], ["x"]))


def one_category(column: dict[str, Any], names: list[str], /, **changed: object) -> RowPlan:
    return RowPlan.read(linear([an_input("c", "category", **changed)], [column], names))


TREE = {
    "output": 0,
    "feature": [0, -1, 0, -1, -1],
    "threshold": [1.0, 0.0, 2.0, 0.0, 0.0],
    "left": [1, 0, 3, 0, 0],
    "right": [2, 0, 4, 0, 0],
    "missing_left": [False, False, True, False, False],
    "value": [0.0, -1.0, 0.0, 0.25, 2.0],
}


def trees(*given: dict[str, Any]) -> bytes:
    model = {"kind": "trees", "baselines": [0.5], "trees": list(given)}
    return linear([an_input("x", "float")], [number("x")], ["x"], model=model)


def test_a_number_is_imputed_clipped_centred_and_scaled() -> None:
    plan = one_number(impute=3.0, low=0.0, high=10.0, center=1.0, scale=2.0)
    rows: list[dict[str, object]] = [
        {"x": 5},
        {"x": None},
        {},
        {"x": math.nan},
        {"x": -4.0},
        {"x": 99},
        {"x": True},
    ]
    encoded = [plan.encode(row) for row in rows]
    assert encoded == [[2.0], [1.0], [1.0], [1.0], [-0.5], [4.5], [0.0]]


def test_a_missing_number_stays_missing_where_nothing_replaces_it() -> None:
    assert math.isnan(one_number().encode({})[0])


def test_an_indicator_says_what_was_missing() -> None:
    columns = [number("x", impute=7.0), {"op": "missing", "input": "x"}]
    plan = RowPlan.read(linear([an_input("x", "float")], columns, ["x", "x:missing"]))
    assert plan.encode({"x": 1.0}) == [1.0, 0.0]
    assert plan.encode({}) == [7.0, 1.0]


def test_a_level_has_its_own_column() -> None:
    plan = one_category(one_hot("c", "car", "home"), ["c=car", "c=home"])
    rows: list[dict[str, object]] = [{"c": "car"}, {"c": "home"}, {"c": "boat"}, {}]
    assert [plan.encode(row) for row in rows] == [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


def test_rare_and_unknown_levels_share_the_bucket() -> None:
    column = one_hot("c", "car", rare=["boat"], missing_level="car")
    plan = one_category(column, ["c=car", "c=rare"])
    rows: list[dict[str, object]] = [{"c": "boat"}, {"c": "plane"}, {"c": "car"}, {"c": None}]
    assert [plan.encode(row) for row in rows] == [[0.0, 1.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]


def test_codes_of_levels_keep_unknown_and_missing_apart() -> None:
    column = {"op": "ordinal", "input": "c", "levels": ["a", "b"], "unknown": -1.0, "missing": None}
    plan = one_category(column | {"rare": ["z"]}, ["c"])
    assert [plan.encode({"c": level})[0] for level in ("a", "b", "z", "?")] == [0.0, 1.0, 2.0, -1.0]
    assert math.isnan(plan.encode({})[0])


def test_an_unknown_level_is_refused_where_the_dataset_says_so() -> None:
    plan = one_category(one_hot("c", "car"), ["c=car"], unknown="refuse", levels=["car", "home"])
    assert plan.encode({"c": "home"}) == [0.0]
    with pytest.raises(RowError) as caught:
        plan.encode({"c": "boat"})
    expected = "input c: this level is not known, and unknown levels are refused"
    assert (caught.value.message, caught.value.field) == (expected, "c")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("5", "input x: a number was expected, not str"),
        ([5], "input x: a number was expected, not list"),
        (10**400, "input x: this number is too large"),
        (math.inf, "input x: this number is too large"),
    ],
)
def test_what_is_no_number_is_refused(value: object, message: str) -> None:
    with pytest.raises(RowError) as caught:
        one_number().encode({"x": value})
    assert caught.value.message == message


def test_what_is_no_text_is_no_category() -> None:
    with pytest.raises(RowError) as caught:
        one_category(one_hot("c", "1"), ["c=1"]).encode({"c": 1})
    assert caught.value.message == "input c: a category is text, not int"


def test_a_value_goes_left_up_to_the_threshold_and_a_missing_one_as_learnt() -> None:
    plan = RowPlan.read(trees(TREE))
    rows = [{"x": 1.0}, {"x": 1.5}, {"x": 2.0}, {"x": 2.5}, {}]
    assert [plan.margin(plan.encode(row)) for row in rows] == [-0.5, 0.75, 0.75, 2.5, 0.75]


def test_trees_are_added_in_order() -> None:
    plan = RowPlan.read(trees(TREE, TREE))
    assert plan.margin([3.0]) == 0.5 + 2.0 + 2.0


def test_the_score_is_the_probability_of_the_margin() -> None:
    assert one_number().score({"x": 0.0}) == 0.5
    assert one_number().score({"x": math.log(3)}) == pytest.approx(0.75, abs=1e-15)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_probability_never_leaves_its_bounds(margin: float) -> None:
    assert 0.0 <= logistic(margin) <= 1.0
    assert logistic(margin) + logistic(-margin) == pytest.approx(1.0, abs=1e-15)


def test_a_sum_beyond_the_floats_is_no_number() -> None:
    assert math.isnan(LinearModel(((1e308, -1e308),), (0.0,)).margins([1e308, 1e308])[0])
    assert math.isnan(LinearModel(((1e308, 1e308),), (0.0,)).margins([1.0, 1.0])[0])


def test_a_sum_does_not_depend_on_the_version_of_python() -> None:
    assert LinearModel(((1.0, 1.0, 1.0),), (0.0,)).margins([1e16, 1.0, -1e16]) == [1.0]


def test_a_score_at_the_threshold_takes_the_upper_decision() -> None:
    decision = {"threshold": 0.5, "above": "decline", "below": "approve"}
    data = linear([an_input("x", "float")], [number("x")], ["x"], decision=decision)
    plan = RowPlan.read(data)
    assert [plan.decide(score) for score in (0.49, 0.5, 0.51)] == ["approve", "decline", "decline"]
    assert one_number().decide(0.9) is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": "ordain.plan/9"}, "its format is 'ordain.plan/9', not 'ordain.plan/2'"),
        ({"task": "ranking"}, "task 'ranking' cannot be scored"),
        ({"link": "probit"}, "link 'probit' is not known for binary"),
        ({"calibration": {}}, "calibration None is not known"),
        ({"names": ["x", "y"]}, "names do not agree with columns"),
        ({"sources": [["y"]]}, "sources do not agree with columns"),
        ({"inputs": []}, "a column is made from 'x', which is no input"),
        ({"inputs": [an_input("x", "float")] * 2}, "an input is listed twice"),
        ({"inputs": [an_input("x", "id")]}, "input x has the type 'id'"),
        ({"columns": [{"op": "eval", "input": "x"}]}, "column operation 'eval' is not known"),
        ({"columns": [number("x", scale=0.0)]}, "the scale of x is zero"),
        ({"model": {"kind": "forest"}}, "a model of the kind 'forest' is not known"),
        (
            {"model": {"kind": "linear", "coefficients": [[]], "intercepts": [0]}},
            "coefficients do not agree with columns",
        ),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        RowPlan.read(linear([an_input("x", "float")], [number("x")], ["x"], **changed))
    assert caught.value.message == f"plan.json: {message}"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"left": [0, 0, 3, 0, 0]}, "a tree is no tree"),
        ({"right": [9, 0, 4, 0, 0]}, "a tree is no tree"),
        ({"feature": [1, -1, 0, -1, -1]}, "a tree splits on no column"),
        ({"value": [0.0]}, "a tree has uneven arrays"),
    ],
)
def test_a_tree_that_would_never_end_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        RowPlan.read(trees(TREE | changed))
    assert caught.value.message == f"plan.json: {message}"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\x80\x04.", b'{"format": 1'])
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(PlanError, match=r"plan\.json is not a plan of the format ordain\.plan/2"):
        RowPlan.read(data)


@pytest.mark.parametrize(
    ("place", "changed"),
    [
        (b'"intercepts":[0.0]', b'"intercepts":[1e999]'),
        (b'"decision":null', b'"decision":{"threshold":1e999,"above":"a","below":"b"}'),
    ],
)
def test_a_number_of_a_plan_is_finite(place: bytes, changed: bytes) -> None:
    data = linear([an_input("x", "float")], [number("x")], ["x"])
    assert place in data
    with pytest.raises(PlanError, match="is no finite number"):
        RowPlan.read(data.replace(place, changed))


def test_a_plan_that_only_a_machine_could_read_is_refused() -> None:
    tree = trees(TREE).replace(b'"output":0', b'"output":1e999')
    for data in (tree, b'{"format":' * 100_000):
        with pytest.raises(PlanError, match=r"plan\.json is not a plan of the format"):
            RowPlan.read(data)


@pytest.mark.parametrize("value", [b"1e999", b"-1e999", b'"nan"', b"1" + b"0" * 400, b"9" * 5000])
@pytest.mark.parametrize("place", [b'"center":0.0', b'"intercepts":[0.0'])
def test_every_number_of_a_plan_is_finite(value: bytes, place: bytes) -> None:
    data = linear([an_input("x", "float")], [number("x")], ["x"])
    assert place in data
    with pytest.raises(PlanError):
        RowPlan.read(data.replace(place, place[:-3] + value))


@pytest.mark.parametrize("field", ["output", "feature"])
def test_a_place_in_a_tree_is_finite(field: str) -> None:
    value = b"0" if field == "output" else b"[0"
    data = trees(TREE).replace(
        f'"{field}":'.encode() + value, f'"{field}":'.encode() + value[:-1] + b"1e999"
    )
    with pytest.raises(PlanError, match="OverflowError"):
        RowPlan.read(data)


def test_a_plan_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(PlanError, match="RecursionError"):
        RowPlan.read(b"[" * 100_000)


def test_nodes_that_share_a_child_are_no_tree() -> None:
    """Sixty of them have more ways than anybody can walk."""
    size = 60
    shared = {
        "output": 0,
        "feature": [0] * size + [-1],
        "threshold": [0.0] * (size + 1),
        "left": [*range(1, size + 1), 0],
        "right": [*range(1, size + 1), 0],
        "missing_left": [True] * (size + 1),
        "value": [0.0] * (size + 1),
    }
    with pytest.raises(PlanError) as caught:
        RowPlan.read(trees(shared))
    assert caught.value.message == "plan.json: a node has two parents"


def test_not_a_number_is_no_constant_of_a_plan() -> None:
    data = linear([an_input("x", "float")], [number("x")], ["x"])
    with pytest.raises(PlanError) as caught:
        RowPlan.read(data.replace(b'"intercepts":[0.0]', b'"intercepts":[NaN]'))
    assert caught.value.message == "plan.json: NaN is no number of JSON"


def test_scoring_needs_the_standard_library_alone() -> None:
    program = (
        "import ordain.runtime.scoring, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    ran = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); {program}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ran.stdout.split())
    foreign = {name for name in loaded if name not in sys.stdlib_module_names}
    assert foreign - {"__main__", "_distutils_hack", "sitecustomize"} <= {"ordain"}
