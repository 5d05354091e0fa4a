"""The hands: training jobs and serving processes of this machine.

A driver makes one thing true and says what it found. It knows nothing of plans, approvals or git,
and everything it does can be done twice: a training run whose result is there is not run again, a
server that has the configuration is left alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ordain.reconciler.errors import DriverFailed
from ordain.reconciler.outcomes import Outcome
from ordain.reconciler.planning import SeenServer
from ordain.runtime.surroundings import surroundings
from ordain.runtime.training.order import (
    EVIDENCE,
    RESULT,
    thread_environment,
    write_job,
)
from ordain.specs.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ordain.reconciler.home import Home
    from ordain.runtime.training.order import Job as Order

READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """A training run: the order that it reads; what it learns from is in the artifact store."""

    order: Order


class Driver(Protocol):
    """What a target must be able to do."""

    def train(self, job: Job, progress: Callable[[str], None], *, afresh: bool = False) -> Outcome:
        """Run a job to its end, or take the result that is there; a failure is a result too."""

    def servers(self, environments: Iterable[str]) -> dict[str, SeenServer]:
        """The serving processes that were found, by environment."""

    def running(self, environment: str) -> dict[str, Any] | None:
        """The configuration that is in force in an environment; None when nobody knows."""

    def serve(self, environment: str, config: dict[str, Any]) -> str:
        """Make an environment serve a configuration; returns where it listens."""

    def stop(self, environment: str) -> None:
        """Stop the serving processes of an environment."""


class LocalDriver:
    """Training in a child process, serving under a supervisor on loopback."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def train(self, job: Job, progress: Callable[[str], None], *, afresh: bool = False) -> Outcome:
        """Run `python -m ordain.runtime.training` in the job's directory, at most once at a time.

        The job inherits the lock of its directory, so that it outlives a killed reconciler and the
        next one waits for it and takes its result. `afresh` runs it even if a result is there.

        Raises:
            DriverFailed: the process ended without a result.
        """
        directory = self._home.job(job.order.recipe.digest)
        with _system_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
            with _sole_job(directory, progress) as lock:
                if afresh or not _is_done(directory):
                    _write_order(directory, job)
                    _run_job(directory, job.order.recipe.threads, lock, progress)
                return _read_result(directory)

    def servers(self, environments: Iterable[str]) -> dict[str, SeenServer]:
        """Ask every supervisor that has a directory."""
        from ordain.runtime.serving import client

        running = self._home.root / "run"
        names = {path.name for path in running.iterdir()} if running.is_dir() else set()
        seen = {}
        for name in sorted(names | set(environments)):
            status = client.status(self._home.server(name))
            if status is not None:
                detail = status.error.message if status.error else f"state {status.state}"
                ready, address = status.state == "ready", f"http://{status.host}:{status.port}"
                seen[name] = SeenServer(status.config or "", ready, detail, address)
        return seen

    def running(self, environment: str) -> dict[str, Any] | None:
        """The configuration that a supervisor says is in force."""
        from ordain.runtime.serving import client

        directory = self._home.server(environment)
        status = client.status(directory)
        return None if status is None else client.in_force(directory, status)

    def serve(self, environment: str, config: dict[str, Any]) -> str:
        """Start a supervisor, or hand the running one its new configuration.

        Raises:
            DriverFailed: the new configuration did not become ready; the old one goes on.
        """
        from ordain.runtime.serving import client

        directory = self._home.server(environment)
        with _system_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
            running = client.status(directory)
            if running and running.config == digest(config) and running.state != "ready":
                # Asked for what is in force already, a supervisor would go on with its longer and
                # longer waits. Nothing answers meanwhile, so a fresh start loses nothing.
                client.stop(directory)
            status = client.start(directory, config, timeout=READY_SECONDS)
        if status.state != "ready":
            reason = status.error.message if status.error else status.state
            message = f"{environment} does not serve: {reason}"
            raise DriverFailed(message, remedy=f"read {directory / 'log'}")
        return f"http://{status.host}:{status.port}"

    def stop(self, environment: str) -> None:
        """Drain and stop the supervisor."""
        from ordain.runtime.serving import client

        directory = self._home.server(environment)
        with _system_errors(directory):
            client.stop(directory)


@contextmanager
def _system_errors(directory: Path) -> Iterator[None]:
    """What the system refuses is a failed stage with its reason, and not the end of the daemon."""
    try:
        yield
    except OSError as error:
        place = error.filename or directory
        message = f"{place}: {error.strerror or error}"
        raise DriverFailed(message, remedy="make room, mend the rights, try again") from error


@contextmanager
def _sole_job(directory: Path, progress: Callable[[str], None]) -> Iterator[int]:
    handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("adopting the run that is going on")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _is_done(directory: Path) -> bool:
    """Whether an earlier run left a result; one that ended in an error is tried again."""
    result = directory / RESULT
    return result.is_file() and "error" not in json.loads(result.read_bytes())


def _write_order(directory: Path, job: Job) -> None:
    (directory / RESULT).unlink(missing_ok=True)
    write_job(directory, job.order)


def _run_job(directory: Path, threads: int, lock: int, progress: Callable[[str], None]) -> None:
    """Run the job with so many threads, its progress to the caller and its errors to a log.

    The job holds the reading end of its own pipe as well: a pipe that nobody reads any more would
    break the job that it should outlive us with.
    """
    # The reconciler stands in a work tree that anybody may push to: no code is taken from there.
    command = [sys.executable, "-P", "-m", "ordain.runtime.training", str(directory)]
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as lines, (directory / "log").open("wb") as log:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=log,
                cwd=directory,
                env=surroundings(os.environ) | thread_environment(threads),
                pass_fds=(lock, reading),
            )
        finally:
            os.close(writing)
        with process:
            for line in lines:
                progress(line.decode("utf-8", "replace").strip())


def _read_result(directory: Path) -> Outcome:
    """What the run left, with its evidence.

    Raises:
        DriverFailed: it left nothing.
    """
    result = directory / RESULT
    if not result.is_file():
        message = "training ended without a result"
        raise DriverFailed(message, remedy=f"read {directory / 'log'}")
    found = json.loads(result.read_bytes())
    if "error" in found:
        error = found["error"]
        return Outcome.failure(error["message"], error.get("remedy", ""))
    evidence = (directory / EVIDENCE).read_text(encoding="utf-8")
    return Outcome.success(found["artifact"], evidence)
