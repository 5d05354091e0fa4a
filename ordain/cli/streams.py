"""Standard output and standard error, when whatever stands behind them is gone, full or closed.

The verdict of a command does not depend on who reads it: a reader that has gone (`| head -1`) is
not told more, and the command goes on to its end and its exit code. A disk that is full is an error
that names standard output. After either nothing is written any more, so that Python does not fail a
second time when it flushes at its end.

Refused: to end at SIGPIPE as other tools do, because then a pass of the reconciler ends in the
middle, and the exit code of a check depends on how fast its reader is.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_IN: Final = 0
_OUT: Final = 1
_ERR: Final = 2


class _Log(io.TextIOWrapper):
    """A stream that a runner of GitHub reads: it takes `##[name]` for a command, in any line.

    What somebody calls a file must not be one. Commands that are meant begin with `::`.
    """

    def write(self, text: str, /) -> int:
        super().write(text.replace("##[", "# #["))
        return len(text)


class _Stream(io.FileIO):
    """The standard output or error of this process."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            _lead_nowhere(self.fileno())
            # That standard error cannot be written can be said to nobody.
            if self.fileno() == _OUT and not isinstance(error, BrokenPipeError):
                raise OSError(error.errno, error.strerror, "standard output") from error
            return memoryview(data).nbytes


def steady_streams() -> None:
    """Let the streams of this process behave as said above; one that is closed leads nowhere.

    Otherwise the next file that is opened would take its number, and get what is printed.
    """
    for number, stream in enumerate((sys.__stdin__, sys.__stdout__, sys.__stderr__)):
        if stream is None:
            _lead_nowhere(number)
    if sys.stdin is None:
        sys.stdin = open(_IN, closefd=False, encoding="utf-8")  # noqa: SIM115 - for the process
    if sys.stdout is sys.__stdout__:
        sys.stdout = _steady(_OUT, sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _steady(_ERR, sys.stderr)


def _lead_nowhere(number: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing == number:
        os.set_inheritable(nothing, True)  # noqa: FBT003 - it takes no keywords
        return
    os.dup2(nothing, number)
    os.close(nothing)


def _steady(number: int, stream: Any) -> io.TextIOWrapper:  # noqa: ANN401 - the type of sys.stdout
    """A stream that is written as this one was; None where it was closed."""
    found = stream if isinstance(stream, io.TextIOWrapper) else None
    kind = _Log if os.environ.get("GITHUB_ACTIONS") == "true" else io.TextIOWrapper
    return kind(
        io.BufferedWriter(_Stream(number)),
        encoding=found.encoding if found else "utf-8",
        errors=found.errors if found else "backslashreplace",
        line_buffering=found is None or found.line_buffering,
        write_through=found is not None and found.write_through,
    )
