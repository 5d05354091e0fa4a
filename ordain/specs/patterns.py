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
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PART: Final = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANING: Final = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
_BELOW_NAME: Final = r"(?:/.*)?"
_WILD: Final = frozenset("*?")


def matches(pattern: str, path: str) -> bool:
    """Whether a path is covered by a pattern."""
    return _compiled(pattern).fullmatch(path) is not None


def matching(patterns: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    """The paths that any of the patterns covers, in their order."""
    found = [_compiled(pattern) for pattern in patterns]
    return tuple(path for path in paths if any(one.fullmatch(path) for one in found))


def overlap(one: str, other: str) -> bool:
    """Whether some path is covered by both patterns.

    Both are walked at once, as far as the same characters lead (the product of two automata, see
    Hopcroft and Ullman, Introduction to Automata Theory, 1979, section 3.2).
    """
    a, b = _atoms(one), _atoms(other)
    seen: set[tuple[int, int]] = set()
    ahead = {(0, 0)}
    while ahead:
        at = ahead.pop()
        if at == (len(a), len(b)):
            return True
        seen.add(at)
        ahead |= set(_steps(a, b, at)) - seen
    return False


def _steps(a: list[_Atom], b: list[_Atom], at: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Where two patterns are after leaving something out, or after one character."""
    i, j = at
    if i < len(a) and a[i].skip:
        yield i + a[i].skip, j
    if j < len(b) and b[j].skip:
        yield i, j + b[j].skip
    if i < len(a) and j < len(b) and _share(a[i].characters, b[j].characters):
        yield from ((i + x, j + y) for x in a[i].then for y in b[j].then)


def _share(one: str, other: str) -> bool:
    """Whether two sets have a character in common."""
    if _ANY in (one, other):
        return True
    if _NAME in (one, other):
        return "/" not in (one, other)
    return one == other


class _Atom(NamedTuple):
    """A set of characters, and how far one leads; `skip` atoms from here on may be left out."""

    characters: str
    then: tuple[int, ...] = (1,)
    skip: int = 0


# Every character, and those of a name; any other text is the one character that it is.
_ANY: Final = "**"
_NAME: Final = "*"
_AGAIN: Final = (0, 1)
_ATOMS: Final = {
    "**/": (_Atom(_NAME, skip=3), _Atom(_NAME, _AGAIN, skip=1), _Atom("/", (-2, 1))),
    "**": (_Atom(_ANY, _AGAIN, skip=1),),
    "*": (_Atom(_NAME, _AGAIN, skip=1),),
    "?": (_Atom(_NAME),),
}
_BELOW: Final = (_Atom("/", skip=2), _Atom(_ANY, _AGAIN, skip=1))


def _atoms(pattern: str) -> list[_Atom]:
    parts, below = _parts(pattern)
    found = [atom for part in parts for atom in _ATOMS.get(part, tuple(map(_Atom, part)))]
    return [*found, *_BELOW] if below else found


def _parts(pattern: str) -> tuple[list[str], bool]:
    """The parts of a pattern, and whether it covers what is below a folder of that name, too."""
    text = pattern.removeprefix("/")
    if text.endswith("/"):
        text += "**"
    return _PART.findall(text), not _WILD & set(text.rpartition("/")[2])


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts, below = _parts(pattern)
    meant = "".join(_MEANING.get(part, re.escape(part)) for part in parts)
    return re.compile(meant + (_BELOW_NAME if below else ""), re.DOTALL)
