"""Taking over a pickled pipeline without ever opening the pickle in this process."""

from __future__ import annotations

import json
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

MAXIMUM_FILE: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Converted:
    """A pipeline as it is stored, what was found in it, and what its reader had to do without."""

    data: bytes
    task: str
    inputs: tuple[str, ...]
    width: int
    classes: tuple[str, ...]
    steps: tuple[str, ...]
    held: tuple[str, ...]


def convert(path: Path, *, seconds: float = SECONDS) -> Converted:
    """The pipeline in a pickle or joblib file, read in a confined process.

    What that process wrote is looked through again here, because it has read what we would not.

    Raises:
        ImportRefused: saying what the file names, holds or is.
        SkopsError: what the process wrote is not a pipeline that may be stored.
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    if size > MAXIMUM_FILE:
        message = f"{path} has {size} bytes, {MAXIMUM_FILE} are allowed"
        raise ImportRefused(message, remedy="store the model without its training data")
    with tempfile.TemporaryDirectory(prefix="ordain-import-") as name:
        directory = Path(name)
        found = _run(path.resolve(), directory, seconds)
        if "error" in found:
            error = found["error"]
            raise ImportRefused(f"{path}: {error['message']}", remedy=error["remedy"])
        data = _bounded(directory / PIPELINE)
    check_pipeline(data)
    return Converted(
        data,
        str(found["task"]),
        tuple(map(str, found["inputs"])),
        int(found["width"]),
        tuple(map(str, found["classes"])),
        tuple(map(str, found["steps"])),
        tuple(map(str, found["held"])),
    )


def _run(path: Path, directory: Path, seconds: float) -> Mapping[str, Any]:
    command = [sys.executable, "-P", "-m", "ordain.runtime.importing", str(path), str(directory)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=directory,
            env=bare_environment(),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"{path}: reading it took more than {seconds:g} seconds, and was ended"
        raise ImportRefused(message, remedy="export the model to ONNX") from error
    try:
        found: Mapping[str, Any] = json.loads(_bounded(directory / RESULT))
    except (OSError, ValueError) as error:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"code {done.returncode}"
        message = f"{path}: the process that read it ended with {how} and left no result"
        raise ImportRefused(message, remedy="export the model to ONNX") from error
    return found


def _bounded(path: Path) -> bytes:
    """What the child has left; it could have left a link, or more than there is memory for."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > FILE_BYTES:
        raise FileNotFoundError(path)
    return path.read_bytes()
