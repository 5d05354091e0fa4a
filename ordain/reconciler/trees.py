"""A commit as the mapping of paths to bytes that the language is loaded from.

Documents are read at once through one git process; everything else (evidence, reason files, data)
on demand. A tree that is read beside another one takes from it the bytes that they share: a change
touches few files of many.

A symbolic link or submodule where a document is expected is refused: it would let a commit say one
thing here and another elsewhere. It is refused as a finding of the estate and not by an exception,
because one link must not keep all other findings from being told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.errors import SpecError
from ordain.specs.findings import Location
from ordain.specs.trees import ESTATE_FILE, RefusingTree, is_document_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.vcs.git import Repository

_FILE_MODES = frozenset({"100644", "100755"})
_PLACES = frozenset({ESTATE_FILE, "specs", "policies", "compliance"})


class CommitTree(RefusingTree):
    """The regular files of one commit or tree; links and submodules among documents are refused."""

    def __init__(
        self, repository: Repository, revision: str, beside: CommitTree | None = None
    ) -> None:
        self._repository = repository
        entries = repository.tree(revision)
        self._blobs: dict[str, str] = {}
        self._refused: dict[str, SpecError] = {}
        for path, entry in entries.items():
            if entry.mode in _FILE_MODES:
                self._blobs[path] = entry.blob
            elif path.partition("/")[0] in _PLACES:
                message = f"{path} is a symbolic link or submodule, not a file"
                self._refused[path] = SpecError(
                    message,
                    remedy="commit the file itself",
                    location=Location(path),
                    code="SPEC021",
                )
        wanted = {blob for path, blob in self._blobs.items() if is_document_path(path)}
        # No more than this tree has, so that the last of a thousand does not hold all of them.
        there: dict[str, bytes] = {} if beside is None else beside._read  # noqa: SLF001 - of this class
        self._read: dict[str, bytes] = {blob: there[blob] for blob in wanted & there.keys()}
        self._read.update(repository.read_many(wanted - there.keys()))

    @property
    def refused(self) -> dict[str, SpecError]:
        """What stands where documents are expected, and is no file."""
        return self._refused

    def shared_with(self, other: CommitTree) -> Iterator[str]:
        """The paths of the files that have the same bytes in both."""
        mine = self._blobs
        return (path for path, blob in other._blobs.items() if mine.get(path) == blob)

    def blob(self, path: str) -> str:
        """The id of a file's content."""
        return self._blobs[path]

    def __getitem__(self, path: str) -> bytes:
        blob = self._blobs[path]
        if blob not in self._read:
            self._read.update(self._repository.read_many([blob]))
        return self._read[blob]

    def __iter__(self) -> Iterator[str]:
        return iter(self._blobs)

    def __len__(self) -> int:
        return len(self._blobs)

    def __contains__(self, path: object) -> bool:
        return path in self._blobs
