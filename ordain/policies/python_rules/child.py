"""The program that a Python rule runs in; a file of its own that imports nothing of ordain.

It is started without the environment of the gate, with the standard library and a copy of the
rule's package and nothing else to import. It takes its two pipes away from descriptors 0 and 1, so
that a rule that prints or reads does no harm, limits itself, and only then loads the rule. The
first line says what to load; every further line is one object, and is answered by one line.

The limits of the kernel cannot be taken back. The watch on what the interpreter does (PEP 578) can,
by code that means to: it is there so that a rule which opens a file, asks the network or starts a
process finds out in its first test that it may not.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_FINDINGS: Final = 1000
_LONGEST_REASON: Final = 300
_LOOKS: Final = frozenset({"open", "os.listdir", "os.scandir"})
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_HARMLESS: Final = frozenset({*_LOOKS, "os.walk", "os.fwalk", "os.putenv", "os.unsetenv"})
_REFUSED: Final = (
    "_thread.",
    "ctypes.",
    "fcntl.",
    "os.",
    "pty.",
    "resource.",
    "shutil.",
    "signal.",
    "socket.",
    "sqlite3.",
    "subprocess.",
)


class Watch:
    """The hook that is told what the interpreter is about to do."""

    def __init__(self, readable: list[str]) -> None:
        self._readable = tuple(os.path.join(os.path.realpath(one), "") for one in readable)  # noqa: PTH118

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _LOOKS:
            self._look(event, arguments)
        elif event.startswith(_REFUSED) and event not in _HARMLESS:
            message = f"a rule may not do this: {event}"
            raise PermissionError(message)

    def _look(self, event: str, arguments: tuple[Any, ...]) -> None:
        path = arguments[0] if arguments else None
        if event == "open" and (arguments[2] or 0) & _WRITES:
            message = f"a rule may not write: {path}"
            raise PermissionError(message)
        if isinstance(path, str | bytes):
            real = os.path.join(os.path.realpath(os.fsdecode(path)), "")  # noqa: PTH118
            if not real.startswith(self._readable):
                message = f"a rule may read its values and its package only: {os.fsdecode(path)}"
                raise PermissionError(message)


def _limit(seconds: int, memory: int) -> None:
    """Hard limits; processes and threads count for a whole user, and the kernel spares root."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: seconds + 1,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_AS: memory,
    }
    for limit, most in limits.items():
        try:
            resource.setrlimit(limit, (most, most))
        except (OSError, ValueError):
            # A system that does not know this limit, or has a lower one in force already.
            continue


def _taken(descriptor: int, mode: str) -> BinaryIO:
    """A pipe under another number; what was there before reads nothing and forgets all."""
    pipe = os.dup(descriptor)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, descriptor)
    os.close(nothing)
    return os.fdopen(pipe, mode)  # type: ignore[return-value]


def _load(target: str) -> Callable[[Any], Any]:
    module, _, names = target.partition(":")
    found: Any = import_module(module.strip())
    for name in names.strip().split("."):
        found = getattr(found, name)
    if not callable(found):
        message = f"{target} is no function"
        raise TypeError(message)
    loaded: Callable[[Any], Any] = found
    return loaded


def _answer(rule: Callable[[Any], Any], values: dict[str, Any]) -> str:
    """The answer of a rule on one object, as one line of JSON."""
    found = rule(values)
    if found is None or isinstance(found, str | bytes | dict):
        message = f"the rule gave {type(found).__name__}, not a list of findings"
        raise TypeError(message)
    return json.dumps({"findings": list(islice(found, _MOST_FINDINGS + 1))}, allow_nan=False)


def _reason(error: BaseException, code: str) -> str:
    """What went wrong and where, without the place of the copy, which is another each time."""
    text = f"{type(error).__name__}: {error}"
    for own in (code, os.path.dirname(code)):  # noqa: PTH120
        text = text.replace(own + os.sep, "")
    text = " ".join(text.split())
    place, frame = "", error.__traceback__
    while frame is not None:
        path = frame.tb_frame.f_code.co_filename
        if path.startswith(code + os.sep):
            place = f" ({path[len(code) + 1 :]}, line {frame.tb_lineno})"
        frame = frame.tb_next
    return text[:_LONGEST_REASON].rstrip(": ") + place


def _lines(header: dict[str, Any], questions: BinaryIO, code: str) -> Iterator[str]:
    """The answer to every question; whatever a rule raises, even to end the process, is one."""
    try:
        rule = _load(header["target"])
    except BaseException as error:  # noqa: BLE001
        yield json.dumps({"load": _reason(error, code)})
        return
    for line in questions:
        try:
            yield _answer(rule, {**header["values"], **json.loads(line)})
        except BaseException as error:  # noqa: BLE001
            yield json.dumps({"error": _reason(error, code)})


def main() -> None:
    """Answer every question of the pipe, and end."""
    code = sys.argv[1]
    questions, answers = _taken(0, "rb"), _taken(1, "wb")
    header = json.loads(questions.readline())
    sys.path.append(code)
    _limit(header["seconds"], header["memory"])
    sys.addaudithook(Watch([*sys.path, os.getcwd()]))  # noqa: PTH109

    for line in _lines(header, questions, code):
        answers.write(line.encode() + b"\n")
    answers.flush()
    # Nothing that the rule registered for the end is run.
    os._exit(0)


if __name__ == "__main__":
    main()
