"""`ordain reconcile` without --once: it follows, it mends, it ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from daemons import daemon, said, went_round
from places import Place, post

from ordain.runtime.serving import client

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.e2e

Copy = Callable[[Path], Place]
ROUTE = "/v1/malignancy"
INTERVAL = "0.2"


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Tell it to stop; its exit code and what it still said."""
    process.send_signal(number)
    rest, _ = process.communicate()
    return process.returncode, rest


def supervisor(place: Place) -> dict[str, Any]:
    (found,) = place.home.glob("run/*/status.json")
    status: dict[str, Any] = json.loads(found.read_bytes())
    return status


def test_the_daemon_rolls_out_what_is_merged_and_mends_what_dies(
    proposed: Path, copy: Copy
) -> None:
    place = copy(proposed)
    with daemon(place, INTERVAL) as process:
        assert "every 0.2 s; stop with Ctrl-C" in said(process, "Reconciling refs/heads/main")
        place.ordain("proposals", "merge", "malignancy-1", "--as", "manager")
        assert "ok start serving of production" in said(process, "serving on http://127.0.0.1:")
        first = supervisor(place)
        assert post(place.address() + ROUTE, {})[0] == 401

        os.kill(first["pid"], signal.SIGKILL)
        said(process, "serving on http://127.0.0.1:")
        second = supervisor(place)
        assert second["pid"] != first["pid"]

        code, rest = ended(process, signal.SIGTERM)
        assert code == 0
        assert "Traceback" not in rest
    assert post(place.address() + ROUTE, {})[0] == 401
    assert supervisor(place)["pid"] == second["pid"]
    assert "missing or changed" in place.ordain("audit", "verify").stdout


def test_an_interrupt_ends_it_as_well(proposed: Path, copy: Copy) -> None:
    place = copy(proposed)
    with daemon(place, INTERVAL) as process:
        said(process, "Reconciling")
        went_round(place)
        code, rest = ended(process, signal.SIGINT)
    assert (code, rest) == (0, "")


def test_a_second_reconciler_is_turned_away_while_the_first_works(
    proposed: Path, copy: Copy
) -> None:
    place = copy(proposed)
    with daemon(place, INTERVAL) as process:
        said(process, "Reconciling")
        done = place.ordain("reconcile", "--once", expect=2)
        assert "another reconciler works on this estate" in done.stderr
        assert "wait for it, or stop it" in done.stderr
        assert ended(process, signal.SIGTERM)[0] == 0
    place.ordain("reconcile", "--once")


def test_a_refused_commit_is_said_and_what_serves_goes_on(merged: Path, copy: Copy) -> None:
    place = copy(merged)
    with daemon(place, INTERVAL) as process:
        said(process, "serving on http://127.0.0.1:")
        place.edit("specs/monitors/malignancy.yaml", "fail: 0.25", "fail: 5")
        bad = place.commit("Quiet the alarm")
        said(process, f"Refused commit {bad[:12]}")
        said(process, "Production stays on")
        assert post(place.address() + ROUTE, {})[0] == 401
        assert ended(process, signal.SIGTERM)[0] == 0
    assert client.status(place.home / "run/production") is not None


def test_a_remote_that_is_away_is_said_once_and_followed_again_when_it_is_back(
    merged: Path, copy: Copy
) -> None:
    place = copy(merged)
    remote, away = place.root / "remote.git", place.root / "away.git"
    place.git("clone", "--quiet", "--bare", str(place.estate), str(remote))
    place.git("remote", "add", "origin", str(remote))
    place.git("fetch", "--quiet", "origin")
    place.ordain("reconcile", "--once", "--trust-again")
    with daemon(place, INTERVAL) as process:
        said(process, "Reconciling refs/remotes/origin/main")
        remote.rename(away)
        said(process, "going on with what was fetched last: git fetch: ")
        os.kill(supervisor(place)["pid"], signal.SIGKILL)
        said(process, "serving on http://127.0.0.1:")
        away.rename(remote)
        place.edit("specs/monitors/malignancy.yaml", "fail: 0.25", "fail: 5")
        bad = place.commit("Quiet the alarm")
        place.git("push", "--quiet", "origin", "main")
        line = said(process, f"Refused commit {bad[:12]}")
        assert line.startswith("Refused commit")
        assert ended(process, signal.SIGTERM)[0] == 0
