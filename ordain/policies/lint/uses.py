"""What an expression reads of `variables` and of `params`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.policies.cel.tree import Call, Literal, Name, Node, Select, children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.cel.tree import Tree

_BAGS: Final = frozenset({"variables", "params"})
# What reads a field or an item, beside `a.b`.
FIELDS: Final = frozenset({"_?._", "_[_]", "_[?_]"})


@dataclass(frozen=True, slots=True)
class Use:
    """A field that is read; `field` is empty where the whole is, with a computed key or as such."""

    bag: str
    field: str
    node: Node


def uses(tree: Tree) -> Iterator[Use]:
    """Every read of `variables` and `params`, in order of writing."""
    yield from _below(tree.root)


def _below(node: Node) -> Iterator[Use]:
    found = _field(node)
    if found is not None:
        yield found
        return
    if isinstance(node, Name) and node.name in _BAGS:
        yield Use(node.name, "", node)
    for one in children(node):
        yield from _below(one)


def _field(node: Node) -> Use | None:
    match node:
        case Select(operand=Name(name=bag), field=field) if bag in _BAGS:
            return Use(bag, field, node)
        case Call(function=name, arguments=(Name(name=bag), Literal(value=field))):
            if name in FIELDS and bag in _BAGS and isinstance(field, str):
                return Use(bag, field, node)
    return None
