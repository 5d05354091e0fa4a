"""A small bare repository for the stubs, made by git itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def git(path: Path, *args: str, stdin: str = "") -> str:
    command = ["git", "-C", str(path), *args]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def bare_repository(directory: Path) -> Path:
    """`main` with two commits; `topic` left it after the first and has two of its own.

    Both change `model.yaml`, in lines that do not meet.
    """
    work, path = directory / "work", directory / "estate.git"
    git(directory, "init", "-q", "-b", "main", str(work))

    def write(name: str, text: str, message: str) -> None:
        (work / name).write_text(text)
        git(work, "add", ".")
        git(work, "commit", "-q", "-m", message)

    write("model.yaml", "a: 1\nb: 2\nc: 3\n", "first")
    git(work, "checkout", "-q", "-b", "topic")
    write("version.yaml", "v: 2\n", "second")
    write("model.yaml", "a: 1\nb: 2\nc: 4\n", "third\n\nwith a body")
    git(work, "checkout", "-q", "main")
    write("model.yaml", "a: 0\nb: 2\nc: 3\n", "fourth")
    git(directory, "clone", "-q", "--bare", str(work), str(path))
    return path


def push(bare: Path, branch: str = "topic", name: str = "more.yaml") -> str:
    """One more commit on a branch, with one more file; its id."""
    blob = git(bare, "hash-object", "-w", "--stdin", stdin=f"{branch} {name}\n")
    listing = git(bare, "ls-tree", branch)
    tree = git(bare, "mktree", stdin=f"{listing}\n100644 blob {blob}\t{name}\n")
    new = git(bare, "commit-tree", tree, "-p", branch, "-m", "more")
    git(bare, "update-ref", f"refs/heads/{branch}", new)
    return new
