"""The checked syntax tree of an expression, as the C++ front end made it.

Macros are expanded in it: `all`, `exists`, `map` and their kin are comprehensions, `has(a.b)` is a
select that only tests, `a.?b` is a call of `_?._`. Shapes and field numbers are those of the public
`cel.expr.CheckedExpr` (syntax.proto, checked.proto of the CEL specification).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel.wire import double, fields, packed, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A literal such as `1u`."""

    value: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant of the text."""

    id: int
    value: bool | int | float | str | bytes | Unsigned | None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable of the environment, one of a comprehension, or the name of a type."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or with `test` whether the field is there."""

    id: int
    operand: Node
    field: str
    test: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function, an operator, or with a target a method."""

    id: int
    function: str
    target: Node | None
    arguments: tuple[Node, ...]

    @property
    def operands(self) -> tuple[Node, ...]:
        """The target, where there is one, and the arguments."""
        return self.arguments if self.target is None else (self.target, *self.arguments)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; `optional` are the positions of items that are left out where they are absent."""

    id: int
    items: tuple[Node, ...]
    optional: frozenset[int]


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map, as (key, value, whether the entry is left out where the value is absent)."""

    id: int
    entries: tuple[tuple[Node, Node, bool], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A protobuf message, which no policy can make use of."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Fold:
    """A comprehension: `result` after `step` for every item of `range` while `condition` holds."""

    id: int
    variable: str
    second: str
    range: Node
    accumulator: str
    initial: Node
    condition: Node
    step: Node
    result: Node


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a value; `of` are those of what a list, a map or an optional holds."""

    name: str
    of: tuple[Kind, ...] = ()


Node = Literal | Name | Select | Call | ListOf | MapOf | Message | Fold

DYN: Final = Kind("dyn")
_TYPE_MAP: Final = 3  # CheckedExpr.type_map
_CHECKED: Final = b"\n(type.googleapis.com/cel.expr.CheckedExpr"


@dataclass(frozen=True, slots=True)
class Reference:
    """A name of the environment as it is written; `hidden` are names that loops have taken."""

    node: Name
    parent: Node | None
    hidden: frozenset[str]


