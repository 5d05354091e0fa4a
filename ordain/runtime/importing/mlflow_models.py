"""A model directory of MLflow: which file in it is the model, and what it takes.

`MLmodel` is YAML that lists flavours, ways to load the same model. Those that load by running code
of the directory (`python_function` with a loader of its own, code paths) are refused by name; what
is left is one file of a kind that is known. MLflow itself is not needed and not loaded.

Of YAML no more is read than MLflow writes: no anchors, no tags, and every scalar is the text that
it was written as, so that none is converted into a date or a number that it cannot be.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, cast

import yaml

from ordain.runtime.errors import ImportRefused
from ordain.runtime.importing.files import bounded_read

DESCRIPTION: Final = "MLmodel"
MAXIMUM_DESCRIPTION: Final = 1 << 20
# Flavour, and the field of it that names the file.
_FLAVOURS: Final = (
    ("sklearn", "pickled_model"),
    ("onnx", "data"),
    ("lightgbm", "data"),
    ("xgboost", "data"),
)
_BLANK: Final = frozenset(("", "~", "null", "Null", "NULL"))
_VERSION: Final = re.compile(r"[0-9A-Za-z.+_-]{0,40}")
_LONGEST_NAME: Final = 255
_REMEDY: Final = "export the model to ONNX, and import that"


@dataclass(frozen=True, slots=True)
class Found:
    """The file of the model, which flavour it is, and the inputs of its signature by name."""

    flavour: str
    file: Path
    inputs: tuple[str, ...]
    library: str


def find_model(directory: Path) -> Found:
    """The model in a directory that MLflow has written.

    Raises:
        ImportRefused: it is none, or none of its flavours can be taken over.
    """
    raw = _description(directory)
    flavours = raw.get("flavors")
    if not isinstance(flavours, dict):
        raise _none(directory, "lists no flavours")
    for flavour, field in _FLAVOURS:
        said = flavours.get(flavour)
        if isinstance(said, dict):
            if _said(said, "code"):
                raise _none(directory, f"loads code of its own for the flavour {flavour}")
            file = _inside(directory, _said(said, field) or "model.pkl")
            library = _said(said, f"{_library(flavour)}_version")
            if not isinstance(library, str) or not _VERSION.fullmatch(library):
                raise _none(directory, f"names a version of {flavour} that is none")
            return Found(flavour, file, _inputs(raw.get("signature")), library)
    known = ", ".join(sorted(map(str, flavours)))
    raise _none(directory, f"has only the flavours {known}, which load by running code")


def _library(flavour: str) -> str:
    return {"lightgbm": "lgb", "xgboost": "xgb"}.get(flavour, flavour)


def _said(flavour: dict[str, Any], field: str) -> object:
    """A field of a flavour; empty where MLflow has written null."""
    value = flavour.get(field, "")
    return "" if isinstance(value, str) and value in _BLANK else value


class _Plain(yaml.BaseLoader):
    """YAML without anchors and tags, whose scalars are texts."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One node.

        Raises:
            ComposerError: it is written by reference, or says what to make of it.
        """
        event: Any = cast("Any", self).peek_event()
        if event.anchor is not None or getattr(event, "tag", None) is not None:
            raise yaml.composer.ComposerError(
                None, None, "an anchor, an alias or a tag", event.start_mark
            )
        return super().compose_node(parent, index)


def _description(directory: Path) -> dict[str, Any]:
    path = directory / DESCRIPTION
    if not path.is_file():
        message = f"{directory} holds no {DESCRIPTION}, so it is no model directory of MLflow"
        raise ImportRefused(message, remedy="name the directory that MLflow calls the model's path")
    try:
        text = bounded_read(path, MAXIMUM_DESCRIPTION).decode("utf-8")
        raw = yaml.load(text, Loader=_Plain)  # noqa: S506 - it makes texts, lists and mappings
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _none(directory, "is no YAML that can be read") from error
    if not isinstance(raw, dict):
        raise _none(directory, "is no mapping")
    return raw


def _none(directory: Path, why: str) -> ImportRefused:
    return ImportRefused(f"{directory / DESCRIPTION} {why}", remedy=_REMEDY)


def _inside(directory: Path, name: object) -> Path:
    """The file that a flavour names; it cannot lie outside of the directory."""
    if not isinstance(name, str) or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise _none(directory, "names no file")
    path = PurePosixPath(name)
    file = directory / path
    if path.is_absolute() or ".." in path.parts or "\0" in name or not file.is_file():
        raise _none(directory, f"names {name!r}, which is no file in the directory")
    if not file.resolve().is_relative_to(directory.resolve()):
        raise _none(directory, f"names {name!r}, a link that leads out of the directory")
    return file


def _inputs(signature: object) -> tuple[str, ...]:
    """Names of the columns of a signature; none where it speaks of tensors, or there is none."""
    if not isinstance(signature, dict) or not isinstance(signature.get("inputs"), str):
        return ()
    try:
        columns = json.loads(signature["inputs"])
    except (ValueError, RecursionError):
        return ()
    if not isinstance(columns, list) or not all(isinstance(one, dict) for one in columns):
        return ()
    return tuple(str(one["name"]) for one in columns if one.get("name"))
