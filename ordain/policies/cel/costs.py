"""What the exact evaluator might have to make and walk through, before it is asked.

The evaluator bounds its loops, ten thousand turns altogether, and nothing else. A text that is
replaced by itself, a list that is added to itself at every level of some macros, a small list that
holds itself ten times at each of ten levels: each of them takes minutes or gigabytes within those
turns. Fast code stops at its own bounds; this stops the evaluator, which cannot be interrupted, by
not asking it.

The bound is an estimate from above: the tree is gone through once, with the sizes of values instead
of the values. A size is one for each value and each character. Of the elements of a list the mean
counts wherever something grows with them in proportion, because over the whole loop that comes to
the size of the list; where sizes are multiplied the largest counts. Both branches of a choice are
counted, and whatever might be skipped. An estimate may therefore refuse what would have been cheap,
after the fast code has declined it and with values that are large; it says so in an error.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel.patterns import effort
from ordain.policies.cel.tree import Call, Fold, ListOf, Literal, MapOf, Name, Node, Select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MAXIMUM_COST: Final = 20_000_000.0
# The turns of all loops of one evaluation: the evaluator's own bound.
TURNS: Final = 10_000.0
# More values than this are not counted; they are too many for any rule that was declined.
_COUNTED: Final = 1_000_000
# A length by which work is divided, so that what is less than a unit for each character counts.
_LONG: Final = 1_000
# The longest text of one number in `format`: 308 digits, a point, and a precision of 1,000.
_FORMATTED: Final = 1_400.0


class Size:
    """How large a value may be: on the average over the turns of the loops around it, and at most.

    The plain one is an estimate; that of a value at hand is counted when it is asked for.
    """

    def __init__(self, mean: float, top: float, count: float | None = None) -> None:
        self._mean, self._top, self._count = mean, top, mean if count is None else count

    @property
    def mean(self) -> float:
        """On the average over the turns of all loops around it."""
        return self._mean

    @property
    def top(self) -> float:
        """At most."""
        return self._top

    @property
    def count(self) -> float:
        """How many items it may have, on the average."""
        return self._count

    @property
    def held(self) -> object:
        """The value itself, where it is at hand."""
        return None

    def field(self, _: object) -> Size:
        """A part under a known key."""
        return Size(self.mean, self.top)

    def element(self) -> Size:
        """An element, over a loop through all of them."""
        return Size(self.mean / max(min(self.count, TURNS), 1.0), self.top)

    def __add__(self, other: Size) -> Size:
        return Size(self.mean + other.mean, self.top + other.top)

    def __or__(self, other: Size) -> Size:
        return Size(max(self.mean, other.mean), max(self.top, other.top))

    def __mul__(self, other: Size) -> Size:
        mean = min(_product(self.mean, other.top), _product(self.top, other.mean))
        return Size(mean, _product(self.top, other.top))


class Held(Size):
    """The size of a value that is at hand."""

    def __init__(self, value: object) -> None:
        self._value = value

    @cached_property
    def _weight(self) -> float:
        return weight(self._value)

    @property
    def mean(self) -> float:
        return self._weight

    @property
    def top(self) -> float:
        return self._weight

    @property
    def count(self) -> float:
        return float(len(self._value)) if isinstance(self._value, list | dict) else self._weight

    @property
    def held(self) -> object:
        return self._value

    def field(self, key: object) -> Size:
        return Held(self._value.get(key)) if isinstance(self._value, dict) else self

    def element(self) -> Size:
        return Element(self)

    @cached_property
    def largest(self) -> float:
        """The size of the largest element."""
        if not isinstance(self._value, list):
            return self._weight
        return max(map(weight, self._value), default=0.0)


class Element(Size):
    """An element of a value that is at hand."""

    def __init__(self, held: Held) -> None:
        self._held = held

    @property
    def mean(self) -> float:
        return self._held.mean / max(min(self._held.count, TURNS), 1.0)

    @property
    def top(self) -> float:
        return self._held.largest

    @property
    def count(self) -> float:
        return self.mean


_ONE: Final = Size(1.0, 1.0)
_NOTHING: Final = Size(0.0, 0.0)
_UNKNOWN: Final = Size(float("inf"), float("inf"))


def _product(one: float, other: float) -> float:
    """Nothing times whatever there is, is nothing."""
    return one * other if one and other else 0.0


def weight(value: object) -> float:
    """One for each value in it and for each character of its texts."""
    waiting, seen, characters = [value], 0, 0
    while waiting:
        one = waiting.pop()
        seen += 1
        if isinstance(one, str):
            characters += len(one)
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            characters += sum(map(len, one))
            waiting.extend(one.values())
        if seen > _COUNTED:
            return float("inf")
    return float(seen + characters)


def may_grow(nodes: Iterable[Node]) -> bool:
    """Whether anything in a tree can do more than go through its values once."""
    return any(
        isinstance(node, Fold)
        or (isinstance(node, Call) and (node.function in _MADE or node.function == "matches"))
        for node in nodes
    )


def costly(root: Node, values: Mapping[str, Any]) -> bool:
    """Whether the exact evaluator might do too much with this expression over these values."""
    estimate = _Estimate(values)
    result = estimate.size(root)
    return not estimate.cost + result.mean <= MAXIMUM_COST


class _Estimate:
    """One pass over a tree; `cost` is what was walked through so far."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.cost = 0.0
        self._values = values
        self._locals: dict[str, Size] = {}
        self._turns = 1.0

    def size(self, node: Node) -> Size:  # noqa: PLR0911 - one for each kind of node
        """The size of what a node gives."""
        match node:
            case Literal(value=str() | bytes() as text):
                return Size(1.0 + len(text), 1.0 + len(text))
            case Literal():
                return _ONE
            case Name():
                return self._name(node.name)
            case Select():
                return self.size(node.operand).field(node.field)
            case ListOf():
                return self._gathered(node.items, len(node.items))
            case MapOf():
                parts = [one for key, value, _ in node.entries for one in (key, value)]
                return self._gathered(parts, len(node.entries))
            case Call():
                return self._call(node)
            case Fold():
                return self._fold(node)
            case _:
                return _UNKNOWN

    def _walk(self, size: Size) -> None:
        self.cost += _product(self._turns, size.mean)

    def _gathered(self, nodes: Sequence[Node], count: int) -> Size:
        total = _ONE
        for node in nodes:
            total += self.size(node)
        return Size(total.mean, total.top, float(count))

    def _name(self, name: str) -> Size:
        found = self._locals.get(name)
        return Held(self._values.get(name)) if found is None else found

    def _call(self, node: Call) -> Size:  # noqa: PLR0911 - one for each kind of function
        operands = node.operands
        sizes = [self.size(one) for one in operands]
        match node.function, operands:
            case (("_?._" | "_[_]" | "_[?_]"), (_, Literal(value=str() as key))):
                return sizes[0].field(key)
            case (("_[_]" | "_[?_]"), _):
                return Size(sizes[0].top, sizes[0].top)
            case "_?_:_", _:
                return sizes[1] | sizes[2]
            case (("orValue" | "or"), _):
                return sizes[0] | sizes[1]
            case (("dyn" | "value" | "optional.of" | "first" | "last"), _):
                return sizes[0]
            case (("_==_" | "_!=_"), _):
                self._equal(operands, sizes)
                return _ONE
            case "matches", (_, pattern):
                self._matches(sizes[0], pattern, sizes[1])
                return _ONE
        made = _MADE.get(node.function, _linear)(sizes)
        self._walk(made)
        return _ONE if node.function in _JUDGES else made

    def _equal(self, operands: Sequence[Node], sizes: Sequence[Size]) -> None:
        """Two values are gone through to the end of the smaller one; a literal is that."""
        pairs = zip(sizes, operands, strict=True)
        literals = [size for size, one in pairs if isinstance(one, Literal)]
        self._walk(min(literals or sizes, key=lambda size: size.mean))

    def _matches(self, text: Size, node: Node, size: Size) -> None:
        """A pattern that is at hand is looked at; of another one nothing is known but its size."""
        pattern = node.value if isinstance(node, Literal) else size.held
        if isinstance(pattern, str):
            # A text of no characters has the price of the question alone.
            asked, longest = effort(pattern, 0), effort(pattern, _LONG)
            each = Size(float(asked), float(asked))
            self._walk(each + text * Size((longest - asked) / _LONG, (longest - asked) / _LONG))
        else:
            self._walk(_UNKNOWN if self._turns > 1.0 else text + size)

    def _fold(self, node: Fold) -> Size:
        if isinstance(node.range, ListOf) and not node.range.items:
            # `cel.bind`, and what `optMap` is made of.
            return self._under({node.accumulator: self.size(node.initial)}, node.result)
        through = self.size(node.range)
        turns = min(through.count, TURNS)
        inside = {node.variable: through.element(), node.accumulator: _NOTHING}
        if node.second:
            inside[node.second] = through.element()
        outside, self._turns = self._turns, min(self._turns * turns, TURNS)
        step = self._under(inside, node.step)
        self._turns = outside
        if isinstance(node.initial, ListOf):
            gathered = Size(_product(turns, step.mean), _product(turns, step.top), turns)
        else:
            gathered = _ONE if isinstance(node.initial, Literal) else _UNKNOWN
        return self._under({node.accumulator: gathered}, node.result)

    def _under(self, names: dict[str, Size], node: Node) -> Size:
        kept = self._locals
        self._locals = {**kept, **names}
        found = self.size(node)
        self._locals = kept
        return found


