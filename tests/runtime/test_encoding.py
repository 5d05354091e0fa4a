"""Operations of a plan that make columns of one row, and plans that contradict themselves."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ordain.runtime.encoding import Columns, Input, read_columns
from ordain.runtime.errors import PlanError, RowError

INPUTS = {
    name: Input(name, kind, missing=True, range=None, levels=None, unknown="bucket")
    for name, kind in {"x": "float", "y": "int", "c": "category", "d": "date", "t": "text"}.items()
}
PLAIN = {"impute": None, "low": None, "high": None, "center": 0.0, "scale": 1.0}


def number(name: str, **changed: object) -> dict[str, Any]:
    return {"op": "number", "input": name} | PLAIN | changed


def date(part: str, **changed: object) -> dict[str, Any]:
    return {"op": "date", "input": "d", "part": part} | PLAIN | changed


def text(*terms: str, **changed: object) -> dict[str, Any]:
    base = {"op": "text", "input": "t", "terms": list(terms), "ngrams": [1, 1]}
    return base | {"idf": [1.0] * len(terms)} | changed


def product(first: int, second: int) -> dict[str, Any]:
    return {"op": "product", "inputs": [first, second]}


TARGET: dict[str, Any] = {
    "op": "target",
    "input": "c",
    "class": None,
    "levels": {"car": 0.25, "home": 0.5},
}
TARGET |= {"default": 0.3, "missing": 0.75}


def columns(*raw: dict[str, Any], keep: list[Any] | None = None) -> Columns:
    return read_columns(raw, keep, INPUTS)


def encode(found: Columns, **row: object) -> list[float]:
    return found.kept(found.every(row))


def test_a_number_may_be_stretched_between_its_ends() -> None:
    found = columns(number("x", impute=2.0, high=4.0, factor=0.25, offset=-0.5))
    assert [encode(found, x=value) for value in (0.0, 2, None, 9)] == [[-0.5], [0.0], [0.0], [0.5]]


def test_a_level_becomes_its_mean_outcome() -> None:
    found = columns(TARGET)
    assert [encode(found, c=level) for level in ("car", "home", "boat", None)] == [
        [0.25],
        [0.5],
        [0.3],
        [0.75],
    ]


ONE_HOT: dict[str, Any] = {
    "op": "one_hot",
    "input": "c",
    "levels": ["car", "none"],
    "rare": ["boat"],
    "missing_level": "none",
}


@pytest.mark.parametrize(
    "column",
    [
        TARGET,
        ONE_HOT,
        {"op": "ordinal", "input": "c", "levels": ["car"], "unknown": -1.0, "missing": 7.0},
        {"op": "missing", "input": "c"},
        {"op": "missing", "input": "t"},
        date("month", impute=7.0),
        text("car"),
    ],
)
def test_an_empty_text_is_missing_as_it_was_in_training(column: dict[str, Any]) -> None:
    found = columns(column)
    assert encode(found, c="", d="", t="") == encode(found)


def test_an_empty_text_is_missing_also_where_unknown_levels_are_refused() -> None:
    given = Input("c", "category", missing=True, range=None, levels=("car",), unknown="refuse")
    assert encode(read_columns([TARGET], None, {"c": given}), c="") == [0.75]


def test_a_part_of_a_date_is_filled_and_scaled_as_a_number() -> None:
    found = columns(date("month", impute=7.0, center=1.0, scale=2.0), date("weekday"))
    assert encode(found, d="2026-11-20") == [5.0, 5.0]
    filled, none = encode(found)
    assert filled == 3.0
    assert math.isnan(none)


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(RowError) as caught:
        encode(columns(date("month")), d="next month")
    assert caught.value.message == "input d: this is no date"


def test_a_text_becomes_the_weights_of_its_terms() -> None:
    found = columns(number("x"), text("car", "loan", idf=[3.0, 4.0]))
    assert encode(found, x=1.0, t="Loan: a car") == [1.0, 0.6, 0.8]
    assert encode(found, x=1.0, t="boat") == encode(found, x=1.0) == [1.0, 0.0, 0.0]


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(RowError) as caught:
        encode(columns(text("car")), t=7)
    assert caught.value.message == "input t: a text was expected, not int"


def test_a_product_is_of_what_its_factors_became() -> None:
    found = columns(number("x", scale=2.0), number("y", impute=3.0), product(0, 1))
    assert encode(found, x=4.0, y=5) == [2.0, 5.0, 10.0]
    assert encode(found, x=4.0) == [2.0, 3.0, 6.0]
    assert found.sources == (("x",), ("y",), ("x", "y"))
    assert found.operands == (None, None, (0, 1))


def test_what_selection_keeps_is_all_that_is_left() -> None:
    found = columns(number("x"), number("y"), product(0, 1), keep=[0, 2])
    assert encode(found, x=2.0, y=3) == [2.0, 6.0]
    assert found.every({"x": 2.0, "y": 3}) == [2.0, 3.0, 6.0]
    assert found.sources == (("x",), ("x", "y"))
    assert found.operands == (None, (0, 1))


@pytest.mark.parametrize(
    ("raw", "keep", "message"),
    [
        ([date("minute")], None, "a date has no part 'minute'"),
        ([text("car", "car")], None, "a term of t is listed twice"),
        ([text("car", idf=[])], None, "the weights of t do not agree with its terms"),
        ([number("x"), product(0, 1)], None, "a product has no such factor"),
        ([number("x"), product(0, -1)], None, "a product has no such factor"),
        ([number("x"), product(0, 0)], None, "a product has one input twice"),
        (
            [number("x"), number("y"), product(0, 1), product(0, 2)],
            None,
            "a factor of a product is itself a product",
        ),
        ([number("x")], [], "it keeps a column that is none"),
        ([number("x")], [1], "it keeps a column that is none"),
        ([number("x"), number("y")], [1, 0], "the columns that it keeps do not ascend"),
        ([number("x"), number("y")], [0, 0], "the columns that it keeps do not ascend"),
        ([number("z")], None, "a column is made from 'z', which is no input"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(
    raw: list[dict[str, Any]], keep: list[Any] | None, message: str
) -> None:
    with pytest.raises(PlanError) as caught:
        columns(*raw, keep=keep)
    assert caught.value.message == f"plan.json: {message}"
