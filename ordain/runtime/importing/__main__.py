"""`python -P -m ordain.runtime.importing FILE DIRECTORY`: read a pickle, write a stored pipeline.

DIRECTORY gets `pipeline.skops` and, last, `result.json`: what was found, or
`{"error": {"code", "message", "remedy"}}`. The libraries are loaded first, then the process gives
up what it does not need, and only then is a byte of the file interpreted.
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ordain.runtime.importing.confinement import confine
from ordain.runtime.importing.files import bounded_read
from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Sequence

PIPELINE, RESULT = "pipeline.skops", "result.json"


def main(arguments: Sequence[str]) -> int:
    """Convert; the exit code is 0 with a pipeline, 1 with an error in its place."""
    file, directory = map(Path, arguments)
    _load_libraries()
    try:
        data = bounded_read(file)
        walls = confine(directory)
        result = _convert(data, directory)
    except OrdainError as error:
        said = {"code": error.code, "message": error.message, "remedy": error.remedy}
        (directory / RESULT).write_text(json.dumps({"error": said}), encoding="utf-8")
        return 1
    (directory / RESULT).write_text(json.dumps(result | asdict(walls)), encoding="utf-8")
    return 0


def _load_libraries() -> None:
    """Everything that a listed name may come from, and what writes the result."""
    import importlib

    import skops.io  # noqa: F401 - loaded before the walls are up

    from ordain.runtime.formats.skops_files import dump_pipeline  # noqa: F401 - as above
    from ordain.runtime.importing.allowed_globals import GLOBALS

    for module in sorted({module for module, _ in GLOBALS}):
        try:
            importlib.import_module(module)
        except ImportError:
            continue  # Another version of a library, or an extra that is not installed.


def _convert(data: bytes, directory: Path) -> dict[str, Any]:
    from sklearn.base import BaseEstimator
    from sklearn.exceptions import InconsistentVersionWarning

    from ordain.runtime.errors import ImportRefused
    from ordain.runtime.formats.skops_files import dump_pipeline
    from ordain.runtime.importing.descriptions import describe
    from ordain.runtime.importing.unpickling import read_model

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = read_model(data)
    other = [one.message for one in told if isinstance(one.message, InconsistentVersionWarning)]
    if other:
        message = (
            f"the file was written by scikit-learn {other[0].original_sklearn_version}, and this is"
            f" {other[0].current_sklearn_version}: its answers could be others"
        )
        raise ImportRefused(message, remedy="export it to ONNX with the version that made it")
    if not isinstance(found, BaseEstimator):
        message = f"the file holds {type(found).__name__}, and no estimator of scikit-learn"
        raise ImportRefused(message, remedy="store the fitted pipeline itself")
    (directory / PIPELINE).write_bytes(dump_pipeline(found))
    return describe(found)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
