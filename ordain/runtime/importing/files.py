"""Reading a stranger's file, which may be larger than memory, or a device without an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.runtime.errors import ImportRefused

if TYPE_CHECKING:
    from pathlib import Path

MAXIMUM_MODEL: Final = 1 << 30
MAXIMUM_TABLE: Final = 16 << 20
_CHUNK: Final = 1 << 20


def bounded_read(path: Path, limit: int = MAXIMUM_MODEL) -> bytes:
    """The bytes of a file, of which no more than the limit are ever read.

    Raises:
        ImportRefused: it has more.
        OSError: it cannot be read.
    """
    found = bytearray()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found += chunk
            if len(found) > limit:
                message = f"{path} has more than the {limit} bytes that are allowed"
                raise ImportRefused(message, remedy="leave out what is no part of the model")
    return bytes(found)
