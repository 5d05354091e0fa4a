"""What the kernel refuses to the process that reads a pickle."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(
        platform.machine() not in {"x86_64", "aarch64"} or sys.platform != "linux",
        reason="the filter is written for Linux on x86_64 and aarch64",
    ),
]

PROBE = """
import os, socket, subprocess, sys
from ordain.runtime.importing.confinement import confine
held = confine()
found = []
try:
    subprocess.run(["true"])
    found.append("a program ran")
except OSError as error:
    found.append(error.errno)
try:
    socket.socket()
    found.append("a socket was opened")
except OSError as error:
    found.append(error.errno)
try:
    bytearray(8 << 30)
    found.append("8 GiB were there")
except MemoryError:
    found.append("memory")
print("; ".join(held), found)
"""


def test_there_is_no_program_no_socket_and_no_more_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "programs and sockets" in done.stdout
    assert done.stdout.strip().endswith("[1, 1, 'memory']")
