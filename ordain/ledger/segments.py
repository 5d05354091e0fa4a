"""The files of a chain, and what a crash leaves at the end of the last one.

A chain is a directory of segments named by the sequence number of their first record, so that a
sorted listing is the chain's order and a missing file leaves a hole that can be seen. Only the last
segment grows. A sealed segment may later change its form (Parquet), not its name.

A crash can leave a tail that is not a record: a line without its end, or zeros and scraps where
pages of an unsynced batch never reached the disk. Nothing there was acknowledged, so the tail is
moved aside to `<segment>.torn` and the chain says so itself. A complete line of JSON that does not
fit the chain is something else: no crash writes one, so it is not repaired away but refused, and
stays where it is for whoever must look at it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.ledger.chain import COVERED, START, Parts, genesis, parse
from ordain.ledger.errors import LedgerDamaged, unreadable
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ_BYTES = 1 << 20
_TAIL_BYTES = 1 << 14
_NAME = re.compile(r"([0-9]{20})\.jsonl")


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of a chain and the sequence number that its first record must have."""

    path: Path
    first: int


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a chain goes on: after record `seq` with `hash`, at byte `size` of `path`.

    `torn` is how many bytes after `size` are no record; `seq` is -1 for a chain that is to begin.
    """

    path: Path
    size: int
    seq: int
    hash: bytes
    torn: int


def segment_path(directory: Path, first: int) -> Path:
    """Where the segment that begins with record `first` stands."""
    return directory / f"{first:020d}.jsonl"


def list_segments(directory: Path) -> list[Segment]:
    """The segments of a chain in order; none when the directory does not exist.

    Raises:
        LedgerError: the directory cannot be read.
    """
    try:
        names = sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(error, directory) from error
    found = ((name, _NAME.fullmatch(name)) for name in names)
    return [Segment(directory / name, int(match[1])) for name, match in found if match]


def complete_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a segment with their numbers from 1, without an unfinished last one.

    Raises:
        LedgerError: the file cannot be read.
    """
    try:
        with path.open("rb", buffering=READ_BYTES) as stream:
            for number, line in enumerate(stream, 1):
                if line.endswith(b"\n"):
                    yield number, line
    except OSError as error:
        raise unreadable(error, path) from error


def last_record(path: Path) -> tuple[Parts | None, bool]:
    """What the last complete line says (None when there is none), and whether bytes follow it.

    Raises:
        LedgerError: the file cannot be read.
        LedgerDamaged: the last complete line is not a sound record.
    """
    line, torn = _last_line(path)
    if not line:
        return None, torn
    parts = parse(line)
    if parts is None or not parts.sound:
        raise LedgerDamaged(
            f"{path}: the last line is not a sound record",
            remedy="run `ordain audit verify` to see what was changed",
            location=Location(str(path)),
        )
    return parts, torn


def last_sound_record(path: Path) -> Parts | None:
    """What the last record says whose hash is its own, whatever follows it; None without one.

    Raises:
        LedgerError: the file cannot be read.
    """
    try:
        return last_record(path)[0]
    except LedgerDamaged:
        found = (parse(line) for _, line in complete_lines(path))
        sound = [parts for parts in found if parts is not None and parts.sound]
        return sound[-1] if sound else None


def find_tail(directory: Path, chain: str, *, thorough: bool) -> Tail:
    """Where the next record goes. The caller holds the chain's lock.

    `thorough` reads the whole last segment and not only its last line: after a loss of power a
    batch may have holes further up, which a chain of single synced records cannot have.

    Raises:
        LedgerError: a file cannot be read.
        LedgerDamaged: the last segment is not what a crash could have left.
    """
    segments = list_segments(directory)
    if not segments:
        return Tail(segment_path(directory, 0), 0, -1, genesis(chain), 0)
    path = segments[-1].path
    if not thorough:
        tail = _quick_tail(path)
        if tail is not None:
            return tail
    return _scanned_tail(path, *_head_before(segments, chain))


