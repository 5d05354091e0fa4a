"""The attribution of a product of two inputs is Shapley's, to which both contribute."""

from __future__ import annotations

import json
import math
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.reasons import attributions
from ordain.runtime.scoring import FORMAT, RowPlan

Row = dict[str, Any]
PLAIN = {"low": None, "high": 9.0, "center": 1.0, "scale": 2.0}
NAMES = ("income", "debts", "age")


def plan_of(keep: list[int] | None, coefficients: list[float]) -> RowPlan:
    """Three numbers, then income times debts and debts times age; `keep` are taken."""
    columns: list[Row] = [
        {"op": "number", "input": name, "impute": 0.5 * place} | PLAIN
        for place, name in enumerate(NAMES)
    ]
    columns += [{"op": "product", "inputs": [0, 1]}, {"op": "product", "inputs": [1, 2]}]
    sources = [["income"], ["debts"], ["age"], ["income", "debts"], ["debts", "age"]]
    kept = range(len(sources)) if keep is None else keep
    given = {"type": "float", "missing": True, "range": None, "levels": None, "unknown": "bucket"}
    raw = {
        "format": FORMAT,
        "task": "classification",
        "classes": [],
        "inputs": [{"name": name} | given for name in NAMES],
        "columns": columns,
        "keep": keep,
        "names": [str(place) for place in kept],
        "sources": [sources[place] for place in kept],
        "model": linear(coefficients),
        "link": "logit",
        "calibration": None,
        "decision": None,
    }
    return RowPlan.read(json.dumps(raw).encode())


def linear(coefficients: list[float]) -> Row:
    return {"kind": "linear", "coefficients": [coefficients], "intercepts": [0.25]}


def by_definition(plan: RowPlan, background: list[Row], row: Row) -> dict[str, float]:
    """Over all orders in which inputs become known, what each changes, on the mean."""

    def worth(known: tuple[str, ...]) -> float:
        mixed = [other | {name: row.get(name) for name in known} for other in background]
        return math.fsum(plan.margin(plan.encode(one)) for one in mixed) / len(mixed)

    orders = list(permutations(NAMES))
    return {
        name: math.fsum(
            worth(order[: order.index(name) + 1]) - worth(order[: order.index(name)])
            for order in orders
        )
        / len(orders)
        for name in NAMES
    }


VALUES = st.none() | st.floats(-20, 20)
ROWS = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))


@pytest.mark.parametrize(
    ("keep", "coefficients"),
    [
        (None, [0.5, -1.0, 0.25, 2.0, -0.75]),
        ([3], [1.5]),
        ([0, 4], [-0.5, 1.25]),
    ],
)
@given(st.lists(ROWS, min_size=1, max_size=4), ROWS)
def test_products_are_shared_as_shapley_defines_it(
    keep: list[int] | None, coefficients: list[float], background: list[Row], row: Row
) -> None:
    plan = plan_of(keep, coefficients)
    (found,) = attributions(plan, background, [row])
    assert found == pytest.approx(by_definition(plan, background, row), abs=1e-9)


def test_both_factors_of_a_product_are_reasons() -> None:
    """By hand: u and v are 2 and 3 where the background has 1 and 1, the weight is 1.

    The product rises from 1 to 6. u earns the mean of 2·1 - 1·1 and 2·3 - 1·3, v the mean of
    1·3 - 1·1 and 2·3 - 2·1.
    """
    plan = plan_of([3], [1.0])
    background, row = {"income": 3.0, "debts": 3.0}, {"income": 5.0, "debts": 7.0}
    (found,) = attributions(plan, [background], [row])
    assert found == {"income": 2.0, "debts": 3.0, "age": 0.0}
