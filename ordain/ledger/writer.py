"""Appending to one chain: in memory, to the file, to the disk.

The three steps have names because their promises differ. `append` gives a record its place and
keeps it in memory; `flush` hands it to the operating system, so that it outlives the process;
`sync` makes it outlive a loss of power. Nothing is acknowledged to anybody before the step that
the declared durability asks for.

When the disk is full, the whole lines that fitted stay and the rest is cut off and forgotten, so
the file is a valid chain at every moment and the same writer goes on when there is room again.
When a sync fails it is not tried again: the kernel has then dropped the pages and a second sync
would report success over a hole. The file is cut back to what was durable and the writer refuses
everything until it is opened anew.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ordain.ledger.chain import FORMAT, Head, seal
from ordain.ledger.errors import LedgerClosed, unwritable
from ordain.ledger.locks import ChainLock
from ordain.ledger.records import Entry, Record, encode, encode_value, rfc3339
from ordain.ledger.segments import (
    Tail,
    find_tail,
    make_directory,
    segment_path,
    set_aside,
    sync_directory,
)

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

SEGMENT_BYTES = 32 << 20  # a lookup by id reads one segment: some ten milliseconds of it
_BUFFER_BYTES = 1 << 20
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class _Mark(NamedTuple):
    """A place in the chain and in the current file that can be gone back to."""

    seq: int
    hash: bytes
    size: int


class ChainWriter:
    """The one writer of a chain. Not safe between threads; see `committer` for that."""

    def __init__(
        self,
        directory: Path,
        chain: str,
        *,
        now: datetime,
        wait: bool = False,
        thorough: bool = True,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Open the chain, make it when it is new, repair its tail when a crash left one.

        `now` is the aware time that `chain.opened` or `chain.repaired` states. `wait` waits for
        another writer to finish; `thorough` reads the whole last segment before writing to it. A
        segment grows to about `segment_bytes`.

        Raises:
            LedgerBusy: another process writes this chain, and `wait` is false.
            LedgerDamaged: the chain's end is not what a crash could have left.
            LedgerFull, LedgerError: the disk refuses.
        """
        self.chain = chain
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._fd = -1
        self._since = self._until = ""
        self._written = self._synced = _Mark(-1, b"", 0)
        time = rfc3339(now)
        try:
            make_directory(directory)
        except OSError as error:
            raise unwritable(error, directory) from error
        self._lock: ChainLock | None = ChainLock(directory, chain, wait=wait)
        try:
            self._open(find_tail(directory, chain, thorough=thorough), time, settle=thorough)
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def durable(self) -> Head:
        """The last record that a loss of power cannot take."""
        return Head(self._synced.seq, self._synced.hash.decode())

    def append(self, record: Record) -> int:
        """Give a record its place in the chain; returns its sequence number.

        Raises:
            LedgerRecordError: the record cannot be written as JSON; the chain is as before.
            LedgerFull, LedgerError: as `flush`, which a large buffer causes.
        """
        return self.append_entry(encode(record))

    def append_entry(self, entry: Entry) -> int:
        """`append` of a record that is encoded already.

        Raises:
            LedgerFull, LedgerError: as `flush`, which a large buffer causes.
            LedgerClosed: the writer cannot be used any more.
        """
        if self._fd < 0:
            raise LedgerClosed(
                f"the writer of chain {self.chain} is closed or has failed",
                remedy="open the chain again",
            )
        if not self._buffer:
            self._prepare(entry.time)
        self._add(entry.body)
        self._since = min(self._since, entry.time) if self._since else entry.time
        self._until = max(self._until, entry.time)
        seq = self._seq
        if self._buffered >= _BUFFER_BYTES:
            self.flush()
        return seq

    def flush(self) -> None:
        """Hand what was appended to the operating system.

        Raises:
            LedgerFull, LedgerError: some records found no room. Those up to the last whole line
                stay in the chain; the others are forgotten and their numbers are given again.
        """
        if not self._buffer:
            return
        data = b"".join(self._buffer)
        self._buffer.clear()
        self._buffered = 0
        try:
            _write_all(self._fd, data)
        except OSError as error:
            self._keep_whole_lines(data)
            raise unwritable(error, self._path) from error
        self._written = _Mark(self._seq, self._hash, self._written.size + len(data))

    def sync(self) -> None:
        """Make everything appended so far outlive a loss of power.

        Raises:
            LedgerFull, LedgerError: as `flush`; or the sync failed, and the writer is closed with
                the chain cut back to `durable`.
        """
        self.flush()
        if self._synced == self._written:
            return
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            self._go_back()
            raise unwritable(error, self._path) from error
        self._synced = self._written

    def close(self) -> None:
        """Sync and let the next writer in; a second call does nothing.

        Raises:
            LedgerFull, LedgerError: as `sync`; the chain is released all the same.
        """
        try:
            if self._fd >= 0:
                self.sync()
        finally:
            self._release()

    def _open(self, tail: Tail, time: str, *, settle: bool) -> None:
        self._path = tail.path
        try:
            said = set_aside(tail.path, tail.size) if tail.torn else None
            self._fd = os.open(tail.path, _FLAGS, 0o640)
            if tail.size == 0:
                sync_directory(self._directory)
            if settle:  # What a killed writer flushed but did not sync becomes durable now.
                os.fdatasync(self._fd)
        except OSError as error:
            raise unwritable(error, tail.path) from error
        self._seq, self._hash = tail.seq, tail.hash
        self._written = self._synced = _Mark(tail.seq, tail.hash, tail.size)
        # The span of a file that another process began is not known; `segment.opened` then says so.
        self._whole = tail.size == 0
        self._span_before: tuple[str | None, str | None] = (None, None)
        self._prepare(time)
        if said is not None:
            self._add(encode_value("chain.repaired", {**said, "time": time}))
        self.sync()

    def _prepare(self, time: str) -> None:
        """Begin a new segment when the last is large enough, and give an empty one its opening."""
        if self._written.size >= self._segment_bytes:
            self._rotate()
        if self._written.size:
            return
        if self._seq < 0:
            self._add(encode_value("chain.opened", self._birth(time)))
            return
        since, until = self._span_before
        self._add(encode_value("segment.opened", {"since": since, "until": until}))

    def _birth(self, time: str) -> dict[str, Any]:
        writer = self.chain.rpartition("/")[2]
        return {"chain": self.chain, "format": FORMAT, "time": time, "writer": writer}

    def _add(self, body: bytes) -> None:
        digest, line = seal(self._hash, self._seq + 1, body)
        self._seq += 1
        self._hash = digest
        self._buffer.append(line)
        self._buffered += len(line)

    def _rotate(self) -> None:
        self.sync()
        path = segment_path(self._directory, self._seq + 1)
        try:
            fd = os.open(path, _FLAGS, 0o640)
            sync_directory(self._directory)
        except OSError as error:
            raise unwritable(error, path) from error
        os.close(self._fd)
        self._fd, self._path = fd, path
        self._written = self._synced = _Mark(self._seq, self._hash, 0)
        known = self._whole and bool(self._since)
        self._span_before = (self._since, self._until) if known else (None, None)
        self._whole, self._since, self._until = True, "", ""

    def _keep_whole_lines(self, data: bytes) -> None:
        """After a failed write: the lines that fitted stay, half a line is cut off."""
        try:
            fitted = data[: max(0, os.fstat(self._fd).st_size - self._written.size)]
            kept = fitted[: fitted.rfind(b"\n") + 1]
            os.ftruncate(self._fd, self._written.size + len(kept))
        except OSError:
            self._go_back()
            return
        if kept:
            last = kept[kept.rfind(b"\n", 0, -1) + 1 :]
            seq = self._written.seq + kept.count(b"\n")
            self._written = _Mark(seq, last[9:73], self._written.size + len(kept))
        self._seq, self._hash = self._written.seq, self._written.hash

    def _go_back(self) -> None:
        """After a failed sync: back to what was durable, and no further with this writer."""
        # Where this fails too, opening the chain again repairs or refuses what is left.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, self._synced.size)
        self._written = self._synced
        self._seq, self._hash = self._synced.seq, self._synced.hash
        self._release()

    def _release(self) -> None:
        self._buffer.clear()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
