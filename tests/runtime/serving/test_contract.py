"""What is wrong with a request is said at once, by name, and without its values."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.encoding import Input
from ordain.runtime.serving.contract import MAXIMUM_RECORDS, Contract, parse_body
from ordain.runtime.serving.errors import Problem, RequestError


def one_input(name: str, type_: str, **facts: Any) -> Input:  # noqa: ANN401 - fields of any type
    usual = {"missing": True, "range": None, "levels": None, "unknown": "bucket"}
    return Input(name, type_, **usual | facts)


INPUTS = (
    one_input("income", "float", range=(0.0, 1000000.0)),
    one_input("age", "int", missing=False, range=(18.0, 120.0)),
    one_input("purpose", "category", levels=("car", "home"), unknown="refuse"),
    one_input("city", "category", levels=("A", "B")),
    one_input("employed", "bool"),
)
CONTRACT = Contract.read(INPUTS, {"applicant", "age"})


def problems_of(record: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    CONTRACT.accept(record, problems)
    return problems


def test_a_good_record_passes_in_the_order_of_the_contract() -> None:
    problems: list[Problem] = []
    record = {"applicant": "P7", "employed": False, "age": 40, "income": 12, "city": "elsewhere"}
    accepted = CONTRACT.accept(record, problems)
    assert problems == []
    assert list(accepted.items()) == [
        ("income", 12.0),
        ("age", 40),
        ("city", "elsewhere"),
        ("employed", False),
        ("applicant", "P7"),
    ]


def test_null_is_missing() -> None:
    assert CONTRACT.accept({"age": 40, "income": None}, []) == {"age": 40}


def test_an_empty_text_is_missing_where_a_text_is_taken() -> None:
    inputs = [one_input(name, name) for name in ("category", "text", "date", "float")]
    contract = Contract.read([*inputs, one_input("needed", "text", missing=False)], {"rule"})
    problems: list[Problem] = []
    record = dict.fromkeys(("category", "text", "date", "float", "needed", "rule"), "")
    assert contract.accept(record, problems) == {"rule": ""}
    assert [(one.code, one.message) for one in problems] == [
        ("REQ112", "float is not a number"),
        ("REQ111", "needed is missing"),
    ]


def test_an_empty_text_is_missing_also_where_levels_are_refused() -> None:
    assert CONTRACT.accept({"age": 40, "purpose": ""}, []) == {"age": 40}


def test_a_whole_number_may_be_written_with_a_point() -> None:
    accepted = CONTRACT.accept({"age": 40.0}, [])
    assert accepted == {"age": 40}
    assert type(accepted["age"]) is int


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"age": None}, "REQ111", "age is missing"),
        ({"age": "40"}, "REQ112", "age is not a number"),
        ({"age": True}, "REQ112", "age is not a number"),
        ({"age": 40.5}, "REQ112", "age is not a whole number"),
        ({"age": 17}, "REQ114", "age is not from 18 to 120"),
        ({"income": math.nan}, "REQ113", "income is not a finite number"),
        ({"income": math.inf}, "REQ113", "income is not a finite number"),
        ({"income": 10**400}, "REQ113", "income is not a finite number"),
        ({"income": -0.5}, "REQ114", "income is not from 0 to 1000000"),
        ({"income": [1]}, "REQ112", "income is not a number"),
        ({"purpose": "boat"}, "REQ115", "purpose is a level that the model does not know"),
        ({"purpose": 3}, "REQ112", "purpose is not a text"),
        ({"city": "x" * 1001}, "REQ117", "city is longer than 1000 characters"),
        ({"city": "\ud800"}, "REQ112", "city is not valid Unicode"),
        ({"employed": 1}, "REQ112", "employed is not a truth value"),
        (
            {"applicant": ["P7"]},
            "REQ112",
            "applicant is not a text, a number or a truth value",
        ),
        (
            {"sex": "female"},
            "REQ110",
            "sex is a field that neither the model nor the route takes",
        ),
    ],
)
def test_each_fault(change: dict[str, Any], code: str, message: str) -> None:
    (problem,) = problems_of({"age": 40} | change)
    assert (problem.code, problem.message, problem.field) == (code, message, next(iter(change)))
    assert problem.remedy


def test_all_faults_are_named_at_once() -> None:
    found = problems_of({"income": "much", "purpose": "boat", "religion": "secret-value"})
    assert [problem.field for problem in found] == ["income", "age", "purpose", "religion"]
    assert "secret-value" not in repr(found)


def test_a_long_or_strange_field_name_is_not_repeated_whole() -> None:
    (problem,) = problems_of({"age": 40, "a\n" + "b" * 200: 1})
    assert problem.field == "a?" + "b" * 61 + "…"


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        (b"", 400, "REQ100", "the body is not JSON: line 1 column 1"),
        (b'{"a": }', 400, "REQ100", "the body is not JSON: line 1 column 7"),
        (b'{"a": "\xff"}', 400, "REQ100", "the body is not UTF-8"),
        (
            b"[" * 100000,
            400,
            "REQ100",
            "the body is not JSON that can be read: a number is too long or it is too deep",
        ),
        (
            b'{"a": ' + b"9" * 5000 + b"}",
            400,
            "REQ100",
            "the body is not JSON that can be read: a number is too long or it is too deep",
        ),
        (b"[]", 422, "REQ101", "the body is not a JSON object"),
        (b"3", 422, "REQ101", "the body is not a JSON object"),
        (b'{"a": 1, "a": 2}', 422, "REQ116", "a field is given twice in one record"),
        (
            b'{"records": []}',
            422,
            "REQ101",
            "records is not a list of JSON objects with at least one",
        ),
        (
            b'{"records": [1]}',
            422,
            "REQ101",
            "records is not a list of JSON objects with at least one",
        ),
        (
            json.dumps({"records": [{}] * (MAXIMUM_RECORDS + 1)}).encode(),
            413,
            "REQ103",
            "the batch has 1001 records; 1000 are allowed",
        ),
    ],
)
def test_a_body_that_is_no_request(body: bytes, status: int, code: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_body(body)
    (problem,) = caught.value.problems
    assert (caught.value.status, problem.code, problem.message) == (status, code, message)


def test_one_record_or_many() -> None:
    assert parse_body(b'{"age": 3}') == ([{"age": 3}], False)
    assert parse_body(b'{"records": [{"age": 3}, {}]}') == ([{"age": 3}, {}], True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([one.name for one in INPUTS] + ["applicant", "sex", "records"])


@pytest.mark.property
@given(body=st.dictionaries(NAMES, JSON, max_size=7))
def test_what_is_accepted_is_clean_whatever_comes(body: dict[str, Any]) -> None:
    try:
        records, _ = parse_body(json.dumps(body).encode())
    except RequestError:
        return
    for record in records:
        problems: list[Problem] = []
        accepted = CONTRACT.accept(record, problems)
        assert accepted.keys() <= CONTRACT.known
        assert all(isinstance(value, str | int | float | bool) for value in accepted.values())
        if not problems:
            assert 18 <= accepted["age"] <= 120  # type: ignore[operator]
            json.dumps(accepted, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.property
@given(data=st.binary(max_size=64))
def test_bytes_are_parsed_or_refused(data: bytes) -> None:
    records: list[Any] = []
    with contextlib.suppress(RequestError):
        records = list(parse_body(data)[0])
    assert all(isinstance(record, dict) for record in records)
