"""Changing what an environment serves, one after the other.

An emergency does not wait for a pass to end, and a pass that began before it must not undo it. So
whoever changes a server asks what it should serve while holding the turn, and asks again when it is
done. The second question is there for the case that somebody had to act without the turn: a person
in an emergency waits a few seconds for it and no longer.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.reconciler.errors import StateDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ordain.reconciler.drivers import Driver
    from ordain.reconciler.home import Home

# Longer than any change of a server takes; whoever holds the turn after that is stuck.
PASS_SECONDS: Final = 90.0
PERSON_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.02
_MOST_CHANGES: Final = 5


@dataclass(frozen=True, slots=True)
class InForce:
    """Where an environment serves now; `warning` says what is not as it should be, if anything."""

    address: str
    warning: str = ""


def put_in_force(
    driver: Driver,
    home: Home,
    environment: str,
    wanted: Callable[[], dict[str, Any]],
    *,
    patience: float = PASS_SECONDS,
) -> InForce:
    """Let an environment serve what `wanted` gives at this moment.

    Raises:
        DriverFailed, ServingError: it did not become ready; what served before goes on.
    """
    with turn(home.turn(environment), patience):
        for _ in range(_MOST_CHANGES):
            config = wanted()
            address = driver.serve(environment, config)
            if wanted() == config:
                return InForce(address)
    message = f"what {environment} should serve changed {_MOST_CHANGES} times meanwhile"
    return InForce(address, f"{message}; the next pass serves the last of it")


@contextmanager
def turn(path: Path, patience: float) -> Iterator[bool]:
    """Wait for a lock file so many seconds and no longer; gives whether it is held.

    Raises:
        StateDamaged: the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise StateDamaged(message, remedy="make it writable, or set ORDAIN_HOME") from error
    try:
        end = time.monotonic() + patience
        held = _taken(handle)
        while not held and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)
            held = _taken(handle)
        yield held
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
