"""What a change is, so that an approval can bind to it and to nothing else.

A change is the set of files it touches with their content before and after. Its digest therefore
survives a rebase, a squash and a merge of other work, and dies with one more byte in one of its
own files, on either side. Binding to the commit id was refused because every update from the base
branch would void every approval; binding to the diff text, because context lines depend on
settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.specs.canonical import digest as canonical_digest
from ordain.vcs.errors import UnnameableChange, unrelated
from ordain.vcs.process import failure

if TYPE_CHECKING:
    from ordain.vcs.git import Repository

FORMAT = "ordain.change/1"
ABSENT = "000000"


@dataclass(frozen=True, slots=True, order=True)
class PathChange:
    """One file before and after: git's blob id and mode, None where the file is not there."""

    path: str
    old_blob: str | None
    new_blob: str | None
    old_mode: str | None
    new_mode: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """The way from one commit (or tree) to another; `paths` is sorted by code point.

    Bytes outside of UTF-8 are escaped in a path, as everywhere; such a change can be looked at, but
    has no digest, so that nothing can approve it.
    """

    base: str
    head: str
    paths: tuple[PathChange, ...]

    @property
    def digest(self) -> str:
        """`sha256:` over the format name and each path's old and new blob and mode.

        Raises:
            UnnameableChange: a path is not UTF-8, so it has no place in a canonical digest.
        """
        if self.unnameable:
            raise unnameable(self.unnameable[0])
        rows = [
            [one.path, one.old_blob, one.new_blob, one.old_mode, one.new_mode] for one in self.paths
        ]
        return canonical_digest({"format": FORMAT, "paths": rows})

    @property
    def unnameable(self) -> tuple[str, ...]:
        """The paths that are not UTF-8."""
        return tuple(name for name in self.names if not _is_utf8(name))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.path for one in self.paths)


def change_between(repository: Repository, base: str, head: str) -> Change:
    """The change from commit or tree `base` to commit or tree `head`, both by their ids.

    Renames are a removal and an addition. For a proposal, `base` is the merge base.
    """
    command = ("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", base, head)
    answer = repository.ask(*command)
    if answer.code != 0:
        raise failure(command, answer)
    fields = answer.out.split(b"\0")[:-1]
    pairs = zip(fields[::2], fields[1::2], strict=True)
    return Change(base, head, tuple(sorted(_path_change(head, path) for head, path in pairs)))


def proposed_change(repository: Repository, target: str, head: str) -> Change:
    """What merging `head` would bring into `target`: the change since their merge base."""
    base = repository.merge_base(target, head)
    if base is None:
        raise unrelated(target, head)
    return change_between(repository, base, repository.resolve(head))


def _path_change(raw: bytes, path: bytes) -> PathChange:
    old_mode, new_mode, old_blob, new_blob, _ = raw.decode("ascii").removeprefix(":").split(" ")
    before, after = old_mode != ABSENT, new_mode != ABSENT
    return PathChange(
        path=path.decode("utf-8", "surrogateescape"),
        old_blob=old_blob if before else None,
        new_blob=new_blob if after else None,
        old_mode=old_mode if before else None,
        new_mode=new_mode if after else None,
    )


def _is_utf8(path: str) -> bool:
    # Only what stands for a byte that could not be read is a surrogate.
    return path.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in path)


def unnameable(path: str) -> UnnameableChange:
    """Why no approval can bind to a change of this file."""
    name = path.encode("utf-8", "surrogateescape")
    return UnnameableChange(
        f"the path {name!r} is not UTF-8, so no approval can bind to it", remedy="rename the file"
    )
