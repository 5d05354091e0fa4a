"""Paths that a Dataset names, confined to the estate.

Absolute paths, `..` and links that lead out are refused, because a Dataset is written by people who
may not read every file of the machine that trains.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from ordain.runtime.errors import DataError
from ordain.specs.findings import Location


def inside(name: str, root: Path, *, directory: bool = False, field: str = "source.uri") -> Path:
    """The file (or directory) that a field names, proven to lie inside the root.

    Raises:
        DataError: when there is none, or its path leads out of the root.
    """
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
        message = f"the path {name!r} does not lie inside the estate"
        raise DataError(message, remedy="write a path relative to the estate's root, without ..")
    try:
        return _proven(name, root / path, root, "directory" if directory else "file", field)
    except OSError as error:
        raise unreadable(name, error) from error


def _proven(name: str, path: Path, root: Path, kind: str, field: str) -> Path:
    at = Location(name)
    if not path.exists():
        remedy = f"put the {kind} there or correct {field}"
        raise DataError(f"{name}: there is no such {kind}", remedy=remedy, location=at)
    if not path.resolve().is_relative_to(root.resolve()):
        message = f"{name}: this link leads out of the estate"
        raise DataError(message, remedy=f"put the {kind} itself into the estate", location=at)
    if not (path.is_dir() if kind == "directory" else path.is_file()):
        message = f"{name}: this is no {kind}"
        raise DataError(message, remedy=f"name one {kind} in {field}", location=at)
    return path.resolve()


def unreadable(name: str, error: OSError) -> DataError:
    """The error for a file that the system does not hand out."""
    message = f"{name}: cannot be read: {error.strerror or error}"
    return DataError(
        message, remedy="mend the file or the right to read it", location=Location(name)
    )
