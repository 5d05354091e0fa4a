"""Validators, built from the annotations of the kinds.

The engine is pydantic's core, which is compiled and reports everything that is wrong with a value
at once. pydantic's own front end is refused: importing it and letting it read our dataclasses takes
fifteen times as long as starting Python, several times what checking two hundred documents takes,
and of all it can do the language needs eight types. A hand-written validator is refused as well: it
would be slower, and it would be ours to get right.

Every scalar is strict; a list becomes a tuple; nothing unknown is accepted anywhere.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticCustomError, SchemaValidator, core_schema

from ordain.specs.shapes import UNSET, Shape, shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import CoreSchema

    from ordain.specs.kinds.checks import Check

_LEAVES: dict[Any, Any] = {
    str: core_schema.str_schema,
    int: core_schema.int_schema,
    float: core_schema.float_schema,
    bool: core_schema.bool_schema,
}


def validator(cls: type[Any]) -> SchemaValidator:
    """The validator of a dataclass; `validate_python` takes plain YAML values."""
    building = _Building()
    schema = building.dataclass(cls)
    return SchemaValidator(core_schema.definitions_schema(schema, building.definitions))


class _Building:
    """One validator on its way; a class that holds itself is defined once and referred to."""

    def __init__(self) -> None:
        self.definitions: list[CoreSchema] = []
        self._open: list[Any] = []
        self._recursive: set[Any] = set()

    def dataclass(self, cls: Any) -> CoreSchema:  # noqa: ANN401 - a dataclass
        """The schema of a dataclass and all that it holds."""
        if cls in self._open:
            self._recursive.add(cls)
            return core_schema.definition_reference_schema(cls.__qualname__)
        self._open.append(cls)
        found = shapes(cls)
        schema = core_schema.dataclass_schema(
            cls,
            core_schema.dataclass_args_schema(
                cls.__qualname__,
                [self._field(shape) for shape in found.values()],
                extra_behavior="forbid",
            ),
            [shape.attribute for shape in found.values()],
            post_init=hasattr(cls, "__post_init__"),
            slots=True,
            ref=cls.__qualname__,
        )
        self._open.pop()
        if cls not in self._recursive:
            del schema["ref"]
            return schema
        self.definitions.append(schema)
        return core_schema.definition_reference_schema(cls.__qualname__)

    def _field(self, shape: Shape) -> core_schema.DataclassField:
        schema = self.type(shape.type, {})
        if shape.default is not UNSET:
            # Defaults are frozen dataclasses, tuples and scalars; a dict must not be shared.
            if isinstance(shape.default, dict):
                schema = core_schema.with_default_schema(schema, default_factory=dict)
            else:
                schema = core_schema.with_default_schema(schema, default=shape.default)
        alias = shape.name if shape.name != shape.attribute else None
        return core_schema.dataclass_field(
            shape.attribute, schema, kw_only=True, validation_alias=alias
        )

    def type(self, hint: Any, limits: dict[str, Any]) -> CoreSchema:  # noqa: ANN401 - a type
        """The schema of a type; constraints go down to what is not an annotation or None."""
        origin, inner = get_origin(hint), get_args(hint)
        if origin is Annotated:
            for info in inner[1:]:
                limits = {**info.constraints, **limits}
            schema = self.type(inner[0], limits)
            for check in (info.check for info in inner[1:] if info.check is not None):
                schema = core_schema.no_info_after_validator_function(_checked(check), schema)
            return schema
        if origin in (Union, UnionType):
            return self._union(inner, limits)
        if origin is None:
            return self._single(hint, limits)
        return self._generic(origin, inner, limits)

    def _single(self, hint: Any, limits: dict[str, Any]) -> CoreSchema:  # noqa: ANN401 - a type
        """The schema of a class, or of anything at all."""
        if is_dataclass(hint) and isinstance(hint, type):
            return self.dataclass(hint)
        if hint is Any:
            return core_schema.any_schema()
        leaf: CoreSchema = _LEAVES[hint](strict=True, **limits)
        return leaf

    def _generic(
        self,
        origin: Any,  # noqa: ANN401 - a type
        inner: tuple[Any, ...],
        limits: dict[str, Any],
    ) -> CoreSchema:
        """The schema of an enumeration, a mapping or a list."""
        if origin is Literal:
            return core_schema.literal_schema(list(inner))
        if origin is dict:
            keys, values = (self.type(part, {}) for part in inner)
            return core_schema.dict_schema(keys, values, strict=True, **limits)
        if inner[-1] is Ellipsis:
            item = self.type(inner[0], {})
            return core_schema.tuple_schema([item], variadic_item_index=0, **limits)
        return core_schema.tuple_schema([self.type(item, {}) for item in inner])

    def _union(self, members: tuple[Any, ...], limits: dict[str, Any]) -> CoreSchema:
        schemas = [self.type(member, limits) for member in members if member is not NoneType]
        schema = schemas[0] if len(schemas) == 1 else core_schema.union_schema(list(schemas))
        return core_schema.nullable_schema(schema) if NoneType in members else schema


def _checked(check: Check) -> Callable[[str], str]:
    """The check as a function of the validator; its error carries code, problem and remedy."""

    def checked(text: str) -> str:
        if check.holds(text):
            return text
        context = {"problem": check.problem, "remedy": check.remedy}
        raise PydanticCustomError(check.code, "{problem}", context)

    return checked
