"""Pass after pass until it is told to stop.

This is one of the two places where any expected error is caught: the daemon says it, counts it and
tries again at the next interval, because production must not depend on the remote being up. A
defect is not caught and ends the process, so that whoever supervises it sees it.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from ordain.reconciler.passes import PassReport, Reconciler


def run_for_ever(
    reconciler: Reconciler, interval: float, *, show: Callable[[PassReport], None]
) -> None:
    """Run passes `interval` seconds apart until SIGINT or SIGTERM; a pass is always finished."""
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    said = ""
    while not stop.is_set():
        try:
            show(reconciler.run())
            said = ""
        except OrdainError as error:
            if error.message != said:
                reconciler.tell(f"the pass failed: {error.message}; {error.remedy}")
            said = error.message
        stop.wait(interval)
