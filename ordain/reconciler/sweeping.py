"""Removing what no preview refers to any more from the store of previews.

A blob is in use while its digest stands in a file of a preview, or in a blob that is in use. The
text is looked for, whatever the format: a form that a later version adds is then kept and not lost.
Nothing is removed while a preview is trained, because its blobs are named by nothing yet: rows and
the version it is compared with are lent before its job begins. Training therefore shares a lock
that sweeping takes alone; a run whose command was killed is told by the lock of its own directory.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.reconciler.jobs import is_running
from ordain.runtime.datasets.snapshots import DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ordain.reconciler.home import Home

_DIGEST: Final = re.compile(rb"sha256:([0-9a-f]{64})")
# What names other blobs is a short list of names; data are not searched.
_LARGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Freed:
    """What was removed."""

    blobs: int
    size: int


@contextmanager
def keeping_blobs(home: Home) -> Iterator[None]:
    """Keep what a preview is trained from, for the length of the block."""
    handle = _lock_file(home)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def sweep_previews(home: Home) -> Freed:
    """Remove every blob of previews that is not in use; nothing while a preview is trained."""
    if not home.previews.is_dir():
        return Freed(0, 0)
    handle = _lock_file(home)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _sweep(home)
    except BlockingIOError:
        return Freed(0, 0)
    finally:
        os.close(handle)


def _lock_file(home: Home) -> int:
    home.previews.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(home.previews / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _sweep(home: Home) -> Freed:
    places = _previews(home)
    blobs = {f"{one.parent.name}{one.name}": one for one in _blobs(home.preview_artifacts)}
    if any(is_running(place) for place in places):
        return Freed(0, 0)
    files = [file for place in places for file in place.rglob("*.json")]
    # A server that goes on without its preview needs what it serves when it starts again.
    files += (home.preview_server / "run").glob("*.json")
    used: set[str] = set()
    named = {digest for file in files for digest in _named(file)}
    for index in (home.preview_artifacts / DIRECTORY).glob("*.json"):
        # Rows are named by what they are, which a preview that learnt from them says.
        if index.stem in named:
            named |= _named(index)
        else:
            index.unlink()
    while named:
        used |= named
        found = (blobs[digest] for digest in named if digest in blobs)
        named = {digest for blob in found for digest in _named(blob)} - used
    unused = [blob for digest, blob in blobs.items() if digest not in used]
    size = sum(blob.stat().st_size for blob in unused)
    for blob in unused:
        blob.unlink()
    return Freed(len(unused), size)


def _previews(home: Home) -> list[Path]:
    kept = (home.preview_artifacts, home.preview_server)
    if not home.previews.is_dir():
        return []
    return [one for one in home.previews.iterdir() if one.is_dir() and one not in kept]


def _blobs(store: Path) -> Iterator[Path]:
    yield from (one for one in store.glob("sha256/*/*") if not one.name.startswith("."))


def _named(file: Path) -> set[str]:
    """The digests that a file names."""
    if file.stat().st_size > _LARGEST:
        return set()
    return {digest.decode() for digest in _DIGEST.findall(file.read_bytes())}
