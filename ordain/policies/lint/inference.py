"""The type of every part of an expression, and what is wrong with it.

Reported are fields that no document of these kinds can have, comparisons that can never hold, and
operations on values that they are not made for. What stands behind `.?` or `has()` is held to the
same: an optional field that no schema has is always absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.policies.cel.conditions import CHOICE, DECISIONS, NOT
from ordain.policies.cel.macros import is_bind, loop_of
from ordain.policies.cel.tree import Call, Fold, ListOf, Literal, MapOf, Name, Select, children
from ordain.policies.lint.types import (
    BOOL,
    DOUBLE,
    INT,
    NOTHING,
    NUMBERS,
    TEXT,
    UNKNOWN,
    Choice,
    Items,
    Type,
    base,
    equal_possible,
    field_of,
    indexed,
    item_of,
    items,
    literal,
    may_be_absent,
    names_of,
    record,
    union,
    words,
)
from ordain.policies.lint.uses import FIELDS
from ordain.specs.spelling import did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.policies.cel.tree import Node

_RESULTS: Final[dict[str, Type]] = {
    "size": INT,
    "int": INT,
    "indexOf": INT,
    "double": DOUBLE,
    "string": TEXT,
    "lowerAscii": TEXT,
    "upperAscii": TEXT,
    "trim": TEXT,
    "join": TEXT,
    "replace": TEXT,
    "substring": TEXT,
    "charAt": TEXT,
    "bool": BOOL,
    "split": items(TEXT),
    "optional.none": NOTHING,
    NOT: BOOL,
    **dict.fromkeys(DECISIONS, BOOL),
}
_OF_TEXTS: Final = frozenset({"matches", "startsWith", "endsWith", "contains"})
_SUMS: Final[dict[str, Type]] = {"text": TEXT, "int": INT, "double": DOUBLE}
_EQUALS: Final = {"_==_": False, "_!=_": True}
_ORDERS: Final = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_ARITHMETIC: Final[dict[str, frozenset[str]]] = {
    "_+_": frozenset({"int", "double", "text", "list"}),
    "_-_": NUMBERS,
    "_*_": NUMBERS,
    "_/_": NUMBERS,
    "_%_": frozenset({"int"}),
}
_SAME: Final = frozenset({"value", "optional.of", "dyn"})
_EITHER: Final = frozenset({"orValue", "or"})
_ORDERED: Final = (frozenset({"int", "double"}), frozenset({"text"}), frozenset({"bool"}))
_MOST_NAMED: Final = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a part; `word` is what to underline of it."""

    code: str
    node: Node
    message: str
    remedy: str
    word: str = ""


