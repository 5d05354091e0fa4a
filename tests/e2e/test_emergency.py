"""An emergency on real serving processes: the remote is away, a daemon works, processes are killed.

Two routes of one server are looked at: the one that is stopped, and one that goes on meanwhile.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from daemons import daemon, said, went_round
from places import Place, post

pytestmark = pytest.mark.e2e

Copy = Callable[[Path], Place]
ROUTE = "/v1/malignancy"
INTERVAL = "0.1"
OTHER = "/v1/second-look"
WHY = "it sends healthy people to surgery"
SECOND = f"""apiVersion: ordain.dev/v1
kind: Route
metadata: {{name: second-look}}
spec:
  endpoint: {OTHER}
  default: {{deployment: malignancy}}
  fallback: {{decision: read-by-pathologist}}
"""
CRASH = """
import os, signal, sys
from ordain.cli import main
from ordain.reconciler import break_glass

def dead(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(break_glass, sys.argv[1], dead)
main(sys.argv[2:])
"""
HELD = """
import sys
from ordain.cli import main
from ordain.reconciler import applying

act = applying.put_in_force

def held(*given, **more):
    print("held", flush=True)
    sys.stdin.readline()
    return act(*given, **more)

applying.put_in_force = held
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def serving(merged: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A clinic with two routes and a key for both, and nothing that serves; and the key."""
    root = tmp_path_factory.mktemp("serving") / "root"
    shutil.copytree(merged, root)
    place = Place(root, root / "estate")
    place.git("status")
    change(place, "second-look", {"specs/routes/second-look.yaml": SECOND}, "manager")
    made = place.ordain("keys", "create", "--route", "malignancy", "--route", "second-look")
    # What is judged once need not be judged again in every copy.
    place.ordain("reconcile", "--once")
    place.ordain("down")
    yield root, made.stdout.strip()
    place.stop()


@pytest.fixture
def place(serving: tuple[Path, str], copy: Copy) -> Place:
    place = copy(serving[0])
    place.ordain("reconcile", "--once")
    return place


@pytest.fixture
def key(serving: tuple[Path, str]) -> str:
    return serving[1]


def change(place: Place, branch: str, files: dict[str, str], approver: str) -> None:
    """Files on a branch by the data scientist, approved and merged."""
    place.git("checkout", "--quiet", "-b", branch)
    for path, text in files.items():
        (place.estate / path).write_text(text, encoding="utf-8")
    place.commit(f"Change {branch}")
    place.git("checkout", "--quiet", "main")
    place.ordain("proposals", "approve", branch, "--as", approver)
    place.ordain("proposals", "merge", branch, "--as", "manager")


def record(place: Place) -> dict[str, Any]:
    """A row of the data, as a caller sends it."""
    head, first, *_ = (place.estate / "data/biopsies.csv").read_text().splitlines()
    row = dict(zip(head.split(","), map(float, first.split(",")), strict=True))
    del row["malignant"]
    return row


def stop(place: Place, route: str = "malignancy") -> str:
    """Stop a route as the manager; the id of the emergency."""
    told = place.ordain("stop", route, "--as", "manager", "--reason", WHY).stdout
    found = re.search(r"\((stop-\d{8}-[0-9a-f]{12})\)", told)
    assert found, told
    last = f"Next: ordain approve ordain/emergency/{found[1]} --as PERSON"
    assert told.splitlines()[-1] == last
    return found[1]


def answer(place: Place, key: str, route: str = ROUTE) -> tuple[int, dict[str, Any]]:
    return post(place.address() + route, record(place), key)


def is_stopped(place: Place, key: str) -> bool:
    status, said = answer(place, key)
    assert status == 200
    return bool(said.get("reason") == "stopped")


def events(place: Place) -> list[str]:
    lines = place.ordain("audit", "query", "--kind", "emergency", "-o", "json").stdout.splitlines()
    return [json.loads(line)["kind"] for line in lines if line.startswith("{")]


@contextmanager
def callers(place: Place, key: str) -> Iterator[list[int]]:
    """Somebody who asks the other route all the time; the status of every answer."""
    found: list[int] = []
    done = threading.Event()
    url, body = place.address() + OTHER, record(place)

    def ask() -> None:
        while not done.is_set():
            found.append(post(url, body, key)[0])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def test_a_route_stops_with_the_remote_away_while_a_daemon_works_and_others_go_on(
    place: Place, key: str
) -> None:
    remote, away = place.root / "remote.git", place.root / "away.git"
    place.git("clone", "--quiet", "--bare", str(place.estate), str(remote))
    place.git("remote", "add", "origin", str(remote))
    place.git("fetch", "--quiet", "origin")
    place.ordain("reconcile", "--once", "--trust-again")
    assert not is_stopped(place, key)
    with daemon(place, INTERVAL) as process:
        said(process, "Reconciling refs/remotes/origin/main")
        remote.rename(away)
        said(process, "going on with what was fetched last")
        with callers(place, key) as statuses:
            began = time.monotonic()
            identifier = stop(place)
            seconds = time.monotonic() - began
            assert is_stopped(place, key)
            went_round(place, 2)
            assert is_stopped(place, key)
        assert set(statuses) == {200}
        assert seconds < 10
        assert answer(place, key, OTHER)[1]["model"] == "malignancy"
        away.rename(remote)
        branch = f"refs/heads/ordain/emergency/{identifier}"
        while branch not in place.git("for-each-ref", at=remote):
            went_round(place)
        place.ordain("proposals", "approve", f"ordain/emergency/{identifier}", "--as", "cto")
        place.ordain("proposals", "merge", f"ordain/emergency/{identifier}", "--as", "manager")
        while "emergency.approved" not in events(place):
            went_round(place)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate()
        assert "Traceback" not in rest
    assert f"refs/ordain/emergencies/{identifier}/" in place.git("for-each-ref", at=remote)
    assert is_stopped(place, key)
    assert events(place) == ["emergency.stopped", "emergency.applied", "emergency.approved"]
    listed = place.ordain("emergencies", "list").stdout
    assert f"{identifier}  the route malignancy was stopped by manager (approved)" in listed


def test_callers_get_the_declared_fallback_and_it_is_recorded_as_such(
    place: Place, key: str
) -> None:
    identifier = stop(place)
    status, told = answer(place, key)
    assert status == 200
    assert told["decision"] == "read-by-pathologist"
    assert (told["fallback"], told["reason"]) == (True, "stopped")
    assert (told["model"], told["score"]) == (None, None)
    assert told["rule"] == f"emergency:{identifier}"
    place.ordain("down")
    lines = place.ordain("audit", "query", "--predictions", "-o", "json").stdout.splitlines()
    last = json.loads(lines[-1])
    assert (last["rule"], last["decision"]) == (f"emergency:{identifier}", "read-by-pathologist")
    assert (last["model"], last["inputs"]) == ("", {})


def test_it_outlives_the_restart_of_everything_and_ends_by_a_signed_word(
    place: Place, key: str
) -> None:
    identifier = stop(place)
    place.ordain("down")
    done = place.ordain("reconcile", "--once")
    assert f"EMERGENCY {identifier}  the route malignancy was stopped by manager (" in done.stderr
    assert is_stopped(place, key)
    told = place.ordain("status").stdout
    assert f"EMERGENCY {identifier}" in told
    assert "left to approve it" in told
    assert f"EMERGENCY {identifier}" in place.ordain("plan").stderr
    shown = place.ordain("emergencies", "show", identifier).stdout
    assert f"reason    {WHY}" in shown
    assert shown.splitlines()[-1].startswith("Next: ordain approve ordain/emergency/")
    end = ("emergencies", "end", identifier, "--reason", "a false alarm", "--as")
    place.ordain(*end, "data-scientist", expect=1)
    assert is_stopped(place, key)
    last = place.ordain(*end, "manager").stdout.splitlines()[-1]
    assert last == f"Next: ordain approve ordain/emergency/{identifier} --as PERSON"
    assert not is_stopped(place, key)
    place.ordain("reconcile", "--once")
    assert not is_stopped(place, key)
    # It still waits for an approval, and decides nothing any more.
    assert f"\nemergency {identifier}" in place.ordain("status").stdout
    assert "ended by manager" in place.ordain("emergencies", "list").stdout


@pytest.mark.parametrize("step", ["record_emergencies", "put_in_force", "publish"])
def test_a_manager_who_is_killed_on_the_way_has_ordered_it(
    place: Place, key: str, step: str
) -> None:
    order = ("stop", "malignancy", "--as", "manager", "--reason", WHY)
    done = subprocess.run(
        [sys.executable, "-c", CRASH, step, *order],
        cwd=place.estate,
        env=place.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert is_stopped(place, key) is (step == "publish")
    place.ordain("reconcile", "--once")
    assert is_stopped(place, key)
    assert events(place).count("emergency.stopped") == 1
    assert "Stop the route malignancy" in place.ordain("proposals", "list").stdout


def test_a_pass_that_was_planned_before_does_not_undo_it(place: Place, key: str) -> None:
    """The pass is held between its plan and what it does, and goes on when the route is stopped."""
    place.ordain("down")
    with subprocess.Popen(
        [sys.executable, "-c", HELD, "reconcile", "--once"],
        cwd=place.estate,
        env=place.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        stop(place)
        process.communicate("go on\n")
    assert is_stopped(place, key)


def retrained(place: Place) -> None:
    """A second version, trained, approved, merged and served."""
    model = (place.estate / "specs/models/malignancy.yaml").read_text(encoding="utf-8")
    assert "C: 0.5" in model
    files = {"specs/models/malignancy.yaml": model.replace("C: 0.5", "C: 0.4")}
    place.git("checkout", "--quiet", "-b", "again")
    for path, text in files.items():
        (place.estate / path).write_text(text, encoding="utf-8")
    place.commit("Train with more regularization")
    place.git("checkout", "--quiet", "main")
    place.ordain("proposals", "merge", "again", "--as", "manager")
    place.ordain("reconcile", "--once")
    place.ordain("proposals", "approve", "malignancy-2", "--as", "manager")
    place.ordain("proposals", "merge", "malignancy-2", "--as", "manager")
    place.ordain("reconcile", "--once")


def test_a_deployment_goes_back_at_once_and_git_says_so_later(place: Place, key: str) -> None:
    retrained(place)
    assert answer(place, key)[1]["version"] == 2
    order = ("rollback", "malignancy", "--as", "manager", "--reason", WHY)
    refused = place.ordain(*order, "--to", "7", expect=1).stderr
    assert "no version 7 of malignancy was ever approved" in refused
    with callers(place, key) as statuses:
        told = place.ordain(*order).stdout
        assert answer(place, key)[1]["version"] == 1
    assert set(statuses) == {200}
    assert told.startswith("Rolled malignancy back to version 1 (rollback-")
    branch = told.splitlines()[-1].split()[3]
    place.ordain("reconcile", "--once")
    assert answer(place, key)[1]["version"] == 1
    assert "malignancy=2" in place.ordain("status").stdout
    place.ordain("proposals", "approve", branch, "--as", "manager", expect=1)
    place.ordain("proposals", "approve", branch, "--as", "cto")
    place.ordain("proposals", "merge", branch, "--as", "manager")
    place.ordain("reconcile", "--once")
    assert answer(place, key)[1]["version"] == 1
    told = place.ordain("status").stdout
    assert "malignancy=1" in told
    assert "EMERGENCY" not in told
