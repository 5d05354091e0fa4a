"""What a forge does inside its bare repository, with git's plumbing and no work tree.

Commits are written as objects by hand because `git commit-tree` cannot add the header that shows a
platform's signature.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

# Not a signature of anything: it makes a commit look like one that the platform signed.
PLATFORM_SIGNATURE = (
    "-----BEGIN PGP SIGNATURE-----\n\nd3JpdHRlbiBieSBhIHN0dWI=\n=stub\n-----END PGP SIGNATURE-----"
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit object: `author` and `committer` are (name, e-mail, date) with an ISO 8601 date."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str
    signature: str | None


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path of a diff; `sha` is None for a file that is gone."""

    path: str
    previous: str | None
    status: str
    sha: str | None
    additions: int
    deletions: int
    patch: str | None


STATUSES = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied"}


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare repository."""

    path: Path

    def run(self, *args: str, stdin: bytes = b"", ok: tuple[int, ...] = (0,)) -> str | None:
        """The output, or None where git ends with another status than one of `ok`."""
        environment = {**os.environ, "GIT_DIR": str(self.path), "LC_ALL": "C"}
        done = subprocess.run(
            ["git", *args], input=stdin, capture_output=True, env=environment, check=False
        )
        return done.stdout.decode("utf-8", "replace") if done.returncode in ok else None

    def must(self, *args: str, stdin: bytes = b"") -> str:
        found = self.run(*args, stdin=stdin)
        if found is None:
            raise AssertionError(f"git {' '.join(args)} failed in {self.path}")
        return found

    def commit_of(self, name: str) -> str | None:
        """The commit that a ref or a full id names."""
        found = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return None if found is None else found.strip()

    def branch(self, name: str) -> str | None:
        return self.commit_of(f"refs/heads/{name}")

    def merge_base(self, one: str, other: str) -> str | None:
        found = self.run("merge-base", one, other)
        return None if found is None else found.strip()

    def between(self, base: str, head: str) -> list[str]:
        """The commits of `head` that `base` has not, oldest first."""
        return self.must("rev-list", "--reverse", "--topo-order", f"{base}..{head}").split()

    def is_ancestor(self, old: str, new: str) -> bool:
        return self.run("merge-base", "--is-ancestor", old, new) is not None

    def read(self, sha: str) -> Commit:
        form = "%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
        parts = self.must("show", "-s", "--no-show-signature", f"--format={form}", sha)
        tree, parents, an, ae, ad, cn, ce, cd, message = parts.split("\0", 8)
        ends = (an, ae, ad), (cn, ce, cd)
        return Commit(
            sha, tree, tuple(parents.split()), *ends, message.rstrip("\n"), self._sig(sha)
        )

    def _sig(self, sha: str) -> str | None:
        head = self.must("cat-file", "commit", sha).partition("\n\n")[0]
        _, found, rest = head.partition("\ngpgsig ")
        lines = rest.split("\n")
        kept = [lines[0], *(line[1:] for line in lines[1:] if line.startswith(" "))]
        return "\n".join(kept) if found else None

    def files(self, base: str, head: str) -> list[FileChange]:
        """The paths that differ between two commits, with git's own rename detection."""
        both = ("diff-tree", "-r", "-M", base, head)
        raw = iter(self.must(*both, "--raw", "-z", "--no-abbrev").split("\0"))
        counts = self.must(*both, "--numstat").splitlines()
        # A line of a file has a mark before it, so that only a header starts like this.
        patches = re.split(r"(?m)^diff --git ", self.must(*both, "-p"))[1:]
        found = []
        for line, patch in zip(counts, patches, strict=True):
            meta, first = next(raw).split(), next(raw)
            path = next(raw) if meta[4][0] in "RC" else first
            found.append(_change(meta, first, path, line.split("\t")[:2], patch))
        return found

    def merged_tree(self, onto: str, head: str) -> str | None:
        """The tree of a merge, or None where it conflicts."""
        found = self.run("merge-tree", "--write-tree", onto, head)
        return None if found is None else found.split("\n", 1)[0]

    def replayed(self, commit: Commit, onto: str) -> str | None:
        """The tree of `commit` picked onto another tip, or None where it conflicts.

        A merge of two children of its parent, one of them with the tip's tree, is that pick.
        """
        tree = self.must("rev-parse", f"{onto}^{{tree}}").strip()
        who = commit.author[:2]
        beside = self._write(tree, commit.parents[:1], (who, who), "", "1 +0000", None)
        return self.merged_tree(beside, commit.sha)

    def commit(
        self,
        tree: str,
        parents: tuple[str, ...],
        *,
        author: tuple[str, str],
        committer: tuple[str, str],
        message: str,
        time: datetime,
        signature: str | None = None,
    ) -> str:
        when = f"{int(time.timestamp())} +0000"
        return self._write(tree, parents, (author, committer), message, when, signature)

    def _write(
        self,
        tree: str,
        parents: tuple[str, ...],
        people: tuple[tuple[str, str], tuple[str, str]],
        message: str,
        when: str,
        signature: str | None,
    ) -> str:
        (an, ae), (cn, ce) = people
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents)]
        lines += [f"author {an} <{ae}> {when}", f"committer {cn} <{ce}> {when}"]
        if signature is not None:
            lines.append("gpgsig " + signature.replace("\n", "\n "))
        text = "\n".join([*lines, "", message.rstrip("\n") + "\n"])
        return self.must(
            "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()
        ).strip()

    def move(self, ref: str, new: str, old: str) -> bool:
        """Set a ref if it still stands where it stood; an `old` of zeros creates it."""
        return self.run("update-ref", ref, new, old) is not None


def _change(meta: list[str], first: str, path: str, counts: list[str], patch: str) -> FileChange:
    """`meta` is a raw line of git: two modes, two blobs, a letter. A binary has no counts."""
    old, new, letter = meta[2], meta[3], meta[4][0]
    binary = counts[0] == "-"
    shown = patch[patch.index("@@ -") :].rstrip() if "\n@@ -" in patch else None
    return FileChange(
        path=path,
        previous=first if letter == "R" else None,
        status=STATUSES.get(letter, "changed"),
        sha=old if letter == "D" else new,
        additions=0 if binary else int(counts[0]),
        deletions=0 if binary else int(counts[1]),
        patch=shown,
    )
