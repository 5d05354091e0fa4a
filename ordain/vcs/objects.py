"""Git objects as values, and the one process that reads them.

`git cat-file --batch` stays open for as long as its repository: two thousand blobs cost one
process instead of two thousand. Each object that it hands over is hashed again and compared with
its name, because git itself does not do so for loose objects, and an approval binds to names.
"""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import tempfile
import threading
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import IO, TYPE_CHECKING, NamedTuple

from ordain.vcs.errors import CorruptObject, GitMissing
from ordain.vcs.process import PREFIX, environment, last_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

BLOB = "100644"
EXECUTABLE = "100755"
SYMLINK = "120000"
SUBMODULE = "160000"

_DAY = 24 * 60
# So many names fit into the smallest pipe there is; git answers while the next ones wait in it.
BATCH = 60
SIGNATURES = (b"gpgsig", b"gpgsig-sha256")


class Entry(NamedTuple):
    """A leaf of a tree: its mode (see `BLOB` and its kin) and the id of its content."""

    mode: str
    blob: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A name and an address as a commit claims them. A claim proves nothing: ask the signature."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as it is stored.

    `time` is the committer's claim. `signature` is the armoured signature or None; `payload` is
    what it covers: the raw object without its signature headers.
    """

    id: str
    tree: str
    parents: tuple[str, ...]
    author: Identity
    committer: Identity
    time: datetime
    message: str
    signature: str | None
    payload: bytes

    @property
    def title(self) -> str:
        return self.message.split("\n", 1)[0].strip()

    @property
    def body(self) -> str:
        return self.message.partition("\n")[2].strip()


def parse_commit(identifier: str, raw: bytes) -> Commit:
    """Read a raw commit object; `CorruptObject` when git itself would not have written it."""
    head, separator, message = raw.partition(b"\n\n")
    try:
        return _commit(identifier, list(_headers(head)), head, separator + message)
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        raise CorruptObject(
            f"commit {identifier} is malformed", remedy="run git fsck in this repository"
        ) from error


def _headers(head: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Name, value (continuation lines joined) and raw bytes of each header."""
    block: list[bytes] = []
    for line in [*head.split(b"\n"), None]:
        if line is not None and line.startswith(b" "):
            block.append(line)
            continue
        if block:
            name, _, first = block[0].partition(b" ")
            value = b"\n".join([first, *(rest[1:] for rest in block[1:])])
            yield name, value, b"\n".join(block)
        block = [] if line is None else [line]


def _commit(
    identifier: str, headers: list[tuple[bytes, bytes, bytes]], head: bytes, tail: bytes
) -> Commit:
    names = [name for name, _, _ in headers]
    count = names.count(b"parent")
    if names[: count + 3] != [b"tree", *[b"parent"] * count, b"author", b"committer"]:
        raise ValueError(head)
    author, _ = parse_stamp(headers[count + 1][1])
    committer, time = parse_stamp(headers[count + 2][1])
    signatures = [value for name, value, _ in headers if name in SIGNATURES]
    kept = b"\n".join(block for name, _, block in headers if name not in SIGNATURES)
    return Commit(
        id=identifier,
        tree=headers[0][1].decode(),
        parents=tuple(value.decode() for _, value, _ in headers[1 : count + 1]),
        author=author,
        committer=committer,
        time=time,
        message=tail[2:].decode("utf-8", "replace"),
        signature=b"\n".join(signatures).decode("ascii", "replace") if signatures else None,
        payload=kept + tail,
    )


def parse_stamp(value: bytes) -> tuple[Identity, datetime]:
    """Take `name <email> seconds offset` apart; an offset of a day or more is taken for none.

    Git takes any number of hours there, and the moment does not depend on it.
    """
    who, seconds, offset = value.decode("utf-8", "replace").rsplit(" ", 2)
    name, _, email = who.rstrip(">").partition("<")
    minutes = int(offset[1:3]) * 60 + int(offset[3:5])
    minutes = minutes if minutes < _DAY else 0
    zone = timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
    return Identity(name.strip(), email), datetime.fromtimestamp(int(seconds), zone)


