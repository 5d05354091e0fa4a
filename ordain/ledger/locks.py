"""One writer for one chain, held by the kernel.

An advisory `flock` goes with the process that holds it, whatever kills it, so there is no stale
lock to explain and nothing to clean. A pid file alone would have both. The holder's pid is written
into the file all the same, for the message of the one who is refused. POSIX only, like the rest of
the tool; the ledger's directory must be on a local file system, or on one whose locks work.
"""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

from ordain.ledger.errors import LedgerBusy, unwritable

if TYPE_CHECKING:
    from pathlib import Path

_HELD = frozenset({errno.EACCES, errno.EAGAIN})


class ChainLock:
    """The right to append to a chain, from construction to `release`."""

    def __init__(self, directory: Path, chain: str, *, wait: bool) -> None:
        """Take the lock of `directory`, waiting for it or refusing at once.

        Raises:
            LedgerBusy: another holder, and `wait` is false.
            LedgerError: the lock file cannot be made.
        """
        path = directory / "lock"
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise unwritable(error, path) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            if error.errno not in _HELD:
                raise unwritable(error, path) from error
            raise LedgerBusy(
                f"{directory}: chain {chain} is being written by process {holder or 'unknown'}",
                remedy="give each serving process a writer name of its own",
            ) from error
        if not wait:
            self._sign()

    def release(self) -> None:
        """Let the next writer in."""
        os.close(self._fd)

    def _sign(self) -> None:
        # Twenty columns, so that a shorter pid leaves nothing of a longer one. A full disk must
        # not keep the lock from being taken: the pid is a courtesy.
        try:
            os.pwrite(self._fd, b"%-20d" % os.getpid(), 0)
        except OSError:
            return
