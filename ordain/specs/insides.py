"""Where a character of a text stands in the file that the text was read from.

Whoever reads a text inside of a document, such as an expression, finds faults at an offset in it.
In the file the same character stands elsewhere: behind a quote, an escape, a fold or the
indentation of a block. YAML leaves every character in place that is no white space, so the n-th
such character of the text is the n-th of the scalar as it is written. That holds for all five
styles, and needs no second parser; where it does not hold (an alias, an anchor), the place is that
of the whole scalar.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ordain.specs.marks import NodeMarks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import Marks, Step
    from ordain.specs.findings import Location

_HEADER: Final = re.compile(r"[|>][-+0-9]*[^\n]*\n")
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\s+|.))", re.DOTALL
)
# Escapes of a double-quoted scalar that do not stand for themselves nor for white space.
_NAMED: Final = {"0": "\0", "a": "\a", "b": "\b", "e": "\x1b"}
_BLANK: Final = frozenset("tnvrNf_LP")


def place_inside(
    marks: Marks, path: tuple[Step, ...], text: str, start: int, end: int | None = None
) -> Location:
    """The place of `text[start:end]`, where `text` is the scalar at a path; one character long
    without an end."""
    whole = marks.value(*path)
    if not isinstance(marks, NodeMarks):
        return whole
    opened, closed = marks.span(*path)
    found = _offsets(marks.source.text[opened:closed], text, start, max(start, (end or start) - 1))
    if found is None:
        return whole
    return marks.source.location(opened + found[0], opened + found[1] + 1)


def _offsets(written: str, text: str, first: int, last: int) -> tuple[int, int] | None:
    """Where two characters of a text are in the scalar as it is written."""
    characters = list(_characters(written))
    solid = [(at, one) for at, one in enumerate(text) if not one.isspace()]
    if len(characters) < len(solid):
        return None
    if any(one != read for (_, one), (_, read) in zip(solid, characters, strict=False)):
        return None
    found = [place for (at, _), (place, _) in zip(solid, characters, strict=False) if at >= first]
    inside = [place for (at, _), (place, _) in zip(solid, characters, strict=False) if at <= last]
    if not found or not inside:
        return None
    return found[0], max(found[0], inside[-1])


def _characters(written: str) -> Iterator[tuple[int, str]]:
    """The characters of a scalar that are no white space, each with its offset."""
    match written[:1]:
        case "'":
            yield from _single(written)
        case '"':
            yield from _double(written)
        case "|" | ">":
            header = _HEADER.match(written)
            yield from _plain(written, header.end() if header else len(written))
        case _:
            yield from _plain(written, 0)


def _plain(written: str, start: int) -> Iterator[tuple[int, str]]:
    return ((at, written[at]) for at in range(start, len(written)) if not written[at].isspace())


def _single(written: str) -> Iterator[tuple[int, str]]:
    at = 1
    while at < len(written) - 1:
        one = written[at]
        if not one.isspace():
            yield at, one
        at += 2 if one == "'" else 1


def _double(written: str) -> Iterator[tuple[int, str]]:
    at = 1
    while at < len(written) - 1:
        one, size = written[at], 1
        if one == "\\" and (found := _ESCAPE.match(written, at)):
            one, size = _escaped(found), len(found.group())
        if not one.isspace():
            yield at, one
        at += size


def _escaped(found: re.Match[str]) -> str:
    number = found[1] or found[2] or found[3]
    if number:
        return chr(int(number, 16))
    letter = str(found[4])
    return " " if letter in _BLANK else _NAMED.get(letter, letter)
