from __future__ import annotations

import json
import math
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.reasons import attributions, expected_margin
from ordain.runtime.reasons.errors import ReasonsError
from ordain.runtime.scoring import RowPlan

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]
LARGEST = float(np.finfo(float).max)


def number(name: str, impute: float | None = None) -> Row:
    return {
        "op": "number",
        "input": name,
        "impute": impute,
        "low": None,
        "high": None,
        "center": 0.0,
        "scale": 1.0,
    }


def plan_of(types: dict[str, str], columns: list[Row], sources: list[str], model: Row) -> RowPlan:
    inputs = [
        {
            "name": name,
            "type": type_,
            "missing": True,
            "range": None,
            "levels": None,
            "unknown": "bucket",
        }
        for name, type_ in types.items()
    ]
    raw = {
        "format": "ordain.plan/2",
        "task": "classification",
        "classes": [],
        "inputs": inputs,
        "columns": columns,
        "keep": None,
        "names": [f"column {index}" for index in range(len(sources))],
        "sources": [[source] for source in sources],
        "model": model,
        "link": "logit",
        "calibration": None,
        "decision": None,
    }
    return RowPlan.read(json.dumps(raw).encode())


def linear() -> RowPlan:
    columns = [
        number("income", impute=2.0),
        {"op": "missing", "input": "income"},
        {
            "op": "one_hot",
            "input": "purpose",
            "levels": ["car", "home"],
            "rare": ["boat"],
            "missing_level": "car",
        },
    ]
    sources = ["income", "income", "purpose", "purpose", "purpose"]
    model = {"kind": "linear", "coefficients": [[0.5, -1.0, 0.25, 0.75, -2.0]], "intercepts": [0.1]}
    return plan_of({"income": "float", "purpose": "category"}, columns, sources, model)


def tree(*nodes: tuple[Any, ...]) -> Row:
    """A tree of (value,) leaves and (feature, threshold, missing_left, left, right) splits."""
    names = ("feature", "threshold", "left", "right", "missing_left", "value")
    full = [
        (node[0], node[1], node[3], node[4], node[2], 0.0)
        if len(node) == 5
        else (-1, 0.0, 0, 0, False, node[0])
        for node in nodes
    ]
    return dict(zip(names, map(list, zip(*full, strict=True)), strict=True))


def trees(width: int, *found: Row, baseline: float = 0.0) -> RowPlan:
    names = [f"f{index}" for index in range(width)]
    listed = [{"output": 0, **one} for one in found]
    model = {"kind": "trees", "baselines": [baseline], "trees": listed}
    return plan_of(dict.fromkeys(names, "float"), [number(name) for name in names], names, model)


def by_definition(plan: RowPlan, background: list[Row], row: Row) -> Row:
    """Shapley's sum over all subsets of inputs (1953)."""
    names = [given.name for given in plan.inputs]

    @cache
    def worth(known: frozenset[str]) -> float:
        mixed = [other | {name: row.get(name) for name in known} for other in background]
        return math.fsum(plan.margin(plan.encode(one)) for one in mixed) / len(mixed)

    def share(name: str) -> float:
        others = [other for other in names if other != name]
        total = 0.0
        for size in range(len(names)):
            weight = math.factorial(size) * math.factorial(len(names) - size - 1)
            for subset in map(frozenset, combinations(others, size)):
                total += weight * (worth(subset | {name}) - worth(subset))
        return total / math.factorial(len(names))

    return {name: share(name) for name in names}


def assert_close(found: Row, expected: Row, tolerance: float = 1e-9) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert math.isclose(found[name], value, abs_tol=tolerance), name


def test_a_linear_model_is_explained_in_closed_form_with_columns_summed_to_their_input() -> None:
    background = [{"income": 1.0, "purpose": "car"}, {"income": 3.0, "purpose": "home"}]
    (found,) = attributions(linear(), background, [{"purpose": "boat"}])
    # income: 0.5·(2 - 2) - 1·(1 - 0); purpose: .25·(0 - .5) + .75·(0 - .5) - 2·(1 - 0)
    assert_close(found, {"income": -1.0, "purpose": -2.5}, 1e-15)


