"""What stands where in a kind: its fields, their types and descriptions, found by YAML path.

The dataclasses are the only source. Diagnostics ask here which names a place knows, `explain` asks
what a field means, and nobody writes a field's name a second time.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
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

from ordain.specs.kinds.fields import About, yaml_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import Step
    from ordain.specs.kinds.fields import ChangeClass

UNSET: Final = object()


@dataclass(frozen=True, slots=True)
class Shape:
    """One field: `name` is the YAML name, `default` is `UNSET` where the field is required."""

    name: str
    attribute: str
    type: Any
    description: str
    change: ChangeClass
    default: Any

    @property
    def required(self) -> bool:
        """Whether a document must have the field."""
        return self.default is UNSET


@cache
def shapes(cls: Any) -> dict[str, Shape]:  # noqa: ANN401 - a dataclass
    """The fields of a kind's dataclass by their YAML names, in the order of declaration."""
    hints = get_type_hints(cls, include_extras=True)
    found = [_shape(field, hints[field.name]) for field in fields(cls)]
    return {shape.name: shape for shape in found}


def _shape(field: Field[Any], hint: Any) -> Shape:  # noqa: ANN401 - a type expression
    about = next(info for info in reversed(get_args(hint)) if isinstance(info, About))
    return Shape(
        name=about.alias or yaml_name(field.name),
        attribute=field.name,
        type=hint,
        description=about.description,
        change=about.change or "material",
        default=_default(field),
    )


def _default(field: Field[Any]) -> Any:  # noqa: ANN401 - any declared value
    if field.default is not MISSING:
        return field.default
    make = field.default_factory
    return UNSET if make is MISSING else make()


def alternatives(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - a type expression
    """The members of a type, without annotations and without None."""
    origin = get_origin(hint)
    if origin is Annotated:
        yield from alternatives(get_args(hint)[0])
    elif origin in (Union, UnionType):
        for member in get_args(hint):
            yield from alternatives(member)
    elif hint is not NoneType:
        yield hint


def within(hint: Any, step: Step) -> Any:  # noqa: ANN401 - a type expression
    """The type of a field, entry or item of this type; None where there is no such thing."""
    for member in alternatives(hint):
        origin, inner = get_origin(member), get_args(member)
        if is_dataclass(member) and isinstance(member, type):
            shape = shapes(member).get(str(step))
            if shape is not None:
                return shape.type
        elif origin is dict:
            return inner[1]
        elif origin is tuple and isinstance(step, int):
            return inner[0] if inner[-1] is Ellipsis or step >= len(inner) else inner[step]
    return None


def type_at(cls: type[Any], path: tuple[Step, ...]) -> Any:  # noqa: ANN401 - a type expression
    """The type at a path below a kind's `spec`; None where there is no such thing."""
    hint: Any = cls
    for step in path:
        hint = within(hint, step)
    return hint


def names_at(cls: type[Any], path: tuple[Step, ...]) -> dict[str, Shape]:
    """The fields that a place knows."""
    for member in alternatives(type_at(cls, path)):
        if is_dataclass(member) and isinstance(member, type):
            return shapes(member)
    return {}


def choices_at(cls: type[Any], path: tuple[Step, ...]) -> tuple[str, ...]:
    """The values that an enumerated place accepts."""
    return tuple(
        str(value)
        for member in alternatives(type_at(cls, path))
        if get_origin(member) is Literal
        for value in get_args(member)
    )
