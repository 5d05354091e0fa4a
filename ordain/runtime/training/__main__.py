"""`python -m ordain.runtime.training JOBDIR [ORDER]`: run an order, in this process.

The order is JOBDIR/job.json unless its file is given, as it is in a pod, where it lies in a volume
that nobody can write.

Exit code 0 and a result, or exit code 1 and `{"error": {"code", "message", "remedy"}}` in the same
file, which is written last and whole. Progress goes to standard output, one JSON object a line;
what the run cost goes to `resources.json` and what a search has tried to `trials.json`, because
they are of this machine and not of the artifact.
Threads and loops are set before any numeric library loads, because they read them once.

SIGTERM cancels: what is being written is removed, and the result says so. Its handler raises what
Ctrl-C raises, because no part of training may take it for an error of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.machines import processor
from ordain.runtime.surroundings import NUMERIC
from ordain.runtime.training.order import (
    EVIDENCE,
    JOB,
    RESULT,
    numeric_environment,
    read_order,
    refuse_processor,
)
from ordain.runtime.training.resources import Meter
from ordain.specs.canonical import canonical_json
from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from ordain.runtime.training.order import Outcome


class _WithoutPandas:
    """scikit-learn imports pandas wherever it finds it, which costs 0.5 s and is never used."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("a training job does not use pandas", name=name)


def main(arguments: Sequence[str]) -> int:
    """The exit code of the job in this directory."""
    if len(arguments) not in (1, 2):
        sys.stderr.write("usage: python -m ordain.runtime.training JOBDIR [ORDER]\n")
        return 2
    directory = Path(arguments[0])
    order = Path(arguments[1]) if len(arguments) > 1 else directory / JOB
    meter = Meter()
    signal.signal(signal.SIGTERM, _cancel)
    try:
        outcome = _run(order, directory, meter)
        write_atomically(directory / EVIDENCE, outcome.evidence.to_json())
        meter.write(directory, rows=outcome.evidence.data.get("rows"))
        write_atomically(directory / RESULT, outcome.to_json())
    except OrdainError as error:
        return _fail(directory, meter, error.code, error.message, error.remedy)
    except OSError as error:
        message = f"{directory}: cannot be written: {error.strerror}"
        return _fail(directory, meter, "RUN153", message, "free space, or mend the rights")
    except KeyboardInterrupt:
        return _fail(directory, meter, "RUN154", "training was cancelled", "run it again")
    except Exception as error:  # noqa: BLE001 - the boundary of the process; the log has it all
        traceback.print_exc()
        message = f"the training job broke: {type(error).__name__}: {error}"
        return _fail(directory, meter, "RUN199", message, "read the log of the job, and report it")
    return 0


def _cancel(_number: int, _frame: FrameType | None) -> None:
    """Leave by the way of errors, once: a second signal would break into writing the result."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(order: Path, directory: Path, meter: Meter) -> Outcome:
    job = read_order(order)
    refuse_processor(processor())
    _pin_numbers(job.recipe.threads)
    sys.meta_path.insert(0, _WithoutPandas())
    from ordain.runtime.training.job import run_job
    from ordain.runtime.training.search.trials import into

    return run_job(job, meter.tell, into(directory))


def _pin_numbers(threads: int) -> None:
    """Whoever starts the process may have settings of numeric libraries: none of them stays."""
    for name in [name for name in os.environ if name.startswith(NUMERIC)]:
        del os.environ[name]
    os.environ.update(numeric_environment(threads))


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


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
