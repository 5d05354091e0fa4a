"""Conditions take JSON at its word."""

from __future__ import annotations

import operator
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.serving.conditions import compile_condition
from ordain.specs.routes import condition_fields

REQUEST = {"amount": 500, "rate": 1.0, "channel": "branch", "new": True, "note": None}


def field(name: str, op: str, value: object = None) -> dict[str, Any]:
    return {"field": name, "op": op, "value": value}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (field("amount", "eq", 500), True),
        (field("amount", "eq", 500.0), True),
        (field("amount", "ne", 500), False),
        (field("amount", "ne", 7), True),
        (field("amount", "lt", 501), True),
        (field("amount", "le", 500), True),
        (field("amount", "gt", 500), False),
        (field("amount", "ge", 500), True),
        (field("channel", "lt", "c"), True),
        (field("channel", "in", ["phone", "branch"]), True),
        (field("channel", "in", ["phone"]), False),
        (field("amount", "in", [500.0]), True),
        (field("new", "eq", value=True), True),
        (field("note", "exists"), False),
        (field("amount", "exists"), True),
        (field("amount", "exists", value=False), False),
        (field("absent", "exists", value=False), True),
    ],
)
def test_comparison(condition: dict[str, Any], holds: bool) -> None:  # noqa: FBT001 - a table
    assert compile_condition(condition)(REQUEST) is holds


@pytest.mark.parametrize("op", ["eq", "ne", "lt", "le", "gt", "ge"])
@pytest.mark.parametrize("name", ["absent", "note", "channel", "new"])
def test_missing_or_of_another_type_is_false_even_for_ne(op: str, name: str) -> None:
    assert compile_condition(field(name, op, 1))(REQUEST) is False


def test_true_is_not_one() -> None:
    assert compile_condition(field("rate", "eq", value=True))(REQUEST) is False
    assert compile_condition(field("new", "in", [1]))(REQUEST) is False
    assert compile_condition(field("rate", "in", [True]))(REQUEST) is False


def test_a_list_or_object_in_the_request_meets_no_comparison() -> None:
    values: list[object] = [[], {}, [1]]
    for value in values:
        assert compile_condition(field("amount", "in", [1]))({"amount": value}) is False
        assert compile_condition(field("amount", "eq", 1))({"amount": value}) is False


def test_nesting() -> None:
    condition = {
        "all": [
            field("amount", "gt", 100),
            {"any": [field("channel", "in", ["phone"]), {"not": field("absent", "exists")}]},
        ]
    }
    holds = compile_condition(condition)
    assert holds(REQUEST)
    assert not holds(REQUEST | {"absent": 1})
    assert holds(REQUEST | {"absent": 1, "channel": "phone"})
    assert set(condition_fields(condition)) == {"amount", "channel", "absent"}


OPS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
NUMBERS = st.integers() | st.floats(allow_nan=False)


@pytest.mark.property
@given(found=NUMBERS, value=NUMBERS, op=st.sampled_from(sorted(OPS)))
def test_numbers_compare_as_numbers(found: float, value: float, op: str) -> None:
    assert compile_condition(field("x", op, value))({"x": found}) is OPS[op](found, value)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({}, "a condition is exactly one of all, any, not, or field with op and value"),
        (
            {"all": [], "any": []},
            "a condition is exactly one of all, any, not, or field with op and value",
        ),
        (field("x", "like", "a%"), "op 'like' on field x is unknown"),
        (
            field("x", "in", "abc"),
            "op in on field x takes a list of texts, numbers and truth values",
        ),
        (field("x", "eq"), "op eq on field x takes a text, a number or a truth value"),
        (field("x", "lt", value=True), "op lt on field x: truth values have no order"),
    ],
)
def test_a_condition_outside_the_language_is_refused(
    condition: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        compile_condition(condition)


def test_a_form_that_is_left_empty_is_not_there() -> None:
    condition = {"all": None, "not": None, **field("amount", "gt", 100)}
    assert compile_condition(condition)(REQUEST)
    assert list(condition_fields(condition)) == ["amount"]
