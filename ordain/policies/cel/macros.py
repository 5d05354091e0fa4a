"""What a macro was before the front end expanded it.

`all`, `exists`, `exists_one`, `map` and `filter` reach us as comprehensions of a few fixed shapes.
A shape that is none of these is not guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass

from ordain.policies.cel.tree import Call, Fold, ListOf, Literal, Name, Node


@dataclass(frozen=True, slots=True)
class Loop:
    """`kind` is all, exists, exists_one or map; a filter is a map with a predicate.

    `predicate` is what decides on an item, `item` what a map makes of it.
    """

    kind: str
    predicate: Node | None = None
    item: Node | None = None


def is_bind(node: Fold) -> bool:
    """`cel.bind`, and what `optMap` is made of."""
    return node.variable == "#unused" and isinstance(node.range, ListOf) and not node.range.items


def is_name(node: Node, name: str) -> bool:
    """Whether a node is this name."""
    return isinstance(node, Name) and node.name == name


def loop_of(node: Fold) -> Loop | None:
    """The macro that a comprehension was; None where it is none of those that are known."""
    step, name = node.step, node.accumulator
    if not isinstance(step, Call) or node.second:
        return None
    if step.function == "_?_:_" and _is_literal(node.initial, 0):
        return Loop("exists_one", step.arguments[0]) if _counts(node, step) else None
    return _loop(node, step, name) if is_name(node.result, name) else None


def _loop(node: Fold, step: Call, name: str) -> Loop | None:
    """A macro whose answer is what it has accumulated."""
    match step.function, node.initial:
        case "_&&_", Literal(value=True) if is_name(step.arguments[0], name):
            return Loop("all", step.arguments[1])
        case "_||_", Literal(value=False) if is_name(step.arguments[0], name):
            return Loop("exists", step.arguments[1])
        case "_?_:_" | "_+_", ListOf(items=()):
            return _map(step, name)
    return None


def _map(step: Call, name: str) -> Loop | None:
    """`accumulator + [item]`, or that under a condition."""
    if step.function == "_+_":
        item = _appended(step, name)
        return None if item is None else Loop("map", None, item)
    predicate, added, kept = step.arguments
    item = _appended(added, name)
    return Loop("map", predicate, item) if item is not None and is_name(kept, name) else None


def _appended(node: Node, name: str) -> Node | None:
    if isinstance(node, Call) and node.function == "_+_" and is_name(node.arguments[0], name):
        made = node.arguments[1]
        if isinstance(made, ListOf) and len(made.items) == 1 and not made.optional:
            return made.items[0]
    return None


def _is_literal(node: Node, value: int) -> bool:
    return isinstance(node, Literal) and type(node.value) is int and node.value == value


def _counts(node: Fold, step: Call) -> bool:
    """Whether every item that fits adds one, and the sum is compared with one."""
    name, added, result = node.accumulator, step.arguments[1], node.result
    if not isinstance(added, Call) or not isinstance(result, Call):
        return False
    return (
        added.function == "_+_"
        and is_name(added.arguments[0], name)
        and _is_literal(added.arguments[1], 1)
        and is_name(step.arguments[2], name)
        and result.function == "_==_"
        and is_name(result.arguments[0], name)
        and _is_literal(result.arguments[1], 1)
    )
