"""A commit as the mapping of paths to bytes that the language is loaded from.

Documents are read at once through one git process; everything else (evidence, reason files, data)
on demand. A symbolic link or submodule where a document is expected is refused: it would let a
commit say one thing here and another elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ordain.specs.errors import SpecError
from ordain.specs.findings import Location
from ordain.specs.trees import ESTATE_FILE, is_document_path

if TYPE_CHECKING:
    from ordain.vcs.git import Repository

_FILE_MODES = frozenset({"100644", "100755"})
_PLACES = frozenset({ESTATE_FILE, "specs", "policies", "compliance"})


class CommitTree(Mapping[str, bytes]):
    """The regular files of one commit or tree.

    Raises:
        SpecError: when a document's place holds a symbolic link or a submodule.
    """

    def __init__(self, repository: Repository, revision: str) -> None:
        self._repository = repository
        entries = repository.tree(revision)
        self._blobs: dict[str, str] = {}
        for path, entry in entries.items():
            if entry.mode in _FILE_MODES:
                self._blobs[path] = entry.blob
            elif path.partition("/")[0] in _PLACES:
                message = f"{path} is a symbolic link or submodule, not a file"
                remedy = "commit the file itself"
                raise SpecError(message, remedy=remedy, location=Location(path), code="SPEC002")
        wanted = [blob for path, blob in self._blobs.items() if is_document_path(path)]
        self._read = repository.read_many(wanted)

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
