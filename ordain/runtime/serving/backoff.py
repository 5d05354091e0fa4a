"""How long to wait before a worker that died is started again.

A worker that has served for a while is replaced at once: somebody killed it, or it met a request
that no other will bring. One that dies young will die again, so each such death doubles the wait.
"""

from __future__ import annotations

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 30.0
GROWN_SECONDS = 10.0  # a worker that lived that long did not die of what it loaded


class Backoff:
    """The wait after each death; the first is none."""

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, lived: float) -> float:
        """Seconds to wait after the death of a worker that lived `lived` seconds."""
        if lived >= GROWN_SECONDS:
            self._next = 0.0
        wait = self._next
        self._next = min(LONGEST_SECONDS, max(FIRST_SECONDS, 2 * wait))
        return wait
