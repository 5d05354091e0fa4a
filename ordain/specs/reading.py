"""From a YAML value to a document: the envelope here, `spec` by the schema of its kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ordain.specs.documents import Document
from ordain.specs.findings import Finding, Severity
from ordain.specs.graph import ties_of
from ordain.specs.kinds import API_VERSION, kind_names, kind_type, kind_validator
from ordain.specs.spelling import did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.specs.documents import Marks, Step
    from ordain.specs.loader import Node

_TOP = ("apiVersion", "kind", "metadata", "spec")
_METADATA = ("name", "labels", "annotations")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def read_document(node: Node, path: str) -> tuple[Document | None, tuple[Finding, ...]]:
    """The document in one YAML value, or None and everything that is wrong with it."""
    return document_of(node.value, node.marks, path)


def document_of(raw: Any, marks: Marks, path: str) -> tuple[Document | None, tuple[Finding, ...]]:  # noqa: ANN401
    """As `read_document`, of a value that may stand inside of another one."""
    if not isinstance(raw, dict):
        return None, (_not_a_document(marks),)
    envelope = _Envelope(raw, marks)
    kind, name = envelope.kind(), envelope.name()
    labels = envelope.texts("labels")
    envelope.texts("annotations")
    envelope.check_keys()
    spec: Any = None
    if kind is not None and "spec" in raw:
        spec, problems = _read_spec(kind, raw["spec"], marks)
        envelope.findings.extend(problems)
    if envelope.findings or kind is None or name is None:
        return None, tuple(envelope.findings)
    return Document(kind, name, labels, spec, raw, path, marks, ties_of(kind, raw)), ()


def identity_of(raw: Any) -> tuple[str, ...]:  # noqa: ANN401 - any YAML value
    """`Kind/name` of a value that may be no document, where both can be read."""
    metadata = raw.get("metadata") if isinstance(raw, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return (f"{raw['kind']}/{name}",) if name and "kind" in raw else ()


def _read_spec(kind: str, value: Any, marks: Marks) -> tuple[Any, tuple[Finding, ...]]:  # noqa: ANN401
    """The dataclass of a kind from its YAML value, or the findings."""
    from pydantic_core import ValidationError

    try:
        return kind_validator(kind).validate_python(value), ()
    except ValidationError as error:
        # Only an estate with mistakes pays for the words that explain them.
        from ordain.specs.problems import Translator

        errors = error.errors(include_url=False)
        return None, Translator(kind_type(kind), value, marks, ("spec",)).findings(errors)


def _not_a_document(marks: Marks) -> Finding:
    return Finding(
        "SPEC100",
        Severity.ERROR,
        "this is no document: a document is a mapping with apiVersion, kind, metadata and spec",
        marks.value(),
        remedy=f"begin with `apiVersion: {API_VERSION}`, or move the file elsewhere",
    )


class _Envelope:
    """Everything around `spec`; collects findings as it is asked."""

    def __init__(self, raw: dict[str, Any], marks: Marks) -> None:
        self._raw = raw
        self._marks = marks
        metadata = raw.get("metadata")
        self._metadata: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
        self.findings: list[Finding] = []

    def check_keys(self) -> None:
        """Nothing unknown, nothing missing, the right version of the language."""
        self._unknown(self._raw, _TOP, ())
        self._unknown(self._metadata, _METADATA, ("metadata",))
        for field in _TOP:
            if field not in self._raw:
                self._missing(field, ())
        version = self._raw.get("apiVersion", API_VERSION)
        if version != API_VERSION:
            message = f"`apiVersion` is `{version}`; this version of ordain reads {API_VERSION}"
            remedy = f"write `apiVersion: {API_VERSION}`"
            self._report("SPEC109", message, ("apiVersion",), remedy)

    def kind(self) -> str | None:
        """The kind, where it is one of ours."""
        kind = self._raw.get("kind")
        if "kind" not in self._raw or kind in kind_names():
            return kind
        remedy = did_you_mean(str(kind), kind_names())
        remedy = remedy or f"known: {', '.join(kind_names())}"
        self._report("SPEC108", f"unknown kind `{kind}`", ("kind",), remedy)
        return None

    def name(self) -> str | None:
        """The name, where it can be one."""
        if "metadata" not in self._raw:
            return None
        if not isinstance(self._raw["metadata"], dict):
            message = "`metadata` must be a mapping with a `name`"
            self._report("SPEC102", message, ("metadata",), "write `metadata: {name: ...}`")
            return None
        name = self._metadata.get("name")
        if "name" not in self._metadata:
            self._missing("name", ("metadata",))
        elif not isinstance(name, str):
            message = "`name` must be text"
            self._report("SPEC102", message, ("metadata", "name"), "put it into quotes")
        elif not NAME.fullmatch(name):
            message = f"`{name}` cannot be a name"
            remedy = "write lower-case letters, digits and hyphens, at most 63"
            self._report("SPEC106", message, ("metadata", "name"), remedy)
        else:
            return name
        return None

    def texts(self, field: str) -> dict[str, str]:
        """A mapping of text to text in the metadata."""
        found = self._metadata.get(field, {})
        if not isinstance(found, dict):
            message = f"`{field}` must be a mapping of text to text"
            self._report("SPEC102", message, ("metadata", field), f"write `{field}: {{key: text}}`")
            return {}
        for key, value in found.items():
            if not isinstance(value, str):
                message = f"`{key}` must be text"
                self._report("SPEC102", message, ("metadata", field, key), "put it into quotes")
        return found

    def _unknown(self, found: dict[str, Any], known: Iterable[str], path: tuple[Step, ...]) -> None:
        for key in found:
            if key not in known:
                remedy = did_you_mean(key, known) or f"known here: {listed(known, 'and')}"
                place = self._marks.key(*path, key)
                message = f"unknown field `{key}`"
                error = Severity.ERROR
                self.findings.append(Finding("SPEC104", error, message, place, remedy=remedy))

    def _missing(self, field: str, path: tuple[Step, ...]) -> None:
        where = f" in `{path[-1]}`" if path else ""
        message = f"the field `{field}` is missing{where}"
        place = self._marks.key(*path)
        remedy = f"add `{field}:`"
        self.findings.append(Finding("SPEC101", Severity.ERROR, message, place, remedy=remedy))

    def _report(self, code: str, message: str, path: tuple[Step, ...], remedy: str) -> None:
        place = self._marks.value(*path)
        self.findings.append(Finding(code, Severity.ERROR, message, place, remedy=remedy))
