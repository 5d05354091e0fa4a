"""YAML with its marks: the one parser of the project.

It reads libyaml's events and builds plain values itself, for four reasons. PyYAML's constructor,
not libyaml, is the slow part of loading, so this is faster although it keeps more. It keeps where
every key and value stands. It reads scalars by the core schema of YAML 1.2, so that `no`, `on`,
dates and `12:30` stay text. And it refuses what two readers of one file could understand
differently: duplicate keys, merge keys, tags, keys that are no text. A gate that reads other values
than the tool behind it can be talked round, which is why nobody else in this project parses YAML.

Refused: a second, round-tripping parser (ruamel.yaml is 14 times slower); parsers that keep no
marks; PyYAML's node tree, which takes as long to build as these values.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingStartEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.marks import LaterMarks, NodeMarks, Nodes, Source
from ordain.specs.ordinary import ordinary_values
from ordain.specs.scalars import CONSTANTS, NUMERIC, ODD_KEYS, NumberError, plain_value
from ordain.specs.syntax import encoding_finding, syntax_finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordain.specs.documents import Marks
    from ordain.specs.known_values import KnownValues

    # PyYAML's types know events by their classes only; what is in them is checked by the tests.
    Event = Any

MAXIMUM_BYTES: Final = 10_000_000
MAXIMUM_NODES: Final = 250_000
MAXIMUM_DOCUMENTS: Final = 10_000
MAXIMUM_DEPTH: Final = 64
MAXIMUM_FINDINGS: Final = 100

# Only the events of these loaders are used. Where PyYAML was built without libyaml, its own parser
# gives the same events ten times slower.
_Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# The stubs allow for events without marks, which no parser makes.
ScalarEvent: Any = yaml.ScalarEvent
MappingEndEvent: Any = yaml.MappingEndEvent
SequenceEndEvent: Any = yaml.SequenceEndEvent

# How a double-quoted scalar writes U+0000; whether one does so is looked at where this matches.
_NUL: Final = re.compile(rb"\\(?:0|x00|u0000|U00000000)")
_MISREAD: Final = re.compile("[\x85\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset(("!", _TAG + "str"))
_COLLECTION_TAGS = frozenset(("!", _TAG + "map", _TAG + "seq"))
_TAGGED: Final[dict[str, type[Any]]] = {
    _TAG + "int": int,
    _TAG + "float": float,
    _TAG + "bool": bool,
    _TAG + "null": type(None),
}


@dataclass(frozen=True, slots=True)
class Node:
    """One document of a file: plain values (dict, list, str, int, float, bool, None) and marks.

    A node that is not sound has findings of its own; its values are a best guess.
    """

    value: Any
    marks: Marks
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Parsed:
    """The documents of a file, up to the first place where it cannot be read any further."""

    nodes: tuple[Node, ...]
    findings: tuple[Finding, ...]


class _StopError(Exception):
    """The rest of the file is not worth reading; the finding is already there."""


@dataclass(slots=True)
class _Anchor:
    """A value that has a name: where it begins, and how many nodes it is when written out."""

    value: Any
    node: int
    nodes: int


class _Builder:
    """Builds the values of one file from its events.

    The two loops of `mapping` and `sequence` are where the time of a check goes; scalars are
    handled inside of them because a call per scalar would cost as much as the scalar.
    """

    def __init__(self, data: bytes, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.nodes = Nodes()
        self._add = self.nodes.offsets.append
        self._data = data
        self._next: Callable[[], Event]
        self.marks: list[NodeMarks] = []
        self._anchors: dict[str, _Anchor | None] = {}
        self._named: list[_Anchor] = []
        self._depth = 0
        self._copies = 0

    def documents(self) -> list[Node]:
        """Every document of the file; findings tell why there are no more."""
        found: list[Node] = []
        try:
            self._open()
            while (event := self._next()).__class__ is not StreamEndEvent:
                if event.__class__ is DocumentStartEvent:
                    if len(found) >= MAXIMUM_DOCUMENTS:
                        message = f"more than {MAXIMUM_DOCUMENTS:,} documents in one file"
                        self._stop("SPEC017", message, event, remedy="split the file")
                    found.append(self._document())
        except yaml.YAMLError as error:
            self.findings.append(syntax_finding(error, self.source))
        except _StopError:
            pass
        return found

    def _open(self) -> None:
        """Begin with the first event; only a large file pays for being counted."""
        self._next = _Parser(self._data).get_event
        if len(self._data) > MAXIMUM_NODES:
            self._next = self._bounded(self._next)

    def _document(self) -> Node:
        """The document that begins with the next event."""
        self._anchors = {}
        root, before = len(self.nodes.offsets), len(self.findings)
        value = self.node(self._next())
        marks = NodeMarks(self.source, self.nodes, root, value)
        self.marks.append(marks)
        return Node(value, marks, sound=len(self.findings) == before)

    def node(self, event: Event) -> Any:  # noqa: ANN401 - any YAML value
        """The value that begins with this event."""
        kind = event.__class__
        if kind is AliasEvent:
            return self._alias(event)
        start, copies = len(self.nodes.offsets), self._copies
        if event.anchor is not None:
            # Until its end, a value is no value that an alias inside of it could stand for.
            self._anchors[event.anchor] = None
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            if event.tag is not None and event.tag not in _COLLECTION_TAGS:
                self._refuse_tag(event)
            value = self.mapping(event) if kind is MappingStartEvent else self.sequence(event)
        else:
            self._mark(event)
            value = self.scalar(event)
        if event.anchor is not None:
            size = len(self.nodes.offsets) - start + self._copies - copies
            self._anchors[event.anchor] = anchor = _Anchor(value, start, size)
            self._named.append(anchor)
        return value

    def _mark(self, event: Event) -> None:
        self._add(event.start_mark.index << 32 | event.end_mark.index)

    def _enter(self, event: Event) -> int:
        """The node of a collection, whose end is not known yet, one level deeper."""
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            self._stop("SPEC018", f"this is nested deeper than {MAXIMUM_DEPTH} levels", event)
        start = len(self.nodes.offsets)
        self._add(event.start_mark.index << 32)
        return start

    def _leave(self, start: int, event: Event) -> None:
        """Note the end of the collection that is node `start`."""
        self._depth -= 1
        self.nodes.offsets[start] |= event.end_mark.index

    def mapping(self, event: Event) -> dict[str, Any]:
        """The mapping that begins with this event, up to its end event."""
        get, add = self._next, self._add
        start = self._enter(event)
        found: dict[str, Any] = {}
        while (event := get()).__class__ is not MappingEndEvent:
            if event.__class__ is ScalarEvent and event.anchor is None:
                add(event.start_mark.index << 32 | event.end_mark.index)
                key = event.value
                plain, quoted = event.implicit
                if (key in ODD_KEYS or key[0] in NUMERIC) if plain else not quoted:
                    key = self._check_key(event)
            else:
                key = self._key_node(event)
            event = get()
            if event.__class__ is ScalarEvent and event.anchor is None:
                add(event.start_mark.index << 32 | event.end_mark.index)
                value = event.value
                plain, quoted = event.implicit
                if (value in CONSTANTS or value[0] in NUMERIC) if plain else not quoted:
                    value = self.scalar(event) if event.tag else self._plain(value, event)
            elif event.__class__ is MappingStartEvent and event.anchor is None is event.tag:
                value = self.mapping(event)
            else:
                value = self.node(event)
            if key in found:
                self._duplicate(found, start, key)
            else:
                found[key] = value
        self._leave(start, event)
        return found

    def sequence(self, event: Event) -> list[Any]:
        """The items of the sequence that begins with this event, up to its end event."""
        get, add = self._next, self._add
        start = self._enter(event)
        found: list[Any] = []
        while (event := get()).__class__ is not SequenceEndEvent:
            if event.__class__ is ScalarEvent and event.anchor is None:
                add(event.start_mark.index << 32 | event.end_mark.index)
                value = event.value
                plain, quoted = event.implicit
                if (value in CONSTANTS or value[0] in NUMERIC) if plain else not quoted:
                    value = self.scalar(event) if event.tag else self._plain(value, event)
            else:
                value = self.node(event)
            found.append(value)
        self._leave(start, event)
        return found

    def scalar(self, event: Event) -> Any:  # noqa: ANN401 - any YAML value
        """The value of a scalar that may be more than text."""
        text, tag = event.value, event.tag
        if tag is None:
            return self._plain(text, event) if event.implicit[0] else text
        if tag in _TEXT_TAGS:
            return text
        value = self._plain(text, event)
        if tag not in _TAGGED:
            self._refuse_tag(event)
        elif type(value) is not _TAGGED[tag]:
            message = f"`{text}` is not of the type that its tag names"
            self._report("SPEC014", message, event, remedy="remove the tag, or write such a value")
        return value

    def _plain(self, text: str, event: Event) -> Any:  # noqa: ANN401 - any YAML value
        try:
            return plain_value(text)
        except NumberError as error:
            self._report("SPEC019", error.message, event, remedy=error.remedy)
            return None

    def _check_key(self, event: Event) -> str:
        """A key that may be no text; it goes on as the text that stands there."""
        text = str(event.value)
        if event.implicit[0] and text == "<<":
            message = "merge keys (`<<`) are not part of YAML 1.2"
            self._report("SPEC015", message, event, remedy="write the fields out")
        elif not isinstance(self.scalar(event), str):
            self._refuse_key(event, f"the key `{text}` is no text")
        return text

    def _key_node(self, event: Event) -> str:
        """A key that is an alias, has an anchor, or is a collection."""
        at = len(self.nodes.offsets)
        key = self.node(event)
        if isinstance(key, str):
            return key
        self._refuse_key(event, "this key is no text")
        self._forget(at)
        self._mark(event)
        return f"?{at}"

    def _alias(self, event: Event) -> Any:  # noqa: ANN401 - any YAML value
        """The value that an alias stands for; shared, but counted as if it were written out."""
        at = len(self.nodes.offsets)
        self._mark(event)
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            inside = event.anchor in self._anchors
            what = "stands inside of what it refers to" if inside else "refers to nothing above it"
            remedy = (
                "write the value out" if inside else f"put `&{event.anchor}` before a value above"
            )
            self._report("SPEC022", f"the alias `*{event.anchor}` {what}", event, remedy=remedy)
            return None
        self._copies += anchor.nodes
        if at + self._copies > MAXIMUM_NODES:
            self._too_many(event)
        self.nodes.aliases[at] = anchor.node
        return anchor.value

    def _duplicate(self, found: dict[str, Any], start: int, key: str) -> None:
        """Report a key that is there already, and forget the second one."""
        last = next(reversed(found))
        at = self.nodes.key(found, start, last) + 1
        at += self.nodes.size(found[last], at)
        first = self.nodes.offsets[self.nodes.key(found, start, key)]
        again = self.nodes.offsets[at]
        self._found(
            Finding(
                "SPEC013",
                Severity.ERROR,
                f"the key `{key}` stands here twice",
                self.source.location(again >> 32, again & 0xFFFFFFFF),
                remedy="remove one of the two; which one would win is up to each reader of YAML",
                related=((self.source.location(first >> 32, first & 0xFFFFFFFF), "first here"),),
            )
        )
        self._forget(at)

    def _forget(self, at: int) -> None:
        """Drop every node from `at` on; aliases to them lead nowhere from now on."""
        self.nodes.forget(at)
        while self._named and self._named[-1].node >= at:
            self._named.pop().node = -1

    def _bounded(self, get: Callable[[], Event]) -> Callable[[], Event]:
        """The same events, until there are too many."""
        most = MAXIMUM_NODES

        def counted() -> Event:
            event = get()
            if len(self.nodes.offsets) > most:
                self._too_many(event)
            return event

        return counted

    def _too_many(self, event: Event) -> None:
        message = f"more than {MAXIMUM_NODES:,} values, counting what aliases repeat"
        self._stop("SPEC017", message, event, remedy="split the file; repeat less by alias")

    def _refuse_key(self, event: Event, message: str) -> None:
        self._report("SPEC016", message, event, remedy="put the key into quotes")

    def _refuse_tag(self, event: Event) -> None:
        tag = str(event.tag).replace(_TAG, "!!")
        remedy = "remove the tag; the kind decides on the type of every field"
        self._report("SPEC014", f"the tag `{tag}` means nothing here", event, remedy=remedy)

    def _stop(self, code: str, message: str, event: Event, *, remedy: str = "") -> None:
        self._report(code, message, event, remedy=remedy or "write a flatter document")
        raise _StopError

    def _report(self, code: str, message: str, event: Event, *, remedy: str) -> None:
        place = self.source.location(event.start_mark.index, event.end_mark.index)
        self._found(Finding(code, Severity.ERROR, message, place, remedy=remedy))

    def _found(self, finding: Finding) -> None:
        """Keep a finding; after many of them nobody reads on, and neither does the loader."""
        self.findings.append(finding)
        if len(self.findings) == MAXIMUM_FINDINGS:
            message = f"there are {MAXIMUM_FINDINGS} mistakes above; the rest of the file is unread"
            place = finding.location
            remedy = "mend these first"
            self.findings.append(Finding("SPEC024", Severity.ERROR, message, place, remedy=remedy))
            raise _StopError


def parse(data: bytes, path: str, known: KnownValues | None = None) -> Parsed:
    """The documents of one file. Bad text gives findings, never an exception.

    `known` are the values that ordinary files had before; it learns those of this one. Aliased
    collections are shared between their places: treat the values as read-only.
    """
    if len(data) >= MAXIMUM_BYTES:
        message = f"the file has {len(data):,} bytes; the limit is {MAXIMUM_BYTES:,}"
        remedy = "split the file; data does not belong into a document"
        finding = Finding("SPEC011", Severity.ERROR, message, Location(path), remedy=remedy)
        return Parsed((), (finding,))
    values = None if known is None else known.of(data)
    if values is None:
        if wrong := tuple(_misleading(data, path)):
            return Parsed((), wrong)
        values = ordinary_values(data, _Parser)
        if known is not None and values is not None:
            known.learn(data, values)
    if values is not None:
        return _ordinary(values, data, path)
    builder = _Builder(data, Source(path, data.decode("utf-8-sig")))
    nodes = builder.documents()
    return Parsed(tuple(nodes), tuple(builder.findings))


def _misleading(data: bytes, path: str) -> Iterator[Finding]:
    """What keeps a text from being parsed at all: others would read something else in it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield encoding_finding(data, error, path)
        return
    found = [] if text.isascii() else list(_misread_characters(Source(path, text)))
    if not found and _NUL.search(data):
        found = list(_null_characters(data, Source(path, text)))
    yield from found


