"""Files of the store that nothing leads to yet.

A failure removes one; what a killed process has left is removed by the next one, which can tell by
a lock that its writer is gone.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ordain.runtime.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEW: Final = ".new-"


@contextmanager
def refused_writes(path: Path) -> Iterator[None]:
    """What the system refuses to write; a source tells its own errors as such."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        message = f"{path.parent}: the snapshot cannot be written: {reason}"
        raise ArtifactError(message, remedy="free space, or mend the rights") from error


@contextmanager
def new_file(directory: Path) -> Iterator[Path]:
    """An empty file that is locked as long as its writer lives, and gone when it is done."""
    with refused_writes(directory / _NEW):
        directory.mkdir(parents=True, exist_ok=True)
        # Between the making of a file and its locking nobody may take it for an abandoned one.
        with _locked(directory):
            _remove_abandoned(directory)
            handle, name = tempfile.mkstemp(prefix=_NEW, dir=directory)
            fcntl.flock(handle, fcntl.LOCK_EX)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _remove_abandoned(directory: Path) -> None:
    """Remove what killed processes have left."""
    for path in directory.glob(f"{_NEW}*"):
        with suppress(BlockingIOError, FileNotFoundError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
