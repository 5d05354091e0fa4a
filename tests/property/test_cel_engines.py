"""The generated engine answers as the exact evaluator does, whatever the expression."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from cel_compare import Tally, round_of, tallied
from cel_grammar import Documents, Expressions
from hypothesis import given, settings
from hypothesis import strategies as st

from ordain.policies.cel.compiling import Screened
from ordain.policies.cel.programs import CelEngine, CelProgram
from ordain.policies.engine import NAMES
from ordain.policies.errors import ExpressionError

if TYPE_CHECKING:
    from ordain.policies.cel.tree import Tree

pytestmark = pytest.mark.property

ENGINE = CelEngine()


@given(st.randoms(use_true_random=False), st.integers(0, 1_000))
@settings(max_examples=200)
def test_generated_expressions_have_the_exact_answer(chance: random.Random, over: int) -> None:
    tally = Tally()
    round_of(ENGINE, chance, tally, random.Random(over))
    assert list(map(str, tally.differences)) == []


def test_thousands_of_expressions_have_the_exact_answer() -> None:
    tally = tallied(ENGINE, seed=3, rounds=700, tally=Tally())
    assert list(map(str, tally.differences)) == []
    # What is compared is worth comparing: most compiles, much of it has a value, and is translated.
    assert tally.counts["refused"] < 0.15 * tally.counts["expressions"]
    assert tally.counts["not translated"] < 0.4 * tally.counts["expressions"]
    assert tally.counts["equal"] > tally.counts["pairs"] * 0.5


def test_a_screen_lets_nothing_pass_that_the_exact_evaluator_would_not() -> None:
    content = 0
    for number in range(600):
        chance = random.Random(f"screen/{number}")
        texts = Expressions(chance)
        programs = [compiled(texts.expression(2, "bool")) for _ in range(4)]
        condition, held, *validations = programs
        documents = Documents(chance)
        params = documents.document(1)
        values = {**documents.values(), "params": params}
        screen = ENGINE.screen(
            [
                Screened(
                    [tree(condition)], [("held", tree(held))], list(map(tree, validations)),
                    params,
                )
            ]
        )  # fmt: skip
        if screen({**dict.fromkeys(NAMES), **values}):
            continue
        content += 1
        binding = ENGINE.bind(values)
        outcome = condition.exact(binding)
        if outcome.value is not False:
            assert outcome.passed, condition.text
            assert all(one.exact(binding).passed for one in validations), number
    assert content > 50


def compiled(text: str) -> CelProgram:
    """The program of an expression; that of `true` for one that does not compile."""
    try:
        return ENGINE.compile(text)
    except ExpressionError:
        return ENGINE.compile("true")


def tree(program: CelProgram) -> Tree:
    assert program.tree is not None
    return program.tree