def _linear(sizes: list[Size]) -> Size:
    total = Size(40.0, 40.0)
    for one in sizes:
        total += one
    return total


def _replaced(sizes: list[Size]) -> Size:
    return sizes[0] + (sizes[0] + _ONE) * sizes[2]


def _joined(sizes: list[Size]) -> Size:
    return sizes[0] + sizes[0] * sizes[1] if len(sizes) > 1 else sizes[0]


def _crossed(sizes: list[Size]) -> Size:
    return sizes[0] * sizes[1]


def _formatted(sizes: list[Size]) -> Size:
    return sizes[0] * Size(_FORMATTED / 2, _FORMATTED / 2) + sizes[1] + sizes[1]


_MADE: Final[dict[str, Callable[[list[Size]], Size]]] = {
    "replace": _replaced,
    "join": _joined,
    "format": _formatted,
    "sets.contains": _crossed,
    "sets.intersects": _crossed,
    "sets.equivalent": _crossed,
}
# Their answer is a bool or a number, whatever they have gone through for it.
_JUDGES: Final = frozenset(
    {"!_", "_&&_", "_<=_", "_<_", "_>=_", "_>_", "_||_", "@in", "@not_strictly_false"}
    | {"contains", "endsWith", "hasValue", "indexOf", "lastIndexOf", "matches", "size"}
    | {"bool", "double", "int", "sets.contains", "sets.equivalent", "sets.intersects"}
    | {"startsWith", "type", "uint"}
)
