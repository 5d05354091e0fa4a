"""JSON Schema of the language, for editors and for whoever checks documents without ordain.

Draft-07, because that is what the YAML language server reads. It is printed from the dataclasses of
the kinds, so that hover text, completion and the loader cannot disagree. A schema is weaker than
the loader on purpose: references, sums and duplicate keys are beyond it.
"""

from __future__ import annotations

import json
import os
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from ordain.specs.files import written_whole
from ordain.specs.kinds import API_VERSION, kind_names, kind_type
from ordain.specs.plain import to_plain
from ordain.specs.reading import NAME
from ordain.specs.shapes import UNSET, Shape, shapes
from ordain.specs.trees import is_document_path, work_tree

if TYPE_CHECKING:
    from pathlib import Path

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
COMBINED: Final = "ordain.schema.json"
MODELINE: Final = "# yaml-language-server: $schema="

Schema = dict[str, Any]

_SCALARS: Final[dict[Any, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}
_LIMITS: Final = {
    "pattern": "pattern",
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}
# What a size is called depends on what is counted.
_SIZES: Final = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


class _Definitions:
    """The schemas of dataclasses, each written once and referred to."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}

    def dataclass(self, cls: Any) -> Schema:  # noqa: ANN401 - a dataclass
        """A reference to the schema of a dataclass."""
        # Two kinds may have classes of one name, so the module is part of it.
        name = f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"
        if name not in self.found:
            self.found[name] = {}
            self.found[name] = self._object(cls)
        return {"$ref": f"#/definitions/{name}"}

    def _object(self, cls: Any) -> Schema:  # noqa: ANN401 - a dataclass
        fields = shapes(cls)
        required = [name for name, shape in fields.items() if shape.required]
        return {
            "type": "object",
            "description": (cls.__doc__ or "").strip(),
            "properties": {name: self._property(shape) for name, shape in fields.items()},
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }

    def _property(self, shape: Shape) -> Schema:
        schema = self.type(shape.type, {})
        if "$ref" in schema:
            # Draft-07 ignores whatever stands beside a $ref.
            schema = {"allOf": [schema]}
        schema["description"] = shape.description
        default = None if shape.default is UNSET else to_plain(shape.default)
        if default is not None:
            schema["default"] = default
        return schema

    def type(self, hint: Any, limits: dict[str, Any]) -> Schema:  # noqa: ANN401 - a type
        """The schema of a type; constraints go down to what is not an annotation or None."""
        origin, inner = get_origin(hint), get_args(hint)
        if origin is Annotated:
            for info in inner[1:]:
                limits = {**info.constraints, **limits}
            return self.type(inner[0], limits)
        if origin in (Union, UnionType):
            return self._union(inner, limits)
        if origin is None:
            return self._single(hint, limits)
        return self._generic(origin, inner, limits)

    def _single(self, hint: Any, limits: dict[str, Any]) -> Schema:  # noqa: ANN401 - a type
        if is_dataclass(hint) and isinstance(hint, type):
            return self.dataclass(hint)
        if hint is Any:
            return {}
        return _limited({"type": _SCALARS[hint]}, limits)

    def _generic(
        self,
        origin: Any,  # noqa: ANN401 - a type
        inner: tuple[Any, ...],
        limits: dict[str, Any],
    ) -> Schema:
        if origin is Literal:
            return {"enum": list(inner)}
        if origin is dict:
            values = self.type(inner[1], {})
            return _limited({"type": "object", "additionalProperties": values}, limits)
        if inner[-1] is Ellipsis:
            return _limited({"type": "array", "items": self.type(inner[0], {})}, limits)
        items = [self.type(item, {}) for item in inner]
        length = len(items)
        return {"type": "array", "items": items, "minItems": length, "maxItems": length}

    def _union(self, members: tuple[Any, ...], limits: dict[str, Any]) -> Schema:
        schemas = [self.type(member, {} if member is NoneType else limits) for member in members]
        if all(set(schema) == {"type"} for schema in schemas):
            return {"type": [schema["type"] for schema in schemas]}
        return {"anyOf": schemas}


def _limited(schema: Schema, limits: dict[str, Any]) -> Schema:
    """A schema with its constraints under the names of JSON Schema."""
    shortest, longest = _SIZES.get(schema["type"], ("", ""))
    names = {**_LIMITS, "min_length": shortest, "max_length": longest}
    return {**schema, **{names[limit]: value for limit, value in limits.items()}}


def kind_schema(kind: str) -> Schema:
    """The schema of whole documents of one kind.

    Raises:
        KeyError: for a kind that the language does not know.
    """
    definitions = _Definitions()
    document = _document(kind, definitions)
    return {"$schema": DRAFT, "title": kind, **document, "definitions": definitions.found}


def combined_schema() -> Schema:
    """One schema for documents of every kind; `kind` decides which fields `spec` has."""
    definitions = _Definitions()
    branches = [
        {
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": _document(kind, definitions),
        }
        for kind in kind_names()
    ]
    kinds = {"enum": list(kind_names()), "description": "what is declared"}
    return {
        "$schema": DRAFT,
        "title": "A document of an ordain estate",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": {"kind": kinds},
        "allOf": branches,
        "definitions": definitions.found,
    }


def _document(kind: str, definitions: _Definitions) -> Schema:
    cls = kind_type(kind)
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "type": "object",
        "description": (cls.__doc__ or "").strip(),
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"const": API_VERSION, "description": "version of the language"},
            "kind": {"const": kind, "description": "what is declared"},
            "metadata": {
                "type": "object",
                "description": "who this is",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {
                    "name": {
                        "type": "string",
                        "pattern": f"^{NAME.pattern}$",
                        "description": "name, unique within the kind",
                    },
                    "labels": {**texts, "description": "what people and policies select by"},
                    "annotations": {**texts, "description": "notes for people and tools"},
                },
            },
            "spec": {"allOf": [definitions.dataclass(cls)], "description": "the declaration"},
        },
    }


def render(schema: Schema) -> str:
    """A schema as a file, the same bytes on every run."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def schema_files() -> dict[str, str]:
    """The text of every schema by its file's name: one per kind, one for all, one for findings."""
    from ordain.specs.writers.findings_schema import FILE, findings_schema

    schemas = {f"{kind}.schema.json": kind_schema(kind) for kind in kind_names()}
    schemas |= {COMBINED: combined_schema(), FILE: findings_schema()}
    return {name: render(schema) for name, schema in schemas.items()}


def write_schemas(directory: Path) -> tuple[Path, ...]:
    """Write one file per kind, one for all kinds and one for findings, and say which.

    Raises:
        OSError: one of them cannot be written; then none is.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = {directory / name: text for name, text in schema_files().items()}
    with written_whole() as write:
        for path, text in files.items():
            write(path, text.encode())
    return tuple(files)


def modeline(path: Path, schema_dir: Path) -> str:
    """The line that tells an editor which schema a document has, relative to the document."""
    relative = os.path.relpath(schema_dir / COMBINED, path.parent).replace(os.sep, "/")
    return f"{MODELINE}{relative}"


def add_modelines(root: Path, schema_dir: Path) -> tuple[Path, ...]:
    """Put the modeline on top of every document's file that has none; the files that changed.

    Raises:
        OSError: a file cannot be read or written; then none is changed.
    """
    changed = {}
    tree = work_tree(root)
    for name in (name for name in tree if is_document_path(name)):
        data = tree[name]
        if MODELINE.encode() in data:
            continue
        path = root / name
        end = b"\r\n" if b"\r\n" in data else b"\n"
        mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
        line = modeline(path, schema_dir).encode()
        changed[path] = mark + line + end + data.removeprefix(mark)
    with written_whole() as write:
        for path, data in changed.items():
            write(path, data)
    return tuple(changed)
