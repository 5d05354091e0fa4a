"""Patterns of paths, with the meaning that CODEOWNERS gives them.

`*` and `?` stay inside of one name, `**` goes through any number of folders, and a pattern that
ends in a plain name covers all that is below a folder of that name. A leading slash changes
nothing: every pattern begins at the root of the estate. Everything else is itself; sets in brackets
and a leading `!` were refused, because code owners have neither and one pattern must mean one thing
on both sides. `fnmatch` was refused too: its `*` walks through folders.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_PART: Final = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANING: Final = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
_WILD: Final = frozenset("*?")


def matches(pattern: str, path: str) -> bool:
    """Whether a path is covered by a pattern."""
    return _compiled(pattern).fullmatch(path) is not None


def matching(patterns: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    """The paths that any of the patterns covers, in their order."""
    found = [_compiled(pattern) for pattern in patterns]
    return tuple(path for path in paths if any(one.fullmatch(path) for one in found))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    text = pattern.removeprefix("/")
    if text.endswith("/"):
        text += "**"
    last = text.rpartition("/")[2]
    below = "" if _WILD & set(last) else r"(?:/.*)?"
    parts = (_MEANING.get(part, re.escape(part)) for part in _PART.findall(text))
    return re.compile("".join(parts) + below, re.DOTALL)
