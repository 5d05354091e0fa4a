"""A worker as its supervisor sees it: a process, what it said, and when it ended.

What happens to a worker becomes an event in one queue, so that the supervisor decides about one
thing at a time and in the order in which it happened.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.runtime.serving.errors import NotReady
from ordain.runtime.serving.status import Failure, WorkerStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DRAIN = b"drain\n"


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is started with; the descriptors are the supervisor's own."""

    generation: int
    config: Path
    listener: int
    family: int
    writer: str


@dataclass(frozen=True, slots=True)
class BecameReady:
    """A worker serves."""

    child: Child


@dataclass(frozen=True, slots=True)
class StoppedAccepting:
    """A worker that drains takes no new connection."""

    child: Child


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker's process is gone."""

    child: Child


Happened = BecameReady | StoppedAccepting | Ended


class Child:
    """One worker process."""

    def __init__(self, order: Order, tell: Callable[[Happened], None]) -> None:
        self.order = order
        self.ready = False
        self.accepting = False
        self.leaving = False
        self.failure: Failure | None = None
        self.born = asyncio.get_running_loop().time()
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._control: asyncio.StreamWriter | None = None
        self._task = asyncio.create_task(self._live())

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def status(self) -> WorkerStatus:
        return WorkerStatus(self.pid, self.order.generation, self.ready)

    def drain(self) -> None:
        """Ask it to leave when its callers have; its successor is serving."""
        self.leaving = True
        if self._control is not None and not self._control.is_closing():
            self._control.write(DRAIN)

    def leave(self) -> None:
        """Ask it to leave at once."""
        self.leaving = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _live(self) -> None:
        try:
            await self._run()
        except (OSError, ValueError, KeyError) as error:  # no process, or not our protocol
            self.kill()
            remedy = "free memory and processes on this machine"
            self.failure = Failure(NotReady.code, f"a worker cannot be run: {error}", remedy)
        self.ready = False
        self._tell(Ended(self))

    async def _run(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await self._start(theirs.fileno())
        if self.leaving:  # told so while it was being started
            self._signal(signal.SIGTERM)
        reader, self._control = await asyncio.open_connection(sock=ours)
        while line := await reader.readline():
            self._heard(line)
        code = await self._process.wait()
        self._control.close()
        if self.failure is None and not self.ready:
            self.failure = _silent(code)

    async def _start(self, control: int) -> asyncio.subprocess.Process:
        order = self.order
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "ordain.runtime.serving.worker",
            f"--config={order.config}",
            f"--fd={order.listener}",
            f"--control={control}",
            f"--writer={order.writer}",
            pass_fds=(order.listener, control, order.family),
            stdin=asyncio.subprocess.DEVNULL,
        )

    def _heard(self, line: bytes) -> None:
        said = json.loads(line)
        match said["state"]:
            case "ready":
                self.ready = self.accepting = True
                self._tell(BecameReady(self))
            case "draining":
                self.accepting = False
                self._tell(StoppedAccepting(self))
            case _:
                self.failure = Failure(said["code"], said["message"], said["remedy"])


def _silent(code: int) -> Failure:
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return Failure(
        NotReady.code,
        f"a worker {how} before it was ready",
        "read the file log in the run directory; the worker's last words are there",
    )
