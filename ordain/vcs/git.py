"""A git repository as the rest of the house sees it.

Reading goes through one open `git cat-file`; writing makes objects and moves refs by compare and
swap. The work tree and the index belong to the user: nothing here touches them except
`fast_forward`, which gives up rather than lose a line. Porcelain commands (`git commit`, `git
merge`) were refused because they read the user's configuration, run hooks and need a work tree.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ordain.vcs.errors import (
    GitError,
    GitTooOld,
    MergeConflict,
    NotARepository,
    PushRejected,
    RefMoved,
    UnrelatedHistories,
    unrelated,
)
from ordain.vcs.objects import BLOB, EXECUTABLE, Entry, Identity, format_stamp
from ordain.vcs.plain_merges import without_attributes
from ordain.vcs.process import Answer, ask, checked, failure, last_line
from ordain.vcs.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from ordain.vcs.keys import AnySigner

# Hex digits of an id; longer ones are of SHA-256.
_SHA1 = 40
RACED = ("but expected", "reference already exists", "unable to resolve reference")


class Repository(Reading):
    """A repository with or without a work tree; `path` is its top, or the git directory if bare.

    A repository owns a process while it is read: use it in a `with` block, or `close()` it.
    """

    # Beginnings and ends

    @classmethod
    def open(cls, path: Path | str, *, network_timeout: float = 120.0) -> Self:
        """Find the repository that holds a directory; `network_timeout` in seconds.

        A repository without commits can be opened; asking for its `HEAD` raises `NoCommits`.

        Raises:
            NotARepository: there is none, or git does not trust its owner.
        """
        command = ("rev-parse", "--is-bare-repository", "--absolute-git-dir", "--show-prefix")
        answer = ask(path, command)
        if answer.code != 0:
            raise _unopened(Path(path), failure(command, answer))
        bare, directory = os.fsdecode(answer.out).split("\n")[:2]
        if bare == "true":
            return cls(Path(directory), bare=True, network_timeout=network_timeout)
        top = ask(path, ("rev-parse", "--show-toplevel"))
        if top.code != 0:
            raise NotARepository(
                f"{path} lies inside a git directory", remedy="name the directory of the estate"
            )
        return cls(Path(os.fsdecode(top.out[:-1])), network_timeout=network_timeout)

    @classmethod
    def init(cls, path: Path | str, *, branch: str = "main", bare: bool = False) -> Self:
        """Make an empty repository (and its directory) whose first branch is `branch`."""
        Path(path).mkdir(parents=True, exist_ok=True)
        kind = ("--bare",) if bare else ()
        command = ("init", "--quiet", "--template=", f"--initial-branch={branch}", *kind)
        checked(ask(path, command), command)
        return cls.open(path)

    @classmethod
    def clone(
        cls, url: str, path: Path | str, *, bare: bool = False, network_timeout: float = 120.0
    ) -> Self:
        """Copy a repository with its whole history."""
        target = Path(path).absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        kind = ("--bare",) if bare else ()
        command = ("clone", "--quiet", "--template=", *kind, "--", url, str(target))
        checked(ask(target.parent, command, timeout=network_timeout), command)
        return cls.open(target, network_timeout=network_timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing objects

    def write_blob(self, content: bytes) -> str:
        return self._written("hash-object", "-w", "--stdin", stdin=content)

    def write_tree(self, base: str | None, changes: Mapping[str, bytes | None]) -> str:
        """The tree of `base` (None: empty) with files replaced, added, or removed by None.

        An index of its own is used and thrown away. A file keeps its executable bit.

        Raises:
            GitError: a path that git refuses (`..`, `.git`, an empty part).
        """
        before = {} if base is None else self.tree(base)
        lines = [self._index_line(path, changes[path], before.get(path)) for path in changes]
        with tempfile.TemporaryDirectory(prefix="ordain-index-") as directory:
            index = {"GIT_INDEX_FILE": str(Path(directory) / "index")}
            if base is not None:
                self._run("read-tree", self._id(base), extra=index)
            command = ("update-index", "-z", "--add", "--remove", "--index-info")
            answer = self._ask(*command, stdin=b"".join(lines), extra=index)
            # Git leaves out a path that it finds unfit, says so, and ends with success.
            if answer.code != 0 or "Ignoring path" in answer.error:
                raise failure(command, answer)
            return self._written("write-tree", extra=index)

    def index_tree(self, index: str | None = None) -> str:
        """The tree that a commit of the index would have; `index` is the file of another one.

        Git names it to a hook while it makes a commit of some files only.

        Raises:
            GitError: the index has conflicts.
        """
        where = {} if index is None else {"GIT_INDEX_FILE": str(Path(index).absolute())}
        return self._written("write-tree", extra=where)

    def _index_line(self, path: str, content: bytes | None, old: Entry | None) -> bytes:
        name = path.encode("utf-8", "surrogateescape")
        if content is None:
            zero = "0" * (len(old.blob) if old else 40)
            return f"0 {zero}\t".encode() + name + b"\0"
        mode = old.mode if old and old.mode == EXECUTABLE else BLOB
        return f"{mode} {self.write_blob(content)}\t".encode() + name + b"\0"

    def write_commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        who: Identity,
        time: datetime,
        signer: AnySigner | None = None,
    ) -> str:
        """Store a commit by one person (author and committer), signed if there is a signer.

        No ref moves; until one does, the commit is out of sight.
        """
        stamp = format_stamp(who, time)
        head = [f"tree {tree}", *(f"parent {self._id(one)}" for one in parents)]
        head += [f"author {stamp}", f"committer {stamp}"]
        text = message.strip("\n") + "\n"
        payload = "\n".join([*head, "", text]).encode()
        if signer is not None:
            from ordain.vcs.signatures import sign

            armor = sign(signer, "git", payload).strip().replace("\n", "\n ")
            payload = "\n".join([*head, f"gpgsig {armor}", "", text]).encode()
        return self._written("hash-object", "-t", "commit", "-w", "--stdin", stdin=payload)

    def merge_tree(self, ours: str, theirs: str) -> str:
        """The id of the tree that merging two commits gives, whatever attributes are set where.

        Raises:
            MergeConflict: people have to decide; its `paths` says where.
            UnrelatedHistories: they have no commit in common.
            GitTooOld: before git 2.38 this needs a work tree.
        """
        command = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages")
        sides = self._id(ours), self._id(theirs)
        with without_attributes(self.objects, sha256=len(sides[0]) > _SHA1) as (place, extra):
            answer = ask(place, (*command, *sides), extra=extra)
        if answer.code == 129:  # noqa: PLR2004 - how git ends when it does not know an option
            raise GitTooOld(
                f"{self._run('version').decode().strip()} cannot merge without a work tree",
                remedy="install git 2.38 or later",
            )
        tree, *conflicts = answer.out.decode("utf-8", "surrogateescape").split("\0")[:-1] or [""]
        if answer.code == 1 and tree:
            paths = tuple(dict.fromkeys(conflicts))
            raise MergeConflict(
                f"the two sides changed the same lines of {', '.join(paths)}",
                paths,
                remedy="merge the target branch into the proposal, settle the files, and push",
            )
        if answer.code != 0 and self.merge_base(ours, theirs) is None:
            raise unrelated(ours, theirs)
        checked(answer, command)
        return tree

    def holds_of_its_own(self, merge: str, paths: Collection[str]) -> frozenset[str]:
        """Those of the paths at which a merge holds something else than merging its parents gives.

        Where git cannot tell, because people had to decide or it cannot merge such parents at all,
        it is whoever made the merge who has chosen.
        """
        commit = self.commit(merge)
        if len(commit.parents) != 2:  # noqa: PLR2004 - git merges two
            return frozenset(paths)
        try:
            plain = self.tree(self.merge_tree(*commit.parents))
        except (MergeConflict, UnrelatedHistories):
            return frozenset(paths)
        held = self.tree(commit.tree)
        return frozenset(path for path in paths if plain.get(path) != held.get(path))

    # Refs

    def update_ref(self, ref: str, new: str | None, old: str | None) -> None:
        """Move `ref` from `old` (None: it must not exist) to `new` (None: delete it).

        Raises:
            RefMoved: it does not point to `old` any more; it stays where it is.
        """
        zero = "0" * len(new or old or "")
        command = ("update-ref", "--no-deref", "--stdin", "-z")
        order = f"update {ref}\0{new or zero}\0{old or zero}\0".encode()
        answer = self._ask(*command, stdin=order)
        if answer.code == 0:
            return
        if any(sign in answer.error for sign in RACED):
            raise RefMoved(
                f"{ref} is not at {old or 'its beginning'} any more: {last_line(answer.error)}",
                remedy="read it again and repeat",
            )
        raise failure(command, answer)

    def fast_forward(self, revision: str) -> None:
        """Bring HEAD, index and work tree forward; `GitError` if anything would be lost by it."""
        how = ("--ff-only", "--no-overwrite-ignore", "--quiet")
        self._run("merge", *how, self._id(revision))

    def switch_files(self, old: str, new: str, *, rehearse: bool = False) -> None:
        """Bring index and work tree from the files of `old` to those of `new`; HEAD stays.

        For a work tree whose branch was just moved by `update_ref`. With `rehearse` nothing is
        written; `GitError` if a changed or untracked file is in the way.
        """
        move = ("read-tree", "-m", "-u", self._id(old), self._id(new))
        # Without it a file that was only touched, or copied, would be taken for a changed one.
        refresh = ("update-index", "-q", "--refresh")
        if not rehearse:
            self._ask(*refresh)
            self._run(*move)
            return
        # On a copy, because even a rehearsal locks the index, and so trips whoever works beside.
        index = self.path / os.fsdecode(self._run("rev-parse", "--git-path", "index")[:-1])
        with tempfile.TemporaryDirectory(prefix="ordain-index-") as directory:
            copy = Path(directory) / "index"
            if index.exists():
                shutil.copyfile(index, copy)
            where = {"GIT_INDEX_FILE": str(copy)}
            self._ask(*refresh, extra=where)
            self._run(*move, "-n", extra=where)

    def checked_out(self) -> dict[str, Path]:
        """Full name of each branch that some work tree of this repository is on, and where."""
        found, place = {}, self.path
        for line in os.fsdecode(self._run("worktree", "list", "--porcelain")).splitlines():
            key, _, value = line.partition(" ")
            place = Path(value) if key == "worktree" else place
            if key == "branch":
                found[value] = place
        return found

    # Remotes

    def fetch(self, remote: str, refspecs: Sequence[str], *, prune: bool = False) -> None:
        """Fetch just these refspecs; `prune` deletes their targets that the remote has no more."""
        how = ("--prune",) if prune else ()
        command = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *how)
        answer = self._ask(*command, "--", remote, *refspecs, timeout=self.network_timeout)
        checked(answer, command)

    def push(self, remote: str, refspecs: Sequence[str], lease: Mapping[str, str | None]) -> None:
        """Push all refspecs or none, each ref in `lease` only from where it is expected to be.

        `lease` maps a full ref name of the remote to its expected id, None for "not there". A ref
        without a lease moves forward only. Hooks of this clone do not run, those of the remote do.

        Raises:
            PushRejected: the remote refused, or a ref was not where it was expected.
        """
        leases = [f"--force-with-lease={ref}:{old or ''}" for ref, old in lease.items()]
        command = ("push", "--porcelain", "--atomic", "--no-verify", *leases)
        answer = self._ask(*command, "--", remote, *refspecs, timeout=self.network_timeout)
        if answer.code != 0:
            raise _rejection(answer) or failure(command, answer)


def _unopened(path: Path, error: GitError) -> GitError:
    """The same error; where something named `.git` is there, `git init` would not mend it."""
    here = (one / ".git" for one in (path.absolute(), *path.absolute().parents))
    found = next((one for one in here if os.path.lexists(one)), None)
    if not isinstance(error, NotARepository) or "safe.directory" in error.remedy or found is None:
        return error
    return NotARepository(
        error.message, remedy=f"see whether {found} is yours, can be read and is whole"
    )


def _rejection(answer: Answer) -> PushRejected | None:
    """Read git's porcelain report; None when it never came to one (no connection, no remote)."""
    lines = [line.split("\t") for line in answer.out.decode("utf-8", "replace").splitlines()]
    refused = [line for line in lines if line[0] == "!" and len(line) > 2]  # noqa: PLR2004
    if not refused:
        return None
    # In an atomic push the innocent refs fail too; the reason is with the first that is not one.
    guilty = next((line for line in refused if "atomic" not in line[2]), refused[0])
    reason = guilty[2].partition("(")[2].removesuffix(")") or guilty[2]
    said = tuple(
        line.removeprefix("remote:").strip()
        for line in answer.error.splitlines()
        if line.startswith("remote:") and line.removeprefix("remote:").strip()
    )
    # A hook that names an error says more after it: the remedy, and what to do next.
    reasons = [line for line in said if line.startswith("error[")] or list(said[-1:])
    told = f": {reasons[0]}" if reasons else ""
    return PushRejected(
        f"the remote refused {guilty[1].partition(':')[2]} ({reason}){told}",
        reason=reason,
        said=said,
        remedy="fetch, look at what has changed, and repeat",
    )
