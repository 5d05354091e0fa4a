"""A whole estate: which files are read, and what they declare together.

The estate comes as a mapping from path to bytes, so that a work tree, a commit in git and a dict in
a test are the same thing to the loader. A work tree is read lazily, only where documents may stand,
and never through a link that leads out of it.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from ordain.specs.documents import Deferred, Document, LoadedEstate
from ordain.specs.errors import SpecError
from ordain.specs.findings import Finding, Location, Severity, blocking
from ordain.specs.kinds import kind_names
from ordain.specs.loader import parse
from ordain.specs.reading import identity_of, read_document
from ordain.specs.reads import blob_id
from ordain.specs.trees import ESTATE_FILE, RefusingTree, document_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.specs.cache import Cache, Known
    from ordain.specs.known_values import KnownValues

_IDENTITY: Final = re.compile(rb"""\b(kind|name):[ \t]*["']?([A-Za-z0-9-]+)""")


def load_estate(
    tree: Mapping[str, bytes],
    cache: Cache | None = None,
    *,
    read: Mapping[str, tuple[Document, ...]] | None = None,
    known: KnownValues | None = None,
) -> LoadedEstate:
    """Every document of a tree that passes its schema, and all that is wrong with the rest.

    References between documents are not looked at; see `references.check_references`. Bad content
    never raises: an unreadable file, a broken document or a missing `ordain.yaml` is a finding.
    With a cache, a file whose bytes had no finding before is not parsed until somebody asks for
    what is in it. `read` are the `clean` files of another estate whose path and bytes are those of
    this one; their documents are taken as they are, and not parsed again. `known` are the values of
    files that were read in another run.
    """
    loading = _Loading(cache, read or {}, known)
    paths = document_paths(tree)
    if isinstance(tree, RefusingTree):
        loading.refuse(tree.refused)
    for path in paths:
        if path in loading.shared:
            loading.add_shared(path)
            continue
        data = loading.read(tree, path)
        if data is not None:
            loading.add_file(data, path)
    loading.check_estate()
    findings = tuple(sorted(loading.findings, key=_place))
    refused = frozenset(loading.refused)
    return LoadedEstate(
        loading.documents,
        findings,
        paths,
        refused,
        loading.identities,
        loading.met,
        loading.clean,
    )


def unreadable(path: str, error: SpecError | OSError) -> Finding:
    """The finding at a file whose bytes cannot be had."""
    if isinstance(error, SpecError):
        code, message, remedy = error.code, error.message, error.remedy
    else:
        code, remedy = "SPEC020", "check that it is a readable file"
        message = f"the file cannot be read: {error.strerror or error}"
    return Finding(code, Severity.ERROR, message, Location(path), remedy=remedy)


