"""How the progress of a training run is told: a bar on a terminal, JSON lines to programs.

A job writes a line when a stage begins, and a stage may last for minutes. So that nobody takes a
long stage for a stopped one, the bar shows how long the run has lasted, and a thread of its own
draws it anew twice a second. Everything goes to the standard error stream, because the result of
the command goes to the other one.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODES: Final = ("auto", "bar", "json", "none")
# All of it fits the 80 columns of a narrow terminal: a line that wraps cannot be drawn anew.
_WIDTH: Final = 16
_NAME: Final = 20
_STAGE: Final = 20
_REDRAWN_SECONDS: Final = 0.5
_CLEAR: Final = "\r\x1b[K"


@contextmanager
def told(mode: str, model: str, stream: TextIO | None = None) -> Iterator[Callable[[str], None]]:
    """What takes the lines of one job, for as long as the block lasts."""
    out = stream or sys.stderr
    if mode == "auto":
        # A dumb terminal shows the codes that a bar is drawn with.
        drawn = out.isatty() and os.environ.get("TERM") != "dumb"
        mode = "bar" if drawn else "json"
    if mode == "bar":
        with Bar(model, out).drawn() as bar:
            yield bar.take
    elif mode == "json":
        yield Lines(model, out).take
    else:
        yield _nobody


def parsed(line: str) -> dict[str, Any]:
    """A line of a job; what is no JSON object is a remark about the run."""
    try:
        found = json.loads(line)
    except ValueError:
        return {"note": line}
    return found if isinstance(found, dict) and "stage" in found else {"note": line}


class Lines:
    """One JSON object a line, with the name of the model."""

    def __init__(self, model: str, out: TextIO) -> None:
        self._model = model
        self._out = out

    def take(self, line: str) -> None:
        """Pass a line on."""
        self._out.write(json.dumps({"model": self._model, **parsed(line)}) + "\n")
        self._out.flush()


class Bar:
    """One line that is drawn again and again, and gone when the run has ended."""

    def __init__(self, model: str, out: TextIO) -> None:
        self._model = model
        self._out = out
        self._started = time.monotonic()
        self._stage, self._fraction = "starting", 0.0
        self._ended = threading.Event()

    @contextmanager
    def drawn(self) -> Iterator[Bar]:
        """Draw it until the end of the block."""
        clock = threading.Thread(target=self._tick, daemon=True)
        clock.start()
        try:
            yield self
        finally:
            self._ended.set()
            clock.join()
            self._out.write(_CLEAR)
            self._out.flush()

    def take(self, line: str) -> None:
        """Note a stage; the next drawing shows it."""
        said = parsed(line)
        self._stage = str(said.get("stage", said.get("note", "")))
        self._fraction = float(said.get("fraction", self._fraction))

    def text(self) -> str:
        """The line as it is now, at most 79 columns."""
        done = round(_WIDTH * min(1.0, max(0.0, self._fraction)))
        elapsed = time.monotonic() - self._started
        name = shortened(self._model, _NAME)
        bar = f"[{'#' * done}{'-' * (_WIDTH - done)}] {100 * self._fraction:3.0f} %"
        return f"{name}  {bar}  {elapsed:6.1f} s  {shortened(self._stage, _STAGE)}"

    def _tick(self) -> None:
        # A terminal that has gone is no reason to say anything; there is nobody to say it to.
        with suppress(OSError):
            while True:
                self._out.write(f"{_CLEAR}{self.text()}")
                self._out.flush()
                if self._ended.wait(_REDRAWN_SECONDS):
                    return


def shortened(text: str, width: int) -> str:
    """A text in so many columns; what does not fit ends in a dot-dot-dot."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _nobody(_line: str) -> None:
    """Progress that was not asked for."""
