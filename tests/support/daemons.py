"""A reconciler that goes round and round, and what a test may wait for."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from places import Place


@contextmanager
def daemon(place: Place, interval: str) -> Iterator[subprocess.Popen[str]]:
    """One with so many seconds between its passes; killed if the test did not end it."""
    with subprocess.Popen(
        [sys.executable, "-m", "ordain.cli", "reconcile", "--interval", interval],
        cwd=place.estate,
        env=place.environment | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], words: str) -> str:
    """The first line with these words; the limit of the test is the limit of the wait."""
    seen = []
    for line in lines_of(process):
        seen.append(line)
        if words in line:
            return line
    pytest.fail(f"the daemon ended without saying {words!r}: {''.join(seen)}")


def lines_of(process: subprocess.Popen[str]) -> IO[str]:
    """What it says, line by line as it comes."""
    assert process.stdout is not None
    return process.stdout


def went_round(place: Place, times: int = 1) -> None:
    """Wait until passes have ended that had nothing to do; before that nobody hears signals."""
    ask = "SELECT value FROM meta WHERE key = 'checked'"
    with closing(sqlite3.connect(place.home / "state.db")) as database:
        for _ in range(times):
            before = after = database.execute(ask).fetchall()
            while after == before:
                after = database.execute(ask).fetchall()
