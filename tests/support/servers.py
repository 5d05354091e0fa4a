"""Programs of database servers, and the account that they run under."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def program(name: str, *directories: str) -> str:
    """The program, from PATH or from where a distribution puts it; else the test is skipped."""
    places = [str(path) for one in directories for path in sorted(Path("/").glob(one.lstrip("/")))]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        pytest.skip(f"needs {name}: it is not installed")
    return found


def account(*names: str) -> dict[str, Any]:
    """Arguments of `subprocess` that lay down root's rights, which no database server accepts."""
    if os.geteuid() != 0:
        return {}
    for name in (*names, "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    pytest.skip("needs an account without rights: there is none")


@contextmanager
def home_of(owner: dict[str, Any]) -> Iterator[Path]:
    """A short directory of the account's own; the path of a socket must fit in 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ordain-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        if owner:
            os.chown(home, owner["user"], owner["group"])
        yield home


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
