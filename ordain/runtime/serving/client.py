"""How the reconciler starts, replaces, stops and looks at a server.

Each function is an order and the wait for its outcome. What is waited for is a fact that others
make: a lock that is held or free, an attempt that `status.json` says is decided.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.serving.errors import (
    AddressUnusable,
    ModelUnusable,
    NotReady,
    ServerBusy,
    ServerConfigError,
    ServerSilent,
    ServingError,
)
from ordain.runtime.serving.status import (
    CONFIG,
    FAMILY,
    GENERATIONS,
    LOCK,
    LOG,
    PRIVATE,
    Failure,
    Status,
    held,
    read_status,
)
from ordain.runtime.surroundings import surroundings
from ordain.specs.canonical import canonical_json, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TIMEOUT_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_ERRORS: dict[str, type[ServingError]] = {
    cls.code: cls for cls in (AddressUnusable, ModelUnusable, ServerBusy, ServerConfigError)
}


def start(rundir: Path, config: Mapping[str, Any], *, timeout: float = TIMEOUT_SECONDS) -> Status:
    """Serve a configuration: `replace` where a supervisor runs, else start one that outlives us.

    Raises:
        ServerConfigError, AddressUnusable, ModelUnusable, NotReady: it cannot be served; nothing
            is left running.
        ServerBusy: somebody else is starting one in the same directory.
        ServerSilent: undecided after `timeout` seconds.
    """
    rundir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if held(rundir / LOCK):
        return replace(rundir, config, timeout=timeout)
    write_atomically(rundir / CONFIG, canonical_json(config), mode=PRIVATE)
    _launch(rundir)
    return _outcome(rundir, digest(config), 0, timeout)


def replace(rundir: Path, config: Mapping[str, Any], *, timeout: float = TIMEOUT_SECONDS) -> Status:
    """Let a running supervisor serve another configuration, without dropping a request.

    Returns when the new one answers; the old may still be finishing with its callers. A
    configuration that is in force already is left alone.

    Raises:
        ServerConfigError, AddressUnusable, ModelUnusable, NotReady: it cannot be served; the old
            one goes on.
        ServerSilent: nobody runs here, or undecided after `timeout` seconds.
    """
    before = status(rundir)
    if before is None:
        raise ServerSilent(
            f"{rundir}: no supervisor runs here", remedy="start it with `ordain apply`"
        )
    wanted = digest(config)
    if before.config == wanted and before.state == "ready" and not before.pending:
        return before
    write_atomically(rundir / CONFIG, canonical_json(config), mode=PRIVATE)
    os.kill(before.pid, signal.SIGHUP)
    return _outcome(rundir, wanted, before.attempt, timeout)


def stop(rundir: Path, *, timeout: float = TIMEOUT_SECONDS) -> None:
    """Let the server finish what it is answering and end; nothing to do when none runs.

    Returns when the last worker has gone, ledger synced and socket closed.

    Raises:
        ServerSilent: something still runs after `timeout` seconds.
    """
    running = status(rundir)
    if running is not None:
        os.kill(running.pid, signal.SIGTERM)
    gone = _await(lambda: not (held(rundir / LOCK) or held(rundir / FAMILY)), timeout)
    if not gone:
        raise ServerSilent(
            f"{rundir}: the server has not ended within {timeout:g} s",
            remedy=f"read {rundir / LOG}, then end its processes",
        )


def status(rundir: Path) -> Status | None:
    """What the supervisor of this directory does; None when none runs."""
    return read_status(rundir) if held(rundir / LOCK) else None


def in_force(rundir: Path, said: Status) -> dict[str, Any] | None:
    """The configuration that a supervisor has in force; None when it cannot be read.

    The file that was last asked for may be one that was refused; what came into force was copied.
    """
    for path in sorted((rundir / GENERATIONS).glob(f"*-{said.config[7:19]}.json")):
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if digest(found) == said.config:
            return found
    return None


def watch(
    rundir: Path, holds: Callable[[Status | None], bool], *, timeout: float = TIMEOUT_SECONDS
) -> Status | None:
    """Wait until what `status` gives fulfils `holds`, and return it.

    Raises:
        ServerSilent: it does not within `timeout` seconds.
    """
    seen: list[Status | None] = []

    def fulfilled() -> bool:
        seen.append(status(rundir))
        return holds(seen[-1])

    if not _await(fulfilled, timeout):
        raise ServerSilent(
            f"{rundir}: what was waited for did not come within {timeout:g} s",
            remedy=f"read {rundir / LOG}",
        )
    return seen[-1]


def _launch(rundir: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "ordain.runtime.serving", str(rundir), "--detach"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=surroundings(os.environ),
    )
    if ran.returncode == 0:
        return
    try:
        said = Failure(**json.loads(ran.stdout))
    except (ValueError, TypeError):
        last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotReady(
            f"the supervisor could not be started: {last}", remedy="reinstall ordain[serve]"
        ) from None
    raise _error(said)


def _outcome(rundir: Path, wanted: str, before: int, timeout: float) -> Status:
    """What became of the attempt after number `before`."""
    decided: list[Status] = []

    def is_decided() -> bool:
        running = held(rundir / LOCK)
        said = read_status(rundir)
        if said is not None and said.attempt > before and not said.pending:
            decided.append(said)
        return bool(decided) or not running

    if not _await(is_decided, timeout):
        raise ServerSilent(
            f"{rundir}: the new configuration is not ready after {timeout:g} s",
            remedy=f"read {rundir / LOG}",
        )
    if not decided:
        raise NotReady(f"{rundir}: the supervisor ended", remedy=f"read {rundir / LOG}")
    said = decided[-1]
    if not said.config:
        # Without any generation in force the supervisor is about to end; leave nothing behind.
        _await(lambda: not (held(rundir / LOCK) or held(rundir / FAMILY)), timeout)
    if said.config == wanted and said.state == "ready":
        return said
    raise _error(said.error) if said.error else _overtaken(rundir)


def _await(holds: Callable[[], bool], timeout: float) -> bool:
    end = time.monotonic() + timeout
    while not holds():
        if time.monotonic() >= end:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _error(failure: Failure) -> ServingError:
    cls = _ERRORS.get(failure.code, NotReady)
    return cls(failure.message, remedy=failure.remedy, code=failure.code)


def _overtaken(rundir: Path) -> ServingError:
    return NotReady(
        f"{rundir}: another configuration was put in force meanwhile", remedy="look and try again"
    )
