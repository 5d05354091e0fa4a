"""The zip archive of a pipeline: one schema and numbered members, read and written one way.

Reading is bounded by what the directory of the archive declares before a byte is unpacked, and
unpacking stops at what was declared. What comes out are bytes in memory: nothing is ever written
to a path that an archive names.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA: Final = "schema.json"
MAXIMUM_MEMBERS: Final = 50_000
MAXIMUM_BYTES: Final = 512_000_000
MAXIMUM_SCHEMA: Final = 32_000_000  # JSON takes many times its size once it is read.

# zlib answers alike for one level in one build of it; 6 is what every build treats as its default.
_LEVEL: Final = 6
_MEMBER: Final = re.compile(r"[0-9]{1,6}\.(?:npy|bin)")
_BEGINNING: Final = (1980, 1, 1, 0, 0, 0)
_KINDS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 1


def write_archive(members: Mapping[str, bytes], *, compressed: bool = True) -> bytes:
    """The archive of these members: sorted, without times, owners or rights."""
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(members, key=_order):
            entry = zipfile.ZipInfo(name, _BEGINNING)
            entry.create_system = 3
            archive.writestr(entry, members[name], compress_type=kind, compresslevel=_LEVEL)
    return buffer.getvalue()


def _order(name: str) -> tuple[int, str]:
    """The schema first, then the members by their number."""
    return (-1 if name == SCHEMA else int(name.partition(".")[0]), name)


def read_archive(data: bytes) -> dict[str, bytes]:
    """The members by name.

    Raises:
        ValueError: when this is no archive, holds what no pipeline holds, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_odd(archive.infolist())
            return {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ValueError(f"is no zip archive that can be read: {error}") from error


def _refuse_odd(entries: Iterable[zipfile.ZipInfo]) -> None:
    entries = list(entries)
    names = [entry.filename for entry in entries]
    if len(entries) > MAXIMUM_MEMBERS:
        raise ValueError(f"has {len(entries)} members, and at most {MAXIMUM_MEMBERS} are read")
    if sum(entry.file_size for entry in entries) > MAXIMUM_BYTES:
        raise ValueError(f"unpacks to more than {MAXIMUM_BYTES} bytes")
    if SCHEMA not in names or len(set(names)) != len(names):
        raise ValueError(f"has no {SCHEMA}, or a member twice")
    for entry in entries:
        if entry.filename == SCHEMA and entry.file_size > MAXIMUM_SCHEMA:
            raise ValueError(f"has a {SCHEMA} of more than {MAXIMUM_SCHEMA} bytes")
        if entry.filename != SCHEMA and _MEMBER.fullmatch(entry.filename) is None:
            raise ValueError(f"holds {entry.filename!r}, which is no member of a pipeline")
        if entry.compress_type not in _KINDS or entry.flag_bits & _ENCRYPTED:
            raise ValueError(f"packs {entry.filename} in a way that is not read")
