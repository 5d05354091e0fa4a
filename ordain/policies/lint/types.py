"""Types of values, made of the annotations of the kinds.

A type is a set of members, because a field may be a number or a text, and because a rule may match
several kinds. UNKNOWN is the type of which nothing can be said; nothing is reported about it. The
empty type is that of what is never there (the items of `[]`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from ordain.specs.kinds.fields import About
from ordain.specs.shapes import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Scalar:
    """text, int, double, bool or null."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values."""

    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    item: Type


@dataclass(frozen=True, slots=True)
class Entries:
    """A map whose keys are free."""

    value: Type


@dataclass(frozen=True, slots=True)
class Record:
    """A map whose keys are known, some of which may be absent; records of one name are one type."""

    name: str
    fields: Callable[[], Mapping[str, Type]] = field(compare=False)
    optional: Callable[[], frozenset[str]] = field(default=frozenset, compare=False)


Member = Scalar | Choice | Items | Entries | Record
Type = frozenset[Member] | None

UNKNOWN: Final = None
NOTHING: Final[frozenset[Member]] = frozenset()
TEXT: Final = frozenset({Scalar("text")})
INT: Final = frozenset({Scalar("int")})
DOUBLE: Final = frozenset({Scalar("double")})
BOOL: Final = frozenset({Scalar("bool")})
NULL: Final = frozenset({Scalar("null")})
NUMBERS: Final = frozenset({"int", "double"})
_SCALARS: Final[dict[Any, frozenset[Member]]] = {
    str: TEXT,
    int: INT,
    # YAML writes a whole number without a point.
    float: INT | DOUBLE,
    bool: BOOL,
    NoneType: NULL,
}


def union(*types: Type) -> Type:
    """What is of one of these types."""
    found: frozenset[Member] = NOTHING
    for one in types:
        if one is None:
            return UNKNOWN
        found |= one
    return found


def items(item: Type) -> Type:
    """A list of these."""
    return frozenset({Items(item)})


def entries(value: Type) -> Type:
    """A map to these, with any keys."""
    return frozenset({Entries(value)})


def record(name: str, known: Mapping[str, Type]) -> Type:
    """A map with these keys and no others."""
    return frozenset({Record(name, lambda: known)})


def of_hint(hint: Any) -> Type:  # noqa: ANN401 - a type expression
    """The type that an annotation stands for."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is None:
        record_like = is_dataclass(hint) and isinstance(hint, type)
        return frozenset({of_dataclass(hint)}) if record_like else _SCALARS.get(hint, UNKNOWN)
    if origin is Annotated:
        return of_hint(inner[0])
    if origin in (Union, UnionType):
        return union(*map(of_hint, inner))
    if origin is Literal:
        return frozenset(Choice(value) for value in inner)
    if origin is dict:
        return entries(of_hint(inner[1]))
    return items(union(*(of_hint(one) for one in inner if one is not Ellipsis)))


def of_dataclass(cls: Any) -> Record:  # noqa: ANN401 - a dataclass
    """The record of a dataclass; its fields are looked up when they are asked for."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    return Record(name, lambda: _fields_of(cls), lambda: _optional_in(cls))


def _fields_of(cls: Any) -> dict[str, Type]:  # noqa: ANN401 - a dataclass
    if _is_declared(cls):
        return {name: of_hint(shape.type) for name, shape in shapes(cls).items()}
    hints = get_type_hints(cls)
    return {one.name: of_hint(hints[one.name]) for one in fields(cls)}


def _optional_in(cls: Any) -> frozenset[str]:  # noqa: ANN401 - a dataclass
    """The fields that a document may leave out; the machine writes all of its own."""
    known = shapes(cls) if _is_declared(cls) else {}
    return frozenset(name for name, shape in known.items() if not shape.required)


@cache
def _is_declared(cls: Any) -> bool:  # noqa: ANN401 - a dataclass
    """Whether this is a class of the language, whose fields have their names in YAML."""
    hints = get_type_hints(cls, include_extras=True).values()
    return all(any(isinstance(info, About) for info in get_args(hint)) for hint in hints)


def of_value(value: Any) -> Type:  # noqa: ANN401 - any JSON value
    """The type of a value that stands for others of its kind."""
    if isinstance(value, dict):
        return entries(UNKNOWN)
    if isinstance(value, list | tuple):
        return items(UNKNOWN)
    return _SCALARS.get(type(value), UNKNOWN)


def literal(value: object) -> Type:
    """The type of a constant; a text is exactly this text."""
    if isinstance(value, str):
        return frozenset({Choice(value)})
    if isinstance(value, float):
        return DOUBLE
    return _SCALARS.get(type(value), UNKNOWN)


def field_of(of: Type, name: str) -> tuple[Type, bool]:
    """The type of a field, and whether there can be one."""
    if of is None or not of:
        return UNKNOWN, True
    found: list[Type] = []
    for member in of:
        match member:
            case Record() if name in (known := member.fields()):
                found.append(known[name])
            case Entries(value=value):
                found.append(value)
    return (union(*found), True) if found else (UNKNOWN, False)


def may_be_absent(of: Type, name: str) -> bool:
    """Whether a document that has everything else may lack this field."""
    records = [one for one in of or () if isinstance(one, Record)]
    return len(records) == 1 and name in records[0].optional()


def names_of(of: Type) -> tuple[str, ...]:
    """The fields that are known."""
    records = (one for one in of or () if isinstance(one, Record))
    return tuple(dict.fromkeys(name for one in records for name in one.fields()))


def item_of(of: Type) -> Type:
    """What a loop over a value gives: the items of a list, the keys of a map."""
    found: list[Type] = []
    for member in of or ():
        match member:
            case Items(item=item):
                found.append(item)
            case Entries() | Record():
                found.append(TEXT)
    return union(*found) if found else UNKNOWN


def indexed(of: Type) -> Type:
    """What stands under a key that is computed."""
    found: list[Type] = []
    for member in of or ():
        match member:
            case Items(item=value) | Entries(value=value):
                found.append(value)
            case _:
                return UNKNOWN
    return union(*found) if found else UNKNOWN


def base(member: Member) -> str:
    """What a member is at run time: text, int, double, bool, null, list or map."""
    match member:
        case Scalar(name=name):
            return name
        case Choice(value=value):
            (only,) = _SCALARS[type(value)] if not isinstance(value, float) else DOUBLE
            return base(only)
        case Items():
            return "list"
        case _:
            return "map"


def equal_possible(one: Type, other: Type) -> bool:
    """Whether a value of one type can equal one of the other."""
    if one is None or other is None or not one or not other:
        return True
    return any(_can_equal(left, right) for left in one for right in other)


def _can_equal(left: Member, right: Member) -> bool:
    if isinstance(left, Choice) and isinstance(right, Choice) and left.value != right.value:
        return False
    kinds = {base(left), base(right)}
    return len(kinds) == 1 or kinds <= NUMBERS


def words(of: Type) -> str:
    """A type in words."""
    choices = [one.value for one in of or () if isinstance(one, Choice)]
    others = {base(one) for one in of or () if not isinstance(one, Choice)}
    said = [f"`{value}`" for value in sorted(choices, key=str)]
    return " or ".join([*said, *(_WORDS[name] for name in sorted(others))])


_WORDS: Final = {
    "text": "a text",
    "int": "an integer",
    "double": "a number",
    "bool": "true or false",
    "null": "null",
    "list": "a list",
    "map": "a map",
}
