"""The prediction chain of one worker, and how long an answer waits for it.

    durable   the answer waits until its record outlives a loss of power
    bounded   it does not, unless 1,024 records wait already
    async     it does not, as long as the ledger's backlog takes the record

In the two modes that do not wait, a record that fails would be learnt of after its answer. So from
the first failure until the next success every answer waits, whatever the mode: a full disk costs at
most the answers of one batch their record, and those are counted.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, cast

from ordain.ledger.errors import LedgerClosed, LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from ordain.ledger.committer import GroupCommitter
    from ordain.ledger.records import Prediction
    from ordain.runtime.serving.config import Durability

BOUND = 1024


class Recorder:
    """Appends predictions for one event loop.

    `on_closed` is called, from any thread, when the chain must be opened again, which is the work
    of a new process. `lost` counts records whose answers were given and which then failed.
    """

    def __init__(
        self, committer: GroupCommitter, durability: Durability, on_closed: Callable[[], None]
    ) -> None:
        self._committer = committer
        self._free = {"durable": 0, "bounded": BOUND, "async": 1 << 62}[durability]
        self._on_closed = on_closed
        # Two counters with one writing thread each need no lock: their difference may be read late,
        # never wrongly.
        self._sent = 0
        self._settled = 0
        self.failure: LedgerError | None = None
        self.lost = 0

    async def keep(self, predictions: Sequence[Prediction]) -> list[LedgerError | None]:
        """Record predictions; for each, None or what kept it out of the ledger."""
        tickets = [self._append(prediction) for prediction in predictions]
        return [
            await self._outcome(ticket) if not isinstance(ticket, LedgerError) else ticket
            for ticket in tickets
        ]

    def _append(self, prediction: Prediction) -> Future[int] | LedgerError | None:
        wait = self._sent - self._settled >= self._free or self.failure is not None
        try:
            ticket = self._committer.append(prediction)
        except LedgerError as error:
            self._note(error)
            return error
        self._sent += 1
        ticket.add_done_callback(partial(self._settle, waited=wait))
        return ticket if wait else None

    async def _outcome(self, ticket: Future[int] | None) -> LedgerError | None:
        if ticket is None:
            return None
        try:
            await asyncio.wrap_future(ticket)
        except LedgerError as error:
            return error
        return None

    def _settle(self, ticket: Future[int], *, waited: bool) -> None:
        """Runs in the committer's thread."""
        self._settled += 1
        error = ticket.exception()
        if error is not None and not waited:
            self.lost += 1
        self._note(cast("LedgerError | None", error))

    def _note(self, error: LedgerError | None) -> None:
        self.failure = error
        if isinstance(error, LedgerClosed):
            self._on_closed()
