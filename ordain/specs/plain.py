"""Specs back to plain values, and the digests that are taken of them.

Two digests of one document serve two questions. `spec_digest`: is this the same declaration?
`material_digest`: would the same thing be trained and served? The second leaves out every field of
the change class *metadata* and every field that has its default, so that neither a comment nor an
explicit default nor a field that a later version adds puts a model out of sync.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

from ordain.specs.canonical import digest, same
from ordain.specs.shapes import shapes


def to_plain(value: Any, *, material: bool = False) -> Any:  # noqa: ANN401 - any declared value
    """A spec as JSON values under its YAML names, without the fields that have their default.

    `material` leaves out the fields of the change class metadata as well.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            shape.name: to_plain(found, material=material)
            for shape in shapes(type(value)).values()
            if not (material and shape.change == "metadata")
            and not _as_default(found := getattr(value, shape.attribute), shape.default, material)
        }
    if isinstance(value, tuple | list):
        return [to_plain(item, material=material) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item, material=material) for key, item in value.items()}
    return value


def _as_default(value: Any, default: Any, material: bool) -> bool:  # noqa: ANN401, FBT001
    """Whether a field says no more than its default; of a section, what counts of it."""
    if not material or not is_dataclass(value) or type(value) is not type(default):
        return _same(value, default)
    return same(to_plain(value, material=True), to_plain(default, material=True))


def _same(value: Any, default: Any) -> bool:  # noqa: ANN401 - any declared value
    """Equality that does not take 1 for true nor 1.0 for 1."""
    return type(value) is type(default) and bool(value == default)


def material_digest(spec: Any) -> str:  # noqa: ANN401 - the dataclass of any kind
    """The digest of everything that changes what is trained or served."""
    return digest(to_plain(spec, material=True))


def spec_digest(spec: Any) -> str:  # noqa: ANN401 - the dataclass of any kind
    """The digest of everything that is declared."""
    return digest(to_plain(spec))
