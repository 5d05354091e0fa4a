"""The frame of a process that carries out an order in a directory: training, or a validation.

Whoever starts such a process, or finds its directory after a crash, waits for one file: the result.
It is written last and whole, and says what was made or what went wrong. Both kinds of work are
framed by the same lines, because two frames would one day differ in what a killed process leaves.

Threads and loops are set before any numeric library loads, because they read them once. SIGTERM
cancels: what is being written is removed, and the result says so. Its handler raises what Ctrl-C
raises, because no part of the work may take it for an error of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.surroundings import NUMERIC
from ordain.runtime.training.order import JOB, RESULT, numeric_environment
from ordain.runtime.training.resources import Meter
from ordain.specs.canonical import canonical_json
from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType


@dataclass(frozen=True, slots=True)
class Made:
    """What a process has made: the files that stand beside the result, and the result itself.

    `rows` is how many were read.
    """

    files: Mapping[str, bytes]
    result: bytes
    rows: int | None


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work: the module that it is started by, its words, and what carries it out.

    `carry_out` is given the order, the directory and the meter; `unwritable` is the code of an
    error of the directory.
    """

    module: str
    job: str
    cancelled: str
    unwritable: str
    carry_out: Callable[[Path, Path, Meter], Made]


class _WithoutPandas:
    """scikit-learn imports pandas wherever it finds it, which costs 0.5 s and is never used."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("a job does not use pandas", name=name)


def run(work: Work, arguments: Sequence[str]) -> int:
    """The exit code of the job in the directory that the arguments name."""
    if len(arguments) not in (1, 2):
        sys.stderr.write(f"usage: python -m {work.module} JOBDIR [ORDER]\n")
        return 2
    directory = Path(arguments[0])
    order = Path(arguments[1]) if len(arguments) > 1 else directory / JOB
    meter = Meter()
    signal.signal(signal.SIGTERM, _cancel)
    try:
        made = work.carry_out(order, directory, meter)
        for name, data in made.files.items():
            write_atomically(directory / name, data)
        meter.write(directory, rows=made.rows)
        write_atomically(directory / RESULT, made.result)
    except OrdainError as error:
        return _fail(directory, meter, error.code, error.message, error.remedy)
    except OSError as error:
        message = f"{directory}: cannot be written: {error.strerror}"
        remedy = "free space, or mend the rights"
        return _fail(directory, meter, work.unwritable, message, remedy)
    except KeyboardInterrupt:
        return _fail(directory, meter, "RUN154", work.cancelled, "run it again")
    except Exception as error:  # noqa: BLE001 - the boundary of the process; the log has it all
        traceback.print_exc()
        message = f"{work.job} broke: {type(error).__name__}: {error}"
        return _fail(directory, meter, "RUN199", message, "read the log of the job, and report it")
    return 0


def pin_numbers(threads: int) -> None:
    """Hold the numeric libraries to these threads, and keep out what costs time and is not used.

    Whoever starts the process may have settings of numeric libraries: none of them stays.
    """
    for name in [name for name in os.environ if name.startswith(NUMERIC)]:
        del os.environ[name]
    os.environ.update(numeric_environment(threads))
    sys.meta_path.insert(0, _WithoutPandas())


def _cancel(_number: int, _frame: FrameType | None) -> None:
    """Leave by the way of errors, once: a second signal would break into writing the result."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _fail(directory: Path, meter: Meter, code: str, message: str, remedy: str) -> int:
    """Say it to whoever waits for the result, and to whoever reads the log."""
    sys.stderr.write(f"error[{code}]: {message}\n")
    error = {"code": code, "message": message, "remedy": remedy}
    try:
        meter.write(directory, rows=None)
        write_atomically(directory / RESULT, canonical_json({"error": error}))
    except OSError as broken:
        sys.stderr.write(f"{directory / RESULT}: cannot be written: {broken.strerror}\n")
    return 1