@given(st.lists(st.sampled_from(["car", "home", "boat", "moon", None]), min_size=1, max_size=5))
def test_a_linear_model_agrees_with_the_definition_only_where_inputs_are_additive(
    purposes: list[str | None],
) -> None:
    background: list[Row] = [{"income": float(i), "purpose": p} for i, p in enumerate(purposes)]
    row = {"income": None, "purpose": "home"}
    (found,) = attributions(linear(), background, [row])
    assert_close(found, by_definition(linear(), background, row))


def test_contributions_and_the_mean_margin_add_up_to_the_margin() -> None:
    plan, background, row = linear(), [{"income": 1.0}, {"income": 9.0}], {"income": 4.0}
    (found,) = attributions(plan, background, [row])
    total = expected_margin(plan, background) + math.fsum(found.values())
    assert math.isclose(total, plan.margin(plan.encode(row)))


def test_an_input_that_no_tree_asks_for_has_no_part() -> None:
    plan = trees(3, tree((1, 0.0, True, 1, 2), (-1.0,), (1.0,)))
    (found,) = attributions(plan, [{"f1": -1.0}], [{"f1": 1.0}])
    assert found == {"f0": 0.0, "f1": 2.0, "f2": 0.0}


@pytest.mark.parametrize("missing_left", [True, False])
def test_missing_values_go_where_the_plan_says(missing_left: bool) -> None:  # noqa: FBT001
    plan = trees(
        2, tree((0, 0.0, missing_left, 1, 2), (-1.0,), (1, 5.0, False, 3, 4), (2.0,), (3.0,))
    )
    background: list[Row] = [
        {"f0": 1.0, "f1": 4.0},
        {"f0": None, "f1": None},
        {"f0": -1.0, "f1": 6.0},
    ]
    rows: list[Row] = [{"f0": None, "f1": None}, {"f0": 2.0}, {"f1": 5.0}]
    for row in rows:
        (found,) = attributions(plan, background, [row])
        assert_close(found, by_definition(plan, background, row))


def test_an_input_asked_for_twice_on_one_way_is_one_player() -> None:
    plan = trees(
        2,
        tree(
            (0, 0.0, False, 1, 2),
            (-1.0,),
            (1, 0.0, False, 3, 4),
            (0.5,),
            (0, 2.0, True, 5, 6),
            (3.0,),
            (7.0,),
        ),
    )
    background = [{"f0": x, "f1": y} for x in (-1.0, 1.0, 3.0) for y in (-1.0, 1.0)]
    for row in background:
        (found,) = attributions(plan, background, [row])
        assert_close(found, by_definition(plan, background, row))


def random_tree(generator: np.random.Generator, width: int, depth: int) -> Row:
    nodes: list[tuple[Any, ...]] = []

    def grow(level: int) -> int:
        place = len(nodes)
        nodes.append(())
        if level == depth or (level > 1 and generator.random() < 0.2):
            nodes[place] = (float(generator.normal()),)
            return place
        split = (int(generator.integers(width)), float(generator.normal() * 0.7))
        missing_left = bool(generator.integers(2))
        left, right = grow(level + 1), grow(level + 1)
        nodes[place] = (*split, missing_left, left, right)
        return place

    grow(0)
    return tree(*nodes)


def random_rows(
    generator: np.random.Generator, count: int, width: int, missing: float
) -> list[Row]:
    return [
        {
            f"f{index}": None if generator.random() < missing else float(generator.normal())
            for index in range(width)
        }
        for _ in range(count)
    ]


@pytest.mark.training
@pytest.mark.parametrize("seed", range(4))
def test_deep_trees_with_missing_values_agree_with_the_definition(seed: int) -> None:
    generator = np.random.default_rng(seed)
    plan = trees(5, *(random_tree(generator, 5, 8) for _ in range(3)), baseline=0.3)
    background = random_rows(generator, 6, 5, 0.2)
    explained = random_rows(generator, 5, 5, 0.2)
    for row, found in zip(explained, attributions(plan, background, explained), strict=True):
        assert_close(found, by_definition(plan, background, row))