def _ordinary(values: list[Any], data: bytes, path: str) -> Parsed:
    """A file in which nothing is unusual; where something stands in it is found out when asked."""
    marks = _MarksOfFile(data, path)
    nodes = (Node(value, LaterMarks(marks, at)) for at, value in enumerate(values))
    return Parsed(tuple(nodes), ())


def _misread_characters(source: Source) -> Iterator[Finding]:
    """A finding for every character that makes a text look other than it is read.

    YAML 1.1 and the parser end a line at three characters at which YAML 1.2, git and every editor
    do not: what looks like the rest of a comment would be a field. Others turn the direction of
    the text around, so that it is shown in another order than it stands in (CVE-2021-42574).
    """
    for match in islice(_MISREAD.finditer(source.text), MAXIMUM_FINDINGS):
        yield Finding(
            "SPEC025",
            Severity.ERROR,
            f"the character U+{ord(match[0]):04X} makes this look other than it is read",
            source.location(match.start(), match.end()),
            remedy="take it out; in a double-quoted text it can be written as an escape",
        )


def _null_characters(data: bytes, source: Source) -> Iterator[Finding]:
    """A finding for every text that an escape has put U+0000 into.

    Half of the world ends a text there, the evaluator of policies among it: two readers would see
    two texts.
    """
    get = _Parser(data).get_event
    with suppress(yaml.YAMLError):
        while (event := get()).__class__ is not StreamEndEvent:
            if event.__class__ is ScalarEvent and "\0" in event.value:
                yield Finding(
                    "SPEC023",
                    Severity.ERROR,
                    "the text holds U+0000",
                    source.location(event.start_mark.index, event.end_mark.index),
                    remedy="leave the character out",
                )


class _MarksOfFile:
    """The marks of an ordinary file, which is read again when the first place is asked for."""

    __slots__ = ("_data", "_found", "_path")

    def __init__(self, data: bytes, path: str) -> None:
        self._data = data
        self._path = path
        self._found: list[NodeMarks] | None = None

    def __call__(self, at: int) -> NodeMarks:
        """The marks of one document of the file."""
        if self._found is None:
            builder = _Builder(self._data, Source(self._path, self._data.decode("utf-8-sig")))
            builder.documents()
            self._found = builder.marks
        return self._found[at]
