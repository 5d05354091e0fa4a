"""One process for one rule and one check: started, fed, read and ended within its time.

The questions are a file without a name and the answers a pipe, so that neither side can wait for
the other. What comes back is bounded while it is read. The process is the leader of a session of
its own, and whatever it has started there is ended with it.

`-I` would do less than is needed: it also ignores PYTHONHASHSEED, and an answer must not hang on
the order of a set. The environment is our own, so `-P -s -S` leave nothing in it to fear.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from ordain.policies.errors import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_CHILD: Final = str(Path(__file__).with_name("child.py"))
_FLAGS: Final = ("-P", "-s", "-S", "-B")
_ENVIRONMENT: Final = {"LC_ALL": "C", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "TZ": "UTC"}
# Where some builds of Python find their own shared library.
_KEPT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
MEMORY: Final = 512 * 2**20
MOST_OUTPUT: Final = 4 * 2**20
_CHUNK: Final = 2**16


def ask(
    files: Mapping[str, bytes],
    target: str,
    values: Mapping[str, Any],
    questions: Iterable[Mapping[str, Any]],
    seconds: int,
) -> list[bytes]:
    """The lines that a rule answers; `values` are those that all questions share.

    `target` is `module:function` in the package whose `files` are given.

    Raises:
        NoAnswerError: it could not be started, crashed, took longer than `seconds`, or answered
            more than 4 MiB.
    """
    try:
        return _ask(files, target, values, questions, seconds)
    except OSError as error:
        raise NoAnswerError(f"its process cannot be run: {error.strerror or error}") from error


def _ask(
    files: Mapping[str, bytes],
    target: str,
    values: Mapping[str, Any],
    questions: Iterable[Mapping[str, Any]],
    seconds: int,
) -> list[bytes]:
    header = {"target": target, "values": values, "seconds": seconds, "memory": MEMORY}
    with tempfile.TemporaryDirectory(prefix="ordain-rule-") as place, _spool() as asked:
        code, work = Path(place, "code"), Path(place, "work")
        work.mkdir()
        _unpack(files, code)
        for line in (header, *questions):
            asked.write(json.dumps(line).encode() + b"\n")
        asked.seek(0)
        deadline = time.monotonic() + seconds
        with _started(code, work, asked) as process:
            out = _read(process, deadline, seconds)
            _ended(process, deadline, seconds)
    return out.splitlines()


def _spool() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="ordain-rule-")


def _unpack(files: Mapping[str, bytes], code: Path) -> None:
    code.mkdir()
    for name, data in files.items():
        path = code / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@contextlib.contextmanager
def _started(code: Path, work: Path, asked: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The process; whatever is left of it and of what it started is ended on the way out."""
    process = subprocess.Popen(
        [sys.executable, *_FLAGS, _CHILD, str(code.resolve())],
        stdin=asked,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=work,
        env=_ENVIRONMENT | {name: os.environ[name] for name in _KEPT if name in os.environ},
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _read(process: subprocess.Popen[bytes], deadline: float, seconds: int) -> bytes:
    """All that the process writes, as far as time and memory allow."""
    found = bytearray()
    pipe = process.stdout
    if pipe is None:
        raise NoAnswerError("it has no pipe to answer on")
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            data = os.read(pipe.fileno(), _CHUNK)
            if not data:
                return bytes(found)
            found += data
            if len(found) > MOST_OUTPUT:
                raise NoAnswerError(f"it answered more than {MOST_OUTPUT // 2**20} MiB")
    raise _late(seconds)


def _ended(process: subprocess.Popen[bytes], deadline: float, seconds: int) -> None:
    try:
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _late(seconds) from None
    if code == -signal.SIGXCPU:
        raise _late(seconds)
    if code < 0:
        raise NoAnswerError(f"its process was ended by {signal.Signals(-code).name}")
    if code > 0:
        raise NoAnswerError(f"its process ended with the code {code}")


def _late(seconds: int) -> NoAnswerError:
    return NoAnswerError(f"it did not end within {seconds} s")
