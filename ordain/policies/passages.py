"""Where a passage of an expression stands in its file.

An expression is compiled as a value, and a reader wants line and column in YAML. A plain or quoted
scalar on one line is the value with a quote before it; a folded or literal block has line breaks
and indentation that the value has not, and double quotes have escapes. So value and text are walked
side by side. Where the two cannot be brought together, the place is that of the whole expression.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ordain.specs.marks import NodeMarks

if TYPE_CHECKING:
    from ordain.specs.documents import Document, Step
    from ordain.specs.findings import Location

# What a letter takes in double quotes when it is not written as itself.
_ESCAPED = {"\\x": 4, "\\u": 6, "\\U": 10}


def passage_location(
    document: Document, path: tuple[Step, ...], expression: str, start: int, end: int
) -> Location:
    """The place of `expression[start:end]`, which is the value at a path of a document."""
    marks = document.marks
    whole = marks.value(*path)
    if not isinstance(marks, NodeMarks):
        return whole
    source = marks.source
    places = _aligned(source.text[slice(*marks.span(*path))], expression)
    if places is None or not 0 <= start < end <= len(expression):
        return whole
    first = marks.span(*path)[0]
    return source.location(first + places[start][0], first + places[end - 1][1])


def offset_of(expression: str, line: int, column: int) -> int:
    """The offset of a line and column, both from 1, at most that of the last letter."""
    lines = expression.split("\n")
    before = sum(len(one) + 1 for one in lines[: line - 1])
    return max(0, min(before + column - 1, len(expression) - 1))


@lru_cache(maxsize=256)
def _aligned(text: str, value: str) -> tuple[tuple[int, int], ...] | None:
    """For every letter of a value from where to where it stands in the scalar."""
    quote = text[:1] if text[:1] in ("'", '"') else ""
    at, indent = _begin(text, quote)
    places: list[tuple[int, int]] = []
    for letter in value:
        at = _at_break(text, at) if letter.isspace() else _behind_breaks(text, at, indent)
        if at >= len(text) and letter == "\n":
            # A block ends where its last word does, and its value with the break behind that.
            places.append((len(text) - 1, len(text)))
            continue
        if letter.isspace() and text[at : at + 1] == "\n":
            places.append((at, at + 1))
            at = _next_line(text, at, indent)
            continue
        length = _letter(text, at, letter, quote)
        if length == 0:
            return None
        places.append((at, at + length))
        at += length
    return tuple(places)


def _begin(text: str, quote: str) -> tuple[int, int | None]:
    """The offset of the first letter, and how far a block is indented; None where it is none."""
    if quote:
        return 1, None
    if text[:1] in ("|", ">"):
        body = text[text.find("\n") + 1 :]
        blank = len(body) - len(body.lstrip())
        indent = blank - (body.rfind("\n", 0, blank) + 1)
        return text.find("\n") + 1 + blank, indent
    return 0, None


def _at_break(text: str, at: int) -> int:
    """The line break ahead, where only blanks are before it, which folding leaves out."""
    rest = text[at:].lstrip(" \t")
    return len(text) - len(rest) if rest.startswith("\n") else at


def _behind_breaks(text: str, at: int, indent: int | None) -> int:
    """Behind the line breaks here: where lines are folded, several can stand for one letter."""
    while text[at : at + 1] == "\n":
        at = _next_line(text, at, indent)
    return at


def _next_line(text: str, at: int, indent: int | None) -> int:
    """Behind a line break and the indentation after it."""
    line = text[at + 1 :]
    blanks = len(line) - len(line.lstrip(" \t"))
    return at + 1 + (blanks if indent is None else min(blanks, indent))


def _letter(text: str, at: int, letter: str, quote: str) -> int:
    """How many letters of the text stand for one of the value; 0 where it is another one."""
    found = text[at : at + 2]
    if quote == '"' and found[:1] == "\\":
        return _ESCAPED.get(found, 2)
    if quote == "'" and found == "''":
        return 2
    return 1 if found[:1] == letter else 0