def format_stamp(who: Identity, time: datetime) -> str:
    """Put `name <email> seconds +0000` together; whole seconds, always in UTC."""
    if set(f"{who.name}{who.email}") & set("<>\n\0"):
        raise ValueError(f"an identity cannot hold <, > or a line break: {who}")
    return f"{who.name} <{who.email}> {int(time.astimezone(UTC).timestamp())} +0000"


class ObjectReader:
    """The open `git cat-file --batch` of one repository; safe to share between threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: weakref.finalize[..., ObjectReader] | None = None
        self._errors: IO[bytes] | None = None

    def read_many(self, names: Iterable[str]) -> Iterator[tuple[str, str, bytes] | None]:
        """Yield (id, type, content) for each name, None for a name that leads nowhere.

        Raises:
            CorruptObject: an object cannot be read, or its content is not what its id says.
        """
        wanted = list(names)
        for start in range(0, len(wanted), BATCH):
            with self._lock:
                answers = self._exchange(wanted[start : start + BATCH])
            yield from answers

    def close(self) -> None:
        """End the process; the next read starts another."""
        if self._stop is not None:
            self._stop()
        self._process = None

    def _exchange(self, names: list[str]) -> list[tuple[str, str, bytes] | None]:
        lines = b"".join(_line(name) for name in names)
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - Popen was asked for a pipe
        try:
            process.stdin.write(lines)
            process.stdin.flush()
            return [self._answer(process, name) for name in names]
        except BrokenPipeError as error:
            raise self._broken(names[0]) from error
        except BaseException:
            # Whoever interrupts between question and answer must not leave the answer to the next.
            self.close()
            raise

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        try:
            self._process = subprocess.Popen(
                [*PREFIX, "cat-file", "--batch"],
                cwd=self._directory,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except FileNotFoundError as error:
            self._errors.close()
            raise GitMissing(
                "the program git is not on the PATH, or the repository has gone",
                remedy="install git 2.38 or later and try again",
            ) from error
        self._stop = weakref.finalize(self, _end, self._process, self._errors)
        return self._process

    def _answer(self, process: subprocess.Popen[bytes], name: str) -> tuple[str, str, bytes] | None:
        assert process.stdout is not None  # noqa: S101 - Popen was asked for a pipe
        header = process.stdout.readline()
        if header.endswith((b" missing\n", b" ambiguous\n")):
            return None
        parts = header.split()
        if len(parts) != 3 or not parts[2].isdigit():  # noqa: PLR2004 - id, type, size
            raise self._broken(name)
        size = int(parts[2])
        content = process.stdout.read(size + 1)
        if len(content) != size + 1:
            raise self._broken(name)
        identifier, kind = parts[0].decode(), parts[1].decode()
        if object_id(kind, content[:-1], len(identifier)) != identifier:
            self.close()
            raise _corrupt(identifier, "its content does not hash to its id")
        return identifier, kind, content[:-1]

    def _broken(self, name: str) -> CorruptObject:
        reason = "git stopped answering"
        if self._process is not None and self._errors is not None:
            self._process.kill()
            self._process.wait()
            self._errors.seek(0)
            reason = last_line(self._errors.read().decode("utf-8", "replace"))
        self.close()
        return _corrupt(name, reason)


def object_id(kind: str, content: bytes, length: int = 40) -> str:
    """The id git gives to this content; 40 hex digits for SHA-1, 64 for SHA-256 repositories."""
    data = f"{kind} {len(content)}".encode() + b"\0" + content
    if length == 64:  # noqa: PLR2004 - hex digits of SHA-256
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def is_id(name: str) -> bool:
    return len(name) in {40, 64} and not set(name) - set("0123456789abcdef")


def _line(name: str) -> bytes:
    if "\n" in name:
        raise ValueError(f"a name with a line break cannot be asked for: {name!r}")
    return name.encode("utf-8", "surrogateescape") + b"\n"


def _corrupt(name: str, reason: str) -> CorruptObject:
    return CorruptObject(
        f"object {name} cannot be read: {reason}",
        remedy="run git fsck, then fetch the object again from a good clone",
    )


def _end(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            # What was not yet written has nobody left to read it.
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    process.wait()
    errors.close()
