"""The generated engine answers as the exact evaluator does, whatever the expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cel_compare import Tally, round_of, tallied
from cel_grammar import FIELDS
from hypothesis import given, settings
from hypothesis import strategies as st

from ordain.policies.cel.programs import CelEngine

if TYPE_CHECKING:
    import random

pytestmark = pytest.mark.property


@given(st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_generated_expressions_have_the_exact_answer(chance: random.Random) -> None:
    tally = Tally()
    round_of(CelEngine(), chance, tally)
    assert list(map(str, tally.differences)) == []


def test_thousands_of_expressions_have_the_exact_answer() -> None:
    tally = tallied(CelEngine(), seed=3, rounds=1_500, tally=Tally())
    assert list(map(str, tally.differences)) == []
    # What is compared is worth comparing: most compiles, much of it has a value, and is translated.
    assert tally.counts["refused"] < 0.15 * tally.counts["expressions"]
    assert tally.counts["not translated"] < 0.4 * tally.counts["expressions"]
    assert tally.counts["equal"] > tally.counts["pairs"] * 0.5


def test_the_documents_of_the_comparison_have_every_field() -> None:
    tally = Tally()
    tallied(CelEngine(), seed=4, rounds=20, tally=tally)
    assert tally.counts["pairs"] > 30
    assert set(FIELDS) >= {"n", "s", "gone"}
