"""A whole estate: which files are read, and what they declare together.

The estate comes as a mapping from path to bytes, so that a work tree, a commit in git and a dict in
a test are the same thing to the loader. A work tree is read lazily, only where documents may stand,
and never through a link that leads out of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.documents import Document, LoadedEstate
from ordain.specs.errors import SpecError
from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.loader import parse
from ordain.specs.reading import identity_of, read_document
from ordain.specs.trees import ESTATE_FILE, document_paths

if TYPE_CHECKING:
    from collections.abc import Mapping


def load_estate(tree: Mapping[str, bytes]) -> LoadedEstate:
    """Every document of a tree that passes its schema, and all that is wrong with the rest.

    References between documents are not looked at; see `references.check_references`. Bad content
    never raises: an unreadable file, a broken document or a missing `ordain.yaml` is a finding.
    """
    loading = _Loading()
    paths = document_paths(tree)
    for path in paths:
        data = loading.read(tree, path)
        if data is not None:
            loading.add_file(data, path)
    loading.check_estate()
    findings = tuple(sorted(loading.findings, key=_place))
    refused = frozenset(loading.refused)
    return LoadedEstate(loading.documents, findings, paths, refused)


class _Loading:
    """What has been loaded so far."""

    def __init__(self) -> None:
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
        except SpecError as error:
            self._report(error.code, error.message, Location(path), error.remedy)
        except OSError as error:
            message = f"the file cannot be read: {error.strerror or error}"
            self._report("SPEC020", message, Location(path), "check that it is a readable file")
        self._declares_estate |= path == ESTATE_FILE
        return None

    def add_file(self, data: bytes, path: str) -> None:
        """Every document of one file."""
        parsed = parse(data, path)
        self.findings.extend(parsed.findings)
        known = {finding.location for finding in parsed.findings}
        # A file that cannot be read to its end may have declared the estate further down.
        self._declares_estate |= path == ESTATE_FILE and bool(parsed.findings)
        for node in parsed.nodes:
            if node.value is None:
                continue
            document, findings = read_document(node, path)
            self.findings.extend(found for found in findings if found.location not in known)
            if isinstance(node.value, dict) and node.value.get("kind") == "Estate":
                self._declares_estate |= path == ESTATE_FILE
            if document is not None and node.sound:
                self._add(document)
            else:
                self.refused.update(identity_of(node.value))

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
            remedy = "run `ordain init` in an empty repository, or run in the estate's root"
            self._report("SPEC111", message, Location(ESTATE_FILE), remedy)

    def _report(self, code: str, message: str, place: Location, remedy: str) -> None:
        self.findings.append(Finding(code, Severity.ERROR, message, place, remedy=remedy))


def _place(finding: Finding) -> tuple[str, int, int]:
    place = finding.location or Location("")
    return place.path, place.line, place.column
