"""Writing files so that each is whole, the old one or the new one.

A full disk, a limit or a kill in the middle of a write must not cut what a person wrote, and a CI
step must not leave half a report that the next step uploads. So a file is written beside its place
and takes its name when all that belong together are on disk. What is no ordinary file (a device, a
pipe) is written as it is: putting another file in its place would remove it.

Refused: waiting for the disk itself (fsync). Documents are in git, results can be made again, and
thousands of documents would wait for minutes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def written_whole() -> Iterator[Callable[[Path, bytes], None]]:
    """A function that writes a file; all of them take their names at the end, or none does.

    Raises:
        OSError: one of them cannot be written; it carries the name that was asked for.
    """
    staged: list[tuple[Path, Path, Path]] = []
    try:
        yield lambda asked, data: _stage(asked, data, staged)
        for part, place, asked in staged:
            with _named(asked):
                part.replace(place)
    except BaseException:
        for part, _, _ in staged:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise


def write_whole(place: Path, data: bytes) -> None:
    """Write one file.

    Raises:
        OSError: it cannot be written, and is as it was; the error carries its name.
    """
    with written_whole() as write:
        write(place, data)


def is_special(place: Path) -> bool:
    """Whether something is there that is no ordinary file."""
    return place.exists() and not place.is_file()


def _stage(asked: Path, data: bytes, staged: list[tuple[Path, Path, Path]]) -> None:
    with _named(asked):
        if is_special(asked):
            asked.write_bytes(data)
            return
        # A link stays a link: what it points at gets the new content.
        place = Path(os.path.realpath(asked))
        part = place.with_name(f".{place.name}.{os.getpid()}.part")
        with part.open("xb") as file:
            staged.append((part, place, asked))
            file.write(data)
        with suppress(FileNotFoundError):
            part.chmod(place.stat().st_mode & 0o7777)


@contextmanager
def _named(place: Path) -> Iterator[None]:
    """An error of the operating system about this file, which often names another or none."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(place)) from error
