"""A document: one declaration with a kind, a name and a place in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ordain.specs.findings import Finding, Location

Step = str | int


class Marks(Protocol):
    """Where every key and value of one document stands in its file."""

    def key(self, *path: Step) -> Location:
        """The place of a key; the nearest enclosing one where the path does not exist."""

    def value(self, *path: Step) -> Location:
        """The place of a value; the nearest enclosing one where the path does not exist."""

    def span(self, *path: Step) -> tuple[int, int]:
        """The code-point offsets of a value, from its first letter to behind its last one."""


@dataclass(frozen=True, slots=True)
class Document:
    """One declaration that has passed its schema.

    `spec` is the dataclass of the kind; `raw` the whole document as plain YAML values, which is
    what policies read; paths given to `marks` start at the document's root (`"spec", "tier"`).
    """

    kind: str
    name: str
    labels: dict[str, str]
    spec: Any
    raw: dict[str, Any]
    path: str
    marks: Marks

    @property
    def key(self) -> str:
        """`Kind/name`, the identity inside the estate."""
        return f"{self.kind}/{self.name}"

    @property
    def location(self) -> Location:
        """Where the document's name stands."""
        return self.marks.value("metadata", "name")


@dataclass(frozen=True, slots=True)
class LoadedEstate:
    """Every document of one tree, by identity, with what the loader found wrong.

    Documents with errors are absent, so an estate with blocking findings must not be acted on;
    `refused` are the identities of those whose kind and name could be read. `files` are the paths
    that were read.
    """

    documents: dict[str, Document]
    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    refused: frozenset[str] = frozenset()
    _kinds: dict[str, tuple[Document, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the documents once; every check asks for some kind."""
        kinds: dict[str, list[Document]] = {}
        for document in self.documents.values():
            kinds.setdefault(document.kind, []).append(document)
        by_name = attrgetter("name")
        found = {kind: tuple(sorted(some, key=by_name)) for kind, some in kinds.items()}
        object.__setattr__(self, "_kinds", found)

    def get(self, kind: str, name: str) -> Document | None:
        """One document."""
        return self.documents.get(f"{kind}/{name}")

    def all(self, kind: str) -> tuple[Document, ...]:
        """The documents of one kind, by name."""
        return self._kinds.get(kind, ())
