"""A file is the old one or the new one, whatever the disk says."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ordain.specs.files import write_whole, written_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOM = 64


@contextmanager
def little_room() -> Iterator[None]:
    """No file may become longer than ROOM bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    obeyed = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, obeyed)


def test_a_file_that_has_no_room_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "document.yaml"
    file.write_bytes(b"old")
    with little_room(), pytest.raises(OSError, match="File too large") as refused:
        write_whole(file, b"x" * (ROOM + 1))
    assert (refused.value.errno, refused.value.filename) == (errno.EFBIG, str(file))
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [(file.name, b"old")]


def write_new(*files: Path) -> None:
    with written_whole() as write:
        for file in files:
            write(file, b"new")


def test_of_files_that_belong_together_all_are_written_or_none(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"old")
    with pytest.raises(NotADirectoryError) as refused:
        write_new(first, second, first / "below")
    assert refused.value.filename == str(first / "below")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("first", b"old")]


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "document.yaml"
    file.touch()
    file.chmod(0o640)
    write_whole(file, b"new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"new")
    reader.join()
    assert read == [b"new"]
    assert pipe.is_fifo()
