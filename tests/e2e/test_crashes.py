"""`kill -9` at every boundary of a real run: the next pass converges and does nothing twice.

The boundaries are those of the state store, which is written before and after every step. A trigger
in the database holds the process inside that very write, so that the code that runs needs no hook;
while it is held, the process is killed. SQLite then forgets the write that was never finished, as
it would after a loss of power.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import pytest
from places import Place, post

from ordain.reconciler.state import StateStore

pytestmark = pytest.mark.e2e

Copy = Callable[[Path], Place]

# A write that is held as long as this is held by the trigger: no other takes a tenth of it.
HELD_SECONDS = 0.5

_FOREVER = """
CREATE VIEW forever AS
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n
"""

STEP = "steps WHEN NEW.position = {} AND NEW.state = '{}'"
PREPARING = {
    "before the first good commit is remembered": "INSERT ON meta WHEN NEW.key = 'good'",
    "before the pass begins": "INSERT ON passes",
    "before the plan is written down": "INSERT ON " + STEP.format(0, "waiting"),
    "before enrolment begins": "INSERT ON " + STEP.format(0, "running"),
    "before the inventory is written": "INSERT ON models",
    "after enrolment": "INSERT ON " + STEP.format(0, "done"),
    "before training begins": "INSERT ON " + STEP.format(1, "running"),
    "after training, before its outcome is kept": "INSERT ON outcomes",
    "after training": "INSERT ON " + STEP.format(1, "done"),
    "before the validation begins": "INSERT ON " + STEP.format(2, "running"),
    "after the validation, before it is kept": "INSERT ON validations",
    "after the validation": "INSERT ON " + STEP.format(2, "done"),
    "before the proposal": "INSERT ON " + STEP.format(3, "running"),
    "after the proposal": "INSERT ON " + STEP.format(3, "done"),
    "before the pass ends": "UPDATE ON passes WHEN NEW.result = 'done'",
}
SERVING = {
    "before serving begins": "INSERT ON " + STEP.format(0, "running"),
    "after serving begins": "INSERT ON " + STEP.format(0, "done"),
    "before the pass ends": "UPDATE ON passes WHEN NEW.result = 'done'",
}


# Holding and killing


def started(place: Place, *more: str) -> subprocess.Popen[str]:
    """A real reconcile pass in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "ordain.cli", "reconcile", "--once", *more],
        cwd=place.estate,
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def killed_at(place: Place, boundary: str) -> None:
    """Run a pass and kill it while it writes what the boundary names."""
    store = place.home / "state.db"
    StateStore(store).close()
    with closing(sqlite3.connect(store, isolation_level=None)) as database:
        database.execute(_FOREVER)
        database.execute(
            f"CREATE TRIGGER hold BEFORE {boundary} BEGIN SELECT count(*) FROM forever; END"  # noqa: S608 - one of the constants above
        )
    process = started(place)
    with closing(sqlite3.connect(store, timeout=HELD_SECONDS, isolation_level=None)) as database:
        while process.poll() is None and not _is_held(database):
            pass
        killed(process)
        database.execute("DROP TRIGGER hold")
        database.execute("DROP VIEW forever")


def _is_held(database: sqlite3.Connection) -> bool:
    """Whether somebody keeps the right to write for longer than any write of ours takes."""
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    database.execute("ROLLBACK")
    return False


# What must be true afterwards


def facts(place: Place) -> dict[str, Any]:
    """What must be there once."""
    status = json.loads(place.ordain("status", "-o", "json").stdout)
    (model,) = status["models"]
    manifests = [
        path
        for path in (place.home / "artifacts").rglob("*")
        if path.is_file() and b'"format":"ordain.artifact/1"' in path.read_bytes()
    ]
    with closing(sqlite3.connect(place.home / "state.db")) as database:
        outcomes = database.execute("SELECT count(*) FROM outcomes").fetchone()[0]
        validations = database.execute("SELECT count(*) FROM validations").fetchone()[0]
    return {
        "artifacts": len(manifests),
        "outcomes": outcomes,
        "validations": validations,
        "branches": place.git("for-each-ref", "refs/heads/ordain", "--format=%(refname)").split(),
        "waits": model["waits_for"],
    }


