"""What can go wrong with the record.

    LedgerError              LED100   the ledger cannot be read or written
    ├── LedgerRecordError    LED101   the record itself cannot be said in canonical JSON
    ├── LedgerBusy           LED102   another process writes this chain
    ├── LedgerFull           LED103   no space, quota or file size is left
    ├── LedgerDamaged        LED104   the bytes on disk are not the chain that was written
    ├── LedgerClosed         LED105   the writer was closed, or failed and must be opened again
    └── LedgerOverloaded     LED106   more records wait for the disk than the backlog allows

Codes below LED100 are findings of `verification`. The split by class is by what the caller does
next: correct the record, wait, free space, call the examiner, open again, slow down.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from pathlib import Path

# EFBIG is what a file-size limit of the process says; to the reader all three mean the same.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class LedgerError(OrdainError):
    """The ledger cannot be read or written."""

    code = "LED100"


class LedgerRecordError(LedgerError):
    """A record cannot be written as canonical JSON; nothing was appended."""

    code = "LED101"


class LedgerBusy(LedgerError):
    """Another process writes this chain."""

    code = "LED102"


class LedgerFull(LedgerError):
    """The record found no room; the chain ends with the last record that did."""

    code = "LED103"


class LedgerDamaged(LedgerError):
    """The bytes on disk are not a chain that a crash could have left."""

    code = "LED104"


class LedgerClosed(LedgerError):
    """The writer was closed, or a sync failed and it must be opened again."""

    code = "LED105"


class LedgerOverloaded(LedgerError):
    """More records wait for the disk than the backlog allows."""

    code = "LED106"


def unwritable(error: OSError, path: Path) -> LedgerError:
    """Turn what the system said about writing `path` into what the caller does next."""
    message = f"{error.filename or path}: {error.strerror or error}"
    if error.errno in _FULL:
        return LedgerFull(message, remedy="free space on this disk; no record was half-written")
    return LedgerError(message, remedy="check the disk and the permissions of this path")


def unreadable(error: OSError, path: Path) -> LedgerError:
    """Turn what the system said about reading `path` into a ledger error."""
    message = f"{path}: {error.strerror or error}"
    return LedgerError(message, remedy="check that this path exists and may be read")
