"""Parts of an expression that have one answer whatever the object.

The tree decides the shapes (`x || true`, `x && !x`, `x == x`); what reads nothing at all is asked
of the engine, so that nobody writes a second evaluator.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from ordain.policies.cel.conditions import CHOICE, NOT, decides, inside
from ordain.policies.cel.extents import extent
from ordain.policies.cel.tree import Call, Fold, Literal, Name, children
from ordain.policies.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.policies.cel.tree import Node, Tree
    from ordain.policies.engine import Engine, Program

# `||` is true where one operand is, `&&` is false where one is.
_DECIDES: Final = {"_||_": True, "_&&_": False}
_SAME: Final = {"_==_": True, "_!=_": False}


class Constants:
    """The constant parts of one expression; `decided` are answers known from types, by node."""

    def __init__(self, program: Program, engine: Engine, decided: Mapping[int, bool]) -> None:
        self._text = program.text
        self._engine = engine
        self._decided = decided
        self._found: dict[int, bool | None] = {}

    def answer(self, tree: Tree, node: Node) -> bool | None:
        """The only answer that a part has, or None."""
        if node.id not in self._found:
            self._found[node.id] = self._answer(tree, node)
        return self._found[node.id]

    def _answer(self, tree: Tree, node: Node) -> bool | None:
        if isinstance(node, Literal):
            return node.value if isinstance(node.value, bool) else None
        if node.id in self._decided:
            return self._decided[node.id]
        return self._shaped(tree, node) if isinstance(node, Call) else self._evaluated(tree, node)

    def _shaped(self, tree: Tree, node: Call) -> bool | None:
        """The answer of a call, by its form or because it reads nothing."""
        if node.function == NOT:
            found = self.answer(tree, node.arguments[0])
            return None if found is None else not found
        if node.function in _DECIDES:
            return self._junction(tree, node.function, *node.arguments)
        if node.function == CHOICE:
            return self._choice(tree, *node.arguments)
        if node.function in _SAME and same(*node.arguments) and reads(node):
            return _SAME[node.function]
        return self._evaluated(tree, node)

    def _junction(self, tree: Tree, name: str, left: Node, right: Node) -> bool | None:
        wins = _DECIDES[name]
        answers = {self.answer(tree, left), self.answer(tree, right)}
        if wins in answers or _opposite(left, right):
            return wins
        return None if None in answers else not wins

    def _choice(self, tree: Tree, which: Node, first: Node, second: Node) -> bool | None:
        chosen = self.answer(tree, which)
        if chosen is not None:
            return self.answer(tree, first if chosen else second)
        one, other = self.answer(tree, first), self.answer(tree, second)
        return one if one is other else None

    def _evaluated(self, tree: Tree, node: Node) -> bool | None:
        """The answer of a part that reads nothing."""
        if not decides(node) or reads(node):
            return None
        start, end = extent(self._text, tree, node)
        try:
            outcome = self._engine.compile(self._text[start:end]).run(self._engine.bind({}))
        except ExpressionError:
            return None
        return outcome.value if isinstance(outcome.value, bool) and not outcome.error else None

    def parts(self, tree: Tree) -> Iterator[tuple[Node, bool]]:
        """The outermost constant parts below the whole, where a bool is wanted or computed."""
        yield from self._below(tree, tree.root)

    def _below(self, tree: Tree, node: Node) -> Iterator[tuple[Node, bool]]:
        for one, wanted in inside(node):
            # `c ? x : true` says what holds where `c` does not, and says it well.
            constant = self.answer(tree, one) if wanted or not isinstance(one, Literal) else None
            if constant is None:
                yield from self._below(tree, one)
            elif one.id not in self._decided:
                yield one, constant


def same(left: Node, right: Node) -> bool:
    """Whether two parts say the same in the same words."""
    here, there = children(left), children(right)
    alike = type(left) is type(right) and _own(left) == _own(right)
    return alike and len(here) == len(there) and all(map(same, here, there))


def _own(node: Node) -> list[tuple[object, object]]:
    """What a part is beside its parts; 1 and true are two things."""
    values = (getattr(node, one.name) for one in fields(node) if one.name != "id")
    return [(type(value), value) for value in values if not _holds_nodes(value)]


def _holds_nodes(value: object) -> bool:
    return isinstance(value, tuple) or hasattr(value, "id")


def _opposite(left: Node, right: Node) -> bool:
    """Whether one is the negation of the other."""
    return any(
        isinstance(one, Call) and one.function == NOT and same(one.arguments[0], other)
        for one, other in ((left, right), (right, left))
    )


def reads(node: Node) -> bool:
    """Whether a part reads anything that it does not itself make."""
    return bool(_free(node))


def _free(node: Node) -> set[str]:
    match node:
        case Name():
            return {node.name}
        case Fold():
            own = {node.variable, node.second, node.accumulator}
            inner = set().union(*map(_free, (node.condition, node.step, node.result)))
            return _free(node.range) | _free(node.initial) | (inner - own)
        case _:
            return set().union(*map(_free, children(node)))
