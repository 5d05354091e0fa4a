"""A worker that keeps dying is started less and less often."""

from __future__ import annotations

from ordain.runtime.serving.backoff import Backoff


def test_waits_double_up_to_a_limit() -> None:
    backoff = Backoff()
    assert [backoff.after(0.1) for _ in range(10)] == [0, 0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_worker_that_served_for_a_while_is_replaced_at_once() -> None:
    backoff = Backoff()
    waits = [backoff.after(lived) for lived in (0.1, 0.1, 0.1, 60.0, 0.1)]
    assert waits == [0, 0.25, 0.5, 0, 0.25]
