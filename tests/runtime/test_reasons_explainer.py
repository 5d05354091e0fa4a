"""An explainer is made ready once and says the same as the definition, whatever way it takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ordain.runtime.reasons import Explainer, attributions, explainer, leaves
from ordain.runtime.reasons.errors import ReasonsError
from tests.runtime.test_reasons_shapley import (
    assert_close,
    by_definition,
    linear,
    random_rows,
    random_tree,
    tree,
    trees,
)
from tests.support import task_plans

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.runtime.scoring import RowPlan

Row = dict[str, Any]


def all_of(width: int) -> Row:
    """A tree of value 1 where every input is above 0."""
    nodes: list[tuple[Any, ...]] = []
    for column in range(width):
        place = len(nodes)
        nodes += [(column, 0.0, True, place + 1, place + 2), (0.0,)]
    return tree(*nodes, (1.0,))


def same(one: RowPlan, background: list[Row], rows: list[Row]) -> list[Row]:
    return [found.values for found in Explainer.of(one, background).explain(rows)]


def forest(width: int = 5) -> tuple[RowPlan, list[Row], list[Row]]:
    generator = np.random.default_rng(11)
    plan = trees(width, *(random_tree(generator, width, 7) for _ in range(6)), baseline=0.3)
    return plan, random_rows(generator, 9, width, 0.1), random_rows(generator, 7, width, 0.1)


@pytest.mark.parametrize(
    ("name", "value"), [("NARROW", 0), ("NARROW", 2), ("TABLES", 60), ("CHUNK", 1), ("CELLS", 40)]
)
def test_tables_pairs_and_chunks_give_the_same(
    monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    plan, background, rows = forest()
    usual = same(plan, background, rows)
    monkeypatch.setattr(leaves, name, value)
    for found, expected in zip(same(plan, background, rows), usual, strict=True):
        assert_close(found, expected, 1e-12)


def test_what_is_too_large_to_be_kept_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, background, rows = forest()
    usual = same(plan, background, rows)
    monkeypatch.setattr(explainer, "KEPT", 10)
    monkeypatch.setattr(leaves, "CHUNK", 1)
    ready = Explainer.of(plan, background)
    assert [one.values for one in ready.explain(rows)] == [
        pytest.approx(one, abs=1e-12) for one in usual
    ]
    assert ready.explain(rows) == ready.explain(rows)
    assert not ready._chunks


def test_a_leaf_behind_many_inputs_agrees_with_the_definition() -> None:
    generator = np.random.default_rng(2)
    plan = trees(11, all_of(11), baseline=0.25)
    background = [
        {f"f{place}": float(value) for place, value in enumerate(line)}
        for line in generator.choice([-1, 1], p=[0.2, 0.8], size=(4, 11))
    ]
    row = {f"f{place}": -1.0 if place in {3, 8} else 1.0 for place in range(11)}
    (found,) = same(plan, background, [row])
    assert_close(found, by_definition(plan, background, row))


def test_more_inputs_on_one_way_than_an_integer_has_bits() -> None:
    width = 70
    row = {f"f{place}": 1.0 for place in range(width)}
    background = [
        {f"f{place}": -1.0 for place in range(width)},
        {f"f{place}": -1.0 if place < 2 else 1.0 for place in range(width)},
    ]
    (found,) = same(trees(width, all_of(width)), background, [row])
    # Nobody of the first background row meets a test: 70 share its half. Of the second two do not.
    assert found["f69"] == pytest.approx(0.5 / width, abs=1e-12)
    assert found["f0"] == pytest.approx(0.5 / width + 0.25, abs=1e-12)


def test_nodes_that_no_way_leads_to_take_no_part() -> None:
    left_over = tree((0, 0.0, True, 1, 2), (-1.0,), (1.0,), (0, 0.0, True, 4, 5), (7.0,), (9.0,))
    (found,) = same(trees(1, left_over), [{"f0": -1.0}], [{"f0": 1.0}])
    assert found == {"f0": 2.0}


@pytest.mark.parametrize("make", [linear, lambda: forest()[0]])
def test_rows_explained_one_after_another_are_told_the_same(make: Callable[[], RowPlan]) -> None:
    plan = make()
    names = [given.name for given in plan.inputs]
    rows: list[Row] = [
        {name: value for name in names if plan.inputs[0].type == "float" and name != "purpose"}
        for value in (-1.0, 0.3, 2.0)
    ]
    ready = Explainer.of(plan, rows)
    together = [one.values for one in ready.explain(rows)]
    assert [ready.explain([row])[0].values for row in rows] == together
    assert attributions(plan, rows, rows) == together


def test_what_is_exact_has_no_errors() -> None:
    plan, background, rows = forest()
    ready = Explainer.of(plan, background)
    assert ready.exact
    assert all(found.exact and found.errors == {} for found in ready.explain(rows))


def test_values_that_do_not_add_up_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = trees(1, tree((0, 0.0, True, 1, 2), (-1.0,), (1.0,)))
    ready = Explainer.of(plan, [{"f0": -1.0}])
    monkeypatch.setattr(ready, "_means", {0: -0.5})
    with pytest.raises(ReasonsError) as caught:
        ready.explain([{"f0": 1.0}])
    assert caught.value.message == "contributions add up to 1.5, but the margin is 1.0"


# ── estimates ────────────────────────────────────────────────────────────────────────────────────


def over_products(generator: np.random.Generator) -> RowPlan:
    """Trees over three inputs and the product of the first two."""
    names = ["a", "b", "c"]
    found = [random_tree(generator, 4, 4) for _ in range(4)]
    return task_plans.read(
        task_plans.plan(
            "regression",
            "identity",
            task_plans.forest((0.5,), *({"output": 0, **one} for one in found)),
            names=[*names, "a x b"],
            inputs=[task_plans.an_input(name) for name in names],
            columns=[
                *(task_plans.number(name) for name in names),
                {"op": "product", "inputs": [0, 1]},
            ],
            sources=[["a"], ["b"], ["c"], ["a", "b"]],
        )
    )


def named(rows: list[Row]) -> list[Row]:
    return [{"a": row["f0"], "b": row["f1"], "c": row["f2"]} for row in rows]


@pytest.mark.parametrize("seed", range(4))
def test_an_estimate_is_within_its_error_of_the_definition(seed: int) -> None:
    generator = np.random.default_rng(seed)
    plan = over_products(generator)
    background = named(random_rows(generator, 30, 3, 0.1))
    rows = named(random_rows(generator, 3, 3, 0.1))
    ready = Explainer.of(plan, background, seed=seed)
    assert not ready.exact
    for row, found in zip(rows, ready.explain(rows), strict=True):
        assert not found.exact
        for name, value in by_definition(plan, background, row).items():
            assert abs(found.values[name] - value) <= 4 * found.errors[name] + 1e-12, name


def test_an_estimate_adds_up_and_is_repeated_by_its_seed() -> None:
    generator = np.random.default_rng(5)
    plan = over_products(generator)
    background = named(random_rows(generator, 20, 3, 0.1))
    rows = named(random_rows(generator, 4, 3, 0.1))
    ready = Explainer.of(plan, background, seed=3)
    found = ready.explain(rows)
    for row, one in zip(rows, found, strict=True):
        total = ready.base() + math.fsum(one.values.values())
        assert total == pytest.approx(plan.margins(plan.encode(row))[0], abs=1e-12)
    assert Explainer.of(plan, background, seed=3).explain(rows[2:3]) == found[2:3]
    assert Explainer.of(plan, background, seed=4).explain(rows) != found


def test_errors_shrink_with_the_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    from ordain.runtime.reasons import walks

    generator = np.random.default_rng(6)
    plan = over_products(generator)
    background = named(random_rows(generator, 20, 3, 0.0))
    rows = named(random_rows(generator, 6, 3, 0.0))

    def error() -> float:
        found = Explainer.of(plan, background).explain(rows)
        return math.fsum(value for one in found for value in one.errors.values())

    many = error()
    monkeypatch.setattr(walks, "EVALUATIONS", 0)
    assert error() > 1.5 * many


@pytest.mark.parametrize(
    ("background", "inputs", "rounds"), [(1, 3, 16), (200, 30, 4), (1000, 30, 2)]
)
def test_the_work_of_an_estimate_is_bounded(background: int, inputs: int, rounds: int) -> None:
    from ordain.runtime.reasons.walks import EVALUATIONS, _rounds

    assert _rounds(background, inputs) == rounds
    least = 4 * background * (inputs + 1)
    assert 2 * rounds * background * (inputs + 1) <= max(EVALUATIONS, least)
