"""What an earlier check has found out and need not find out again.

The cache knows two things and no others: which documents stand in a file of these bytes when the
file has no finding, and at which documents nothing was found, given the answers to all that was
asked meanwhile (see `reads`). It holds no finding and no value. Whatever is to be said is said from
the bytes that were read in this run, so a warm check prints what a cold one prints, and a cache
that is lost, old or damaged costs time and nothing else.

It is one file for each estate, outside of the work tree (see `memory` for when a file is believed).
It is JSON, never pickle.
Whoever may write it can make the check say nothing, so a directory or file that belongs to somebody
else or that others may write is not used, neither is one inside of what is checked. The server hook
and the reconciler are given none: they ask every question every time, and remember no more than
what bytes say (see `known_values`).

Refused: a database of single entries, which takes as long to ask five thousand times as the answer
saves; times and sizes of files instead of their bytes, which anybody can set.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.graph import Ties
from ordain.specs.memory import is_own, keep, recall

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ordain.specs.documents import Document
    from ordain.specs.reads import Answers

# Kind, name and ties of a document.
Known = tuple[str, str, Ties]

_FORMAT: Final = "ordain.cache/1"
_MOST_FILES: Final = 32


class Cache:
    """The cache of one estate; `tool` is the digest of everything that a check is made of."""

    def __init__(self, path: Path, tool: str) -> None:
        self._path = path
        self._tool = tool
        self._old = _read(path, tool)
        self._files: dict[str, Any] = {}
        self._silent: dict[str, Any] = {}

    @property
    def remembers(self) -> bool:
        """Whether an earlier run has left anything."""
        return bool(self._old)

    def documents(self, blob: str) -> list[Known] | None:
        """The documents of a file of these bytes, None where nothing is known about it."""
        found = self._old.get("files", {}).get(blob)
        if found is None:
            return None
        self._files[blob] = found
        return [
            (kind, name, Ties(tuple(links), (version[0], version[1]) if version else None))
            for kind, name, links, version in found
        ]

    def keep_documents(self, blob: str, documents: Iterable[Document]) -> None:
        """Remember the documents of a file that has no finding."""
        self._files[blob] = [
            [one.kind, one.name, one.ties.links, one.ties.version] for one in documents
        ]

    def silent(self, rules: str, answers: Answers) -> dict[str, Sequence[str]]:
        """Where nothing would be found, by these rules and with these answers, and what that rests
        on.
        """
        old = self._old.get("silent", {})
        if old.get("rules") != rules:
            return {}
        asked = old["asked"]
        stale = {at for at, (question, answer) in enumerate(asked) if answers[question] != answer}
        return {
            subject: [asked[at][0] for at in rests_on]
            for subject, rests_on in old["subjects"].items()
            if stale.isdisjoint(rests_on)
        }

    def keep_silent(
        self, rules: str, subjects: Mapping[str, Iterable[str]], answers: Answers
    ) -> None:
        """Remember where nothing was found, and what was asked for it."""
        numbers: dict[str, int] = {}
        numbered = {
            subject: [numbers.setdefault(question, len(numbers)) for question in questions]
            for subject, questions in subjects.items()
        }
        asked = [[question, answers[question]] for question in numbers]
        self._silent = {"rules": rules, "asked": asked, "subjects": numbered}

    def save(self) -> None:
        """Write what this run knows; failing to write is no failure of a check."""
        content = {"files": self._files, "silent": self._silent}
        body = json.dumps(content, separators=(",", ":")).encode()
        if keep(self._path, f"{_FORMAT} {self._tool}", body):
            with suppress(OSError):
                _evict(self._path.parent)

    def touch(self) -> None:
        """Say that the cache is in use."""
        with suppress(OSError):
            os.utime(self._path, follow_symlinks=False)


def _read(path: Path, tool: str) -> dict[str, Any]:
    """What the file holds; nothing where it is not exactly what this tool has written."""
    body = recall(path, f"{_FORMAT} {tool}")
    if body is None:
        return {}
    content: dict[str, Any] = json.loads(body)
    return content


def _evict(directory: Path) -> None:
    """Forget the estates that were not checked for the longest time."""
    with os.scandir(directory) as entries:
        files = sorted(
            (entry.stat(follow_symlinks=False).st_mtime, entry.path) for entry in entries
        )
    for _, path in files[:-_MOST_FILES]:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - the name is a text


def open_cache(directory: Path, root: Path, tool: str) -> Cache | None:
    """The cache of the estate at `root` in a directory of caches, which is made if need be.

    None where the directory cannot be made, belongs to somebody else, may be written by others, or
    stands inside of the estate.
    """
    real = os.path.realpath(root)
    place = os.path.realpath(directory)
    if os.path.commonpath((real, place)) == real:
        return None
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not is_own(os.lstat(directory), stat.S_ISDIR):
            return None
    except OSError:
        return None
    name = sha256(os.fsencode(real)).hexdigest()[:32]
    return Cache(directory / f"{name}.json", tool)
