"""What the kernel refuses to the process that reads a pickle."""

from __future__ import annotations

import ctypes
import json
import platform
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# landlock_create_ruleset(2), asked for its version.
LANDLOCK = sys.platform == "linux" and ctypes.CDLL(None).syscall(444, None, 0, 1) > 0

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(
        platform.machine() not in {"x86_64", "aarch64"} or sys.platform != "linux",
        reason="the filter is written for Linux on x86_64 and aarch64",
    ),
]

PROBE = """
import ctypes, errno, json, os, pathlib, socket, subprocess, sys
from ordain.runtime.importing import confinement
inside, outside = map(pathlib.Path, sys.argv[1:3])
if len(sys.argv) > 3:
    confinement._CALLS = {}
    confinement._CREATE = 100_000
walls = confinement.confine(inside)
tries = {
    "program": lambda: subprocess.run(["true"]),
    "fork": lambda: os.fork() or os._exit(0),
    "socket": socket.socket,
    "signal": lambda: os.kill(os.getppid(), 0),
    "limit of another": lambda: __import__("resource").prlimit(os.getppid(), 7),
    "read": outside.read_bytes,
    "write": lambda: outside.write_bytes(b"x"),
    "make": lambda: outside.with_name("new").write_bytes(b"x"),
    "list": lambda: os.listdir(outside.parent),
    "remove": outside.unlink,
    "rename": lambda: (inside / "own").rename(outside.with_name("moved")),
    "rights": lambda: outside.chmod(0o777),
    "memory": lambda: bytearray(8 << 30),
    "own": lambda: ((inside / "own").write_bytes(b"x"), (inside / "own").read_bytes()),
    "library": lambda: __import__("colorsys"),
}
found = {}
(inside / "own").write_bytes(b"x")
for name, one in tries.items():
    try:
        one()
        found[name] = "done"
    except OSError as error:
        found[name] = errno.errorcode[error.errno]
    except MemoryError:
        found[name] = "MemoryError"
print(json.dumps([walls.held, walls.missing, found]))
"""
WALLS = [
    "memory, time and size of files",
    "network",
    "new rights",
    "files outside of its directory",
    "processes, programs, signals and sockets",
]


@pytest.fixture
def probe(tmp_path: Path) -> Callable[..., list[Any]]:
    """What a confined process holds, lacks, and can still do."""

    def run(*more: str) -> list[Any]:
        inside, outside = tmp_path / "inside", tmp_path / "outside" / "file"
        inside.mkdir()
        outside.parent.mkdir()
        outside.write_bytes(b"a secret")
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROBE, str(inside), str(outside), *more],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        found: list[Any] = json.loads(done.stdout)
        return found

    return run


@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock")
def test_files_elsewhere_are_neither_read_nor_written(probe: Callable[..., list[Any]]) -> None:
    held, _, found = probe()
    assert "files outside of its directory" in held
    elsewhere = ("read", "write", "make", "list", "remove")
    assert {found[name] for name in elsewhere} == {"EACCES"}
    assert found["rename"] in {"EACCES", "EXDEV"}
    assert (found["own"], found["library"]) == ("done", "done")


def test_there_is_no_process_no_signal_no_socket_and_no_more_memory(
    probe: Callable[..., list[Any]],
) -> None:
    held, missing, found = probe()
    assert WALLS[-1] in held
    assert sorted([*held, *missing]) == sorted(WALLS)
    refused = ("program", "fork", "socket", "signal", "limit of another", "rights")
    assert {name: found[name] for name in refused} == dict.fromkeys(refused, "EPERM")
    assert found["memory"] == "MemoryError"


def test_what_a_machine_does_not_offer_is_missing(probe: Callable[..., list[Any]]) -> None:
    held, missing, found = probe("old kernel")
    assert missing[-2:] == WALLS[-2:]
    assert WALLS[-1] not in held
    assert found["read"] == "done"
