"""A fitted scikit-learn pipeline as bytes that depend on nothing but what was fitted.

skops writes plain JSON and arrays, and no code; but it names members by memory addresses and random
ids, keeps the time of writing, and stores an object that is reached twice under the id of the
first. Its file is therefore taken apart and written again: no ids (an object that is shared is
stored as often as it is reached, its array once), members numbered in the order in which they are
reached, attributes by name, unused bytes of records cleared, no times. What is written is looked
through like every file that comes in, so that a pipeline that could not be opened is never stored.

Opening never hands skops the bytes that came in. They are unpacked within bounds, every node is
held against `allowed_types`, and skops gets a new archive of what has passed. What the arrays of
trees say is checked after that (`bounds`), because the libraries index with them unchecked.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.errors import FormError, SkopsError
from ordain.runtime.formats.allowed_types import ALLOWED, LEFT_OUT
from ordain.runtime.formats.archives import SCHEMA, read_archive, write_archive
from ordain.runtime.formats.schemas import PROTOCOL, check_members, refused
from ordain.specs.canonical import sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.runtime.formats.schemas import Node

_NAMES: Final = ("__class__", "__loader__", "__module__")
_NULL: Final = {
    "__class__": "str",
    "__loader__": "JsonNode",
    "__module__": "builtins",
    "content": "null",
    "is_json": True,
}
# What the loaders of an allowed file raise where its values contradict each other.
_BROKEN: Final = (
    ArithmeticError,
    AttributeError,
    BufferError,
    ImportError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


def dump_pipeline(fitted: Any) -> bytes:  # noqa: ANN401 - any fitted object of scikit-learn
    """The bytes of a fitted pipeline; equal fits give equal bytes.

    Raises:
        FormError: when it holds something that no stored pipeline may hold.
    """
    import skops.io

    try:
        raw = skops.io.dumps(fitted)
    except (TypeError, ValueError, AttributeError) as error:
        raise _no_form(str(error)) from error
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    written = _Canonical(members)
    schema = written.node(json.loads(members[SCHEMA]))
    data = write_archive({SCHEMA: _schema_bytes(schema), **written.members})
    try:
        check_pipeline(data)
    except SkopsError as error:
        raise _no_form(error.message) from error
    return data


def _no_form(why: str) -> FormError:
    message = f"the fitted pipeline cannot be stored: {why}"
    remedy = "declare preprocessing and an estimator that docs/training.md lists"
    return FormError(message, remedy=remedy)


def _schema_bytes(schema: Node) -> bytes:
    return json.dumps(schema | {"protocol": PROTOCOL}, sort_keys=False).encode()


def check_pipeline(data: bytes) -> dict[str, bytes]:
    """The members of a stored pipeline, once nothing in them can run; no library is loaded.

    Raises:
        SkopsError: naming what stands in it and is not allowed.
    """
    try:
        members = read_archive(data)
    except ValueError as error:
        raise refused(str(error)) from error
    check_members(members)
    return members


def load_pipeline(data: bytes) -> Any:  # noqa: ANN401 - any fitted object of scikit-learn
    """The fitted pipeline in these bytes.

    Raises:
        SkopsError: when it names what is not allowed, or says what no fit has said.
    """
    import skops.io

    from ordain.runtime.formats.bounds import check_bounds

    members = check_pipeline(data)
    trusted = sorted({f"{module}.{name}" for _, module, name in ALLOWED})
    try:
        loaded = skops.io.loads(write_archive(members, compressed=False), trusted=trusted)
        check_bounds(loaded)
    except _BROKEN as error:
        raise refused(f"cannot be opened: {_said(error)}") from error
    return loaded


def _said(error: BaseException) -> str:
    """The first line of what a library says; what follows are stacks of its own."""
    return (str(error).splitlines() or [type(error).__name__])[0]


class _Canonical:
    """The schema of skops without what differs between two runs, and its members by number."""

    def __init__(self, members: Mapping[str, bytes]) -> None:
        self._given = members
        self._numbers: dict[str, str] = {}
        self.members: dict[str, bytes] = {}

    def node(self, raw: Node) -> Node:
        found: Node = {name: raw[name] for name in _NAMES}
        loader = raw["__loader__"]
        if loader == "ObjectNode" and isinstance(raw.get("content"), dict):
            return found | {"content": self._attributes(raw["content"])}
        for key in sorted(raw.keys() - {*_NAMES, "__id__", "protocol", "_skops_version"}):
            found[key] = self._value(key, raw[key])
        if loader == "SetNode":
            found["content"].sort(key=json.dumps)
        if loader == "PartialNode" and not found["content"]["namespace"].get("content"):
            found["content"]["namespace"] = dict(_NULL)
        return found

    def _value(self, key: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if key == "file":
            return self._member(value)
        if isinstance(value, list):
            return [self._value("", item) for item in value]
        if isinstance(value, dict):
            if "__loader__" in value:
                return self.node(value)
            return {name: self._value("", item) for name, item in value.items()}
        return value

    def _attributes(self, raw: Node) -> Node:
        """The attributes of an object: by name, without those that only fitting needs.

        Other dicts keep their order, which may mean something.
        """
        if raw["__loader__"] != "DictNode":
            return self.node(raw)
        kinds = raw["key_types"]["content"]
        pairs = zip(sorted(raw["content"]), kinds, strict=True)
        found: Node = {name: raw[name] for name in _NAMES}
        found["content"] = {
            name: dict(_NULL) if name in LEFT_OUT else self.node(raw["content"][name])
            for name, _ in pairs
        }
        found["key_types"] = self.node(raw["key_types"])
        return found

    def _member(self, name: str) -> str:
        """The number of a member; equal bytes are one member."""
        data = self._given[name]
        kind = name.rpartition(".")[2]
        if kind == "npy":
            data = _cleared(data)
        digest = f"{sha256(data)}.{kind}"
        if digest not in self._numbers:
            self._numbers[digest] = f"{len(self._numbers)}.{kind}"
            self.members[self._numbers[digest]] = data
        return self._numbers[digest]


def _cleared(data: bytes) -> bytes:
    """An array of records with the bytes between its fields set to zero.

    They are whatever stood in that memory before, and no library reads them. `numpy.save` copies
    records field by field into fresh memory and writes what lay there, so it cannot be used here.
    """
    import numpy as np

    array = np.load(io.BytesIO(data), allow_pickle=False)
    if array.dtype.names is None:
        return data
    raw = np.zeros(array.nbytes, np.uint8)
    clean = raw.view(array.dtype).reshape(array.shape)
    for name in array.dtype.names:
        clean[name] = array[name]
    return data[: len(data) - array.nbytes] + raw.tobytes()
