"""Regular expressions: RE2 for all of them, Python's for the few on which the two agree.

Python's engine backtracks, so a pattern of a policy could be made to hang the gate, and it reads
some patterns otherwise than RE2. Asking RE2 means asking the C++ evaluator, which costs ten times
as much as the rule around it. Therefore a pattern goes to Python where both are sure to agree and
to end soon: single characters and classes in a row, no group and no choice. At most one part may
have a count that varies, and more than once only where nothing comes after it that could make the
engine go back: at the end, and with a pattern that begins at the beginning or does not ask for the
end. That is what digests, names and versions look like. Everything else goes to RE2.
"""

from __future__ import annotations

import re
from functools import cache
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
_BRACES: Final = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
_MOST_CHARACTERS: Final = 200
_MOST_EFFORT: Final = 1_000_000


class Search(NamedTuple):
    """A search that Python does; its answer is something, or None where the pattern is not there.

    `steps` are those that one character of a text takes at most, in eighths.
    """

    search: Callable[[str], object]
    steps: int


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


def effort(pattern: str) -> int:
    """What it takes RE2 to read a pattern: its length, as often as counts repeat it."""
    found = len(pattern)
    for least, most in _BRACES.findall(pattern):
        found *= max(1, int(most or least))
        if found > _MOST_EFFORT:
            return _MOST_EFFORT
    return found
