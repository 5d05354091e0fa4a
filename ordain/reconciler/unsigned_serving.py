"""Serving previews on loopback: the ordinary server, beside the estate and never in it.

It has a directory, an artifact store and a ledger of its own. The ledger is removed when the server
stops: what somebody sent to a preview decided nothing, and nobody is to keep it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ordain.reconciler.errors import Busy, DriverFailed
from ordain.reconciler.jobs import system_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.reconciler.home import Home
    from ordain.runtime.serving.status import Status

READY_SECONDS = 60.0


@contextmanager
def sole_preview_server(home: Home) -> Iterator[None]:
    """Hold the right to serve previews of an estate.

    Raises:
        Busy: another process serves them.
    """
    place = home.preview_server
    with system_errors(place):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(place / "turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take_turn(handle)
        yield
    finally:
        os.close(handle)


def _take_turn(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = "previews of this estate are served already"
        raise Busy(message, remedy="stop the other `ordain serve --local` first") from error


@contextmanager
def previews_served(home: Home, config: Mapping[str, Any]) -> Iterator[Status]:
    """Serve a configuration for the length of the block.

    Raises:
        DriverFailed: it did not become ready.
        ServingError: it cannot be served.
    """
    from ordain.runtime.serving import client

    rundir, ledger = home.preview_server / "run", home.preview_server / "ledger"
    # A server whose command was killed goes on; what it serves may be of another work tree.
    client.stop(rundir)
    full = {
        **config,
        "artifacts": str(home.preview_artifacts),
        "ledger": str(ledger),
        "durability": "async",
        "keys": [],
    }
    try:
        with system_errors(rundir):
            status = client.start(rundir, full, timeout=READY_SECONDS)
        if status.state != "ready":
            reason = status.error.message if status.error else status.state
            raise DriverFailed(f"the preview does not serve: {reason}", remedy=f"read {rundir}/log")
        yield status
    finally:
        client.stop(rundir)
        shutil.rmtree(ledger, ignore_errors=True)


def still_serves(home: Home) -> bool:
    """Whether the server of previews is there."""
    from ordain.runtime.serving import client

    return client.status(home.preview_server / "run") is not None
