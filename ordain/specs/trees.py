"""Where documents stand, and a work tree as a mapping from path to bytes, read lazily.

Only the places that the language knows are listed, so that a checkout with a million data files
costs what its documents cost. A link may not lead out of the estate: what a check reads must be
what git keeps.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ordain.specs.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

ESTATE_FILE: Final = "ordain.yaml"
_YAML: Final = (".yaml", ".yml")
_DOCUMENTS: Final = ("specs", "policies", "compliance")
# Tests of policies stand beside the policies and declare nothing.
_TESTS: Final = (".test.yaml", ".test.yml")
_DIRECTORIES: Final = {
    **dict.fromkeys(_DOCUMENTS, _YAML),
    "evidence": (".json",),
    "reasons": ("",),
}
_AT_ROOT: Final = (*_YAML, ".lock")


def is_document_path(path: str) -> bool:
    """Whether a file holds documents."""
    first, _, rest = path.partition("/")
    if first in _DOCUMENTS:
        return rest.endswith(_YAML) and not is_policy_test(path)
    return path == ESTATE_FILE


def is_policy_test(path: str) -> bool:
    """Whether a file holds tests of policies (`policies/**/*.test.yaml`), and no document."""
    return path.endswith(_TESTS) and path.startswith("policies/")


def document_paths(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths among these that hold documents, sorted, `ordain.yaml` first and always."""
    found = sorted(path for path in paths if is_document_path(path) and path != ESTATE_FILE)
    return (ESTATE_FILE, *found)


class WorkTree(Mapping[str, bytes]):
    """The files of an estate below `root`, by their path with forward slashes.

    They are listed at the first question, which raises SpecError where that cannot be done.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._real = os.path.realpath(root)
        self._listed: dict[str, None] | None = None

    def __getitem__(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            KeyError: when the tree does not list it.
            SpecError: when a link leads out of the estate.
            OSError: when it cannot be read.
        """
        if path not in self._paths():
            raise KeyError(path)
        full = os.path.join(self._real, path)  # noqa: PTH118 - a thousand Paths cost more than files
        self._refuse_foreign(full, path)
        # A pipe or device would block the check, or never end.
        handle = os.open(full, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:  # noqa: PTH123 - as above
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "it is no regular file")
            return file.read()

    def __contains__(self, path: object) -> bool:
        return path in self._paths()

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths())

    def __len__(self) -> int:
        return len(self._paths())

    def _refuse_foreign(self, full: str, path: str) -> None:
        """Refuse a file whose real place is outside of the estate."""
        real = os.path.realpath(full)
        if real != full and not real.startswith(self._real + os.sep):
            message = "the link leads out of the estate"
            raise SpecError(message, code="SPEC021", remedy=f"put the content of {path} here")

    def _paths(self) -> dict[str, None]:
        if self._listed is None:
            try:
                self._listed = dict.fromkeys(sorted(self._walk()))
            except OSError as error:
                message = f"{error.filename} cannot be read: {error.strerror}"
                remedy = "name the directory that holds `ordain.yaml`, and make it readable"
                raise SpecError(message, remedy=remedy) from error
        return self._listed

    def _walk(self) -> Iterator[str]:
        with os.scandir(self._root) as entries:
            for entry in entries:
                if entry.name in _DIRECTORIES:
                    yield from _below(entry.path, entry.name, _DIRECTORIES[entry.name])
                elif entry.name.endswith(_AT_ROOT) and not entry.is_dir():
                    yield entry.name


def _below(directory: str, prefix: str, endings: tuple[str, ...]) -> Iterator[str]:
    """The files with these endings below a directory.

    A link to a directory is not followed, as git does not follow it either.
    """
    with os.scandir(directory) as entries:
        for entry in entries:
            path = f"{prefix}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, path, endings)
            elif entry.name.endswith(endings):
                yield path


def work_tree(root: Path) -> WorkTree:
    """The estate in a directory.

    Raises:
        SpecError: when there is no such directory, or it cannot be listed.
    """
    tree = WorkTree(root)
    len(tree)
    return tree
