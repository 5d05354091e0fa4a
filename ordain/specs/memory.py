"""Files in which a run leaves facts for the next one, so that it need not find them out again.

What stands in such a file is believed, so the file must be ours: a regular file of our own user
that nobody else may write. Its first line names what it holds, for which version, and the length
and digest of the rest; a file for which this is not so, because it is old, cut, damaged or of
somebody else, is no file at all. It is written beside and renamed, so that processes at the same
time see the whole of one or the other. What cannot be read is not known, and what cannot be written
is not kept; neither is an error, because nothing is lost but time.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 64_000_000
_OF_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def recall(path: Path, name: str) -> bytes | None:
    """What was kept in a file under a name; None where that is not there or not to be believed."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        head, body = _parts(handle)
    except OSError:
        return None
    finally:
        os.close(handle)
    return body if head == _head(name, body) else None


def keep(path: Path, name: str, body: bytes) -> bool:
    """Leave bytes for the next run; whether that could be done."""
    if len(body) > MOST_BYTES:
        return False
    try:
        _write(path, _head(name, body) + body)
    except OSError:
        return False
    return True


def is_own(found: os.stat_result, is_kind: Any) -> bool:  # noqa: ANN401 - a function of stat
    """Whether something is of this kind, ours, and nobody else may write it."""
    ours = found.st_uid == os.geteuid() and not found.st_mode & _OF_OTHERS
    return ours and bool(is_kind(found.st_mode))


def _head(name: str, body: bytes) -> bytes:
    return f"{name} {len(body)} {sha256(body).hexdigest()}\n".encode()


def _parts(handle: int) -> tuple[bytes, bytes]:
    """The first line and the rest; nothing where it is no file that only we write.

    What it is must be known before it is opened as a file, which a directory refuses.
    """
    found = os.fstat(handle)
    if not is_own(found, stat.S_ISREG) or found.st_size > MOST_BYTES:
        return b"", b""
    with open(handle, "rb", closefd=False) as file:
        return file.readline(MOST_BYTES), file.read(MOST_BYTES)


def _write(path: Path, data: bytes) -> None:
    from tempfile import mkstemp

    handle, beside = mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a handle
            file.write(data)
        os.replace(beside, path)  # noqa: PTH105 - the name is a text
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)  # noqa: PTH108
        raise
