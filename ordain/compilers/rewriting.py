"""Expressions of the gate as a cluster takes them, with the same meaning.

The gate knows no types but those of the text: all names are dyn. A cluster gives a variable the
type of its expression, refuses a validation that is not of type bool when it compiles it, and knows
`params` as an object of its own. So

- parameters become a variable with the value written out, and `params` the name of that variable;
  in conditions, which have no variables, the value itself;
- the expression of a variable is put into `dyn(…)` where its type is known;
- a condition or a validation that may be no bool becomes `dyn(…) ? true : false`, which is an
  error for whatever is no bool, as it is in the gate;
- a message that may be no text becomes `dyn(…) + ''`, which is an error for whatever is no text;
  then the message without an expression is used, as it is in the gate.

Names are replaced where the syntax tree says that they stand. Refused: replacing by pattern, which
cannot tell a name from the same letters in a text or from the variable of a loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ordain.compilers.clusters import quote
from ordain.policies.cel.tree import DYN, Call, Fold, Name, Node, Select

if TYPE_CHECKING:
    from ordain.policies.cel.tree import Tree

# Calls whose type is that of what they are given, which two checkers may see differently.
_PASSED_ON: Final = frozenset({"_?_:_", "_[_]", "orValue", "value", "or"})


def with_params(text: str, tree: Tree, put: str) -> str:
    """The expression with another expression in the place of the name `params`."""
    places = {
        tree.positions.get(one.node.id, 0) for one in tree.references() if one.node.name == "params"
    }
    for at in sorted(places, reverse=True):
        text = f"{text[:at]}{put}{text[at + len('params') :]}"
    return text.strip()


def as_bool(text: str, tree: Tree) -> str:
    """An expression whose type is bool, whoever checks it."""
    return text if _settled(tree, tree.root, "bool") else f"dyn({_closed(text)}) ? true : false"


def as_text(text: str, tree: Tree) -> str:
    """An expression whose type is string, whoever checks it."""
    return text if _settled(tree, tree.root, "string") else f"dyn({_closed(text)}) + ''"


def as_dyn(text: str, tree: Tree) -> str:
    """An expression whose type is known to nobody."""
    unknown = tree.types.get(tree.root.id, DYN) == DYN
    return text if unknown else f"dyn({_closed(text)})"


def _settled(tree: Tree, node: Node, kind: str) -> bool:
    """Whether the type of a node follows from the outermost function alone."""
    if tree.types.get(node.id, DYN).name != kind:
        return False
    match node:
        case Call(function="_?_:_", arguments=(_, yes, no)):
            return _settled(tree, yes, kind) and _settled(tree, no, kind)
        case Call(function=function):
            return function not in _PASSED_ON
        case Name() | Select(test=False):
            return False
        case Fold(result=Name()):
            return isinstance(node.step, Call) and node.step.function in {"_&&_", "_||_"}
        case _:
            return True


def _closed(text: str) -> str:
    """The text as something may follow it: a comment ends with its line."""
    return f"{text}\n" if "//" in text else text


def literal(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A plain value as an expression of the very same value, of type dyn.

    The loader lets no number pass that an expression could not say.
    """
    return f"dyn({_written(value)})"


def _written(value: Any) -> str:  # noqa: ANN401 - any JSON value
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return quote(value)
        case list():
            return f"[{', '.join(_alike(value))}]"
        case _:
            entries = zip(map(quote, value), _alike(list(value.values())), strict=True)
            return f"{{{', '.join(f'{key}: {one}' for key, one in entries)}}}"


def _alike(values: list[Any]) -> list[str]:
    """The values of a list or a map; each dyn where several are not of one plain type."""
    kinds = {type(one) for one in values}
    one_type = len(values) == 1 or (len(kinds) == 1 and not kinds & {list, dict})
    return [_written(one) if one_type else literal(one) for one in values]
