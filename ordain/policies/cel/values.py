"""What the operators of CEL mean, for values that JSON can say.

Generated code handles the common classes in place and calls these functions for the rest. They are
right or they raise: whatever is raised here (a missing key, a type that an operator does not take,
an integer that leaves 64 bits) only says that the exact evaluator has to be asked, which knows that
`false && error` is false. Only `Exceeded` is final, because it is about cost.

Where Python and CEL differ: True is no 1, a bool is no index, an integer has 64 bits, division
truncates towards zero, numbers of different types cannot be added and are compared as doubles, a
list is not found in a text.
Containers may be subclasses of dict and list, which record what is read from them.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from ordain.policies.cel.times import Duration, Timestamp

MAXIMUM_STEPS: Final = 1_000_000
# What an evaluation may do inside of its steps, in units of about a tenth of a microsecond.
MAXIMUM_WORK: Final = 4_000_000
MAXIMUM_SIZE: Final = 1_000_000
ABSENT: Final = type("Absent", (), {"__slots__": (), "__repr__": lambda _: "absent"})()

_LEAST: Final = -(1 << 63)
_BEYOND: Final = 1 << 63
_LONG: Final = 1_000
# What is shorter costs no more than the step in which it is looked through, or made.
_SHORT: Final = 16
_ORDERED: Final = (int, float)
_ALIKE: Final = frozenset((int, float, str, bool, Timestamp, Duration))
_ADDED: Final = frozenset((float, Timestamp, Duration))


class Declined(Exception):
    """Fast code does not know; the exact evaluator is asked."""


class Exceeded(Exception):
    """An expression cost more than it may."""


def spent() -> NoReturn:
    """Stop an expression that has used up its steps."""
    raise Exceeded(f"the expression takes more than {MAXIMUM_STEPS:,} steps")


def take(meter: list[int], work: int) -> bool:
    """Count some work, so that small steps over large values come to an end; always true.

    Raises:
        Exceeded: when there was too much of it.
    """
    meter[0] -= work
    if meter[0] < 0:
        raise Exceeded("the expression walks through too much, or makes too much")
    return True


def sized(value: Any, meter: list[int] | None = None) -> Any:  # noqa: ANN401 - a text or a list
    """A text or list that an expression has made, unless it is too large."""
    if len(value) > MAXIMUM_SIZE:
        raise Exceeded(f"a value of more than {MAXIMUM_SIZE:,} characters or items was made")
    if meter is not None and len(value) > _SHORT:
        take(meter, len(value) >> 2)
    return value


def short(one: str, other: str) -> None:
    """Two texts that are compared, or searched for each other, in no time.

    Whoever needs longer ones asks the exact evaluator, which is not asked too often.

    Raises:
        Declined: for two long texts.
    """
    if len(one) > _LONG and len(other) > _LONG:
        raise Declined


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def index(value: Any, key: Any) -> Any:  # noqa: ANN401 - any CEL value
    """`value[key]`: an item by an integer, an entry by a text."""
    if key.__class__ is str:
        if isinstance(value, dict):
            return value[key]
    elif key.__class__ is int and isinstance(value, list) and 0 <= key < len(value):
        return value[key]
    raise Declined


def has(value: Any, key: str) -> bool:  # noqa: ANN401
    """`has(value.key)`."""
    if isinstance(value, dict):
        return key in value
    raise Declined


def maybe(value: Any, key: str) -> Any:  # noqa: ANN401
    """`value.?key` where the value is no ordinary dict; the absent stays absent."""
    if value is ABSENT:
        return ABSENT
    if isinstance(value, dict):
        return value.get(key, ABSENT)
    raise Declined


def maybe_index(value: Any, key: Any) -> Any:  # noqa: ANN401
    """`value[?key]`."""
    if value is ABSENT:
        return ABSENT
    if key.__class__ is str and isinstance(value, dict):
        return value.get(key, ABSENT)
    if key.__class__ is int and isinstance(value, list):
        return value[key] if 0 <= key < len(value) else ABSENT
    raise Declined


def chained(value: Any, key: Any) -> Any:  # noqa: ANN401
    """`optional[key]`; evaluators do not agree on what an index out of range is there."""
    found = maybe_index(value, key)
    if found is ABSENT and value is not ABSENT:
        raise Declined
    return found


def present(value: Any) -> Any:  # noqa: ANN401
    """`optional.value()`."""
    if value is ABSENT:
        raise Declined
    return value


def items(value: Any) -> list[Any]:  # noqa: ANN401
    """What a comprehension goes through: the items of a list, the keys of a map."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return list(value)
    raise Declined


def size(value: Any) -> int:  # noqa: ANN401
    """Code points of a text, items of a list, entries of a map."""
    if isinstance(value, str | list | dict):
        return len(value)
    raise Declined


# ── truth and order ──────────────────────────────────────────────────────────────────────────────


def truth(value: Any) -> bool:  # noqa: ANN401
    """An operand of `!`, `&&`, `||` and `?:`, which has to be a bool."""
    if value is True or value is False:
        return bool(value)
    raise Declined


def equal(one: Any, other: Any, meter: list[int]) -> bool:  # noqa: ANN401
    """`==`: numbers by value whatever their type, containers deeply, other types never."""
    kind = one.__class__
    if kind is other.__class__ and kind in _ALIKE:
        if kind is str and len(one) > _LONG:
            take(meter, len(one) >> 8)
        return bool(one == other)
    if one is None or other is None:
        return one is other
    if isinstance(one, list):
        return isinstance(other, list) and _equal_lists(one, other, meter)
    if isinstance(one, dict):
        return isinstance(other, dict) and _equal_maps(one, other, meter)
    if kind in _ORDERED and other.__class__ in _ORDERED:
        return float(one) == float(other)
    if kind in _KNOWN and (other.__class__ in _KNOWN or isinstance(other, list | dict)):
        return one is other
    raise Declined


