"""Many callers, one fdatasync.

A sync costs the same for one record as for a thousand. While the disk is busy with one batch, the
records of other callers gather and become the next, so the batch grows with the load by itself and
there is no timer to tune. The thread spends its time in `fdatasync`, outside the interpreter lock.

Back-pressure is a refusal, not a wait: an event loop must not block, and the route has a fallback
for exactly this.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Self

from ordain.ledger.errors import LedgerClosed, LedgerError, LedgerOverloaded
from ordain.ledger.records import Entry, Record, encode

if TYPE_CHECKING:
    from ordain.ledger.writer import ChainWriter

BACKLOG = 1 << 16

_Ticket = tuple[Entry, Future[int]]


class GroupCommitter:
    """Appends from any thread; a ticket is done when its record outlives a loss of power.

    In an event loop await `asyncio.wrap_future(ticket)`; a caller who need not wait for the disk
    keeps the ticket only to learn of a failure. The committer owns the writer from here on.
    """

    def __init__(self, writer: ChainWriter, *, backlog: int = BACKLOG) -> None:
        self._writer = writer
        self._backlog = backlog
        self._waiting: list[_Ticket] = []
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="ledger-commit", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, record: Record) -> Future[int]:
        """A ticket for the record; its result is the sequence number once it is durable.

        The ticket fails with `LedgerFull` or another `LedgerError` when the disk refuses; it cannot
        be cancelled, because a decision that was made is recorded whoever still listens.

        Raises:
            LedgerRecordError: the record cannot be written as JSON.
            LedgerOverloaded: the backlog is full.
            LedgerClosed: the committer was closed or its writer failed.
        """
        entry = encode(record)
        ticket: Future[int] = Future()
        ticket.set_running_or_notify_cancel()
        with self._changed:
            if self._closing:
                raise self._closed()
            if len(self._waiting) >= self._backlog:
                raise LedgerOverloaded(
                    f"{self._backlog} records wait for the disk of chain {self._writer.chain}",
                    remedy="send less, or give the ledger a faster disk",
                )
            self._waiting.append((entry, ticket))
            self._changed.notify()
        return ticket

    def close(self) -> None:
        """Commit what waits, stop the thread and close the writer.

        Raises:
            LedgerError: the disk refuses.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._writer.close()

    def _run(self) -> None:
        try:
            while batch := self._take():
                self._commit(batch)
        finally:
            # Also after a defect of ours: nobody waits for a thread that is gone.
            with self._changed:
                self._closing = True
                left, self._waiting = self._waiting, []
            _fail(left, self._closed())

    def _take(self) -> list[_Ticket]:
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            batch, self._waiting = self._waiting, []
        return batch

    def _commit(self, batch: list[_Ticket]) -> None:
        placed: list[int] = []
        error: LedgerError = self._closed()
        try:
            for entry, _ in batch:
                placed.append(self._writer.append_entry(entry))
            self._writer.sync()
        except LedgerError as raised:
            error = raised
            self._sync_what_fitted()
        finally:
            durable = self._writer.durable.seq
            done = sum(seq <= durable for seq in placed)
            for (_, ticket), seq in zip(batch[:done], placed, strict=False):
                ticket.set_result(seq)
            _fail(batch[done:], error)

    def _sync_what_fitted(self) -> None:
        try:
            self._writer.sync()
        except LedgerError:
            return  # The first error is the one that says what happened.

    def _closed(self) -> LedgerClosed:
        return LedgerClosed(
            f"the committer of chain {self._writer.chain} is closed", remedy="open the chain again"
        )


def _fail(tickets: list[_Ticket], error: LedgerError) -> None:
    for _, ticket in tickets:
        ticket.set_exception(error)
