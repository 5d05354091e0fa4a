"""One job in its directory: started once, watched, adopted, cancelled.

What a job does is `Work`: a training, or a validation of what was trained. Which process does it,
what it is ordered by and what it leaves differ; how it is started, waited for and ended does not,
so that there is one of these for both.

The job is a session of its own that inherits the lock of its directory. So Ctrl-C in a terminal
reaches whoever started it and not the job itself, which is told to stop by a signal to its whole
group; and a starter that is killed leaves a job behind that goes on, for the next one to wait for
and to take the result of. A mere process group would not do: the kernel hangs up on a group whose
parent dies while it is stopped.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from ordain.reconciler import attempts
from ordain.reconciler.attempts import LOG, Begun
from ordain.reconciler.errors import DriverFailed
from ordain.reconciler.outcomes import Outcome
from ordain.runtime.surroundings import surroundings
from ordain.runtime.training.order import EVIDENCE, RESULT, numeric_environment, write_job
from ordain.specs.canonical import sha256
from ordain.specs.evidence import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from ordain.runtime.training.order import Job as Order

LOCK: Final = "lock"
ADOPTING: Final = "adopting the run that is going on"
CHANGED: Final = "the result that is there was changed since it was written: doing the work again"
# A job that is told to stop writes that down and goes; one that computes in a library hears late.
GRACE_SECONDS: Final = 5.0
_MEMORY: Final = "most often the machine had no memory left"
_READING: Final = 1 << 16


Made = TypeVar("Made")
Made_co = TypeVar("Made_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an attempt works on: `key` is the recipe of a training, the key of a validation."""

    model: str
    key: str
    champion: str | None


class Work(Protocol[Made_co]):
    """What a job does: `module` is the process, `noun` what messages call it.

    `subject` is what is written down of an attempt, `threads` are those of its numeric libraries.
    """

    @property
    def module(self) -> str: ...

    @property
    def noun(self) -> str: ...

    @property
    def threads(self) -> int: ...

    @property
    def subject(self) -> Subject: ...

    def lay_out(self, directory: Path) -> None:
        """Write the order into the directory."""

    def made(self, directory: Path, result: dict[str, Any]) -> Made_co | None:
        """What a result without an error speaks of; None where it is not there as it was made."""

    def broken(self, message: str, remedy: str) -> Made_co:
        """What a result with an error speaks of."""


@dataclass(frozen=True, slots=True)
class Job:
    """A training run: the order that it reads; what it learns from is in the artifact store."""

    order: Order

    @property
    def module(self) -> str:
        return "ordain.runtime.training"

    @property
    def noun(self) -> str:
        return "training"

    @property
    def threads(self) -> int:
        return self.order.recipe.threads

    @property
    def subject(self) -> Subject:
        return Subject(self.order.model, self.order.recipe.digest, self.order.champion)

    def lay_out(self, directory: Path) -> None:
        """Write `job.json`."""
        write_job(directory, self.order)

    def made(self, directory: Path, result: dict[str, Any]) -> Outcome | None:
        """The artifact and its evidence, as the result names them."""
        text = named_text(directory / EVIDENCE, result.get("evidence"))
        if text is None:
            return None
        try:
            return Outcome.success(result.get("artifact", ""), text)
        except EvidenceError:
            return None

    def broken(self, message: str, remedy: str) -> Outcome:
        """A run that broke."""
        return Outcome.failure(message, remedy)


@dataclass(frozen=True, slots=True)
class Carried(Generic[Made]):
    """What came of an order, and whether anything was done for it now."""

    outcome: Made
    worked: bool


def is_done(directory: Path) -> bool:
    """Whether an earlier run left a result; one that ended in an error is tried again."""
    result = attempts.read_json(directory / RESULT)
    return result is not None and "error" not in result


