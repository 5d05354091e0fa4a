"""What every kind is: a frozen, slotted dataclass with keyword arguments, made cheaply.

The standard decorator writes six functions for each class and compiles them. A check of two hundred
documents uses some sixty such classes, and would spend a tenth of its time on it. Here they are
written once and shared; what the fields are is still the standard library's, so that `fields`,
`replace` and `is_dataclass` know these classes as any other.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_set = object.__setattr__


@dataclass_transform(frozen_default=True, kw_only_default=True)
def declared(cls: type[T]) -> type[T]:
    """Make a class of the language: frozen, slotted, compared by value."""
    made: Any = dataclass(
        init=False, repr=False, eq=False, match_args=False, slots=True, kw_only=True
    )(cls)
    made.__init__ = _init
    made.__repr__ = _repr
    made.__eq__ = _eq
    made.__hash__ = _hash
    made.__setattr__ = _refuse
    made.__delattr__ = _refuse
    made.__getstate__ = _values
    made.__setstate__ = _restore
    found: type[T] = made
    return found


def _init(self: Any, **values: Any) -> None:  # noqa: ANN401 - of any kind
    for field in fields(self):
        if field.name in values:
            value = values.pop(field.name)
        elif field.default is not MISSING:
            value = field.default
        elif field.default_factory is not MISSING:
            value = field.default_factory()
        else:
            message = f"{type(self).__name__} needs {field.name}"
            raise TypeError(message)
        _set(self, field.name, value)
    if values:
        message = f"{type(self).__name__} has no {', '.join(values)}"
        raise TypeError(message)
    check = getattr(self, "__post_init__", None)
    if check is not None:
        check()


def _values(self: Any) -> tuple[Any, ...]:  # noqa: ANN401 - of any kind
    return tuple(getattr(self, name) for name in type(self).__dataclass_fields__)


def _restore(self: Any, values: tuple[Any, ...]) -> None:  # noqa: ANN401 - of any kind
    """Fill a copy, which a frozen class cannot do by assignment."""
    for name, value in zip(type(self).__dataclass_fields__, values, strict=True):
        _set(self, name, value)


def _repr(self: Any) -> str:  # noqa: ANN401 - of any kind
    names = type(self).__dataclass_fields__
    shown = (f"{name}={getattr(self, name)!r}" for name in names)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:  # noqa: ANN401 - of any kind
    if type(other) is not type(self):
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:  # noqa: ANN401 - of any kind
    return hash(_values(self))


def _refuse(self: Any, name: str, *_: object) -> None:  # noqa: ANN401 - of any kind
    message = f"cannot change {name} of a {type(self).__name__}: a declaration is frozen"
    raise FrozenInstanceError(message)
