"""Start a supervisor: `python -m ordain.runtime.serving RUNDIR [--config FILE] [--detach]`.

RUNDIR must be writable and belongs to this supervisor alone; the configuration is its config.json,
or FILE, as in a pod, where it lies in a volume that nobody can write. Supervisors that share a
ledger and have run directories of the same name (pods of one Deployment) are told apart by the
environment variable ORDAIN_INSTANCE.

Whatever can fail for a reason that somebody can mend (another supervisor, an unreadable
configuration, a port in use) fails before the process detaches, so that whoever started it learns
of it by an exit code and one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ordain.runtime.serving.errors import ServerBusy
from ordain.runtime.serving.listeners import listen
from ordain.runtime.serving.status import (
    CONFIG,
    FAMILY,
    LOCK,
    LOG,
    STATUS,
    Failure,
    Status,
    try_lock,
)
from ordain.runtime.serving.supervisor import KILL_SECONDS, Home, Supervisor, load_config
from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from ordain.runtime.serving.config import ServerConfig
    from ordain.runtime.serving.listeners import Listener

INSTANCE = "ORDAIN_INSTANCE"
# Whoever asks whether a supervisor lives holds the lock for an instant.
_ASKING_SECONDS = 0.5
_LOOK_SECONDS = 0.02


def main(home: Home, *, detach: bool) -> int:
    """Run a supervisor, or start one and return; the exit code of the process."""
    rundir = home.rundir
    # A reload that comes before there is anything to reload must not end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        # The lock is this process's for life: its descriptor is never closed.
        _take(rundir, LOCK, _ASKING_SECONDS, "another supervisor runs in this directory")
    except OrdainError as error:
        return _refuse(error)
    try:
        family, config, listener = _prepare(home)
    except OrdainError as error:
        _leave_word(rundir, error)
        return _refuse(error)
    if detach and os.fork():
        return 0
    if detach:
        _detach(rundir / LOG)
    started = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return asyncio.run(Supervisor(home, family, started).run(config, listener))


def _prepare(home: Home) -> tuple[int, ServerConfig, Listener]:
    (home.rundir / STATUS).unlink(missing_ok=True)
    config = load_config(home.config)
    said = "workers of a supervisor that was killed have not left yet"
    family = _take(home.rundir, FAMILY, KILL_SECONDS, said)
    return family, config, listen(config.host, config.port)


def _take(rundir: Path, name: str, seconds: float, said: str) -> int:
    end = time.monotonic() + seconds
    while True:
        try:
            descriptor = try_lock(rundir / name)
        except OSError as error:
            message = f"{rundir / name}: {error.strerror}"
            raise ServerBusy(message, remedy="give the process a directory of its own") from error
        if descriptor is not None:
            return descriptor
        if time.monotonic() >= end:
            remedy = "stop it first, or choose another run directory"
            raise ServerBusy(f"{rundir}: {said}", remedy=remedy)
        time.sleep(_LOOK_SECONDS)


def _leave_word(rundir: Path, error: OrdainError) -> None:
    failure = Failure(error.code, error.message, error.remedy)
    Status(
        pid=os.getpid(),
        host="",
        port=0,
        config="",
        attempted="",
        attempt=1,
        pending=False,
        workers=(),
        state="failed",
        error=failure,
        started="",
        restarts=0,
    ).write(rundir)


def _refuse(error: OrdainError) -> int:
    said = {"code": error.code, "message": error.message, "remedy": error.remedy}
    sys.stdout.write(json.dumps(said) + "\n")
    return error.exit_code


def _detach(log: Path) -> None:
    """A session of its own, so that no terminal and no parent takes it along."""
    os.setsid()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (descriptor, 1), (descriptor, 2)):
        os.dup2(source, target)
    os.close(descriptor)
    os.close(null)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(prog="ordain.runtime.serving")
    parser.add_argument("rundir", type=Path)
    parser.add_argument("--config", type=Path, help="what to serve, instead of RUNDIR/config.json")
    parser.add_argument("--detach", action="store_true", help="return when it has begun")
    given = parser.parse_args()
    place = given.rundir.resolve()
    file = given.config.resolve() if given.config else place / CONFIG
    sys.exit(main(Home(place, file, os.environ.get(INSTANCE, "")), detach=given.detach))