def carry_out(
    directory: Path,
    job: Work[Made],
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
    *,
    preview: bool = False,
    stands: Callable[[Path], bool] = is_done,
) -> Carried[Made]:
    """Run the process of a job in its directory, at most once at a time.

    A run that is going on is waited for. A result that is there then is taken if it `stands` and
    what was made is what it names; otherwise it is set aside, and the job is run. Every run is an
    attempt that is kept.

    Raises:
        DriverFailed: the process ended without a result, or the system refused a file.
        KeyboardInterrupt: it was cancelled; the job has gone, and nothing of it is left half done.
    """
    with system_errors(directory), _sole_job(directory, progress) as lock:
        attempts.settle(directory, clock)
        if stands(directory):
            kept = read_result(directory, job)
            if kept is not None:
                return Carried(kept, worked=False)
            progress(CHANGED)
        begun = _begin(directory, job, clock(), preview=preview)
        _attempt(directory, job, begun, clock, lock, progress)
        made = read_result(directory, job)
        return Carried(made if made is not None else _changed(directory, job), worked=True)


def _changed(directory: Path, job: Work[Made]) -> Made:
    """What came of a job whose document was changed by somebody while it ended."""
    message = f"what {job.noun} wrote to {directory} is not what its result names"
    return job.broken(message, "see who else writes there, and run it again")


@contextmanager
def system_errors(directory: Path) -> Iterator[None]:
    """What the system refuses is a failed stage with its reason, and not the end of the daemon."""
    try:
        yield
    except OSError as error:
        raise _refused(error, directory) from error


def _refused(error: OSError, directory: Path) -> DriverFailed:
    message = f"{error.filename or directory}: {error.strerror or error}"
    return DriverFailed(message, remedy="make room, mend the rights, try again")


