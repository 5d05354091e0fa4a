"""Taking over a pickled pipeline without ever opening the pickle in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.errors import ImportRefused
from ordain.runtime.formats.skops_files import check_pipeline
from ordain.runtime.importing.__main__ import PIPELINE, RESULT
from ordain.runtime.importing.confinement import FILE_BYTES, SECONDS, bare_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

# Of what a process has said before it ended; and how much of that is shown.
_TAIL: Final = 4096
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Converted:
    """A pipeline as it is stored, what was found in it, and how its reader was confined.

    `missing` are the walls that this machine does not offer.
    """

    data: bytes
    task: str
    inputs: tuple[str, ...]
    width: int
    classes: tuple[str, ...]
    steps: tuple[str, ...]
    held: tuple[str, ...]
    missing: tuple[str, ...]


def convert(path: Path, *, seconds: float = SECONDS) -> Converted:
    """The pipeline in a pickle or joblib file, read in a confined process.

    What that process wrote is looked through again here, because it has read what we would not.

    Raises:
        ImportRefused: saying what the file names, holds or is.
        SkopsError: what the process wrote is not a pipeline that may be stored.
        OSError: the file cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="ordain-import-") as name:
        directory = Path(name)
        found = _run(path.resolve(), directory, seconds)
        if "error" in found:
            error = found["error"]
            raise ImportRefused(f"{path}: {error['message']}", remedy=error["remedy"])
        try:
            converted = _converted(_left(directory / PIPELINE), found)
        except (OSError, KeyError, TypeError, ValueError) as error:
            message = f"{path}: the process that read it left no pipeline"
            raise ImportRefused(message, remedy="export the model to ONNX") from error
    check_pipeline(converted.data)
    return converted


def _converted(data: bytes, found: Mapping[str, Any]) -> Converted:
    return Converted(
        data,
        str(found["task"]),
        tuple(map(str, found["inputs"])),
        int(found["width"]),
        tuple(map(str, found["classes"])),
        tuple(map(str, found["steps"])),
        tuple(map(str, found["held"])),
        tuple(map(str, found["missing"])),
    )


def _run(path: Path, directory: Path, seconds: float) -> Mapping[str, Any]:
    command = [sys.executable, "-P", "-m", "ordain.runtime.importing", str(path), str(directory)]
    # What it says goes into a file: in a pipe, what it says without an end would fill our memory.
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                cwd=directory,
                env=bare_environment(),
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            message = f"{path}: reading it took more than {seconds:g} seconds, and was ended"
            raise ImportRefused(message, remedy="export the model to ONNX") from error
        try:
            found = json.loads(_left(directory / RESULT))
            if not isinstance(found, dict):
                raise TypeError
        except (OSError, ValueError, TypeError, RecursionError) as error:
            how = f"signal {-done.returncode}" if done.returncode < 0 else f"code {done.returncode}"
            message = f"{path}: the process that read it ended with {how} and left no result"
            raise ImportRefused(message + _last(said), remedy="export the model to ONNX") from error
    return found


def _last(said: IO[bytes]) -> str:
    """The last line of what a process has said, as far as it can be shown."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - _TAIL))
    lines = said.read(_TAIL).decode("utf-8", "replace").split()
    line = " ".join(lines)[-_SHOWN:]
    return f": ...{line}" if line.isprintable() and line else ""


def _left(path: Path) -> bytes:
    """What the child has left; it could have left a link, or more than there is memory for."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > FILE_BYTES:
        raise FileNotFoundError(path)
    return path.read_bytes()
