"""The half of a repository that cannot change it: revisions, history, trees, content, refs."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from ordain.vcs.errors import (
    CorruptObject,
    GitError,
    MissingPath,
    NoCommits,
    ShallowClone,
    UnknownRevision,
)
from ordain.vcs.known_signatures import KnownSignatures
from ordain.vcs.objects import Commit, Entry, ObjectReader, is_id, parse_commit
from ordain.vcs.process import Answer, ask, checked, failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class Reading:
    """What can be asked of a repository; `git.Repository` is what there is."""

    def __init__(self, path: Path, *, bare: bool = False, network_timeout: float = 120.0) -> None:
        self.path = path
        self.bare = bare
        self.network_timeout = network_timeout
        self._objects = ObjectReader(path)
        self.signatures = KnownSignatures()

    def close(self) -> None:
        """End the reading process, if there is one; the next read starts another."""
        self._objects.close()

    @cached_property
    def objects(self) -> Path:
        """Where git keeps the objects; during a push, where those of the push are."""
        found = os.fsdecode(self._run("rev-parse", "--git-path", "objects")[:-1])
        return (self.path / found).resolve()

    # Revisions and history

    def resolve(self, revision: str) -> str:
        """The id of the commit that a name stands for.

        Raises:
            NoCommits: the repository has no commit at all yet.
            UnknownRevision: there is no such commit.
        """
        command = ("rev-parse", "--verify", "--end-of-options", revision + "^{commit}")
        answer = self._ask(*command)
        if answer.code == 0:
            return answer.out.split()[-1].decode()
        error = failure(command, answer)
        if isinstance(error, CorruptObject):
            raise error
        if revision in {"HEAD", "@"} or not self.refs("refs/"):
            self._refuse_unborn(revision)
        raise UnknownRevision(
            f"{revision!r} names no commit in {self.path}",
            remedy="fetch it, or see git log --all for the commits there are",
        )

    def _refuse_unborn(self, revision: str) -> None:
        branch = self.branch()
        if branch is None or f"refs/heads/{branch}" not in self.refs("refs/heads/"):
            raise NoCommits(
                f"{self.path} has no commits yet, so {revision!r} names nothing",
                remedy="commit something first: git add . && git commit",
            )

    def branch(self) -> str | None:
        """The branch that is checked out, also when it has no commit yet; None when detached."""
        answer = self._ask("symbolic-ref", "--quiet", "--short", "HEAD")
        return os.fsdecode(answer.out).strip() or None

    def commit(self, revision: str) -> Commit:
        """Read one commit."""
        return self.commits([revision])[0]

    def commits(self, revisions: Iterable[str]) -> list[Commit]:
        """Read many commits at the cost of few; full ids are read without asking git for more."""
        wanted = [self._id(name) for name in revisions]
        found = []
        for name, answer in zip(wanted, self._objects.read_many(wanted), strict=True):
            if answer is None or answer[1] != "commit":
                raise UnknownRevision(
                    f"{name} is not a commit of {self.path}",
                    remedy="fetch it, or see git log --all for the commits there are",
                )
            found.append(parse_commit(answer[0], answer[2]))
        return found

    def first_parent(self, base: str | None, head: str) -> tuple[str, ...]:
        """The commits of a line from after `base` (None: from its root) to `head`, oldest first.

        Raises:
            GitError: `base` is not on that line, so the way from one to the other is not linear.
        """
        until = self.resolve(head)
        since = None if base is None else self.resolve(base)
        if until == since:
            return ()
        without = () if since is None else (f"^{since}",)
        out = self._run("rev-list", "--first-parent", "--reverse", "--parents", until, *without)
        lines = [line.split() for line in out.decode().splitlines()]
        start = lines[0][1:2] if lines else []
        if start != ([] if since is None else [since]):
            raise GitError(
                f"{base} is not on the first-parent line of {head}",
                remedy="choose a commit that the branch has once pointed to",
            )
        return tuple(line[0] for line in lines)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` contains `old` (a commit contains itself)."""
        command = ("merge-base", "--is-ancestor", self._id(old), self._id(new))
        answer = self._ask(*command)
        if answer.code > 1:
            raise failure(command, answer)
        return answer.code == 0

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; None for unrelated histories."""
        command = ("merge-base", self._id(one), self._id(other))
        answer = self._ask(*command)
        if answer.code > 1:
            raise failure(command, answer)
        return answer.out.decode().strip() or None

    def merges_differing(self, commits: Iterable[str], paths: Iterable[str]) -> dict[str, set[str]]:
        """Those of the commits that are merges, with those of the paths in which each differs from
        at least one of its parents.

        Git leaves a merge out of the history of a file that is as in one parent; this does not.
        """
        wanted = tuple(paths)
        merges = {one.id for one in self.commits(commits) if len(one.parents) > 1}
        if not merges or not wanted:
            return {}
        command = ("diff-tree", "--stdin", "-m", "-r", "-z", "--name-only", "--no-renames")
        stdin = "".join(f"{one}\n" for one in sorted(merges)).encode()
        found: dict[str, set[str]] = {}
        current: set[str] = set()
        for part in self._run(*command, "--", *wanted, stdin=stdin).split(b"\0")[:-1]:
            name = part.decode("utf-8", "surrogateescape")
            if name in merges:
                current = found.setdefault(name, set())
            else:
                current.add(name)
        return found

    def root_commits(self, revision: str) -> tuple[str, ...]:
        """All commits without parents that a revision contains, sorted."""
        self._refuse_shallow()
        return tuple(sorted(self._rev_list("--max-parents=0", self._id(revision))))

    def root_commit(self, revision: str) -> str:
        """The root of the first-parent line: the identity of an estate.

        A merge can bring a second root into a history, but never another first-parent root.
        """
        self._refuse_shallow()
        return self._rev_list("--first-parent", "--max-parents=0", self._id(revision))[0]

    def _rev_list(self, *arguments: str) -> list[str]:
        return self._run("rev-list", *arguments).decode().split()

    def _refuse_shallow(self) -> None:
        if self._run("rev-parse", "--is-shallow-repository").strip() == b"true":
            raise ShallowClone(
                f"{self.path} is a shallow clone, its root commit is not here",
                remedy="fetch the whole history: git fetch --unshallow",
            )

    # Content

    def tree(self, revision: str) -> dict[str, Entry]:
        """Every leaf of a tree by its path (`/` between parts, bytes outside UTF-8 escaped).

        Symbolic links and submodules are there with their modes; the caller decides on them.
        """
        command = ("ls-tree", "-r", "-z", "--full-tree", self._id(revision))
        entries = {}
        for record in self._run(*command).split(b"\0")[:-1]:
            head, _, path = record.partition(b"\t")
            mode, _, blob = head.decode().split(" ")
            entries[path.decode("utf-8", "surrogateescape")] = Entry(mode, blob)
        return entries

    def _id(self, revision: str) -> str:
        # A full id needs no resolving, and may be that of a tree.
        return revision if is_id(revision) else self.resolve(revision)

    def read_many(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """The contents of many blobs by their ids.

        Raises:
            CorruptObject: one of them is missing or damaged.
        """
        names = list(dict.fromkeys(blobs))
        contents = {}
        for name, answer in zip(names, self._objects.read_many(names), strict=True):
            if answer is None:
                raise CorruptObject(
                    f"object {name} is missing from {self.path}",
                    remedy="run git fsck, then fetch the object again from a good clone",
                )
            contents[name] = answer[2]
        return contents

    def read(self, revision: str, path: str) -> bytes:
        """The content of one file of a revision; of a symbolic link its target.

        Raises:
            MissingPath: there is no such file there, or it is a directory.
        """
        if "\n" in path or not is_id(revision):
            entry = self.tree(revision).get(path)
            answer = next(self._objects.read_many([entry.blob])) if entry else None
        else:
            answer = next(self._objects.read_many([f"{revision}:{path}"]))
        if answer is None or answer[1] != "blob":
            raise MissingPath(
                f"there is no file {path!r} in {revision}",
                remedy=f"see what there is: git ls-tree -r {revision}",
            )
        return answer[2]

    def dirty_paths(self, *, untracked: bool = True) -> tuple[str, ...]:
        """Paths that differ between HEAD, index and work tree; sorted. Ignored files do not."""
        if self.bare:
            return ()
        others = "--untracked-files=all" if untracked else "--untracked-files=no"
        out = self._run("status", "--porcelain=v1", "-z", "--no-renames", others)
        records = out.split(b"\0")[:-1]
        return tuple(sorted(record[3:].decode("utf-8", "surrogateescape") for record in records))

    # Refs, work trees, remotes

    def refs(self, *prefixes: str) -> dict[str, str]:
        """Full ref name to object id for every ref under prefixes such as `refs/heads/`."""
        out = self._run("for-each-ref", "--format=%(refname)%00%(objectname)", *prefixes)
        # Not by `splitlines`: a name may hold what Unicode takes for the end of a line.
        lines = out.decode("utf-8", "surrogateescape").split("\n")[:-1]
        return dict(line.split("\0", 1) for line in lines)

    def remotes(self) -> dict[str, str]:
        """Name to URL; empty when there is none."""
        answer = self._ask("config", "-z", "--get-regexp", r"^remote\..*\.url$")
        records = os.fsdecode(answer.out).split("\0")[:-1]
        pairs = (record.split("\n", 1) for record in records)
        return {key.removeprefix("remote.").removesuffix(".url"): url for key, url in pairs}

    # Running git

    def ask(self, *arguments: str) -> Answer:
        """Run a git command that only reads; the answer is returned whatever it is."""
        return self._ask(*arguments)

    def _ask(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        return ask(self.path, arguments, stdin=stdin, extra=extra, timeout=timeout)

    def _run(
        self, *arguments: str, stdin: bytes | None = None, extra: Mapping[str, str] | None = None
    ) -> bytes:
        return checked(self._ask(*arguments, stdin=stdin, extra=extra), arguments)

    def _written(
        self, *arguments: str, stdin: bytes | None = None, extra: Mapping[str, str] | None = None
    ) -> str:
        return self._run(*arguments, stdin=stdin, extra=extra).decode().strip()
