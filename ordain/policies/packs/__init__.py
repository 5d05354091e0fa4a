"""Policies that ship with ordain, as versioned data.

A pack is a directory here with one file per version that is still shipped, `1.0.0.yaml`, and beside
it `1.0.0.examples.yaml`: an estate that passes, and for each policy the edits of it that pass and
those that do not. The examples are the pack's tests and what `ordain explain` prints. A pack that
is pinned to a version keeps its rules when ordain is upgraded; a pack without a version is the
newest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ordain.policies.errors import PackError
from ordain.specs.loader import parse
from ordain.specs.reading import read_document

if TYPE_CHECKING:
    from ordain.specs.documents import Document

DEFAULT: Final = "baseline"
_HERE = Path(__file__).parent
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)\.yaml")


@dataclass(frozen=True, slots=True)
class Pack:
    """One version of a pack."""

    name: str
    version: str
    policies: tuple[Document, ...]

    @property
    def origin(self) -> str:
        """What findings call it."""
        return f"{self.name} {self.version}"

    @property
    def examples(self) -> str:
        """The file of its examples, for `pack_file`."""
        return f"{self.name}/{self.version}.examples.yaml"


def pack_names() -> tuple[str, ...]:
    """The packs that ship with ordain."""
    found = (entry.name for entry in _HERE.iterdir() if entry.is_dir())
    return tuple(sorted(name for name in found if not name.startswith("_")))


def pack_versions(name: str) -> tuple[str, ...]:
    """The versions of a pack, newest first.

    Raises:
        PackError: for a pack that does not ship with ordain.
    """
    if name not in pack_names():
        known = ", ".join(pack_names())
        raise PackError(f"there is no pack {name}", remedy=f"name one of: {known}")
    matches = (_VERSION.fullmatch(entry.name) for entry in (_HERE / name).iterdir())
    numbers = sorted((tuple(map(int, one.groups())) for one in matches if one), reverse=True)
    return tuple(".".join(map(str, one)) for one in numbers)


@cache
def load_pack(name: str, version: str | None = None) -> Pack:
    """One pack; without a version the newest.

    Raises:
        PackError: for a pack or a version that does not ship with ordain.
    """
    versions = pack_versions(name)
    chosen = version or versions[0]
    if chosen not in versions:
        known = ", ".join(versions)
        message = f"there is no version {chosen} of {name}"
        raise PackError(message, remedy=f"name one of: {known}", field="version")
    path = f"{name}/{chosen}.yaml"
    parsed = parse(pack_file(path), f"packs/{path}")
    read = [read_document(node, f"packs/{path}") for node in parsed.nodes]
    policies = tuple(document for document, _ in read if document is not None)
    if parsed.findings or len(policies) != len(read):
        raise PackError(f"the pack {name} {chosen} is damaged", remedy="install ordain again")
    return Pack(name, chosen, policies)


def pack_file(path: str) -> bytes:
    """The bytes of a file of a pack, such as `baseline/1.0.0.examples.yaml`."""
    return (_HERE / path).read_bytes()
