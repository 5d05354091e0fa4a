"""The door of the room: one directory, its chains, and what may be asked of them.

    root/control/…               control events: one chain, appended to by whoever acts, in turn
    root/predictions/<writer>/…  predictions: one chain for each writing process

One chain for all predictions was refused because it would make serving processes wait for each
other; a database was refused because the record must outlive and be readable without it. Control
events are few and of several short-lived processes, so each append takes the lock, finds the end,
and leaves a durable record behind.
"""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

from ordain.ledger.chain import ANCHORED, CONTROL, PREDICTIONS, Head
from ordain.ledger.errors import LedgerError, unreadable
from ordain.ledger.queries import Window, find_prediction, read_events, read_predictions
from ordain.ledger.records import Event, encode
from ordain.ledger.segments import last_sound_record, list_segments
from ordain.ledger.writer import SEGMENT_BYTES, ChainWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from ordain.ledger.records import Prediction

_WRITER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# A read-only file system cannot sync, and has nothing that it would have to.
_NO_SYNC = frozenset({errno.EROFS, errno.EINVAL})


class Ledger:
    """The record under `root`. Opening it touches nothing; the first append makes the directory."""

    def __init__(self, root: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.root = root
        self._segment_bytes = segment_bytes

    def record(self, *events: Event) -> Head:
        """Append control events, durably; returns the head of the control chain.

        Waits for other processes that are appending. All events are written as one
        batch; when the disk is full, those of it that fitted stay.

        Raises:
            LedgerRecordError: an event cannot be written as JSON; none was appended.
            LedgerFull, LedgerDamaged, LedgerError: the chain cannot be written.
            ValueError: no event was given.
        """
        if not events:
            message = "record() needs at least one event"
            raise ValueError(message)
        entries = [encode(event) for event in events]
        with ChainWriter(
            self.root / CONTROL,
            CONTROL,
            now=events[0].time,
            wait=True,
            thorough=False,
            segment_bytes=self._segment_bytes,
        ) as writer:
            for entry in entries:
                writer.append_entry(entry)
            writer.sync()
            return writer.durable

    def writer(self, name: str, *, now: datetime) -> ChainWriter:
        """Open the prediction chain of one process (`name`: lower case, digits, dot, dash).

        Raises:
            LedgerBusy: another process writes this chain.
            LedgerFull, LedgerDamaged, LedgerError: the chain cannot be opened.
        """
        if not _WRITER.fullmatch(name):
            raise LedgerError(
                f"{name!r} cannot name a writer",
                remedy="use lower-case letters, digits, dots, dashes and underscores, 64 at most",
            )
        chain = f"{PREDICTIONS}/{name}"
        return ChainWriter(self.directory(chain), chain, now=now, segment_bytes=self._segment_bytes)

    def directory(self, chain: str) -> Path:
        """Where the segments of a chain stand."""
        return self.root / chain

    def chains(self) -> list[str]:
        """The names of the chains that have a directory, the control chain first.

        Raises:
            LedgerError: the ledger's directory cannot be read.
        """
        parent = self.root / PREDICTIONS
        try:
            control = [CONTROL] if (self.root / CONTROL).is_dir() else []
            writers = sorted(entry.name for entry in parent.iterdir() if entry.is_dir())
        except FileNotFoundError:
            writers = []
        except OSError as error:
            raise unreadable(error, parent) from error
        return control + [f"{PREDICTIONS}/{name}" for name in writers]

    def heads(self) -> dict[str, Head]:
        """The last durable record of each chain that has one.

        Scraps or damage after it do not hide it: one spoiled chain must not keep the others from
        being anchored, and `verify` is there to say what is wrong. What a writer has flushed but
        not synced yet is synced here, so that a head that is given away cannot be lost by a crash
        and then look like a chain that somebody cut off.

        Raises:
            LedgerError: a file cannot be read.
        """
        found = ((chain, self._head(chain)) for chain in self.chains())
        return {chain: head for chain, head in found if head is not None}

    def anchor(self, *, time: datetime, actor: str) -> dict[str, Head]:
        """Record the heads of all prediction chains in the control chain.

        Returns the heads of all chains, the control chain with this record included: what is kept
        in git proves all the rest.

        Raises:
            LedgerError: as `heads` and `record`.
        """
        heads = {chain: head for chain, head in self.heads().items() if chain != CONTROL}
        said = {chain: {"hash": head.hash, "seq": head.seq} for chain, head in heads.items()}
        control = self.record(Event(time, actor, ANCHORED, "ledger", {"heads": said}))
        return {CONTROL: control, **heads}

    def events(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        kind: str | None = None,
        subject: str | None = None,
    ) -> Iterator[Event]:
        """Control events in the order of the chain, `since` <= time < `until`.

        `kind` is a whole kind (`gate.refused`) or its first words (`gate`).

        Raises:
            LedgerDamaged: a line is no record.
            LedgerError: a file cannot be read.
        """
        window = Window(since, until)
        return read_events(self.directory(CONTROL), window, kind=kind, subject=subject)

    def predictions(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        route: str | None = None,
        model: str | None = None,
        version: str | None = None,
    ) -> Iterator[Prediction]:
        """Predictions, `since` <= time < `until`, chain by chain, each in its own order.

        Raises:
            LedgerDamaged: a line is no record.
            LedgerError: a file cannot be read.
        """
        window = Window(since, until)
        fields = {"route": route, "model": model, "version": version}
        for directory in self._prediction_directories():
            yield from read_predictions(directory, window, fields)

    def prediction(self, identifier: str) -> Prediction | None:
        """The prediction with this id, or None.

        Raises:
            LedgerDamaged: a line is no record.
            LedgerError: a file cannot be read.
        """
        return find_prediction(self._prediction_directories(), identifier)

    def _prediction_directories(self) -> list[Path]:
        return [self.directory(chain) for chain in self.chains() if chain != CONTROL]

    def _head(self, chain: str) -> Head | None:
        for segment in reversed(list_segments(self.directory(chain))):
            parts = last_sound_record(segment.path)
            if parts is not None:
                _settle(segment.path)
                return Head(parts.seq, parts.hash.decode())
        return None


def _settle(path: Path) -> None:
    """Make what was read from a segment outlive a loss of power."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fdatasync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise unreadable(error, path) from error
