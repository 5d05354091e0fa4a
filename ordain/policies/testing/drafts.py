"""Documents that a case edits, with the place of every value.

A finding on an edited document points into the file of tests where the value was set there, and
into the file of the document where it was not. Writing the edited documents out and reading them
again was refused: it takes as long as everything else together, and what a finding would point at
is in no file that anybody could open.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ordain.specs.canonical import canonical_json
from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.kinds import API_VERSION, kind_names
from ordain.specs.reading import document_of
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ordain.policies.testing.suites import Edits, Place
    from ordain.specs.documents import Document, Marks, Step

Documents = dict[str, "Document"]


class DraftError(Exception):
    """An edit that cannot be made, or that makes a document which the language refuses."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(findings[0].message)
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Below:
    """The marks of a document that stands inside of another value."""

    place: Place

    def key(self, *path: Step) -> Location:
        """The place of a key."""
        return self.place.at(*path).key

    def value(self, *path: Step) -> Location:
        """The place of a value."""
        return self.place.at(*path).value

    def span(self, *path: Step) -> tuple[int, int]:
        """The code-point offsets of a value."""
        return self.place.at(*path).span


@dataclass(frozen=True, slots=True)
class Edited:
    """The marks of a document of which some values were set elsewhere; the last edit counts."""

    base: Marks
    edits: tuple[tuple[tuple[Step, ...], Place], ...]

    def key(self, *path: Step) -> Location:
        """The place of a key; of an edit, the last word of its dotted path."""
        found = self._found(path)
        if found is None:
            return self.base.key(*path)
        steps, place = found
        return place.at(*path[len(steps) :]).key if len(path) > len(steps) else _last(place, path)

    def value(self, *path: Step) -> Location:
        """The place of a value."""
        found = self._found(path)
        if found is None:
            return self.base.value(*path)
        return found[1].at(*path[len(found[0]) :]).value

    def span(self, *path: Step) -> tuple[int, int]:
        """The code-point offsets of a value, in whichever file it stands."""
        found = self._found(path)
        if found is None:
            return self.base.span(*path)
        return found[1].at(*path[len(found[0]) :]).span

    def _found(self, path: tuple[Step, ...]) -> tuple[tuple[Step, ...], Place] | None:
        fitting = (edit for edit in reversed(self.edits) if path[: len(edit[0])] == edit[0])
        return next(fitting, None)


def _last(place: Place, path: tuple[Step, ...]) -> Location:
    """The last word of the dotted path that is the key of an edit."""
    key, word = place.key, str(path[-1])
    written = str(place.path[-1])
    before = key.column + (key.length - len(written)) // 2 + len(written) - len(word)
    return Location(key.path, key.line, before, len(word))


def written(raws: Iterable[dict[str, Any]], place: Place) -> Documents:
    """The documents of a list in a file of tests.

    Raises:
        DraftError: when one of them is no document.
    """
    found: Documents = {}
    for index, raw in enumerate(raws):
        document = _read(raw, Below(place.at(index)), "")
        found[document.key] = replace(document, path=_path(document))
    return found


def _path(document: Document) -> str:
    """Where such a document would stand in an estate."""
    if document.kind == "Estate":
        return "ordain.yaml"
    return f"specs/{document.kind.lower()}/{document.name}.yaml"


def edited(documents: Documents, edits: Edits, place: Place) -> Documents:
    """The documents with values set, by the path of each; null takes away, a whole spec adds one.

    Raises:
        DraftError: when there is no such document, or the language refuses what becomes of it.
    """
    found = dict(documents)
    for key, values in edits.items():
        if not is_document(key):
            continue
        if values is None and key in found:
            del found[key]
        elif key in documents and isinstance(values, dict):
            found[key] = _with(documents[key], values, place.at(key))
        elif isinstance(values, dict) and isinstance(values.get("spec"), dict):
            found[key] = _new(key, values, place.at(key))
        else:
            raise _absent(key, documents, place)
    return found


def _absent(key: str, known: Iterable[str], place: Place) -> DraftError:
    message = f"the case edits {key}, which is not there"
    remedy = did_you_mean(key, known) or "add it with its whole `spec`"
    return _refused(message, place.at(key).key, remedy)


def is_document(key: str) -> bool:
    """Whether an edit is of a document, and not of a file."""
    return key.partition("/")[0] in kind_names()


def edited_files(files: Mapping[str, bytes], edits: Edits, place: Place) -> dict[str, bytes | None]:
    """The files that edits write or take away; a mapping edits a file of JSON.

    Raises:
        DraftError: when the values of a file are edited that is not there, or no JSON.
    """
    found: dict[str, bytes | None] = {}
    for path, content in edits.items():
        if is_document(path):
            continue
        if isinstance(content, dict):
            found[path] = _edited_json(files.get(path), path, content, place)
        else:
            found[path] = None if content is None else content.encode()
    return found


def _edited_json(data: bytes | None, path: str, values: dict[str, Any], place: Place) -> bytes:
    if data is None:
        message = f"the case edits {path}, which is neither a document nor a file"
        raise _refused(message, place.at(path).key, "name a document as Kind/name")
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        message = f"only values of JSON can be edited, and {path} is none"
        raise _refused(message, place.at(path).key, "write the whole text of the file") from error
    for dotted, value in values.items():
        _set(raw, dotted, value, place.at(path, dotted))
    return canonical_json(raw) + b"\n"


def _new(key: str, values: dict[str, Any], place: Place) -> Document:
    """A document that the estate did not have."""
    kind, _, name = key.partition("/")
    raw = {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, **values}
    document = _read(raw, Below(place), "")
    return replace(document, path=_path(document))


def _with(document: Document, values: Mapping[str, Any], place: Place) -> Document:
    """One document with its edits."""
    raw = copy.deepcopy(document.raw)
    made = []
    for dotted, value in values.items():
        path = _set(raw, dotted, value, place.at(dotted))
        if value is not None:
            made.append((path, place.at(dotted)))
    return _read(raw, Edited(document.marks, tuple(made)), document.path)


def _set(raw: dict[str, Any], dotted: str, value: Any, place: Place) -> tuple[Step, ...]:  # noqa: ANN401 - any YAML value
    """Set one value and say its path; mappings on the way are made where they are missing."""
    *above, last = _steps(dotted)
    at: Any = raw
    for step in above:
        if isinstance(at, dict):
            at = at.setdefault(str(step), {})
        elif isinstance(at, list) and isinstance(step, int) and step < len(at):
            at = at[step]
        else:
            at = None
    if isinstance(at, dict):
        if value is None:
            at.pop(str(last), None)
        else:
            at[str(last)] = copy.deepcopy(value)
    elif isinstance(at, list) and isinstance(last, int) and last < len(at):
        at[last] = copy.deepcopy(value)
    else:
        raise _refused(
            f"there is nothing that `{dotted}` could be set in",
            place.key,
            "mend the path; lists are counted from 0",
        )
    return (*above, last)


def _steps(dotted: str) -> tuple[Step, ...]:
    return tuple(int(step) if step.isdecimal() else step for step in dotted.split("."))


def _read(raw: dict[str, Any], marks: Marks, path: str) -> Document:
    document, findings = document_of(raw, marks, path)
    if document is None:
        raise DraftError(findings)
    return document


def _refused(message: str, place: Location, remedy: str) -> DraftError:
    return DraftError((Finding("TEST003", Severity.ERROR, message, place, remedy=remedy),))