def exported(model: Any, width: int) -> RowPlan:  # noqa: ANN401 - a fitted estimator
    found = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        found.append(
            tree(
                *(
                    (float(node["value"]),)
                    if node["is_leaf"]
                    else (
                        int(node["feature_idx"]),
                        min(float(node["num_threshold"]), LARGEST),
                        bool(node["missing_go_to_left"]),
                        int(node["left"]),
                        int(node["right"]),
                    )
                    for node in nodes
                )
            )
        )
    return trees(width, *found, baseline=float(model._baseline_prediction[0, 0]))


def fitted(
    missing: float, *, grid: int = 2**40, depth: int | None = None
) -> tuple[Any, Any, Callable[[Any], list[Row]]]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    generator = np.random.default_rng(9)
    x = np.round(generator.normal(size=(1500, 6)) * grid) / grid
    y = x[:, 0] + x[:, 1] * x[:, 2] + generator.normal(size=1500) > 0
    x[generator.random(x.shape) < missing] = np.nan
    model = HistGradientBoostingClassifier(max_iter=20, max_depth=depth, random_state=0)
    model.fit(x, y)

    def as_rows(table: Any) -> list[Row]:  # noqa: ANN401 - an array
        return [
            {f"f{i}": None if math.isnan(v) else float(v) for i, v in enumerate(line)}
            for line in table
        ]

    return model, x, as_rows


@pytest.mark.training
@pytest.mark.filterwarnings("ignore")
def test_boosted_trees_are_identical_to_shap_where_single_precision_holds_every_number() -> None:
    import shap

    # Trees of two inputs weigh by 1 and 1/2; weights of thirds are rounded there, and ours are not.
    model, x, as_rows = fitted(0.0, grid=8, depth=2)
    for (predictor,) in model._predictors:
        predictor.nodes["value"] = np.round(predictor.nodes["value"] * 2**12) / 2**12
    background, explained = x[:80], x[100:160]
    found = attributions(exported(model, 6), as_rows(background), as_rows(explained))
    expected = shap.TreeExplainer(model, background).shap_values(explained, check_additivity=True)
    assert np.abs(np.array([list(row.values()) for row in found]) - expected).max() < 1e-9


@pytest.mark.training
@pytest.mark.filterwarnings("ignore")
def test_boosted_trees_agree_with_shap_on_values_that_single_precision_can_hold() -> None:
    import shap

    model, x, as_rows = fitted(0.0, grid=8)
    background, explained = x[:80], x[100:160]
    found = attributions(exported(model, 6), as_rows(background), as_rows(explained))
    expected = shap.TreeExplainer(model, background).shap_values(explained, check_additivity=True)
    assert np.abs(np.array([list(row.values()) for row in found]) - expected).max() < 1e-6


@pytest.mark.training
def test_boosted_trees_of_scikit_learn_with_missing_values_add_up_to_its_own_margin() -> None:
    model, x, as_rows = fitted(0.15)
    plan, background = exported(model, 6), as_rows(x[:100])
    found = attributions(plan, background, as_rows(x[200:240]))
    base = expected_margin(plan, background)
    margins = model.decision_function(x[200:240])
    for row, margin in zip(found, margins, strict=True):
        assert math.isclose(base + math.fsum(row.values()), margin, abs_tol=1e-9)
    one = as_rows(x[240:241])
    (attributed,) = attributions(plan, background[:4], one)
    assert_close(attributed, by_definition(plan, background[:4], one[0]))


def test_many_rows_at_once_give_what_each_gives_alone() -> None:
    generator = np.random.default_rng(5)
    plan = trees(4, random_tree(generator, 4, 6))
    background, explained = (random_rows(generator, count, 4, 0.1) for count in (30, 20))
    together = attributions(plan, background, explained)
    for row, found in zip(explained, together, strict=True):
        assert_close(attributions(plan, background, [row])[0], found, 1e-12)


def test_no_rows_give_no_attributions() -> None:
    assert attributions(trees(1, tree((1.0,))), [{}], []) == []
    assert attributions(linear(), [{}], []) == []


def test_without_a_background_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(ReasonsError, match="there is no background to compare with") as caught:
        attributions(linear(), [], [{}])
    assert caught.value.remedy.endswith("its artifact must hold background.json")