def _equal_lists(one: list[Any], other: list[Any], meter: list[int]) -> bool:
    if len(one) != len(other):
        return False
    take(meter, 4 * len(one))
    return all(equal(left, right, meter) for left, right in zip(one, other, strict=True))


def _equal_maps(one: dict[Any, Any], other: dict[Any, Any], meter: list[int]) -> bool:
    if len(one) != len(other):
        return False
    take(meter, 4 * len(one))
    return all(key in other and equal(one[key], other[key], meter) for key in one)


def contains(value: Any, among: Any, meter: list[int]) -> bool:  # noqa: ANN401
    """`value in among`."""
    if isinstance(among, list):
        if value.__class__ is str:
            if len(among) > _SHORT:
                take(meter, len(among) >> 2)
            if len(value) > _LONG:
                take(meter, (len(value) >> 8) * len(among))
            return value in among
        take(meter, 4 * len(among))
        return any(equal(value, one, meter) for one in among)
    if isinstance(among, dict) and value.__class__ is str:
        return value in among
    raise Declined


def _ordered(one: Any, other: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Two values that have an order; an integer beside a double is taken as a double."""
    kind = one.__class__
    if kind is other.__class__:
        if kind is str:
            short(one, other)
        if kind in _ALIKE:
            return one, other
    elif kind in _ORDERED and other.__class__ in _ORDERED:
        return float(one), float(other)
    raise Declined


def less(one: Any, other: Any) -> bool:  # noqa: ANN401
    """`<`; NaN is in no order with anything."""
    one, other = _ordered(one, other)
    return bool(one < other)


def at_most(one: Any, other: Any) -> bool:  # noqa: ANN401
    """`<=`."""
    one, other = _ordered(one, other)
    return bool(one <= other)


def greater(one: Any, other: Any) -> bool:  # noqa: ANN401
    """`>`."""
    one, other = _ordered(one, other)
    return bool(one > other)


def at_least(one: Any, other: Any) -> bool:  # noqa: ANN401
    """`>=`."""
    one, other = _ordered(one, other)
    return bool(one >= other)


# ── arithmetic ───────────────────────────────────────────────────────────────────────────────────


def integer(value: int) -> int:
    """An integer that fits into 64 bits."""
    if _LEAST <= value < _BEYOND:
        return value
    raise Declined


def add(one: Any, other: Any, meter: list[int] | None = None) -> Any:  # noqa: ANN401
    """`+` of two values of one type: numbers, texts, lists, times."""
    kind = one.__class__
    if kind is other.__class__:
        if kind is int:
            return integer(one + other)
        if kind is str:
            return sized(one + other, meter)
        if kind in _ADDED:
            return one + other
    if isinstance(one, list) and isinstance(other, list):
        return sized([*one, *other], meter)
    if (kind, other.__class__) in ((Timestamp, Duration), (Duration, Timestamp)):
        return one + other
    raise Declined


def subtract(one: Any, other: Any) -> Any:  # noqa: ANN401
    """`-` of two numbers or times."""
    kind = one.__class__
    if kind is other.__class__:
        if kind is int:
            return integer(one - other)
        if kind in _ADDED:
            return one - other
    if kind is Timestamp and other.__class__ is Duration:
        return one - other
    raise Declined


def multiply(one: Any, other: Any) -> Any:  # noqa: ANN401
    """`*` of two numbers of one type."""
    kind = one.__class__
    if kind is other.__class__:
        if kind is int:
            return integer(one * other)
        if kind is float:
            return one * other
    raise Declined


def divide(one: Any, other: Any) -> Any:  # noqa: ANN401
    """`/`; integers truncate towards zero, and by zero nothing is divided here."""
    kind = one.__class__
    if kind is other.__class__ and other:
        if kind is int:
            quotient = abs(one) // abs(other)
            return integer(quotient if (one < 0) == (other < 0) else -quotient)
        if kind is float:
            return one / other
    raise Declined


def remainder(one: Any, other: Any) -> int:  # noqa: ANN401
    """`%` of integers; the sign is that of the dividend."""
    if one.__class__ is int and other.__class__ is int and other:
        # The least integer has no quotient by -1, so the evaluator has no rest either.
        integer(-one if other == -1 else one)
        rest = abs(one) % abs(other)
        return -rest if one < 0 else rest
    raise Declined


def negate(value: Any) -> Any:  # noqa: ANN401
    """Unary `-`."""
    if value.__class__ is int:
        return integer(-value)
    if value.__class__ is float:
        return -value
    raise Declined


# ── types ────────────────────────────────────────────────────────────────────────────────────────


class TypeName:
    """A type as a value, such as `int` in `type(x) == int`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


_KNOWN: Final = frozenset((*_ALIKE, TypeName))
TYPES: Final = {
    name: TypeName(name)
    for name in ("bool", "int", "double", "string", "list", "map", "null_type", "type")
}
_TYPE_OF: Final = {
    bool: TYPES["bool"],
    int: TYPES["int"],
    float: TYPES["double"],
    str: TYPES["string"],
    type(None): TYPES["null_type"],
    TypeName: TYPES["type"],
}


def type_of(value: Any) -> TypeName:  # noqa: ANN401
    """`type(value)`."""
    found = _TYPE_OF.get(value.__class__)
    if found is not None:
        return found
    if isinstance(value, list):
        return TYPES["list"]
    if isinstance(value, dict):
        return TYPES["map"]
    raise Declined
