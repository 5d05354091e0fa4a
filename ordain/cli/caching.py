"""Where `ordain check` remembers what it has found out, and when it must not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.specs.cache import Cache

# What decides on an answer: the code of these rooms and the packs that stand in them.
_ROOMS: Final = ("specs", "policies")
# A document is read, validated and judged with these.
_LIBRARIES: Final = ("yaml", "pydantic_core", "cel_expr_python")


def cache_of(root: Path, environ: Mapping[str, str]) -> Cache | None:
    """The cache for the estate in a directory; None where there shall be none or can be none."""
    from ordain.specs.cache import open_cache

    if environ.get("ORDAIN_NO_CACHE", "") not in {"", "0"}:
        return None
    return open_cache(_directory(environ), root, tool_digest())


def _directory(environ: Mapping[str, str]) -> Path:
    home = environ.get("ORDAIN_HOME")
    if home:
        return Path(home).absolute() / "cache"
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME", "~")) / ".cache")
    return Path(base).expanduser().absolute() / "ordain"


def tool_digest() -> str:
    """The digest of what a check is made of, so that another version never takes its word.

    The bytes of the code count and not only its version: whoever works on ordain has many of one
    version. Of libraries the versions count of all that is installed beside them, because their
    names are there without a search.
    """
    import sys
    from hashlib import sha256

    import ordain

    whole = sha256(f"{ordain.__version__} {sys.version} {_installed()}".encode())
    package = Path(ordain.__file__).parent
    for room in _ROOMS:
        for path in sorted(_files(str(package / room))):
            whole.update(f"{path[len(str(package)) :]}\0".encode())
            with open(path, "rb") as file:  # noqa: PTH123 - hundreds of Paths cost more than files
                whole.update(sha256(file.read()).digest())
    return whole.hexdigest()


def _installed() -> list[str]:
    """Names and versions of everything that is installed where our libraries are."""
    from importlib.util import find_spec

    specs = (find_spec(name) for name in _LIBRARIES)
    places = {os.path.dirname(os.path.dirname(one.origin)) for one in specs if one and one.origin}  # noqa: PTH120
    names = (name for place in sorted(places) for name in os.listdir(place))  # noqa: PTH208
    return sorted(name for name in names if name.endswith((".dist-info", ".egg-info")))


def _files(directory: str) -> Iterator[str]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            else:
                yield entry.path
