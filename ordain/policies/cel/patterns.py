"""Regular expressions: RE2 for all of them, Python's for the few on which the two agree.

Python's engine backtracks, so a pattern of a policy could be made to hang the gate, and it reads
some patterns otherwise than RE2. Asking RE2 means asking the C++ evaluator, which costs ten times
as much as the rule around it. Therefore a pattern goes to Python where both are sure to agree and
to end: single characters and classes in a row, no group and no choice, at most one part whose count
can vary, on a text that is not long. That is what digests, names and
versions look like. Everything else goes to RE2.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = 1_000

_CHARACTER: Final = r"[A-Za-z0-9_ :;,/@%&=~#\"'!<>-]"
_ESCAPE: Final = r"\\[.+*?()\[\]{}^$|/\-]|\\[dw]"
_CLASS: Final = r"\[\^?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[_ :;,/@.+]|\\[.\-dw/])+-?\]"
_COUNT: Final = r"(?:\{[0-9]{1,3}(?:,[0-9]{1,3})?\}|[?+*]|\{[0-9]{1,3},\})?"
_ATOM: Final = re.compile(rf"(?:{_CHARACTER}|{_ESCAPE}|{_CLASS}|\.){_COUNT}")
_SIMPLE: Final = re.compile(rf"\^?(?:(?:{_CHARACTER}|{_ESCAPE}|{_CLASS}|\.){_COUNT})*\$?")
_VARIES: Final = re.compile(r"[?+*]$|,[0-9]*\}$")
_MOST_CHARACTERS: Final = 200


@cache
def simple(pattern: str) -> Callable[[str], object] | None:
    """The search of a pattern that Python and RE2 read alike; None where they may not.

    What it returns is something, or None where the pattern is not in the text.
    """
    if len(pattern) > _MOST_CHARACTERS or not _SIMPLE.fullmatch(pattern):
        return None
    atoms = _ATOM.findall(pattern.removeprefix("^").removesuffix("$"))
    if sum(len(atom) > 1 and bool(_VARIES.search(atom)) for atom in atoms) > 1:
        return None
    if pattern.endswith("\\$"):
        text = pattern
    else:
        # Python's `$` also holds before a last line feed.
        text = pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern
    try:
        return re.compile(text, re.ASCII).search
    except re.error:
        return None