class Inference:
    """The types of one expression.

    `decided` are comparisons whose answer is known, by node. `unsure` are reads of fields that may
    be absent, with their paths, and `guards` the paths that something asks for.
    """

    def __init__(self, scope: Mapping[str, Type]) -> None:
        self.problems: list[Problem] = []
        self.decided: dict[int, bool] = {}
        self.unsure: list[tuple[str, Problem]] = []
        self.guards: set[str] = set()
        self._scope = dict(scope)

    def infer(self, node: Node) -> Type:
        """The type of a part; what is inside of it is looked at once."""
        found: Type = UNKNOWN
        match node:
            case Literal():
                found = literal(node.value)
            case Name():
                found = self._scope.get(node.name, UNKNOWN)
            case Select():
                of = self._field(node, self.infer(node.operand), node.field)
                found = BOOL if node.test else of
            case ListOf():
                found = items(union(NOTHING, *map(self.infer, node.items)))
            case MapOf():
                found = self._map(node)
            case Fold():
                found = self._fold(node)
            case Call():
                found = self._call(node)
        return found

    def _map(self, node: MapOf) -> Type:
        found: dict[str, Type] = {}
        free = False
        for key, value, _ in node.entries:
            of = self.infer(value)
            if isinstance(key, Literal) and isinstance(key.value, str):
                found[key.value] = of
            else:
                self.infer(key)
                free = True
        return UNKNOWN if free else record(f"map {sorted(found)}", found)

    def _call(self, node: Call) -> Type:
        if node.function in FIELDS:
            return self._indexed(node)
        types = [self.infer(one) for one in node.operands]
        self._check(node, types)
        return _result(node.function, types)

    def _check(self, node: Call, types: list[Type]) -> None:
        """Whether the operands are such that the call can mean something."""
        name = node.function
        if name in _EQUALS:
            self._compared(node, *types)
        elif name == "@in":
            key, operand = node.operands
            if isinstance(key, Literal) and dotted(operand):
                self.guards.add(f"{dotted(operand)}.{key.value!s}")
            self._contained(node, *types)
        elif name in _ORDERS:
            self._ordered(node, *types)
        elif name in _OF_TEXTS:
            self._of_texts(node, types)
        elif name in _ARITHMETIC and len(types) == 2:  # noqa: PLR2004 - the two sides
            self._calculated(node, *types)

    # ── fields ───────────────────────────────────────────────────────────────────────────────

    def _indexed(self, node: Call) -> Type:
        operand, key = node.operands
        of = self.infer(operand)
        if isinstance(key, Literal) and isinstance(key.value, str):
            return self._field(node, of, key.value)
        self.infer(key)
        return indexed(of)

    def _field(self, node: Node, of: Type, name: str) -> Type:
        found, possible = field_of(of, name)
        path = f"{above}.{name}" if (above := dotted(children(node)[0])) else ""
        if isinstance(node, Select) and not node.test:
            if path and may_be_absent(of, name):
                self.unsure.append((path, _unguarded(node, path, name)))
        elif path and not _is_index(node):
            self.guards.add(path)
        if not possible and _name_of(node) not in {"variables", "params"}:
            known = names_of(of)
            self._report("LINT010", node, _no_field(node, of, name), _known(name, known), name)
        return found

    # ── comparisons ──────────────────────────────────────────────────────────────────────────

    def _compared(self, node: Call, left: Type, right: Type) -> None:
        if equal_possible(left, right) or _is_null(node.operands[0], node.operands[1]):
            return
        always = _EQUALS[node.function]
        self.decided[node.id] = always
        said = "always holds" if always else "can never hold"
        message = f"this comparison {said}: {_versus(left, right)}"
        self._report("LINT011", node, message, _choices(left, right))

    def _contained(self, node: Call, left: Type, right: Type) -> None:
        kinds = {base(one) for one in right or ()}
        if kinds and not kinds & {"list", "map"}:
            message = f"`in` looks into a list or a map, and this is {words(right)}"
            self._report("LINT012", node, message, "compare with ==")
            return
        item = item_of(right)
        if not right or any(isinstance(one, Items) and not one.item for one in right):
            return
        if not equal_possible(left, item):
            self.decided[node.id] = False
            message = f"this can never hold: {_versus(left, item)}"
            self._report("LINT011", node, message, _choices(left, item))

    def _ordered(self, node: Call, left: Type, right: Type) -> None:
        if not left or not right:
            return
        one, other = {base(member) for member in left}, {base(member) for member in right}
        if not any(one & group and other & group for group in _ORDERED):
            message = f"this cannot be evaluated: {_versus(left, right)}"
            self._report("LINT012", node, message, "compare values of one type")

    def _calculated(self, node: Call, left: Type, right: Type) -> None:
        """No operator takes an integer on one side and a number with a point on the other."""
        if not left or not right:
            return
        allowed = _ARITHMETIC[node.function]
        one, other = {base(member) for member in left}, {base(member) for member in right}
        if not one & other & allowed:
            message = f"this cannot be evaluated: {_versus(left, right)}"
            self._report("LINT012", node, message, "convert one side, as with double(...)")
        elif {*one, *other} == NUMBERS:
            message = "this fails where one side is written with a decimal point and one is not"
            self._report("LINT014", node, message, "convert what is not sure with double(...)")

    def _of_texts(self, node: Call, types: list[Type]) -> None:
        for one, operand in zip(types, node.operands, strict=True):
            if one and "text" not in {base(member) for member in one}:
                message = f"{node.function}() is of texts, and this is {words(one)}"
                self._report("LINT012", operand, message, "convert it with string(...)")

    # ── comprehensions ───────────────────────────────────────────────────────────────────────

    def _fold(self, node: Fold) -> Type:
        if is_bind(node):
            return self._within(node.accumulator, self.infer(node.initial), node.result)
        loop = loop_of(node)
        of = self.infer(node.range)
        if loop is None:
            return self._unknown_loop(node)
        item = item_of(of)
        if loop.predicate is not None:
            self._within(node.variable, item, loop.predicate)
        if loop.item is None:
            return BOOL
        return items(self._within(node.variable, item, loop.item))

    def _within(self, name: str, of: Type, node: Node) -> Type:
        kept, self._scope = self._scope, {**self._scope, name: of}
        found = self.infer(node)
        self._scope = kept
        return found

    def _unknown_loop(self, node: Fold) -> Type:
        """A macro of another kind: what its variables are is not known."""
        names = (node.variable, node.second, node.accumulator)
        kept, self._scope = self._scope, {**self._scope, **dict.fromkeys(names, UNKNOWN)}
        for part in (node.initial, node.condition, node.step, node.result):
            self.infer(part)
        self._scope = kept
        return UNKNOWN

    def _report(self, code: str, node: Node, message: str, remedy: str, word: str = "") -> None:
        self.problems.append(Problem(code, node, message, remedy, word))


