"""Pass after pass until it is told to stop.

This is one of the two places where any expected error is caught: the daemon says it, counts it and
tries again at the next interval, because production must not depend on the remote being up. A
defect is not caught and ends the process, so that whoever supervises it sees it.

A signal wakes the wait through a pipe. `threading.Event` was refused: a handler that sets the event
which the same thread is just beginning to wait for takes a lock that this thread holds.
"""

from __future__ import annotations

import select
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from ordain.reconciler.passes import PassReport, Reconciler
    from ordain.specs.findings import Finding


def run_for_ever(
    reconciler: Reconciler,
    interval: float,
    *,
    show: Callable[[PassReport], None],
    complain: Callable[[str], None],
) -> None:
    """Run passes `interval` seconds apart until SIGINT or SIGTERM; a pass is always finished.

    `show` gets every report, `complain` each warning and the reason of a pass that failed, once as
    long as it stays the same.
    """
    said: tuple[str, ...] = ()
    with _told_to_stop() as wait:
        while True:
            try:
                report = reconciler.run()
                show(report)
                found = (*report.warnings, *map(_said, report.alarms))
            except OrdainError as error:
                found = (f"the pass failed: {error.message}; {error.remedy}",)
            for line in found:
                if line not in said:
                    complain(line)
            said = found
            if wait(interval):
                return


def _said(alarm: Finding) -> str:
    return f"{alarm.severity.value}[{alarm.code}]: {alarm.message}; {alarm.remedy}"


@contextmanager
def _told_to_stop() -> Iterator[Callable[[float], bool]]:
    """A wait of so many seconds that ends at once, and says True, when a signal asks to stop."""
    reader, writer = socket.socketpair()
    reader.settimeout(0.0)
    writer.settimeout(0.0)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    kept = {
        number: signal.signal(number, _is_heard_by_the_pipe)
        for number in (signal.SIGINT, signal.SIGTERM)
    }

    def wait(seconds: float) -> bool:
        return bool(select.select([reader], [], [], seconds)[0])

    try:
        yield wait
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        reader.close()
        writer.close()


def _is_heard_by_the_pipe(_number: int, _frame: FrameType | None) -> None:
    """Without a handler of ours the signal would end the process instead of waking the wait."""
