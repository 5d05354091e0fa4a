from __future__ import annotations

import pytest

from ordain.specs.spelling import did_you_mean, listed, meant, one_edit


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("teir", "tier"),
        ("tir", "tier"),
        ("tierr", "tier"),
        ("tiar", "tier"),
        ("api_version", "apiVersion"),
        ("Preprocesing", "preprocessing"),
        ("acceptence", "acceptance"),
        ("zzz", None),
    ],
)
def test_the_word_that_was_meant(word: str, expected: str | None) -> None:
    known = ["tier", "apiVersion", "preprocessing", "acceptance", "owner"]
    assert meant(word, known) == expected


def test_of_several_near_words_the_most_similar_is_taken() -> None:
    assert meant("minn", ["min", "mint", "mine"]) in {"min", "mint", "mine"}
    assert meant("weights", ["weight", "weighs"]) == "weight"


def test_one_edit_is_one_letter_or_one_swap() -> None:
    assert one_edit("abcd", "abdc")
    assert one_edit("abcd", "abc")
    assert one_edit("", "a")
    assert not one_edit("abcd", "badc")
    assert not one_edit("abcd", "ab")


def test_nothing_near_is_no_guess() -> None:
    assert did_you_mean("zzz", ["tier"]) == ""
    assert did_you_mean("teir", ["tier"]) == "did you mean `tier`?"


def test_lists_are_written_as_people_say_them() -> None:
    assert listed(["a"]) == "`a`"
    assert listed(["a", "b", "c"]) == "`a`, `b` or `c`"
    assert listed([]) == ""
