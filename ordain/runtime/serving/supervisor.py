"""The process that keeps workers answering.

A *generation* is a configuration with its worker. The generation in force serves; a candidate takes
its place only when it has loaded, proven and announced itself, and only then is the old one asked
to drain. A candidate that fails is gone and nothing has changed, except that the status says so. A
worker in force that dies is started again, at once the first time, later and later when it keeps
dying.

Everything that happens (a signal, a worker's word, a worker's end, a wait that is over) is an event
in one queue and is decided upon alone; `_take` is the whole state machine.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.serving.backoff import Backoff
from ordain.runtime.serving.children import (
    BecameReady,
    Child,
    Ended,
    Happened,
    Order,
    StoppedAccepting,
)
from ordain.runtime.serving.config import ServerConfig, read_config
from ordain.runtime.serving.errors import ServerConfigError, ServingError
from ordain.runtime.serving.listeners import Listener, listen
from ordain.runtime.serving.status import GENERATIONS, PRIVATE, STATUS, Failure, Status

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.runtime.serving.status import State

KILL_SECONDS = 20.0  # lingering callers, requests in flight and the last sync need less
_GENERATIONS_KEPT = 8

_log = logging.getLogger("ordain.serving")


@dataclass(frozen=True, slots=True)
class Generation:
    """A configuration on its way into force, or in force."""

    number: int
    config: ServerConfig
    path: Path
    listener: Listener


class Reload:
    """Read the configuration again."""


class Stop:
    """Let every worker leave, then end."""


class Retry:
    """The wait after a worker's death is over."""


Event = Happened | Reload | Stop | Retry


@dataclass(frozen=True, slots=True)
class Home:
    """Where a supervisor lives, what it reads, and what it is called.

    `rundir` is its own and can be written; `config` is the file that is read at the start and on
    every reload. `instance` tells supervisors apart that share a ledger and whose directories are
    called the same, as those of pods are; empty where there is no other.
    """

    rundir: Path
    config: Path
    instance: str = ""

    def writer(self, environment: str, number: int) -> str:
        """The name of the prediction chain of one worker, at most 64 characters."""
        place = sha256(os.fsencode(self.rundir) + b"\n" + self.instance.encode()).hexdigest()[:8]
        if not self.instance:
            return f"{environment[:40]}-{place}-{number}"
        # The end of a pod's name is what no other pod has.
        said = re.sub(r"[^a-z0-9.-]", "-", self.instance.lower())[-16:].lstrip("-.")
        return f"{environment[:24]}-{said}-{place}-{number}"