def set_aside(path: Path, size: int) -> dict[str, int | str]:
    """Move what follows byte `size` to `<segment>.torn`; returns what the chain is to say of it.

    Durable before the segment is cut, so that a crash in between loses nothing; the bytes are then
    set aside twice, which their digest shows.

    Raises:
        OSError: a file cannot be written.
    """
    with path.open("r+b") as segment:
        segment.seek(size)
        torn = segment.read()
        aside = path.with_name(path.name + ".torn")
        with aside.open("ab") as stream:
            stream.write(torn)
            stream.flush()
            os.fsync(stream.fileno())
        sync_directory(path.parent)
        segment.truncate(size)
        os.fsync(segment.fileno())
    digest = "sha256:" + hashlib.sha256(torn).hexdigest()
    return {"bytes": len(torn), "digest": digest, "file": aside.name}


def make_directory(directory: Path) -> None:
    """Make a directory and its parents so that they outlive a loss of power.

    Raises:
        OSError: it cannot be made.
    """
    if directory.is_dir():
        return
    make_directory(directory.parent)
    directory.mkdir(mode=0o750, exist_ok=True)
    sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable.

    Raises:
        OSError: the directory cannot be opened or synced.
    """
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _last_line(path: Path) -> tuple[bytes, bool]:
    """The last complete line, empty when there is none, and whether bytes follow it."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            reach = _TAIL_BYTES
            while True:
                stream.seek(max(0, size - reach))
                block = stream.read(size)
                end = block.rfind(b"\n") + 1
                start = block.rfind(b"\n", 0, max(0, end - 1)) + 1
                if start or reach >= size:
                    return block[start:end], end < len(block)
                reach *= 4
    except OSError as error:
        raise unreadable(error, path) from error


def _quick_tail(path: Path) -> Tail | None:
    """The tail when the file ends with a sound record; None asks for the scan."""
    try:
        parts, torn = last_record(path)
    except LedgerDamaged:
        return None
    if parts is None or torn:
        return None
    return Tail(path, path.stat().st_size, parts.seq, parts.hash, 0)


def _head_before(segments: list[Segment], chain: str) -> tuple[int, bytes]:
    """The sequence number and hash that the last segment's first record follows."""
    last = segments[-1]
    if len(segments) == 1 and last.first == 0:
        return -1, genesis(chain)
    parts = last_record(segments[-2].path)[0] if len(segments) > 1 else None
    if parts is None or parts.seq + 1 != last.first:
        raise LedgerDamaged(
            f"{last.path}: the segment before it does not end with record {last.first - 1}",
            remedy="run `ordain audit verify`; write on under another writer name meanwhile",
            location=Location(str(last.path)),
        )
    return parts.seq, parts.hash


def _scanned_tail(path: Path, seq: int, prev: bytes) -> Tail:
    """Follow the chain through the segment to its last sound record and judge the rest."""
    size = line_count = 0
    try:
        with path.open("rb", buffering=READ_BYTES) as stream:
            for line in stream:
                digest = hashlib.sha256(line[COVERED:]).hexdigest().encode()
                if not line.startswith(START % (digest, prev, seq + 1)):
                    break
                size, seq, prev = size + len(line), seq + 1, digest
                line_count += 1
            stream.seek(size)
            rest = stream.read()
    except OSError as error:
        raise unreadable(error, path) from error
    _refuse_records(rest, path, line_count)
    return Tail(path, size, seq, prev, len(rest))


def _refuse_records(rest: bytes, path: Path, number: int) -> None:
    """Raise when what follows the chain's end holds a line that no crash could have written."""
    for offset, line in enumerate(rest.split(b"\n")[:-1], 1):
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            continue
        raise LedgerDamaged(
            f"{path}:{number + offset}: a complete line does not follow from the record before it",
            remedy="run `ordain audit verify`; write on under another writer name meanwhile",
            location=Location(str(path), number + offset),
        )
