"""Parts of an expression that can never be evaluated, whatever the object.

What reads nothing is asked of the engine, and so is every pattern that stands there as a text: it
knows what it can read, and a second list of what is a duration or a regular expression would be
wrong some day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.policies.cel.extents import extent
from ordain.policies.cel.tree import Call, Literal, Node, children
from ordain.policies.errors import ExpressionError
from ordain.policies.lint.constants import reads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.cel.tree import Tree
    from ordain.policies.engine import Engine, Program


def failing(program: Program, tree: Tree, engine: Engine) -> Iterator[tuple[Node, str]]:
    """The innermost parts that cannot be evaluated, each with what the engine says about it."""

    def below(node: Node) -> Iterator[tuple[Node, str]]:
        found = [one for child in children(node) for one in below(child)]
        yield from found
        if not found and isinstance(node, Call):
            text = _alone(program.text, tree, node)
            error = _error(text, engine) if text else ""
            if error:
                yield node, error

    yield from below(tree.root)


def _alone(text: str, tree: Tree, node: Call) -> str:
    """An expression that fails where this call always does; empty where it depends on something."""
    if not reads(node):
        start, end = extent(text, tree, node)
        return text[start:end]
    if node.function == "matches" and isinstance(node.operands[-1], Literal):
        start, end = extent(text, tree, node.operands[-1])
        return f'"".matches({text[start:end]})'
    return ""


def _error(text: str, engine: Engine) -> str:
    try:
        return engine.compile(text).run(engine.bind({})).error
    except ExpressionError:
        # What an extent cuts out may be no expression of its own.
        return ""