def results(place: Place) -> dict[str, tuple[int, int]]:
    """Every result of a job by its file and the moment it was written."""
    found = [*place.home.glob("jobs/*/result.json"), *place.home.glob("validations/*/result.json")]
    return {
        str(path.relative_to(place.home)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in found
    }


@pytest.mark.parametrize("boundary", PREPARING.values(), ids=PREPARING.keys())
def test_a_killed_pass_is_gone_on_with_and_nothing_is_done_twice(
    trained: Path, copy: Copy, boundary: str
) -> None:
    place = copy(trained)
    before = results(place)
    killed_at(place, boundary)
    done = place.ordain("reconcile", "--once")
    begun = "passes" not in boundary or "UPDATE" in boundary
    interrupted = begun and "meta" not in boundary
    assert ("which was interrupted" in done.stdout) == interrupted, done.stdout
    assert facts(place) == {
        "artifacts": 1,
        "outcomes": 1,
        "validations": 1,
        "branches": ["refs/heads/ordain/promote/malignancy-1"],
        "waits": "NoApprovedVersion; ApprovalPending",
    }
    assert results(place) == before
    again = place.ordain("reconcile", "--once")
    assert "Nothing to do" in again.stdout
    assert "interrupted" not in again.stdout
    assert "missing or changed" in place.ordain("audit", "verify").stdout


@pytest.mark.parametrize("boundary", SERVING.values(), ids=SERVING.keys())
def test_a_pass_that_was_killed_while_it_rolled_out_serves_once(
    merged: Path, copy: Copy, boundary: str
) -> None:
    place = copy(merged)
    killed_at(place, boundary)
    running = _supervisor(place)
    done = place.ordain("reconcile", "--once")
    assert "which was interrupted" in done.stdout
    assert running in {None, _supervisor(place)}
    assert "No changes. Production matches git" in place.ordain("reconcile", "--once").stdout
    assert post(place.address() + "/v1/malignancy", {})[0] == 401
    assert facts(place)["branches"] == []
    assert "missing or changed" in place.ordain("audit", "verify").stdout


def _supervisor(place: Place) -> int | None:
    """The process that serves, as its status says."""
    found = list(place.home.glob("run/*/status.json"))
    return json.loads(found[0].read_bytes())["pid"] if found else None


# Training


def test_a_job_that_outlived_its_reconciler_is_adopted(trained: Path, copy: Copy) -> None:
    """The job is stopped while the first reconciler dies and goes on when the second waits."""
    place = copy(trained)
    shutil.rmtree(place.home / "jobs")
    shutil.rmtree(place.home / "artifacts")
    first = started(place)
    job = _job_of(first)
    os.kill(job, signal.SIGSTOP)
    killed(first)
    second = started(place, "--verbose")
    assert second.stdout is not None
    lines = _read_until(second.stdout, lambda line: "adopting" in line)
    assert lines[-1] == "adopting the run that is going on"
    os.kill(job, signal.SIGCONT)
    out, err = second.communicate()
    assert second.returncode == 0, out + err
    assert "which was interrupted" in out
    assert '{"stage"' not in out
    assert len(results(place)) == 2
    assert facts(place)["artifacts"] == 1
    assert facts(place)["branches"] == ["refs/heads/ordain/promote/malignancy-1"]


def test_a_job_that_died_with_its_reconciler_is_run_again(trained: Path, copy: Copy) -> None:
    place = copy(trained)
    before = _artifact(place)
    shutil.rmtree(place.home / "jobs")
    shutil.rmtree(place.home / "artifacts")
    first = started(place)
    job = _job_of(first)
    os.kill(job, signal.SIGSTOP)
    killed(first)
    os.kill(job, signal.SIGKILL)
    done = place.ordain("reconcile", "--once")
    assert "which was interrupted" in done.stdout
    assert facts(place)["artifacts"] == 1
    assert _artifact(place) == before


def test_a_killed_job_is_a_failed_stage_and_the_next_pass_mends_it(
    trained: Path, copy: Copy
) -> None:
    place = copy(trained)
    shutil.rmtree(place.home / "jobs")
    process = started(place)
    os.kill(_job_of(process), signal.SIGKILL)
    out, err = process.communicate()
    assert process.returncode == 2
    assert "training was ended by SIGKILL; most often the machine had no memory left" in out
    assert "Traceback" not in out + err
    assert facts(place)["branches"] == []
    assert "proposed as malignancy-1" in place.ordain("reconcile", "--once").stdout


def test_a_killed_validation_is_a_failed_stage_and_the_next_pass_mends_it(
    trained: Path, copy: Copy
) -> None:
    place = copy(trained)
    before = results(place)
    shutil.rmtree(place.home / "validations")
    process = started(place)
    os.kill(_job_of(process, b"ordain.runtime.validation"), signal.SIGKILL)
    out, err = process.communicate()
    assert process.returncode == 2
    assert "validation was ended by SIGKILL; most often the machine had no memory left" in out
    assert "Traceback" not in out + err
    assert facts(place)["branches"] == []
    assert facts(place)["validations"] == 0
    assert "proposed as malignancy-1" in place.ordain("reconcile", "--once").stdout
    # Nothing was trained for it again.
    trainings = [one for one in before if one.startswith("jobs/")]
    assert [results(place)[one] for one in trainings] == [before[one] for one in trainings]


def test_a_validation_that_outlived_its_reconciler_is_adopted(trained: Path, copy: Copy) -> None:
    place = copy(trained)
    shutil.rmtree(place.home / "validations")
    first = started(place)
    job = _job_of(first, b"ordain.runtime.validation")
    os.kill(job, signal.SIGSTOP)
    killed(first)
    second = started(place, "--verbose")
    assert second.stdout is not None
    lines = _read_until(second.stdout, lambda line: "adopting" in line)
    assert lines[-1] == "adopting the run that is going on"
    os.kill(job, signal.SIGCONT)
    out, err = second.communicate()
    assert second.returncode == 0, out + err
    assert facts(place)["validations"] == 1
    assert facts(place)["branches"] == ["refs/heads/ordain/promote/malignancy-1"]


def _artifact(place: Place) -> str:
    (result,) = place.home.glob("jobs/*/result.json")
    return str(json.loads(result.read_bytes())["artifact"])


def _job_of(process: subprocess.Popen[str], module: bytes = b"ordain.runtime.training") -> int:
    """The process of a job, as soon as the reconciler has started it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        for child in children.read_text().split():
            if module in _command(child):
                return int(child)
    pytest.fail("the pass ended before it began this")


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _read_until(stream: IO[str], found: Callable[[str], bool]) -> list[str]:
    """The lines of a stream up to the first that is looked for."""
    lines: list[str] = []
    reader = threading.Thread(target=_collect, args=(stream, found, lines))
    reader.start()
    reader.join()
    return lines


def _collect(stream: IO[str], found: Callable[[str], bool], lines: list[str]) -> None:
    for line in stream:
        lines.append(line.strip())
        if found(lines[-1]):
            return
