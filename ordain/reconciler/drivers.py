"""The hands: jobs of training and validation, and serving processes of this machine.

A driver makes one thing true and says what it found. It knows nothing of plans, approvals or git,
and everything it does can be done twice: a training run whose result is there is not run again, a
server that has the configuration is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ordain.reconciler.errors import DriverFailed
from ordain.reconciler.jobs import carry_out, is_done, system_errors
from ordain.reconciler.planning import SeenServer
from ordain.specs.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from ordain.reconciler.home import Home
    from ordain.reconciler.jobs import Job
    from ordain.reconciler.outcomes import Outcome, Validated
    from ordain.reconciler.validating import ValidationJob

READY_SECONDS = 60.0


class Driver(Protocol):
    """What a target must be able to do."""

    def train(self, job: Job, progress: Callable[[str], None], *, afresh: bool = False) -> Outcome:
        """Run a job to its end, or take the result that is there; a failure is a result too."""

    def validate(self, job: ValidationJob, progress: Callable[[str], None]) -> Validated:
        """Run a validation to its end, or take the result that is there."""

    def servers(self, environments: Iterable[str]) -> dict[str, SeenServer]:
        """The serving processes that were found, by environment."""

    def running(self, environment: str) -> dict[str, Any] | None:
        """The configuration that is in force in an environment; None when nobody knows."""

    def serve(self, environment: str, config: dict[str, Any]) -> str:
        """Make an environment serve a configuration; returns where it listens."""

    def stop(self, environment: str) -> None:
        """Stop the serving processes of an environment."""


class LocalDriver:
    """Training in a child process, serving under a supervisor on loopback.

    `clock` dates the runs that it starts.
    """

    def __init__(self, home: Home, clock: Callable[[], datetime]) -> None:
        self._home = home
        self._clock = clock

    def train(self, job: Job, progress: Callable[[str], None], *, afresh: bool = False) -> Outcome:
        """Run a job in its directory, at most once at a time; see `jobs.carry_out`.

        `afresh` runs it even if a result is there.

        Raises:
            DriverFailed: the process ended without a result.
        """
        directory = self._home.job(job.order.recipe.digest)
        stands = _never if afresh else is_done
        return carry_out(directory, job, self._clock, progress, stands=stands).outcome

    def validate(self, job: ValidationJob, progress: Callable[[str], None]) -> Validated:
        """Run a validation in its directory, at most once at a time; see `jobs.carry_out`.

        Raises:
            DriverFailed: the process ended without a result.
        """
        return carry_out(self._home.validation(job.key), job, self._clock, progress).outcome

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
        with system_errors(directory):
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
        with system_errors(directory):
            client.stop(directory)


def _never(_directory: Path) -> bool:
    """No result stands where everything is to be made again."""
    return False
