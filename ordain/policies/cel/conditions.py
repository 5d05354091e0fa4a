"""The conditions of an expression: every part of it that is true or false.

A negation is no condition of its own, because it says nothing that its operand does not say; nor is
a constant, which has one answer. `a && b && c` is one condition and its three operands, whatever
pairs the parser made of it. What macros were expanded to is passed over: only what somebody
wrote can be covered by a test, or be wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.policies.cel.macros import is_bind, loop_of
from ordain.policies.cel.tree import Call, Fold, Literal, Node, Select, children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.cel.tree import Tree

NOT: Final = "!_"
CHOICE: Final = "_?_:_"
JUNCTIONS: Final = frozenset({"_&&_", "_||_"})
# Calls whose answer is a bool whatever they are given.
DECISIONS: Final = frozenset(
    {
        *JUNCTIONS,
        "_==_",
        "_!=_",
        "_<_",
        "_<=_",
        "_>_",
        "_>=_",
        "@in",
        "matches",
        "startsWith",
        "endsWith",
        "contains",
        "hasValue",
    }
)
_LOOPS: Final = frozenset({"all", "exists", "exists_one"})


def core(node: Node) -> Node:
    """A node without the negations around it."""
    while isinstance(node, Call) and node.function == NOT:
        node = node.arguments[0]
    return node


def conditions(tree: Tree) -> tuple[Node, ...]:
    """The parts of an expression that are true or false, itself left out, in order of writing."""
    whole = core(tree.root)
    return tuple(node for node in _below(tree.root, wanted=True) if node is not whole)


def inside(node: Node) -> Iterator[tuple[Node, bool]]:
    """What is written directly inside of a node, and whether a bool is wanted there."""
    match node:
        case Call(function=name) if name in JUNCTIONS or name == NOT:
            yield from ((one, True) for one in node.operands)
        case Call(function=name) if name == CHOICE:
            which, first, second = node.operands
            yield from ((which, True), (first, False), (second, False))
        case Fold():
            yield from _of_fold(node)
        case _:
            yield from ((one, False) for one in children(node))


def _of_fold(node: Fold) -> Iterator[tuple[Node, bool]]:
    loop = loop_of(node)
    if is_bind(node):
        yield from ((node.initial, False), (node.result, False))
    elif loop is not None:
        yield node.range, False
        yield from ((one, True) for one in (loop.predicate,) if one is not None)
        yield from ((one, False) for one in (loop.item,) if one is not None)


def _below(node: Node, *, wanted: bool, chain: str = "") -> Iterator[Node]:
    name = node.function if isinstance(node, Call) else ""
    passed = isinstance(node, Literal) or name == NOT or (name in JUNCTIONS and name == chain)
    if not passed and (wanted or decides(node)):
        yield node
    for one, bool_wanted in inside(node):
        yield from _below(one, wanted=bool_wanted, chain=name)


def decides(node: Node) -> bool:
    """Whether the value of a node is a bool by its form alone."""
    match node:
        case Literal():
            return isinstance(node.value, bool)
        case Call():
            return node.function in DECISIONS or node.function == NOT
        case Select():
            return node.test
        case Fold():
            loop = loop_of(node)
            return loop is not None and loop.kind in _LOOPS
        case _:
            return False