class _Loading:
    """What has been loaded so far."""

    def __init__(
        self,
        cache: Cache | None,
        shared: Mapping[str, tuple[Document, ...]],
        known: KnownValues | None,
    ) -> None:
        self._cache = cache
        self._values = known
        self.shared = shared
        self.clean: dict[str, tuple[Document, ...]] = {}
        self.identities: dict[str, str] = {}
        self.met: list[Document] = []
        self.documents: dict[str, Document] = {}
        self.findings: list[Finding] = []
        self.refused: set[str] = set()
        self._declares_estate = False

    def read(self, tree: Mapping[str, bytes], path: str) -> bytes | None:
        """The bytes of one file, or None and a finding."""
        try:
            return tree[path]
        except KeyError:
            # Only `ordain.yaml` is asked for without having been listed.
            return None
        except (SpecError, OSError) as error:
            self.findings.append(unreadable(path, error))
            # Nobody knows what it declares; most documents have the name of their file.
            stem = PurePosixPath(path).stem
            self.refused.update(f"{kind}/{stem}" for kind in kind_names())
        self._declares_estate |= path == ESTATE_FILE
        return None

    def refuse(self, refused: Mapping[str, SpecError]) -> None:
        """Tell what the tree does not hand out."""
        for path, error in refused.items():
            self._report(error.code, error.message, Location(path), error.remedy)
            self._declares_estate |= path == ESTATE_FILE

    def add_file(self, data: bytes, path: str) -> None:
        """Every document of one file."""
        if self._cache is None:
            findings, refused = len(self.findings), len(self.refused)
            documents = self._parse_file(data, path)
            if (findings, refused) == (len(self.findings), len(self.refused)):
                self.clean[path] = tuple(documents)
            return
        blob = blob_id(data)
        known = self._cache.documents(blob)
        if known is None:
            findings, refused = len(self.findings), len(self.refused)
            documents = self._parse_file(data, path)
            if (findings, refused) == (len(self.findings), len(self.refused)):
                self._cache.keep_documents(blob, documents)
        else:
            documents = self._add_known(known, data, path)
        for at, document in enumerate(documents):
            if self.documents.get(document.key) is document:
                self.identities[document.key] = f"{blob}:{at}"

    def add_shared(self, path: str) -> None:
        """Every document of a file that stands so in another estate, where nothing was found in it.

        Whether its place is free is another question in every estate.
        """
        found = self.shared[path]
        before = len(self.findings)
        for document in found:
            self._declares_estate |= document.kind == "Estate" and path == ESTATE_FILE
            self._add(document)
            self.met.append(document)
        if len(self.findings) == before:
            self.clean[path] = found

    def _add_known(self, known: Iterable[Known], data: bytes, path: str) -> list[Document]:
        """Every document of a file that had no finding."""
        read = _LaterFile(data, path)
        found: list[Document] = []
        for at, (kind, name, ties) in enumerate(known):
            document = Deferred(kind, name, path, ties=ties, read=read, at=at, met=self.met)
            self._declares_estate |= kind == "Estate" and path == ESTATE_FILE
            self._add(document)
            found.append(document)
        return found

    def _parse_file(self, data: bytes, path: str) -> list[Document]:
        """Every document of one file that is right."""
        found: list[Document] = []
        parsed = parse(data, path, self._values)
        self.findings.extend(parsed.findings)
        known = {finding.location for finding in parsed.findings}
        if blocking(parsed.findings):
            self.refused.update(_mentioned(data))
        # A file that cannot be read to its end may have declared the estate further down.
        self._declares_estate |= path == ESTATE_FILE and bool(parsed.findings)
        for node in parsed.nodes:
            if node.value is None:
                continue
            document, findings = read_document(node, path)
            self.findings.extend(one for one in findings if one.location not in known)
            if isinstance(node.value, dict) and node.value.get("kind") == "Estate":
                self._declares_estate |= path == ESTATE_FILE
            if document is not None and node.sound:
                self._add(document)
                self.met.append(document)
                found.append(document)
            else:
                self.refused.update(identity_of(node.value))
        return found

    def _add(self, document: Document) -> None:
        """Keep a document, unless its place is taken or wrong."""
        if document.kind == "Estate" and document.path != ESTATE_FILE:
            message = f"the Estate stands in `{ESTATE_FILE}` at the root and nowhere else"
            self._report("SPEC111", message, document.location, "move it there, or remove it")
            return
        first = self.documents.setdefault(document.key, document)
        if first is not document:
            self._duplicate(document, first)

    def _duplicate(self, document: Document, first: Document) -> None:
        self.findings.append(
            Finding(
                "SPEC110",
                Severity.ERROR,
                f"there are two documents {document.key}",
                document.location,
                remedy="rename or remove one of the two",
                related=((first.location, "first here"),),
            )
        )

    def check_estate(self) -> None:
        """There is exactly one Estate."""
        estates = [found for found in self.documents.values() if found.kind == "Estate"]
        if len(estates) > 1:
            message = "there is a second Estate; an estate is declared once"
            self._report("SPEC111", message, estates[1].location, "remove one of the two")
        if not estates and not self._declares_estate:
            message = f"there is no `{ESTATE_FILE}` that declares the Estate"
            remedy = "go to the root of an estate, or make one with: ordain init DIRECTORY"
            self._report("SPEC111", message, Location(ESTATE_FILE), remedy)

    def _report(self, code: str, message: str, place: Location, remedy: str) -> None:
        self.findings.append(Finding(code, Severity.ERROR, message, place, remedy=remedy))


def _mentioned(data: bytes) -> Iterator[str]:
    """`Kind/name` of what a broken file seems to declare: a kind, and the next name behind it.

    A guess keeps references to it from being called wrong; the file itself has a finding already.
    """
    kind = ""
    for found in _IDENTITY.finditer(data):
        field, value = found[1], found[2].decode("ascii")
        if field == b"kind":
            kind = value
        elif kind:
            yield f"{kind}/{value}"
            kind = ""


class _LaterFile:
    """A file whose bytes have been read before, to be parsed when something of it is used."""

    __slots__ = ("_data", "_found", "_path")

    def __init__(self, data: bytes, path: str) -> None:
        self._data = data
        self._path = path
        self._found: list[Document] | None = None

    def __call__(self, at: int) -> Document:
        """One of its documents."""
        if self._found is None:
            nodes = (node for node in parse(self._data, self._path).nodes if node.value is not None)
            read = (read_document(node, self._path)[0] for node in nodes)
            self._found = [document for document in read if document is not None]
        return self._found[at]


def _place(finding: Finding) -> tuple[str, int, int]:
    place = finding.location or Location("")
    return place.path, place.line, place.column
