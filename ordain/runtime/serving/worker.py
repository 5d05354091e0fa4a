"""The process that answers: `python -m ordain.runtime.serving.worker`.

It is started by the supervisor with the listening socket and one end of a socket pair. Over the
pair it says once that it is ready, or why it never will be, and later that it takes no new
connection; the supervisor says `drain`, or disappears, which is read as an order to leave. So a
worker outlives neither its supervisor nor its use, and no pid file or signal has to be trusted for
that.

It leaves in two ways. *At once* (SIGTERM, or the supervisor is gone): nothing new is accepted,
requests in flight are answered, idle connections are closed. *Drained*, when a successor serves the
same socket already: connections that are open may send one request more, are answered with
`Connection: close`, and come back to the successor. Closing an idle connection races with the
request that its caller is sending at that moment, and that request would be lost. Either way the
ledger is synced and closed before the process ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import signal
import socket
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from ordain.ledger.committer import GroupCommitter
from ordain.ledger.ids import IdSource
from ordain.ledger.ledger import Ledger
from ordain.runtime.serving.app import App
from ordain.runtime.serving.config import ServerConfig, read_config
from ordain.runtime.serving.errors import ServerConfigError
from ordain.runtime.serving.predictor import World
from ordain.runtime.serving.recorder import Recorder
from ordain.runtime.serving.slots import load_slots
from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ordain.runtime.serving.slots import Slot

DRAIN = b"drain\n"
LINGER_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_KEEP_ALIVE_SECONDS = 75  # longer than the pools of common clients, so that they close first
_IN_FLIGHT_SECONDS = 10
_BACKLOG = 2048
_ENTROPY_BYTES = 4096
_CLOSE = (b"connection", b"close")

_log = logging.getLogger("ordain.serving")


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the supervisor says on the command line."""

    config: Path
    listener: int
    control: int
    writer: str


class Server(uvicorn.Server):
    """uvicorn's loop with our way in and out."""

    def __init__(self, config: uvicorn.Config, app: App, control: socket.socket) -> None:
        super().__init__(config)
        self._app = app
        self._control = control
        self._drain = False

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave on SIGTERM with exit code 0; the terminal's SIGINT is the supervisor's business."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.leave)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        loop.add_reader(self._control, self._told)
        yield
        loop.remove_reader(self._control)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        tell(self._control, {"state": "ready"})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.leaving = True
        if self._drain:
            await self._linger()
        await super().shutdown(sockets)
        await self._app.shadows.drain()

    def leave(self) -> None:
        """Leave at once, also when draining."""
        self._drain = False
        self.should_exit = True

    def _told(self) -> None:
        """The supervisor said something, or is gone."""
        try:
            said = self._control.recv(64)
        except OSError:
            said = b""
        if said == DRAIN:
            self._stop_accepting()
            self._drain = self.should_exit = True
        else:
            asyncio.get_running_loop().remove_reader(self._control)
            self.leave()

    def _stop_accepting(self) -> None:
        """From here on, who connects meets the successor, and who is connected soon does."""
        for server in self.servers:
            server.close()
        # uvicorn makes the first list of the second, once a second.
        self.server_state.default_headers = [*self.server_state.default_headers, _CLOSE]
        self.config.encoded_headers.append(_CLOSE)
        tell(self._control, {"state": "draining"})

    async def _linger(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + LINGER_SECONDS
        while self.server_state.connections and self._drain and loop.time() < end:  # noqa: ASYNC110 - uvicorn's set
            await asyncio.sleep(_LOOK_SECONDS)


def main(arguments: Arguments) -> int:
    """Load, prove, serve; the exit code of the process."""
    control = socket.socket(fileno=arguments.control)
    try:
        config = _read(arguments.config)
        slots = load_slots(config)
        writer = Ledger(config.ledger).writer(arguments.writer, now=datetime.now(UTC))
    except OrdainError as error:
        plain = {"code": error.code, "message": error.message, "remedy": error.remedy}
        tell(control, {"state": "error", **plain})
        return 1
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(config, slots, GroupCommitter(writer), arguments, control))


async def _serve(
    config: ServerConfig,
    slots: Mapping[str, Slot],
    committer: GroupCommitter,
    arguments: Arguments,
    control: socket.socket,
) -> int:
    loop = asyncio.get_running_loop()
    failed = False

    def chain_closed() -> None:
        """The chain must be opened anew, which a new process does."""
        nonlocal failed
        failed = True
        with contextlib.suppress(RuntimeError):  # the loop may have ended before the last record
            loop.call_soon_threadsafe(server.leave)

    recorder = Recorder(committer, config.durability, chain_closed)
    app = App(config, slots, recorder, _world())
    server = Server(_uvicorn(app), app, control)
    try:
        await server.serve(sockets=[socket.socket(fileno=arguments.listener)])
    finally:
        failed |= not _close(committer)
    return int(failed)


def _close(committer: GroupCommitter) -> bool:
    try:
        committer.close()
    except OrdainError as error:
        _log.error("%s", error)
        return False
    return True


def _read(path: Path) -> ServerConfig:
    try:
        return read_config(path.read_bytes(), str(path))
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise ServerConfigError(message, remedy="let `ordain apply` write it again") from error


def _world() -> World:
    ids = IdSource(_entropy())
    return World(
        now=lambda: datetime.now(UTC),
        ticks=time.perf_counter_ns,
        random=random.Random(os.urandom(32)).random,  # noqa: S311 - it splits traffic, no secret
        identify=ids.next,
    )


def _entropy() -> Callable[[int], bytes]:
    """The system's randomness, asked for in blocks: asking costs more than routing a request."""
    pool = bytearray()

    def take(count: int) -> bytes:
        if len(pool) < count:
            pool.extend(os.urandom(_ENTROPY_BYTES))
        taken = bytes(pool[-count:])
        del pool[-count:]
        return taken

    return take


def _uvicorn(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_IN_FLIGHT_SECONDS,
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def tell(control: socket.socket, said: Mapping[str, str]) -> None:
    """One line to the supervisor, who may be gone."""
    with contextlib.suppress(OSError):
        control.sendall(json.dumps(said).encode() + b"\n")


def read_arguments(given: list[str]) -> Arguments:
    parser = argparse.ArgumentParser(prog="ordain.runtime.serving.worker")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    parser.add_argument("--control", type=int, required=True, help="the supervisor's socket pair")
    parser.add_argument("--writer", required=True, help="name of the prediction chain")
    parsed = parser.parse_args(given)
    return Arguments(parsed.config, parsed.fd, parsed.control, parsed.writer)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    sys.exit(main(read_arguments(sys.argv[1:])))