@dataclass(frozen=True)
class Tree:
    """One expression: its root, and where its nodes stand in the text."""

    root: Node
    _source: bytes
    _checked: bytes = b""

    @cached_property
    def types(self) -> dict[int, Kind]:
        """For the id of a node the type that the checker gave it; a node without one is dyn."""
        found: dict[int, Kind] = {}
        for number, data in _pieces(self._checked):
            if number != _TYPE_MAP:
                continue
            entry = {field: (value, piece) for field, value, piece in fields(data)}
            found[entry[1][0]] = _kind(entry[2][1])
        return found

    @cached_property
    def positions(self) -> dict[int, int]:
        """For the id of a node the offset, in code points, where it stands in the expression."""
        found: dict[int, int] = {}
        for number, _, data in fields(self._source):
            if number == 4:  # noqa: PLR2004 - SourceInfo.positions
                entry = {key: value for key, value, _ in fields(data)}
                found[entry.get(1, 0)] = entry.get(2, 0)
        return found

    @cached_property
    def written(self) -> dict[int, Node]:
        """For the id of a comprehension, and of other macros, the call that was written."""
        found: dict[int, Node] = {}
        for number, _, data in fields(self._source):
            if number == 5:  # noqa: PLR2004 - SourceInfo.macro_calls
                entry = {key: (value, piece) for key, value, piece in fields(data)}
                found[entry[1][0]] = _node(entry[2][1])
        return found

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names after `variables.` that are mentioned."""
        return frozenset(
            one.parent.field
            for one in self.references()
            if one.node.name == "variables" and isinstance(one.parent, Select)
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name of the environment or of a type; names of loops are none."""
        return frozenset(one.node.name for one in self.references())

    def references(self) -> Iterator[Reference]:
        """Every mention of a name of the environment or of a type, in no order."""
        waiting: list[tuple[Node, Node | None, frozenset[str]]] = [(self.root, None, frozenset())]
        while waiting:
            node, parent, hidden = waiting.pop()
            if isinstance(node, Name):
                if node.name not in hidden:
                    yield Reference(node, parent, hidden)
            elif isinstance(node, Fold):
                inside = hidden | {node.variable, node.second, node.accumulator}
                waiting += [(node.range, node, hidden), (node.initial, node, hidden)]
                waiting += [(node.condition, node, inside), (node.step, node, inside)]
                waiting.append((node.result, node, hidden | {node.accumulator}))
            else:
                waiting += [(one, node, hidden) for one in children(node)]

    def nodes(self) -> Iterator[Node]:
        """Every node, each before what is inside of it."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(children(node)))


def children(node: Node) -> tuple[Node, ...]:
    """What is inside of a node, in the order of evaluation."""
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.operands
        case ListOf():
            return node.items
        case MapOf():
            return tuple(one for key, value, _ in node.entries for one in (key, value))
        case Fold():
            return (node.range, node.initial, node.condition, node.step, node.result)
        case _:
            return ()


def read_tree(serialized: bytes) -> Tree:
    """The tree of a compiled expression as `Expression.serialize()` gives it.

    Raises:
        ValueError: when these bytes are no checked expression.
    """
    pieces = dict(_pieces(serialized))
    if not serialized.startswith(_CHECKED) or 2 not in pieces:  # noqa: PLR2004 - Any.value
        raise ValueError("this is no checked expression")
    checked = dict(_pieces(pieces[2]))
    return Tree(_node(checked[4]), checked.get(5, b""), pieces[2])


def _pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    return ((number, piece) for number, _, piece in fields(data))


def _kind(data: bytes) -> Kind:
    """One `cel.expr.Type`; what no JSON value can be keeps the number of its field as a name."""
    for number, value, piece in fields(data):
        match number:
            case 1:
                return DYN
            case 3:
                return Kind(_PRIMITIVES.get(value, "?"))
            case 6 | 7:
                held = tuple(_kind(one) for _, one in sorted(_pieces(piece)))
                return Kind("list" if number == 6 else "map", held)  # noqa: PLR2004 - list_type
            case 14:
                named = dict(_pieces(piece))[1].decode()
                return Kind(named, tuple(_kind(one) for at, one in _pieces(piece) if at > 1))
            case _:
                return Kind(_OTHER_KINDS.get((number, value), f"type {number}.{value}"))
    return DYN


def _node(data: bytes) -> Node:
    """One `cel.expr.Expr`."""
    node, kind, piece = 0, 0, b""
    for number, value, found in fields(data):
        if number == 2:  # noqa: PLR2004 - Expr.id
            node = value
        else:
            kind, piece = number, found
    return _READERS[kind](node, piece)


def _literal(node: int, data: bytes) -> Literal:
    for number, value, piece in fields(data):
        return Literal(node, _CONSTANTS[number](value, piece))
    raise ValueError("a literal without a value")


def _name(node: int, data: bytes) -> Name:
    return Name(node, dict(_pieces(data))[1].decode())


def _select(node: int, data: bytes) -> Select:
    operand, field, test = b"", "", False
    for number, value, piece in fields(data):
        if number == 1:
            operand = piece
        elif number == 2:  # noqa: PLR2004 - Select.field
            field = piece.decode()
        else:
            test = bool(value)
    return Select(node, _node(operand), field, test)


def _call(node: int, data: bytes) -> Call:
    target, function, arguments = None, "", []
    for number, _, piece in fields(data):
        if number == 1:
            target = _node(piece)
        elif number == 2:  # noqa: PLR2004 - Call.function
            function = piece.decode()
        else:
            arguments.append(_node(piece))
    return Call(node, function, target, tuple(arguments))


def _list(node: int, data: bytes) -> ListOf:
    items, optional = [], set()
    for number, value, piece in fields(data):
        if number == 1:
            items.append(_node(piece))
        else:
            optional.update(packed(piece) if piece else [value])
    return ListOf(node, tuple(items), frozenset(optional))


def _struct(node: int, data: bytes) -> MapOf | Message:
    entries = []
    for number, _, piece in fields(data):
        if number == 1:
            return Message(node, piece.decode())
        entries.append(_entry(piece))
    return MapOf(node, tuple(entries))


def _entry(data: bytes) -> tuple[Node, Node, bool]:
    key, value, optional = b"", b"", False
    for number, whole, piece in fields(data):
        if number == 3:  # noqa: PLR2004 - Entry.map_key
            key = piece
        elif number == 4:  # noqa: PLR2004 - Entry.value
            value = piece
        elif number == 5:  # noqa: PLR2004 - Entry.optional_entry
            optional = bool(whole)
    return _node(key), _node(value), optional


def _fold(node: int, data: bytes) -> Fold:
    parts = dict(_pieces(data))
    return Fold(
        node,
        parts[1].decode(),
        parts.get(8, b"").decode(),
        _node(parts[2]),
        parts[3].decode(),
        _node(parts[4]),
        _node(parts[5]),
        _node(parts[6]),
        _node(parts[7]),
    )


# Values of `cel.expr.Type.PrimitiveType`, and of the one-of around it with a value of its own.
_PRIMITIVES: Final = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_OTHER_KINDS: Final = {(2, 0): "null", (5, 2): "timestamp", (5, 3): "duration"}
# The fields of the one-of in `cel.expr.Constant`, of an integer and bytes.
_CONSTANTS: Final[dict[int, Callable[[int, bytes], Any]]] = {
    1: lambda _value, _piece: None,
    2: lambda value, _: bool(value),
    3: lambda value, _: signed(value),
    4: lambda value, _: Unsigned(value),
    5: lambda _, piece: double(piece),
    6: lambda _, piece: piece.decode(),
    7: lambda _, piece: piece,
}
# The fields of the one-of in `cel.expr.Expr`.
_READERS: Final[dict[int, Callable[[int, bytes], Node]]] = {
    3: _literal,
    4: _name,
    5: _select,
    6: _call,
    7: _list,
    8: _struct,
    9: _fold,
}
