"""From where to where a part of an expression stands in its text.

The front end says for each node one offset: that of a literal or a name, of an operator, of the dot
of a field, of the bracket of a call. Its first and its last letter follow from those of its
operands. Writing the part anew from the tree was refused: a reader looks for what stands there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from ordain.policies.cel.macros import is_bind
from ordain.policies.cel.tree import Call, Fold, ListOf, Literal, MapOf, Name, Select

if TYPE_CHECKING:
    from ordain.policies.cel.tree import Node, Tree

_TEXTS: Final = (
    r"""[rR]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"""
    r"""|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
)
_NUMBER: Final = r"-?[0-9][0-9A-Za-z.]*(?:(?<=[eE])[+-][0-9]+)?"
_TOKEN: Final = re.compile(rf"{_TEXTS}|[A-Za-z_]\w*|{_NUMBER}|\s+|.", re.DOTALL)
_OPENS: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSES: Final = frozenset(_OPENS.values())
_PREFIXED: Final = frozenset({"!_", "-_"})


def extent(text: str, tree: Tree, node: Node) -> tuple[int, int]:
    """The offsets, in code points, of the first letter of a part and behind its last one.

    What cannot be found is the whole expression.
    """
    try:
        finder = _Finder(text, tree.positions)
        start, end = finder.start(node), finder.end(node)
        return finder.balanced(start, end)
    except (LookupError, ValueError):
        return 0, len(text)


def passage(text: str, tree: Tree, node: Node) -> str:
    """A part as it stands in the text, on one line."""
    start, end = extent(text, tree, node)
    return " ".join(text[start:end].split())


@cache
def _tokens(text: str) -> dict[int, str]:
    """Every token by its offset; white space is one too."""
    return {found.start(): found[0] for found in _TOKEN.finditer(text)}


class _Finder:
    def __init__(self, text: str, positions: dict[int, int]) -> None:
        self.text = text
        self.positions = positions
        self.tokens = _tokens(text)

    def start(self, node: Node) -> int:
        """The offset of the first letter."""
        at = self.positions[node.id]
        word = _name_before_bracket(node)
        if word:
            return self._before(at, word)
        first = _first(node)
        return at if first is None else min(self.start(first), at)

    def end(self, node: Node) -> int:
        """The offset behind the last letter."""
        at = self.positions[node.id]
        match node:
            case Literal() | Name():
                return at + len(self.tokens[at])
            case ListOf() | MapOf() | Fold() | Select(test=True):
                return self._closed(at)
            case Select():
                return self._word_after(at + 1)
            case Call(function="_?._"):
                return self._word_after(at + 2)
            case Call(function=name) if name in {"_[_]", "_[?_]"} or _is_word(name):
                return self._closed(at)
            case Call():
                return max(self.end(one) for one in node.operands)
            case _:
                raise LookupError(node)

    def balanced(self, start: int, end: int) -> tuple[int, int]:
        """The same with the parentheses that one of its ends has cut."""
        opened: list[str] = []
        missing = 0
        for at in [at for at in self.tokens if start <= at < end]:
            token = self.tokens[at]
            if token in _OPENS:
                opened.append(token)
            elif token in _CLOSES:
                if opened:
                    opened.pop()
                else:
                    missing += 1
        for _ in range(missing):
            start = self.text.rindex("(", 0, start)
        for _ in opened:
            end = self.text.index(")", end) + 1
        return start, end

    def _before(self, at: int, word: str) -> int:
        start = self.text.rindex(word, 0, at + 1)
        if self.text[start + len(word) : at].strip():
            raise LookupError(word)
        return start

    def _closed(self, at: int) -> int:
        """Behind the bracket that closes the one at an offset."""
        depth = 0
        for place in [one for one in self.tokens if one >= at]:
            depth += (self.tokens[place] in _OPENS) - (self.tokens[place] in _CLOSES)
            if depth <= 0:
                return place + 1
        raise LookupError(at)

    def _word_after(self, at: int) -> int:
        while self.tokens[at].isspace():
            at += len(self.tokens[at])
        return at + len(self.tokens[at])


def _name_before_bracket(node: Node) -> str:
    """The name that a part begins with, where its own offset is that of the bracket behind it."""
    match node:
        case Select(test=True):
            return "has"
        case Fold() if is_bind(node):
            return "cel.bind"
        case Call(target=None, function=name) if _is_word(name):
            return name
        case _:
            return ""


def _first(node: Node) -> Node | None:
    """The part that a part begins with."""
    match node:
        case Select():
            return node.operand
        case Fold():
            return node.range
        case Call() if node.function not in _PREFIXED:
            return node.operands[0]
        case _:
            return None


def _is_word(function: str) -> bool:
    """Whether a function is written by its name, and not as an operator."""
    return function[0].isalpha() or function.startswith("optional")
