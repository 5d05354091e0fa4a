"""One way to run git.

Git is run as a program, by list of arguments and never through a shell. GitPython was refused for
this: it reads hot paths object by object in Python and starts a process per question anyway.

The environment is made the same everywhere. Variables that a hook or an editor leaves behind
(`GIT_DIR`, `GIT_INDEX_FILE`, `GIT_CONFIG_COUNT`, …) would redirect us to another repository, so
they are removed; in a server hook those that name the quarantine of the push are kept, because
it holds commits that exist nowhere else. The user's configuration stays, because credentials,
proxies and `safe.directory` live there; what would change an answer is overridden by `-c`. Replace
refs and grafts make one commit id show another commit's content and are switched off. No hook of
the repository runs on our behalf.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.vcs.errors import (
    CorruptObject,
    GitError,
    GitMissing,
    GitTimeout,
    NotARepository,
    UnknownRevision,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KEPT = frozenset(
    {
        "GIT_ASKPASS",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_EXEC_PATH",
        "GIT_PROXY_COMMAND",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_NO_VERIFY",
    }
)

QUARANTINE = frozenset(
    {"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"}
)

FIXED = {
    "GIT_GRAFT_FILE": os.devnull,
    # A file may be called ":!*", which must not mean anything.
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LANGUAGE": "",
    "LC_ALL": "C",
}

SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "advice.graftFileDeprecated=false",
    "color.ui=false",
    "commit.gpgSign=false",
    "diff.ignoreSubmodules=none",
    "diff.renames=true",
    "fetch.prune=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "merge.directoryRenames=conflict",
    "merge.renames=true",
    "merge.renormalize=false",
    "merge.verifySignatures=false",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.pushOption=",
    "submodule.recurse=false",
)
PREFIX = ("git", *(part for setting in SETTINGS for part in ("-c", setting)))

CORRUPT = (
    " is corrupt",
    "hash mismatch",
    "inflate:",
    "is empty",
    "bad object",
    "unable to unpack",
    "unable to read tree",
    "could not read",
    "missing blob",
)


UNKNOWN = ("unknown revision", "Not a valid object name", "Not a valid commit name")


@dataclass(frozen=True, slots=True)
class Answer:
    """What git wrote, and how it ended."""

    code: int
    out: bytes
    error: str


def environment() -> dict[str, str]:
    """The variables that git is started with."""
    kept = KEPT | QUARANTINE if "GIT_QUARANTINE_PATH" in os.environ else KEPT
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in kept
    }
    return own | FIXED


def ask(
    directory: Path | str,
    arguments: Sequence[str],
    *,
    stdin: bytes | None = None,
    extra: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Answer:
    """Run git in a directory and return its answer, whatever the exit code; `timeout` in seconds.

    Raises:
        GitMissing: no git program is installed, or the directory is not there.
        GitTimeout: git was still running after `timeout` seconds and was killed.
    """
    feed: dict[str, object] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    try:
        done = subprocess.run(
            [*PREFIX, *arguments],
            cwd=directory,
            env=environment() | dict(extra or {}),
            capture_output=True,
            check=False,
            timeout=timeout,
            **feed,  # type: ignore[call-overload]
        )
    except FileNotFoundError as error:
        raise _absent(directory) from error
    except NotADirectoryError as error:
        raise NotARepository(
            f"{directory} is a file, not a directory", remedy="name the directory of the estate"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise GitTimeout(
            f"git {arguments[0]} did not end within {timeout:g} s",
            remedy="see whether the remote answers: git ls-remote",
        ) from error
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


def _absent(directory: Path | str) -> GitError:
    if not os.path.isdir(directory):  # noqa: PTH112 - both kinds of path are accepted here
        return NotARepository(
            f"{directory} does not exist", remedy="name the directory of the estate"
        )
    return GitMissing(
        "the program git is not on the PATH", remedy="install git 2.38 or later and try again"
    )


def last_line(error: str) -> str:
    """The line in which git says why: its last `fatal:` or `error:`, else the last of all."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    blamed = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return next(reversed(blamed or lines), "git gave no reason")


def failure(arguments: Sequence[str], answer: Answer) -> GitError:
    """The error that fits git's words."""
    reason = last_line(answer.error)
    message = f"git {arguments[0]}: {reason}"
    if "not a git repository" in answer.error:
        return NotARepository(message, remedy="run git init, or name the directory of the estate")
    if "dubious ownership" in answer.error:
        return NotARepository(
            message, remedy="tell git to trust it: git config --global --add safe.directory DIR"
        )
    if any(sign in answer.error for sign in CORRUPT):
        return CorruptObject(
            message, remedy="run git fsck, then fetch the object again from a good clone"
        )
    if any(sign in reason for sign in UNKNOWN):
        return UnknownRevision(message, remedy="fetch it, or see git log for the names there are")
    if ".lock': File exists" in answer.error:
        return GitError(
            message, remedy="wait for the other git process; if there is none, remove the lock file"
        )
    return GitError(message, remedy=f"run the same by hand to see more: git {arguments[0]}")


def checked(answer: Answer, arguments: Sequence[str]) -> bytes:
    """What git wrote, if it ended well; the error that fits if not."""
    if answer.code != 0:
        raise failure(arguments, answer)
    return answer.out
