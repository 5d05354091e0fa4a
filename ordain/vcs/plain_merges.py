"""Merging by content alone.

What merging two commits gives decides what counts as an honest merge, so it must be the same on
every machine. Git lets attributes choose how files are merged, and takes them from the work tree
(also files that nobody has committed), the index, `info/attributes`, the user and the system; a
bare repository of some versions takes them from `HEAD`. Attributes of a commit were refused, too: a
proposal could choose how it is merged itself. So git is shown the objects of the repository under
an empty one, which has none of these places.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN: Final = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
_SHA256: Final = (
    "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
)


@contextmanager
def without_attributes(objects: Path, *, sha256: bool) -> Iterator[tuple[Path, dict[str, str]]]:
    """A directory to run git in, and the variables that show it these objects and nothing else."""
    with tempfile.TemporaryDirectory(prefix="ordain-merge-") as directory:
        place = Path(directory)
        (place / "refs").mkdir()
        (place / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        (place / "config").write_text(_SHA256 if sha256 else _PLAIN, encoding="ascii")
        yield (
            place,
            {
                "GIT_ATTR_NOSYSTEM": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "core.attributesFile",
                "GIT_CONFIG_VALUE_0": os.devnull,
                "GIT_DIR": directory,
                "GIT_OBJECT_DIRECTORY": str(objects),
            },
        )
