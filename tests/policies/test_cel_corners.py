"""Corners in which Python and CEL part ways, found by comparing with the exact evaluator."""

from __future__ import annotations

import pytest
from cel_compare import TO_THE_END, judged

from ordain.policies.cel.programs import CelEngine
from ordain.policies.cel.values import MAXIMUM_STEPS

ENGINE = CelEngine()
LARGE = 2**53 + 1


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        # Numbers of two types are compared as doubles.
        ("dyn(9007199254740993) == 9007199254740992.0", True),
        ("[dyn(9007199254740993)] == [9007199254740992.0]", True),
        ("9007199254740992.0 in [dyn(9007199254740993)]", True),
        ("object.large == 9007199254740992.0", True),
        ("object.large > 9007199254740992.0", False),
        ("dyn(9223372036854775807) < 9223372036854775808.0", False),
        ("dyn(9223372036854775807) >= 9223372036854775808.0", True),
        ("object.nan == object.nan", False),
        ("object == object", False),
        # What is empty stands everywhere.
        ("'ab'.replace('', '-')", "-a-b-"),
        ("''.replace('', '-')", "-"),
        ("'a😀b'.split('')", ["a", "😀", "b"]),
        ("''.split('')", [""]),
        ("'abc'.indexOf('')", 0),
        ("'abc'.charAt(3)", ""),
        # A literal is no object of Python that has attributes or a truth.
        ("dyn(5) == null", False),
        ("dyn(dyn('a')) == null", False),
        ("has(dyn({'a': 5}).a)", True),
    ],
)
def test_fast_code_knows_the_corner(expression: str, value: object) -> None:
    program = ENGINE.compile(expression)
    binding = ENGINE.bind({"object": {"large": LARGE, "nan": float("nan")}})
    fast = program.fast(binding.plain)
    assert fast is not None
    assert fast.value == value
    assert judged(fast, program.exact(binding)) == "equal"


@pytest.mark.parametrize(
    "expression",
    [
        "'abc'.substring(1, object.nothing)",
        "duration('2562047h') + duration('2562047h')",
        "timestamp('9999-12-31T00:00:00Z') - timestamp('0001-01-01T00:00:00Z')",
        "[dyn(1) + 'a']",
        "object.least % -1 == 0",
        "object.least / -1 == 0",
        "-object.least > 0",
        "object.text < object.large",
    ],
)
def test_fast_code_leaves_the_error_to_the_evaluator(expression: str) -> None:
    program = ENGINE.compile(expression)
    binding = ENGINE.bind(
        {"object": {"nothing": None, "text": "a", "large": LARGE, "least": -(2**63)}}
    )
    assert program.fast(binding.plain) is None
    assert program.run(binding) == program.exact(binding)
    assert program.run(binding).error


def test_a_text_with_a_null_character_is_compared_whole() -> None:
    outcome = ENGINE.compile("object.s == 'a'").run(ENGINE.bind({"object": {"s": "a\x00b"}}))
    assert outcome.value is False


def test_a_substring_may_reach_to_the_end_as_in_kubernetes() -> None:
    program = ENGINE.compile("'abc'.substring(1, 3)")
    binding = ENGINE.bind({})
    assert program.run(binding).value == "bc"
    assert program.exact(binding).error.startswith(TO_THE_END)


def test_a_loop_may_take_more_steps_than_the_evaluator_would() -> None:
    program = ENGINE.compile("object.l.all(x, object.l.all(y, x + y >= 0))")
    binding = ENGINE.bind({"object": {"l": list(range(200))}})
    assert program.exact(binding).error == "Iteration budget exceeded"
    assert program.run(binding).passed


def test_what_takes_too_many_steps_says_so() -> None:
    program = ENGINE.compile("object.l.all(x, object.l.all(y, true))")
    outcome = program.run(ENGINE.bind({"object": {"l": [0] * 1_001}}))
    assert outcome.error == f"the expression takes more than {MAXIMUM_STEPS:,} steps"


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        (
            "object.l.all(x, object.l.all(y, !('z' in object.many)))",
            "the expression walks through too much, or makes too much",
        ),
        (
            "object.l.map(x, object.l.map(y, object.text.upperAscii())).size() > 0",
            "the expression walks through too much, or makes too much",
        ),
        (
            "object.text.replace('a', object.text).size() > 0",
            "a value of more than 1,000,000 characters or items was made",
        ),
        (
            "object.gone || object.text.replace('a', object.text).size() > 0",
            "it could take too long, or too much memory, to evaluate this",
        ),
    ],
)
def test_what_is_too_large_says_so(expression: str, error: str) -> None:
    values = {"l": list(range(150)), "many": ["a"] * 5_000, "text": "a" * 9_000}
    assert ENGINE.compile(expression).run(ENGINE.bind({"object": values})).error == error
