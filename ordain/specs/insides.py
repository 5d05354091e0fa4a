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
from typing import TYPE_CHECKING, Final, NamedTuple

from ordain.specs.marks import LaterMarks, NodeMarks

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
    """The place of `text[start:end]`, where `text` is the scalar at a path.

    Without an end the place is one character long.
    """
    marks = marks.made if isinstance(marks, LaterMarks) else marks
    whole = marks.value(*path)
    if not isinstance(marks, NodeMarks):
        return whole
    opened, closed = marks.span(*path)
    found = _offsets(marks.source.text[opened:closed], text, start, max(start, (end or start) - 1))
    if found is None:
        return whole
    return marks.source.location(opened + found[0], opened + found[1])


def offset_of(text: str, line: int, column: int) -> int:
    """The offset of a line and column of a text, both from 1, at most that of its last letter."""
    lines = text.split("\n")
    before = sum(len(one) + 1 for one in lines[: line - 1])
    return max(0, min(before + column - 1, len(text) - 1))


def _offsets(written: str, text: str, first: int, last: int) -> tuple[int, int] | None:
    """Where the characters from `first` to `last` of a text begin and end as they are written."""
    pieces = list(_characters(written))
    solid = [(at, one) for at, one in enumerate(text) if not one.isspace()]
    pairs = list(zip(solid, pieces, strict=False))
    if len(pieces) < len(solid) or any(one != piece.character for (_, one), piece in pairs):
        return None
    behind = [piece for (at, _), piece in pairs if at >= first]
    before = [piece for (at, _), piece in pairs if at <= max(first, last)]
    if not behind:
        return None
    return behind[0].start, max(behind[0].end, before[-1].end if before else 0)


class _Piece(NamedTuple):
    """A character of a scalar that is no white space, and where it is written."""

    character: str
    start: int
    end: int


def _characters(written: str) -> Iterator[_Piece]:
    match written[:1]:
        case "'":
            found = _single(written)
        case '"':
            found = _double(written)
        case "|" | ">":
            header = _HEADER.match(written)
            found = _plain(written, header.end() if header else len(written))
        case _:
            found = _plain(written, 0)
    return (piece for piece in found if not piece.character.isspace())


def _plain(written: str, start: int) -> Iterator[_Piece]:
    return (_Piece(written[at], at, at + 1) for at in range(start, len(written)))


def _single(written: str) -> Iterator[_Piece]:
    at = 1
    while at < len(written) - 1:
        size = 2 if written[at] == "'" else 1
        yield _Piece(written[at], at, at + size)
        at += size


def _double(written: str) -> Iterator[_Piece]:
    at = 1
    while at < len(written) - 1:
        one, size = written[at], 1
        if one == "\\" and (found := _ESCAPE.match(written, at)):
            one, size = _escaped(found), len(found.group())
        yield _Piece(one, at, at + size)
        at += size


def _escaped(found: re.Match[str]) -> str:
    number = found[1] or found[2] or found[3]
    if number:
        return chr(int(number, 16))
    letter = str(found[4])
    return " " if letter in _BLANK else _NAMED.get(letter, letter)
