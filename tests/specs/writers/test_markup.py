from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.specs.diagnostics import one_line
from ordain.specs.writers.markup import code, plain

TEXTS = st.text(st.characters(codec="utf-8"), max_size=80) | st.text(
    "|`<>&*_[]()!@#:/\\~\n w.", max_size=40
)


@given(TEXTS)
def test_any_text_is_shown_as_it_is_in_code_and_means_nothing(text: str) -> None:
    shown = code(text)
    inner = shown.removeprefix("<code>").removesuffix("</code>")
    assert not re.search(r"[|`<>*_\[\]()!@\\~{}$\"'\n]|://|\w@", inner)
    assert re.fullmatch(r"(?:[^&#]|&#[0-9]+;)*", inner)
    assert "www." not in inner.lower()
    if shown:
        assert html.unescape(inner).replace("\u200b", "") == one_line(text)
    else:
        assert not one_line(text).strip()


@given(TEXTS)
def test_any_text_is_shown_as_it_is_among_others(text: str) -> None:
    unescaped = html.unescape(re.sub(r"\\([\\`*_\[\]|~$])", r"\1", plain(text)))
    assert unescaped.replace("\u200b", "") == one_line(text)


def test_places_can_be_read_in_the_source_too() -> None:
    assert code("specs/größe-1.yaml:3:5") == "<code>specs/größe-1.yaml:3:5</code>"


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("a@b.example", "a\u200b&#64;b.example"),
        ("@cto", "&#64;cto"),
        ("https://b.example", "https&#58;//b.example"),
        ("www.b.example", "www&#46;b.example"),
    ],
)
def test_code_holds_no_link(text: str, parted: str) -> None:
    assert code(text) == f"<code>{parted}</code>"


def test_the_number_of_another_issue_is_no_link() -> None:
    assert plain("see GH-12, GHI-12") == "see GH\u200b-12, GHI-12"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert plain("x" * 401) == "x" * 399 + "…"
    assert plain("x" * 400) == "x" * 400