def is_running(directory: Path) -> bool:
    """Whether a job holds the directory; whoever asks shares the lock with others who ask."""
    try:
        handle = os.open(directory / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def read_result(directory: Path, job: Work[Made]) -> Made | None:
    """What the run left; None where its document is not the one that its result names.

    Whoever may write to the directory could otherwise have the reconciler sign what they like.

    Raises:
        DriverFailed: it left nothing.
    """
    found = attempts.read_json(directory / RESULT)
    if found is None:
        message = f"{job.noun} ended without a result"
        raise DriverFailed(message, remedy=f"read {directory / LOG}")
    if "error" in found:
        error = found["error"]
        return job.broken(error["message"], error.get("remedy", ""))
    return job.made(directory, found)


def named_text(path: Path, named: object) -> str | None:
    """The text of a file whose digest is the one that a result names."""
    try:
        data = path.read_bytes()
        return data.decode() if sha256(data) == named else None
    except (FileNotFoundError, UnicodeDecodeError):
        return None


@contextmanager
def _sole_job(directory: Path, progress: Callable[[str], None]) -> Iterator[int]:
    handle = _lock_file(directory)
    try:
        if not _take(handle):
            progress(ADOPTING)
            fcntl.flock(handle, fcntl.LOCK_EX)
        while not _is_in_place(handle, directory):
            # Who removes old runs has removed the directory while we waited for its lock.
            os.close(handle)
            handle = _lock_file(directory)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


@contextmanager
def idle(directory: Path) -> Iterator[bool]:
    """Hold the directory of a job for the length of the block; False where a run holds it."""
    handle = _lock_file(directory)
    try:
        yield _take(handle)
    finally:
        os.close(handle)


def _lock_file(directory: Path) -> int:
    directory.mkdir(parents=True, exist_ok=True)
    return os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_in_place(handle: int, directory: Path) -> bool:
    """Whether the lock that is held is the one that others would find."""
    try:
        return os.path.samestat(os.fstat(handle), (directory / LOCK).stat())
    except FileNotFoundError:
        return False


def _begin(directory: Path, job: Work[Any], now: datetime, *, preview: bool) -> Begun:
    """Set aside what the attempt before left, and lay out the order of this one."""
    subject = job.subject
    begun = attempts.begin(
        directory,
        now,
        model=subject.model,
        recipe=subject.key,
        preview=preview,
        champion=subject.champion,
    )
    job.lay_out(directory)
    return begun


def _attempt(
    directory: Path,
    job: Work[Any],
    begun: Begun,
    clock: Callable[[], datetime],
    lock: int,
    progress: Callable[[str], None],
) -> None:
    """Run the process between the two notes that begin and end its attempt."""
    try:
        code = _run(directory, job, lock, progress)
    except OSError as refused:
        failure = None if is_done(directory) else _refused(refused, directory)
        attempts.end(directory, begun, clock(), failure)
        raise
    except BaseException:
        # Ctrl-C, or a defect of who watches: the job was told to stop.
        attempts.cancel(directory, begun, clock())
        raise
    error = None if (directory / RESULT).is_file() else _without_result(directory, job.noun, code)
    attempts.end(directory, begun, clock(), error)
    if error is not None:
        raise error


def run_alone(directory: Path, job: Work[Any], progress: Callable[[str], None]) -> None:
    """Lay out and run a job of which no attempt is kept, at most once at a time.

    What an earlier run left is not taken. How it ended is in its result.

    Raises:
        DriverFailed: the process ended without a result, or the system refused a file.
        KeyboardInterrupt: it was cancelled, and has gone.
    """
    with system_errors(directory), _sole_job(directory, progress) as lock:
        (directory / RESULT).unlink(missing_ok=True)
        job.lay_out(directory)
        code = _run(directory, job, lock, progress)
        if not (directory / RESULT).is_file():
            raise _without_result(directory, job.noun, code)


def _run(directory: Path, job: Work[Any], lock: int, progress: Callable[[str], None]) -> int:
    """Run the job with its threads, its progress to the caller and its errors to a log.

    The job holds the reading end of its own pipe as well: a pipe that nobody reads any more would
    break the job that it should outlive us with.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", _READING) as lines:
        try:
            with (directory / LOG).open("wb") as log:
                process = _start(directory, job, (lock, reading), writing, log)
        finally:
            os.close(writing)
        try:
            for line in lines:
                progress(line.decode("utf-8", "replace").strip())
            return process.wait()
        except BaseException:
            # Ctrl-C, or whoever is told of the progress has gone: nobody would take the result.
            _cancel(process)
            raise


def _start(
    directory: Path, job: Work[Any], handed: tuple[int, ...], writing: int, log: IO[bytes]
) -> subprocess.Popen[bytes]:
    # The reconciler stands in a work tree that anybody may push to: no code is taken from there.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", job.module, str(directory)],
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=log,
        cwd=directory,
        env=surroundings(os.environ) | numeric_environment(job.threads),
        pass_fds=handed,
        start_new_session=True,
    )


def _cancel(process: subprocess.Popen[Any]) -> None:
    """Let the job stop by itself; after a while, or when asked once more, make it."""
    _tell_group(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        process.wait(GRACE_SECONDS)
    # What the job itself has started may be left where the job has gone.
    _tell_group(process, signal.SIGKILL)
    process.wait()


def _tell_group(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _without_result(directory: Path, noun: str, code: int) -> DriverFailed:
    """Why a process left nothing, as far as its end tells."""
    if code >= 0:
        message = f"{noun} ended with exit code {code} and without a result"
        return DriverFailed(message, remedy=f"read {directory / LOG}")
    name = signal.Signals(-code).name
    if -code == signal.SIGKILL:
        message = f"{noun} was ended by {name}; {_MEMORY}"
        remedy = "give the machine more memory, or the model fewer rows or columns"
        return DriverFailed(message, remedy=remedy)
    message = f"{noun} was ended by {name}"
    return DriverFailed(
        message, remedy=f"run it again; if it ends so again, read {directory / LOG}"
    )
