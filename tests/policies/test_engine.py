"""The evaluator behind the protocol: three answers, and never a pass by accident."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordain.policies.engine import cel_engine
from ordain.policies.errors import ExpressionError


@pytest.mark.parametrize(
    ("expression", "line", "column", "message"),
    [
        ("object.spec.tier = 1", 1, 18, "token recognition error"),
        ("unknown.name == 1", 1, 8, "undeclared reference to 'unknown.name'"),
        ("1 + 'a' == 2", 1, 3, "found no matching overload for '_+_' applied to '(int, string)'"),
        ("true &&\n  nothing", 2, 3, "undeclared reference to 'nothing'"),
        ("", 1, 1, "mismatched input '<EOF>'"),
        ("(" * 10_000, 1, 1, "Expression recursion limit exceeded. limit: 32"),
        ("object" + ".a" * 100, 1, 1, "Exceeded max recursion depth of 32 when parsing."),
        ("a\x00b", 1, 2, "token recognition error"),
    ],
)
def test_what_does_not_compile_says_where(
    expression: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(ExpressionError) as raised:
        cel_engine().compile(expression)
    assert message in raised.value.message
    assert (raised.value.line, raised.value.column) == (line, column)


@pytest.mark.parametrize(
    ("expression", "passed", "error"),
    [
        ("true", True, ""),
        ("1 == 1.0", False, "found no matching overload"),
        ("object.n == 1.0", True, ""),
        ("object.t == 1", False, ""),
        ("object.missing", False, 'Key not found in map : "missing"'),
        ("object.missing == 1 || true", True, ""),
        ("true || object.missing == 1", True, ""),
        ("object.?missing", False, "the result is no plain value; call orValue() on optionals"),
        ("object.text.matches('^(a+)+$')", False, ""),
        ("now == '2026-11-20T00:00:00Z'", True, ""),
        ("oldObject == null", True, ""),
    ],
)
def test_the_answer_is_true_or_no_pass(expression: str, *, passed: bool, error: str) -> None:
    engine = cel_engine()
    values = {"n": 1, "t": True, "text": "a" * 5000 + "b"}
    binding = engine.bind({"object": values, "now": "2026-11-20T00:00:00Z"})
    try:
        outcome = engine.compile(expression).run(binding)
    except ExpressionError as refused:
        assert error in refused.message  # noqa: PT017 - one table for both moments
        assert error
        return
    assert outcome.passed is passed
    assert outcome.error == error


@pytest.mark.property
@settings(max_examples=300)
@given(
    st.text(
        alphabet=" ().[]{}'\"\\?:!&|<>=+-*/%,0123456789abnotruelspcj_\n\x00é\ud800", max_size=60
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=8,
    ),
)
def test_no_expression_on_no_value_raises_or_passes_by_accident(
    expression: str, value: object
) -> None:
    engine = cel_engine()
    try:
        program = engine.compile(expression)
    except ExpressionError:
        return
    outcome = program.run(engine.bind({"object": value}))
    assert outcome.passed is (outcome.value is True)


def test_the_names_of_an_expression_are_those_it_reads() -> None:
    text = "model.spec.tier == 1 && object.spec.owner != 'approvals' && variables.x[\"change\"]"
    program = cel_engine().compile(text)
    assert program.names == {"model", "object", "variables"}
