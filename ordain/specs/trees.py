"""Where documents stand, and a work tree as a mapping from path to bytes, read lazily.

Only the places that the language knows are listed, so that a checkout with a million data files
costs what its documents cost. A link may not lead out of the estate: what a check reads must be
what git keeps.
"""

from __future__ import annotations

import errno
import os
import stat
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ordain.specs.errors import SpecError
from ordain.specs.findings import Location

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
    # Suites of edge cases.
    "cases": _YAML,
}
# Where forges look for code owners.
_OWNERS: Final = "CODEOWNERS"
_FORGES: Final = (".github", ".gitlab")
_AT_ROOT: Final = (*_YAML, ".lock")
# Opening a pipe must not block.
_READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_PART: Final = 1 << 20


def is_document_path(path: str) -> bool:
    """Whether a file holds documents."""
    first, _, rest = path.partition("/")
    if first in _DOCUMENTS:
        return rest.endswith(_YAML) and not is_policy_test(path)
    return path == ESTATE_FILE


def is_policy_test(path: str) -> bool:
    """Whether a file holds tests of policies (`policies/**/*.test.yaml`), and no document."""
    return path.endswith(_TESTS) and path.startswith("policies/")


def belongs_to_estate(path: str) -> bool:
    """Whether a file is a document, or stands where the language keeps what documents rest on."""
    first, below, _ = path.partition("/")
    if not below:
        return path == ESTATE_FILE or path.endswith(".lock")
    return path.endswith(_DIRECTORIES.get(first, ()))


def document_paths(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths among these that hold documents, sorted, `ordain.yaml` first and always."""
    found = sorted(path for path in paths if is_document_path(path) and path != ESTATE_FILE)
    return (ESTATE_FILE, *found)


class RefusingTree(Mapping[str, bytes]):
    """A tree that knows without being read that something in it may not be there.

    What it refuses is not among its files; whoever loads an estate from it has to tell.
    """

    @property
    @abstractmethod
    def refused(self) -> Mapping[str, SpecError]:
        """Why each path is refused."""


def find_root(directory: Path) -> Path:
    """The nearest directory, this one or above, that holds `ordain.yaml`; git is not asked.

    Raises:
        SpecError: there is none.
    """
    start = directory.resolve()
    for place in (start, *start.parents):
        if (place / ESTATE_FILE).is_file():
            return place
    message = f"there is no {ESTATE_FILE} in {start} or above it"
    raise SpecError(message, remedy="go to an estate, or make one with: ordain init DIRECTORY")


def misplaced(directory: Path) -> SpecError | None:
    """What is wrong when the estate around a directory is not the root of its repository.

    Git knows every file by its path from the root, so nothing that reads commits would find the
    estate. Git itself is not asked: whoever only checks files needs none.
    """
    try:
        root = find_root(directory)
    except SpecError:
        return None
    top = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
    if top == root:
        return None
    place = root.relative_to(top).as_posix()
    return SpecError(
        f"{ESTATE_FILE} stands in {place}, which is not the root of the repository",
        remedy="move the estate to the root of the repository, or give it one of its own",
        location=Location(ESTATE_FILE),
        code="SPEC026",
    )


class WorkTree(Mapping[str, bytes]):
    """The files of an estate below `root`, by their path with forward slashes.

    They are listed at the first question, which raises SpecError where that cannot be done.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._real = os.path.realpath(root)
        self._listed: dict[str, bool] | None = None

    def __getitem__(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            KeyError: when the tree does not list it.
            SpecError: when a link leads out of the estate.
            OSError: when it cannot be read.
        """
        linked = self._paths()[path]
        full = f"{self._real}{os.sep}{path}"
        if linked:
            self._refuse_foreign(full, path)
        # Whatever has become a link since it was listed is not followed.
        handle = os.open(full, _READ if linked else _READ | _NO_LINK)
        try:
            return _content(handle)
        finally:
            os.close(handle)

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

    def _paths(self) -> dict[str, bool]:
        """Every path, and whether a link may stand in it."""
        if self._listed is None:
            try:
                self._listed = dict(sorted(self._walk()))
            except OSError as error:
                message = f"{error.filename} cannot be read: {error.strerror}"
                remedy = "name the directory that holds `ordain.yaml`, and make it readable"
                raise SpecError(message, remedy=remedy) from error
        return self._listed

    def _walk(self) -> Iterator[tuple[str, bool]]:
        with os.scandir(self._root) as entries:
            for entry in entries:
                linked = entry.is_symlink()
                if entry.name in _DIRECTORIES:
                    yield from _below(
                        entry.path, entry.name, _DIRECTORIES[entry.name], linked=linked
                    )
                elif entry.name.endswith((*_AT_ROOT, _OWNERS)) and not entry.is_dir():
                    yield entry.name, linked
                elif entry.name in _FORGES and entry.is_dir(follow_symlinks=False):
                    yield from _below(entry.path, entry.name, (_OWNERS,), linked=linked)


def _below(
    directory: str, prefix: str, endings: tuple[str, ...], *, linked: bool
) -> Iterator[tuple[str, bool]]:
    """The files with these endings below a directory, and whether a link leads to them.

    A link to a directory is not followed, as git does not follow it either.
    """
    with os.scandir(directory) as entries:
        for entry in entries:
            path = f"{prefix}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, path, endings, linked=linked)
            elif entry.name.endswith(endings):
                yield path, linked or entry.is_symlink()


def _content(handle: int) -> bytes:
    """All bytes of an open file; a pipe or device would block the check, or never end."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    data = os.read(handle, found.st_size + 1)
    if len(data) == found.st_size:
        return data
    while more := os.read(handle, _PART):
        data += more
    return data


def work_tree(root: Path) -> WorkTree:
    """The estate in a directory.

    Raises:
        SpecError: when there is no such directory, or it cannot be listed.
    """
    tree = WorkTree(root)
    len(tree)
    return tree


def file_in(tree: Mapping[str, bytes], path: str) -> bytes | None:
    """The bytes of a file; None where there is none, or none that can be read.

    A pipe or a link that leads nowhere in the place of a file is no file.
    """
    try:
        return tree[path]
    except (KeyError, OSError, SpecError):
        return None