def _result(name: str, types: list[Type]) -> Type:
    """The type of a call's answer."""
    if name in _SAME:
        return types[0]
    if name in _EITHER:
        return union(*types)
    if name == CHOICE:
        return union(*types[1:])
    if name in _ARITHMETIC and len(types) == 2:  # noqa: PLR2004 - the two sides
        return _sum(*types)
    return _RESULTS.get(name, UNKNOWN)


def _is_index(node: Node) -> bool:
    """Whether this is `a['b']`, which guards nothing."""
    return isinstance(node, Call) and node.function == "_[_]"


def _unguarded(node: Select, path: str, name: str) -> Problem:
    message = f"{path} may be absent, and then this cannot be evaluated"
    remedy = f"ask has({path}) first, or write .?{name} and orValue(...)"
    return Problem("LINT013", node, message, remedy, name)


def _no_field(node: Node, of: Type, name: str) -> str:
    """What to say of a field that is not there."""
    operand = node.operand if isinstance(node, Select) else children(node)[0]
    path = dotted(operand) or "this"
    kinds = {base(one) for one in of or ()}
    if kinds == {"null"}:
        return f"{path} is always null for the kinds that are matched, so it has no field `{name}`"
    if "map" not in kinds:
        return f"{path} is {words(of)} and has no field `{name}`"
    return f"{path} has no field `{name}`"


def _known(word: str, known: tuple[str, ...]) -> str:
    """The field that was meant, or those that there are."""
    if not known:
        return "remove it, or match the kinds that have it"
    named = [f"`{name}`" for name in known[:_MOST_NAMED]]
    more = ["…"] if len(known) > _MOST_NAMED else []
    return did_you_mean(word, known) or f"known here: {', '.join([*named, *more])}"


def _versus(left: Type, right: Type) -> str:
    return f"on the left {words(left)}, on the right {words(right)}"


def _choices(left: Type, right: Type) -> str:
    """The value that was meant, where one side is one of a few."""
    for one, other in ((left, right), (right, left)):
        values = [str(choice.value) for choice in other or () if isinstance(choice, Choice)]
        given = [str(choice.value) for choice in one or () if isinstance(choice, Choice)]
        if len(given) == 1 and len(values) > 1:
            return did_you_mean(given[0], values) or f"compare with {listed(sorted(values))}"
    return "compare values that can be equal"


def _is_null(*nodes: Node) -> bool:
    """Whether this asks for null, which is a guard and harmless where it is never true."""
    return any(isinstance(node, Literal) and node.value is None for node in nodes)


def _sum(left: Type, right: Type) -> Type:
    """Lists are joined, texts too; a sum of numbers of one type is of it."""
    both = union(left, right)
    kinds = {base(one) for one in both or ()}
    if both is None or len(kinds) != 1:
        return UNKNOWN
    if kinds == {"list"}:
        return items(union(*(one.item for one in both if isinstance(one, Items))))
    (kind,) = kinds
    return _SUMS.get(kind, UNKNOWN)


def _name_of(node: Node) -> str:
    """The name whose field a part is."""
    operand = children(node)[0]
    return operand.name if isinstance(operand, Name) else ""


def dotted(node: Node) -> str:
    """`object.spec.tier`; empty where a part is no path."""
    match node:
        case Name():
            return node.name
        case Select(test=False):
            above = dotted(node.operand)
            return f"{above}.{node.field}" if above else ""
        case Call(function="_?._", arguments=(operand, Literal(value=str(name)))):
            above = dotted(operand)
            return f"{above}.{name}" if above else ""
        case _:
            return ""
