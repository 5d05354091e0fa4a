"""What a supervisor says of itself, and how to know that it lives.

`status.json` is what it last said; the lock is what it is. A pid in a file can belong to another
program tomorrow, a lock is held by the kernel for exactly as long as its holder lives. Two locks:
`lock` belongs to the supervisor alone, `family` is shared with its workers, so that a successor can
wait until the last worker of a killed supervisor has left the socket and the ledger.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from ordain.runtime.artifacts import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["starting", "ready", "failed"]

CONFIG = "config.json"
STATUS = "status.json"
LOCK = "lock"
FAMILY = "family"
LOG = "log"
GENERATIONS = "generations"
# What lies in a run directory names keys and places, and is for the owner's eyes only.
PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One process that answers, or soon will, or is leaving."""

    pid: int
    generation: int
    ready: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as its reader needs it."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Status:
    """What a supervisor does.

    `config` is the digest of the configuration in force, `attempted` that of the last one it was
    asked to serve, `attempt` the number of that request, `pending` whether it is undecided. `error`
    is of the last attempt or of the last worker that did not become ready. `state` speaks of the
    configuration in force: after a refused replacement it stays `ready`. `started` is RFC 3339.
    """

    pid: int
    host: str
    port: int
    config: str
    attempted: str
    attempt: int
    pending: bool
    workers: tuple[WorkerStatus, ...]
    state: State
    error: Failure | None
    started: str
    restarts: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def write(self, rundir: Path) -> None:
        """Replace `status.json` in one step.

        Raises:
            OSError: the disk refuses; the old file stays.
        """
        data = json.dumps(asdict(self), indent=2).encode() + b"\n"
        write_atomically(rundir / STATUS, data, mode=PRIVATE)


def read_status(rundir: Path) -> Status | None:
    """What stands in `status.json`, whoever wrote it; None when nothing readable does."""
    try:
        raw = json.loads((rundir / STATUS).read_bytes())
        workers = tuple(WorkerStatus(**one) for one in raw["workers"])
        error = Failure(**raw["error"]) if raw["error"] else None
        return Status(**{**raw, "workers": workers, "error": error})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Take the lock now: its descriptor, or None when somebody else holds it.

    Raises:
        OSError: the file cannot be made, or this file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def held(path: Path) -> bool:
    """Whether somebody holds the lock alone; asking takes it for an instant, shared."""
    if not path.exists():
        return False
    descriptor = try_lock(path, shared=True)
    if descriptor is None:
        return True
    with contextlib.suppress(OSError):
        os.close(descriptor)
    return False
