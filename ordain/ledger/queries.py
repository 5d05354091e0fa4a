"""Reading records back.

A reader takes no lock and never waits for a writer; it leaves out a last line that is still being
written. It does not check hashes (that is `verification`), but a line that is no record stops it: a
report over a damaged ledger would be a false statement.

Text filters look for the canonical bytes of the value in the raw line before any JSON is parsed,
and the first line of each segment states the time span of the segment before it, so that a range
reads little more than it returns. An index beside the segments was refused: it would be one more
thing that can disagree with the record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ordain.ledger.chain import parse
from ordain.ledger.errors import LedgerDamaged, unreadable
from ordain.ledger.ids import uuid7_time
from ordain.ledger.records import Event, Prediction, Record, decode, rfc3339
from ordain.ledger.segments import READ_BYTES, Segment, complete_lines, list_segments
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

Needles = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of time, `since` <= time < `until`; None leaves a side open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies inside."""
        after = self.since is None or moment >= self.since
        return after and (self.until is None or moment < self.until)

    def misses(self, span: Span | None) -> bool:
        """Whether nothing of a segment can lie inside; an unknown span may always."""
        if span is None:
            return False
        early = self.since is not None and span.until < rfc3339(self.since)
        return early or (self.until is not None and span.since >= rfc3339(self.until))


class Span(NamedTuple):
    """The earliest and latest time of a segment's records, as RFC 3339 strings."""

    since: str
    until: str


def needle(field: str, value: str) -> bytes:
    """The bytes that a line with this text field must contain."""
    return json.dumps({field: value}, ensure_ascii=False, separators=(",", ":"))[1:-1].encode()


def read_events(
    directory: Path, window: Window, *, kind: str | None, subject: str | None
) -> Iterator[Event]:
    """The events of a chain in order; `kind` is a whole kind or its first words.

    Raises:
        LedgerDamaged: a line is no record.
        LedgerError: a file cannot be read.
    """
    needles: Needles = (needle("subject", subject),) if subject is not None else ()
    if kind is not None:
        # Without the closing quote, because the first words will do.
        needles += (needle("kind", kind)[:-1],)
    for record in _records(directory, window, needles):
        if (
            isinstance(record, Event)
            and (kind is None or record.kind == kind or record.kind.startswith(kind + "."))
            and (subject is None or record.subject == subject)
        ):
            yield record


def read_predictions(
    directory: Path, window: Window, fields: dict[str, str | None]
) -> Iterator[Prediction]:
    """The predictions of a chain in order whose text fields have these values.

    Raises:
        LedgerDamaged: a line is no record.
        LedgerError: a file cannot be read.
    """
    wanted = [(name, value) for name, value in fields.items() if value is not None]
    needles = tuple(needle(name, value) for name, value in wanted)
    for record in _records(directory, window, needles):
        if isinstance(record, Prediction) and all(
            getattr(record, name) == value for name, value in wanted
        ):
            yield record


def find_prediction(directories: Iterable[Path], identifier: str) -> Prediction | None:
    """The prediction with this id, or None.

    Reads first the segments whose span holds the time in the id (all for one that is no UUIDv7).
    A clock that was set back can put a record elsewhere, so the others are read afterwards: not
    finding one costs a read of everything.

    Raises:
        LedgerDamaged: a line is no record.
        LedgerError: a file cannot be read.
    """
    time = _id_time(identifier)
    likely: list[Path] = []
    others: list[Path] = []
    for directory in directories:
        for segment, span in _with_spans(list_segments(directory)):
            inside = not time or span is None or span.since <= time <= span.until
            (likely if inside else others).append(segment.path)
    wanted = needle("id", identifier)
    # The newest first: what somebody asks about has mostly just happened.
    for path in [*reversed(likely), *reversed(others)]:
        for line in _lines_with(path, wanted):
            record = _decode_line(line, path)
            if isinstance(record, Prediction) and record.id == identifier:
                return record
    return None


def _id_time(identifier: str) -> str:
    try:
        return rfc3339(uuid7_time(identifier))
    except (ValueError, OverflowError):
        return ""


def _records(directory: Path, window: Window, needles: Needles) -> Iterator[Record]:
    for segment, span in _with_spans(list_segments(directory)):
        if window.misses(span):
            continue
        for number, line in complete_lines(segment.path):
            if all(wanted in line for wanted in needles):
                record = _decode_line(line, segment.path, number)
                if record is not None and window.holds(record.time):
                    yield record


def _with_spans(segments: list[Segment]) -> Iterator[tuple[Segment, Span | None]]:
    """Each segment with the span that the first line of the next one states."""
    for index, segment in enumerate(segments):
        following = segments[index + 1 : index + 2]
        yield segment, _span_before(following[0].path) if following else None


def _span_before(path: Path) -> Span | None:
    for _, line in complete_lines(path):
        type_, value = _parse(line, path, 1)
        since, until = value.get("since"), value.get("until")
        if type_ == "segment.opened" and isinstance(since, str) and isinstance(until, str):
            return Span(since, until)
        return None
    return None


def _lines_with(path: Path, wanted: bytes) -> Iterator[bytes]:
    """The complete lines that contain some bytes, looked for a block at a time."""
    try:
        with path.open("rb") as stream:
            while block := stream.read(READ_BYTES) + stream.readline():
                found = block.find(wanted)
                while found >= 0:
                    end = block.find(b"\n", found)
                    if end < 0:
                        return
                    yield block[block.rfind(b"\n", 0, found) + 1 : end + 1]
                    found = block.find(wanted, end)
    except OSError as error:
        raise unreadable(error, path) from error


def _decode_line(line: bytes, path: Path, number: int = 0) -> Record | None:
    type_, value = _parse(line, path, number)
    try:
        return decode(type_, value)
    except (TypeError, ValueError, KeyError) as error:
        raise _damaged(path, number, f"not a record of type {type_}: {error}") from error


def _parse(line: bytes, path: Path, number: int) -> tuple[str, dict[str, Any]]:
    """Type and value of a line whose bytes have the hash that it states.

    Nobody should be shown a record that was edited, even before anybody verifies the chain.
    """
    parts = parse(line)
    if parts is not None and not parts.sound:
        raise _damaged(path, number, "the record was changed: its bytes do not have its hash")
    try:
        whole = json.loads(line)
        return whole["type"], whole["value"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, number, "not a record") from error


def _damaged(path: Path, number: int, what: str) -> LedgerDamaged:
    where = f"{path}:{number}" if number else str(path)
    return LedgerDamaged(
        f"{where}: {what}",
        remedy="run `ordain audit verify` to see what was changed",
        location=Location(str(path), number),
    )
