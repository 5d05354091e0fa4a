"""A character of a text is found in the file, however the text is written there."""

from __future__ import annotations

import pytest

from ordain.specs.insides import place_inside
from ordain.specs.loader import parse

STYLES = {
    "plain": 'it\'s "a" && b || linked.x',
    "folded over lines": 'it\'s "a" &&\n    b || linked.x',
    "single-quoted": "'it''s \"a\" && b || linked.x'",
    "double-quoted": '"it\'s \\"a\\" &&\\tb \\u007c\\x7c linked.x"',
    "double-quoted over lines": '"it\'s \\"a\\" && \\\n    b ||\n    linked.x"',
    "literal block": '|\n    it\'s "a" &&\n    b || linked.x\n',
    "folded block": ">-  # a comment, it's one\n    it's \"a\"\n\n    && b || linked.x\n",
    "indented block": '|2-\n      it\'s "a" &&\n    b || linked.x\n',
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("word", ["it's", '"a"', "b", "linked", "x"])
def test_every_style_leads_back_to_the_word(style: str, word: str) -> None:
    source = f"first: 1\nbelow:\n  text: {STYLES[style]}\nlast: 2\n"
    parsed = parse(source.encode(), "specs/a.yaml")
    (node,) = parsed.nodes
    text = node.value["below"]["text"]
    start = text.index(word)
    place = place_inside(node.marks, ("below", "text"), text, start, start + len(word))
    line = source.splitlines()[place.line - 1]
    found = line[place.column - 1 :][: place.length]
    assert found.replace("''", "'").replace('\\"', '"') == word


def test_white_space_leads_to_what_follows_it() -> None:
    (node,) = parse(b"text: >-\n  a\n  b\n", "a.yaml").nodes
    place = place_inside(node.marks, ("text",), "a b", 1)
    assert (place.line, place.column, place.length) == (3, 3, 1)


@pytest.mark.parametrize(
    ("source", "path"),
    [("a: &x object.y\nb: *x\n", ("b",)), ("a: &x object.y\nb: *x\n", ("a",))],
)
def test_where_the_text_is_not_written_the_whole_scalar_is_the_place(
    source: str, path: tuple[str, ...]
) -> None:
    (node,) = parse(source.encode(), "a.yaml").nodes
    assert place_inside(node.marks, path, "object.y", 7, 8) == node.marks.value(*path)


def test_a_text_that_is_another_one_has_the_place_of_the_whole() -> None:
    (node,) = parse(b"text: abc\n", "a.yaml").nodes
    assert place_inside(node.marks, ("text",), "xbc", 1, 2) == node.marks.value("text")
