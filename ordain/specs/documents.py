"""A document: one declaration with a kind, a name and a place in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Protocol

from ordain.specs.graph import Graph, graph_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ordain.specs.findings import Finding, Location
    from ordain.specs.graph import Ties

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
    ties: Ties

    @property
    def key(self) -> str:
        """`Kind/name`, the identity inside the estate."""
        return f"{self.kind}/{self.name}"

    @property
    def location(self) -> Location:
        """Where the document's name stands."""
        return self.marks.value("metadata", "name")


_set = object.__setattr__
_CONTENT: Final = ("labels", "spec", "raw", "marks")


class Deferred(Document):
    """A document whose content is read when somebody asks for it.

    Its kind, name and ties are known from an earlier run over the same bytes. `read` gives document
    number `at` of its file. Once it is read it puts itself into `met`.
    """

    __slots__ = ("_at", "_met", "_read")

    def __init__(
        self,
        kind: str,
        name: str,
        path: str,
        *,
        ties: Ties,
        read: Callable[[int], Document],
        at: int,
        met: list[Document],
    ) -> None:
        _set(self, "kind", kind)
        _set(self, "name", name)
        _set(self, "path", path)
        _set(self, "ties", ties)
        _set(self, "_read", read)
        _set(self, "_at", at)
        _set(self, "_met", met)

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 - of any field
        """Fill what is empty; Python asks here for nothing else."""
        if attribute not in _CONTENT:
            raise AttributeError(attribute)
        document = self._read(self._at)
        for name in _CONTENT:
            _set(self, name, getattr(document, name))
        self._met.append(self)
        return getattr(document, attribute)


# Whoever makes an estate of documents has read them.
_ALL: Final[Any] = None


@dataclass(frozen=True, slots=True)
class LoadedEstate:
    """Every document of one tree, by identity, with what the loader found wrong.

    Documents with errors are absent, so an estate with blocking findings must not be acted on;
    `refused` are the identities of those whose kind and name could be read. `files` are the paths
    that were read, `clean` the documents of each in which nothing was found. Where a cache is used,
    `identities` names the bytes of each document. `met` are the documents whose content has been
    read so far, in that order: without a cache all of them.
    """

    documents: dict[str, Document]
    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    refused: frozenset[str] = frozenset()
    identities: Mapping[str, str] = field(default_factory=dict, compare=False)
    met: list[Document] = field(default=_ALL, compare=False, repr=False)
    clean: Mapping[str, tuple[Document, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )
    _kinds: dict[str, tuple[Document, ...]] = field(init=False, repr=False, compare=False)
    _graph: list[Graph] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the documents once; every check asks for some kind."""
        kinds: dict[str, list[Document]] = {}
        for document in self.documents.values():
            kinds.setdefault(document.kind, []).append(document)
        by_name = attrgetter("name")
        found = {kind: tuple(sorted(some, key=by_name)) for kind, some in kinds.items()}
        object.__setattr__(self, "_kinds", found)
        if self.met is _ALL:
            object.__setattr__(self, "met", list(self.documents.values()))
        object.__setattr__(self, "_graph", [])

    @property
    def graph(self) -> Graph:
        """What leads from one document to another, worked out at the first question."""
        if not self._graph:
            self._graph.append(graph_of(self.documents))
        return self._graph[0]

    def get(self, kind: str, name: str) -> Document | None:
        """One document."""
        return self.documents.get(f"{kind}/{name}")

    def find(self, key: str) -> Document | None:
        """One document by `Kind/name`."""
        return self.documents.get(key)

    def all(self, kind: str) -> tuple[Document, ...]:
        """The documents of one kind, by name."""
        return self._kinds.get(kind, ())

    def knows(self, key: str) -> bool:
        """Whether a document is there, or was and has been refused."""
        return key in self.documents or key in self.refused

    def refuses(self, kind: str) -> bool:
        """Whether any document of a kind has been refused."""
        return any(key.startswith(f"{kind}/") for key in self.refused)

    def needs(self, key: str) -> tuple[str, ...]:
        """The keys of what a document refers to, sorted."""
        return self.graph.needs.get(key, ())

    def users(self, key: str) -> tuple[str, ...]:
        """The keys of what refers to a document."""
        return self.graph.users.get(key, ())

    def versions(self, model: str, number: int) -> tuple[str, ...]:
        """The keys of the ModelVersions that say they are this one; more than one is an error."""
        return self.graph.versions.get((model, number), ())
