"""Regular expressions: RE2 for all of them, Python's for the few on which the two agree.

Python's engine backtracks, so a pattern of a policy could be made to hang the gate, and it reads
some patterns otherwise than RE2. Asking RE2 means asking the C++ evaluator, which costs ten times
as much as the rule around it. Therefore a pattern goes to Python where both are sure to agree and
to end soon: single characters and classes in a row, no group and no choice. At most one part may
have a count that varies, and more than once only where nothing comes after it that could make the
engine go back: at the end, and with a pattern that begins at the beginning or does not ask for the
end. That is what digests, names and versions look like. Everything else goes to RE2.

RE2 does not backtrack, and still has its price. At every question it makes a program of the
pattern, in which counts are written out and a class of Unicode is hundreds of ranges, and where the
pattern is made for it, all of that program goes through the text. `effort` says what that is.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = 1_000

_CHARACTER: Final = r"[A-Za-z0-9_ :;,/@%&=~#\"'!<>-]"
_ESCAPE: Final = r"\\[.+*?()\[\]{}^$|/\-]|\\[dw]"
_CLASS: Final = r"\[\^?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[_ :;,/@.+]|\\[.\-dw/])+-?\]"
_COUNT: Final = r"(?:\{[0-9]{1,3}(?:,[0-9]{1,3})?\}|[?+*]|\{[0-9]{1,3},\})?"
_ATOM: Final = re.compile(rf"(?:{_CHARACTER}|{_ESCAPE}|{_CLASS}|\.){_COUNT}")
_SIMPLE: Final = re.compile(rf"\^?(?:(?:{_CHARACTER}|{_ESCAPE}|{_CLASS}|\.){_COUNT})*\$?")
_COUNTED: Final = re.compile(r"(?:\?|([+*])|\{([0-9]+)(,?)([0-9]*)\})$")
_MOST_CHARACTERS: Final = 200


class Search(NamedTuple):
    """A search that Python does; its answer is something, or None where the pattern is not there.

    `steps` are those that one character of a text takes at most, in eighths.
    """

    search: Callable[[str], object]
    steps: int


_OPENS: Final = r"\((?:\?(?:P?<\w+>|[a-zA-Z-]*:))?"
_SET: Final = r"\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]"
_PART: Final = re.compile(
    rf"(?P<flags>\(\?[a-zA-Z-]+\))|(?P<opens>{_OPENS})|(?P<closes>\))"
    r"|\{(?P<least>\d{1,4})(?:,(?P<most>\d{0,4}))?\}|(?P<free>[*+?|^$])"
    rf"|(?P<atom>{_SET}|\\[pP](?:\{{[^}}]*\}}|.)|\\x\{{[^}}]*\}}|\\.|.)",
    re.DOTALL,
)
# What an atom takes to be compiled, beside the simplest one: a class of Unicode, and other classes.
_OF_UNICODE: Final = 2_500
_OF_CLASS: Final = 15
# RE2 writes a part out at most so often.
_MOST_TIMES: Final = 1_000
# Units of `values.take` for a question, for compiling an instruction, and (as a power of two that
# divides) for an instruction at a character.
_OF_QUESTION: Final = 100
_OF_INSTRUCTION: Final = 4
_OF_STEP: Final = 4


@cache
def simple(pattern: str) -> Search | None:
    """The search of a pattern that Python and RE2 read alike; None where they may not."""
    if len(pattern) > _MOST_CHARACTERS or not _SIMPLE.fullmatch(pattern):
        return None
    begins, ends = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith("\\$")
    body = pattern.removeprefix("^")
    counts = [_count(atom) for atom in _ATOM.findall(body[:-1] if ends else body)]
    if not _ends_soon(counts, begins=begins, ends=ends):
        return None
    # Python's `$` also holds before a last line feed.
    text = pattern[:-1] + r"\Z" if ends else pattern
    try:
        search = re.compile(text, re.ASCII).search
    except re.error:
        return None
    length = 1 if begins else sum(most for _, most in counts[:-1]) + 1
    return Search(search, 1 + length // 8)


def _count(atom: str) -> tuple[int, int]:
    """How often an atom may stand there at least and at most; without a bound, a thousand times."""
    found = _COUNTED.search(atom) if len(atom) > 1 else None
    if found is None or (atom[0] == "\\" and len(atom) == 2):  # noqa: PLR2004 - an escape alone
        return 1, 1
    if found[0] == "?":
        return 0, 1
    if found[1]:
        return int(found[1] == "+"), LONGEST
    least = int(found[2])
    return least, int(found[4] or LONGEST) if found[3] else least


def _ends_soon(counts: list[tuple[int, int]], *, begins: bool, ends: bool) -> bool:
    """Whether one part varies at most, and the engine cannot go back over what it has read."""
    varying = [at for at, (least, most) in enumerate(counts) if least != most]
    if not varying:
        return True
    (at, *more) = varying
    if more:
        return False
    return counts[at][1] == 1 or (at == len(counts) - 1 and (begins or not ends))


def effort(pattern: str, length: int) -> int:
    """The work of RE2 with a pattern and a text of so many characters, in units of `values.take`.

    From above, but for the last factor of two.
    """
    instructions, compiled = _program(pattern)
    walked = (instructions + 1) * length >> _OF_STEP
    return _OF_QUESTION + _OF_INSTRUCTION * compiled + walked


@lru_cache(maxsize=1_000)
def _program(pattern: str) -> tuple[int, int]:
    """How many instructions a pattern has, and how many simple ones take as long to be made."""
    if "\\Q" in pattern:
        # What stands between \\Q and \\E are no operators, so nothing is known of the counts.
        return len(pattern) * _MOST_TIMES, len(pattern) * _MOST_TIMES
    groups = [(0, 0)]
    last = (0, 0)
    for found in _PART.finditer(pattern):
        if found["opens"]:
            groups.append((0, 0))
        elif found["closes"] and len(groups) > 1:
            last = groups.pop()
            groups[-1] = _sum(groups[-1], last)
        elif found["least"]:
            times = min(max(int(found["least"]), int(found["most"] or 0), 1), _MOST_TIMES)
            groups[-1] = _sum(groups[-1], last, times - 1)
            last = _sum((0, 0), last, times)
        elif found["atom"] == "[":
            # A class that is not closed: RE2 refuses the pattern and makes nothing of it.
            break
        elif found["atom"]:
            last = (1, _weight(found["atom"]))
            groups[-1] = _sum(groups[-1], last)
    return sum(one for one, _ in groups), sum(other for _, other in groups)


def _sum(one: tuple[int, int], other: tuple[int, int], times: int = 1) -> tuple[int, int]:
    return one[0] + times * other[0], one[1] + times * other[1]


def _weight(atom: str) -> int:
    """What it takes to compile an atom, as a number of simple instructions."""
    unicode = atom.count("\\p") + atom.count("\\P")
    if unicode:
        return unicode * _OF_UNICODE
    return _OF_CLASS if atom[0] in "[." or len(atom) > 1 else 1