class Supervisor:
    """The state of one run directory; `family` is the descriptor that workers inherit."""

    def __init__(self, home: Home, family: int, started: str) -> None:
        self._home = home
        self._rundir = home.rundir
        self._family = family
        self._started = started
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._children: list[Child] = []
        self._force: Generation | None = None
        self._candidate: Generation | None = None
        self._backoff = Backoff()
        self._attempt = 0
        self._attempted = ""
        self._failure: Failure | None = None
        self._restarts = 0
        self._stopping = False

    async def run(self, config: ServerConfig, listener: Listener) -> int:
        """Serve until told to stop (0), or until the first configuration fails (1)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._events.put_nowait, Stop())
        loop.add_signal_handler(signal.SIGHUP, self._events.put_nowait, Reload())
        self._attempt = 1
        self._begin(config, listener)
        self._report()
        while not self._over():
            self._take(await self._events.get())
            self._report()
        if self._stopping:
            (self._rundir / STATUS).unlink(missing_ok=True)
        return 0 if self._stopping else 1

    def _over(self) -> bool:
        serving = self._force is not None or self._candidate is not None
        return not self._children and (self._stopping or not serving)

    def _take(self, event: Event) -> None:
        match event:
            case BecameReady(child):
                self._became_ready(child)
            case StoppedAccepting():
                pass  # The report that follows every event is what this is for.
            case Ended(child):
                self._ended(child)
            case Reload():
                self._reload()
            case Retry():
                self._retry()
            case Stop():
                self._stop()

    def _became_ready(self, child: Child) -> None:
        if child.leaving:
            return
        self._failure = None
        if self._is(self._candidate, child):
            self._promote()

    def _promote(self) -> None:
        old, self._force, self._candidate = self._force, self._candidate, None
        self._backoff = Backoff()
        for child in self._children:
            if self._is(old, child):
                child.drain()
                self._kill_later(child)
        if old is not None:
            self._release(old.listener)
        self._prune()

    def _ended(self, child: Child) -> None:
        self._children.remove(child)
        if self._stopping or child.leaving:
            return
        if self._is(self._candidate, child):
            self._refuse(child.failure)
        elif self._is(self._force, child):
            self._replace(child)

    def _replace(self, child: Child) -> None:
        """Start the worker in force again after its death."""
        self._failure = child.failure
        self._restarts += 1
        loop = asyncio.get_running_loop()
        wait = self._backoff.after(loop.time() - child.born)
        _log.warning("worker %d ended; starting another in %g s", child.pid, wait)
        loop.call_later(wait, self._events.put_nowait, Retry())

    def _retry(self) -> None:
        force = self._force
        if self._stopping or force is None or self._serving(force):
            return
        self._spawn(force)

    def _reload(self) -> None:
        if self._stopping:
            return
        self._attempt += 1
        self._failure = None
        self._abandon()
        try:
            config = load_config(self._home.config)
        except ServerConfigError as error:
            self._attempted = ""
            self._refuse(Failure(error.code, error.message, error.remedy))
            return
        self._attempted = config.digest
        if self._force is None or self._force.config.digest != config.digest:
            self._attempt_config(config)

    def _attempt_config(self, config: ServerConfig) -> None:
        force = self._force.listener if self._force else None
        try:
            same = force is not None and (force.host, force.port) == (config.host, config.port)
            self._begin(config, force if force and same else listen(config.host, config.port))
        except ServingError as error:
            self._refuse(Failure(error.code, error.message, error.remedy))

    def _begin(self, config: ServerConfig, listener: Listener) -> None:
        """Make a candidate of a configuration.

        The worker reads a copy: what stands in the file later must not reach a worker that is
        started again.
        """
        self._attempted = config.digest
        path = self._rundir / GENERATIONS / f"{self._attempt:06d}-{config.digest[7:19]}.json"
        self._candidate = Generation(self._attempt, config, path, listener)
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomically(path, self._home.config.read_bytes(), mode=PRIVATE)
        except OSError as error:
            message = f"{path}: {error.strerror}"
            remedy = "free space, or give the process the right to write there"
            self._refuse(Failure(ServingError.code, message, remedy))
            return
        self._spawn(self._candidate)

    def _spawn(self, generation: Generation) -> None:
        order = Order(
            generation=generation.number,
            config=generation.path,
            listener=generation.listener.socket.fileno(),
            family=self._family,
            writer=self._free_writer(generation.config.environment),
        )
        self._children.append(Child(order, self._events.put_nowait))

    def _free_writer(self, environment: str) -> str:
        """The name of a prediction chain that no living worker of ours writes."""
        taken = {child.order.writer for child in self._children}
        names = (self._home.writer(environment, number) for number in range(len(taken) + 1))
        return next(name for name in names if name not in taken)

    def _refuse(self, failure: Failure | None) -> None:
        """The candidate will not come into force."""
        self._failure = failure
        if failure is not None:
            _log.error("configuration %s refused: %s", self._attempted, failure.message)
        self._abandon()

    def _abandon(self) -> None:
        candidate, self._candidate = self._candidate, None
        if candidate is None:
            return
        for child in self._children:
            if self._is(candidate, child):
                child.leave()
        self._release(candidate.listener)

    def _release(self, listener: Listener) -> None:
        """Close a socket that the generation in force does not use."""
        if self._force is None or self._force.listener is not listener:
            listener.socket.close()

    def _stop(self) -> None:
        self._stopping = True
        for child in self._children:
            child.leave()
            self._kill_later(child)

    def _kill_later(self, child: Child) -> None:
        """Nothing that a worker does on its way out takes that long; a stuck one must not stay."""
        asyncio.get_running_loop().call_later(KILL_SECONDS, child.kill)

    def _is(self, generation: Generation | None, child: Child) -> bool:
        return generation is not None and child.order.generation == generation.number

    def _serving(self, generation: Generation) -> bool:
        return any(self._is(generation, child) and not child.leaving for child in self._children)

    def _prune(self) -> None:
        """Keep the last few configurations that came into force; they explain the log."""
        paths = sorted((self._rundir / GENERATIONS).glob("*.json"))
        used = {generation.path for generation in (self._force, self._candidate) if generation}
        for path in paths[:-_GENERATIONS_KEPT]:
            if path not in used:
                path.unlink(missing_ok=True)

    def _report(self) -> None:
        shown = self._force or self._candidate
        status = Status(
            pid=os.getpid(),
            host=shown.listener.host if shown else "",
            port=shown.listener.bound_port if shown else 0,
            config=shown.config.digest if shown else "",
            attempted=self._attempted,
            attempt=self._attempt,
            pending=self._pending(),
            workers=tuple(child.status for child in self._children),
            state=self._state(),
            error=self._failure,
            started=self._started,
            restarts=self._restarts,
        )
        try:
            status.write(self._rundir)
        except OSError:
            _log.exception("the status cannot be written")

    def _pending(self) -> bool:
        """Whether who connects now may still meet another generation than the last asked for."""
        leaving = any(child.leaving and child.accepting for child in self._children)
        return self._candidate is not None or leaving

    def _state(self) -> State:
        force = self._force
        if force and any(child.ready and self._is(force, child) for child in self._children):
            return "ready"
        return "failed" if self._failure and self._candidate is None else "starting"


def load_config(path: Path) -> ServerConfig:
    """The configuration in a file.

    Raises:
        ServerConfigError: it is missing, unreadable, or not a server's configuration.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise ServerConfigError(message, remedy="let `ordain apply` write it again") from error
    return read_config(data, str(path))
