"""A file that DVC keeps: the pointer is in git, the bytes are in the work tree or in DVC's cache.

Both are accepted where their MD5 is the one of the pointer, and nothing else is: MD5 is DVC's name
for the content, and only that; what a model learns from is held by the logical digest. DVC itself
is not needed, and nothing is pulled: whoever reads data from elsewhere runs `dvc pull` first.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ordain.runtime.datasets.sources.files import format_of, read_file
from ordain.runtime.datasets.sources.paths import inside, unreadable
from ordain.runtime.errors import DataError, SourceError
from ordain.specs.findings import Location
from ordain.specs.loader import parse

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ordain.runtime.datasets.sources.rows import Rows
    from ordain.specs.kinds.dataset import Dataset, Source

_CACHE = ".dvc/cache"


def open_dvc(dataset: Dataset, root: Path) -> AbstractContextManager[Rows]:
    """The rows of the file that a pointer names.

    Raises:
        DataError: the pointer is none, or the file is not what it should be.
        SourceError: the content that it names is not here.
    """
    source = dataset.source
    md5, path = _pointer(source, root)
    kind = format_of(source, path)
    file = _found(source, root, md5, path)
    return read_file(source.uri, file, kind, sorted(dataset.columns), {"md5": md5})


def _pointer(source: Source, root: Path) -> tuple[str, str]:
    """The MD5 and the path, from the root, of the one file that a pointer names."""
    pointer = inside(source.uri, root)
    try:
        parsed = parse(pointer.read_bytes(), source.uri)
    except OSError as error:
        raise unreadable(source.uri, error) from error
    content: Any = parsed.nodes[0].value if parsed.nodes and not parsed.findings else None
    outs = content.get("outs") if isinstance(content, dict) else None
    if not isinstance(outs, list) or len(outs) != 1 or not isinstance(outs[0], dict):
        raise _refused(source, "this is no DVC pointer to one file")
    md5, path = outs[0].get("md5"), outs[0].get("path")
    if not isinstance(md5, str) or not isinstance(path, str):
        raise _refused(source, "this is no DVC pointer to one file")
    if not (len(md5) == len("d41d8cd98f00b204e9800998ecf8427e") and md5.isalnum()):
        raise _refused(source, "the pointer names a directory, or no MD5")
    return md5, str(PurePosixPath(source.uri).parent / str(content.get("wdir", ".")) / path)


def _refused(source: Source, message: str) -> DataError:
    remedy = "name the .dvc file that `dvc add` wrote for one CSV or Parquet file"
    return DataError(f"{source.uri}: {message}", remedy=remedy, location=Location(source.uri))


def _found(source: Source, root: Path, md5: str, path: str) -> Path:
    """The first place that has the content."""
    places = (path, f"{_CACHE}/files/md5/{md5[:2]}/{md5[2:]}", f"{_CACHE}/{md5[:2]}/{md5[2:]}")
    changed = False
    for place in places:
        if not (root / place).exists():
            continue
        file = inside(place, root)
        if _md5(place, file) == md5:
            return file
        changed = True
    state = "was changed" if changed else "is not here"
    message = f"{source.uri}: {path} with the MD5 {md5} {state}"
    raise SourceError(message, remedy=f"run: dvc pull {source.uri}", location=Location(source.uri))


def _md5(place: str, file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, _md5_state).hexdigest()
    except OSError as error:
        raise unreadable(place, error) from error


def _md5_state() -> Any:  # noqa: ANN401 - hashlib's own type is private
    return hashlib.md5(usedforsecurity=False)
