"""What the reconciler remembers, and what it says when the file cannot be used."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.errors import StateDamaged
from ordain.reconciler.outcomes import Outcome
from ordain.reconciler.state import RoutingKey, StateStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
RECIPE = "sha256:" + "1" * 64
MADE = Outcome("evidence pass", "proposable", "sha256:" + "a" * 64, "{}")
REJECTED = Outcome("the evidence fails: roc_auc 0.51", "rejected", "sha256:" + "b" * 64, "{}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    store = StateStore(tmp_path / "home" / "state.db")
    yield store
    store.close()


# Facts


def test_facts_are_kept_replaced_and_forgotten(store: StateStore, tmp_path: Path) -> None:
    assert store.get("good") is None
    store.put("good", "a")
    store.put("good", "b")
    other = StateStore(tmp_path / "home" / "state.db")
    assert other.get("good") == "b"
    other.drop("good")
    other.close()
    assert store.get("good") is None


# Passes


def test_a_pass_and_its_steps_are_recorded_before_and_after(store: StateStore) -> None:
    number = store.begin_pass("c" * 40, NOW)
    store.write_step(number, 0, {"stage": "Train"}, "waiting", NOW)
    store.write_step(number, 0, {"stage": "Train"}, "running", NOW)
    (step,) = store.steps(number)
    assert (step.state, step.started) == ("running", NOW.isoformat())
    later = NOW + timedelta(seconds=3)
    store.write_step(number, 0, {"stage": "Train"}, "done", later, "evidence pass")
    store.write_step(number, 1, {"stage": "Propose"}, "failed", later, "no key")
    store.end_pass(number, "failed", "", later)
    first, second = store.steps(number)
    assert (first.state, first.ended, first.detail) == ("done", later.isoformat(), "evidence pass")
    assert (second.position, second.stage) == (1, {"stage": "Propose"})
    last = store.last_pass()
    assert last is not None
    assert (last.id, last.result, last.revision) == (number, "failed", "c" * 40)


def test_a_pass_that_was_left_running_is_called_interrupted_by_the_next(
    store: StateStore,
) -> None:
    first = store.begin_pass("c" * 40, NOW)
    store.write_step(first, 0, {"stage": "Enrol"}, "done", NOW)
    store.write_step(first, 1, {"stage": "Train"}, "running", NOW)
    store.write_step(first, 2, {"stage": "Propose"}, "waiting", NOW)
    second = store.begin_pass("c" * 40, NOW)
    assert second == first + 1
    assert [one.state for one in store.steps(first)] == ["done", "interrupted", "waiting"]


# Models and outcomes


def test_a_model_keeps_the_time_since_it_is_in_its_state(store: StateStore, tmp_path: Path) -> None:
    later = NOW + timedelta(days=1)
    store.put_model("credit", "active", NOW)
    store.put_model("credit", "active", later)
    assert _since(tmp_path) == NOW.isoformat()
    store.put_model("credit", "retired", later)
    assert _since(tmp_path) == later.isoformat()
    assert store.models() == {"credit": "retired"}


def _since(tmp_path: Path) -> str:
    database = sqlite3.connect(tmp_path / "home" / "state.db")
    (row,) = database.execute("SELECT since FROM models").fetchall()
    database.close()
    return str(row[0])


def test_a_failure_is_forgotten_after_a_while_and_a_result_never(store: StateStore) -> None:
    store.put_outcome(RECIPE, "credit", Outcome.failure("disk full", "make room"), NOW)
    store.put_outcome("sha256:" + "2" * 64, "churn", REJECTED, NOW)
    assert set(store.outcomes(failed_since=NOW - timedelta(minutes=15))) == {
        RECIPE,
        "sha256:" + "2" * 64,
    }
    assert set(store.outcomes(failed_since=NOW)) == {"sha256:" + "2" * 64}
    store.put_outcome(RECIPE, "credit", MADE, NOW)
    assert store.outcomes()[RECIPE] == MADE


# Routing keys


def test_routing_keys_are_added_and_revoked_once(store: StateStore) -> None:
    key = RoutingKey("key-1", "ab" * 32, ("credit",), NOW.isoformat())
    store.add_routing_key(key)
    assert store.routing_keys() == (key,)
    assert store.revoke_routing_key("key-1", NOW) is True
    assert store.revoke_routing_key("key-1", NOW) is False
    assert store.revoke_routing_key("key-2", NOW) is False
    (found,) = store.routing_keys()
    assert found.revoked == NOW.isoformat()


# A file that cannot be used


def test_the_file_of_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = StateStore(path)
    store.put("schema", "99")
    store.close()
    with pytest.raises(StateDamaged, match=r"was written by another version .*\(schema 99\)"):
        StateStore(path)
    database = sqlite3.connect(path)
    assert database.execute("SELECT value FROM meta WHERE key='schema'").fetchall() == [("99",)]
    database.close()


@pytest.mark.parametrize("content", [b"this is not a database, and quite long" * 40, b"\0" * 5000])
def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises(StateDamaged) as caught:
        StateStore(path)
    assert caught.value.message == f"the state store {path} failed: file is not a database"
    assert "moved away, it is rebuilt from git" in caught.value.remedy
    assert caught.value.exit_code == 2


def test_a_damaged_page_is_one_clear_error(store: StateStore, tmp_path: Path) -> None:
    for number in range(200):
        store.put(f"fact-{number}", "x" * 200)
    store.close()
    path = tmp_path / "home" / "state.db"
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(bytes(data))
    with pytest.raises(StateDamaged, match="malformed"), closing(StateStore(path)) as damaged:
        damaged.get("fact-100")


def test_a_directory_in_its_place_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    with pytest.raises(StateDamaged, match="unable to open database file"):
        StateStore(tmp_path / "state.db")


def test_a_home_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StateDamaged, match="File exists"):
        StateStore(tmp_path / "home" / "state.db")


def test_a_locked_file_is_one_clear_error(store: StateStore, tmp_path: Path) -> None:
    path = tmp_path / "home" / "state.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store._db.execute("PRAGMA busy_timeout = 50")
    try:
        with pytest.raises(StateDamaged, match="database is locked"):
            store.put("good", "a")
    finally:
        other.execute("ROLLBACK")
        other.close()


_FULL = """
import resource, signal, sys
from pathlib import Path
from ordain.reconciler.errors import StateDamaged
from ordain.reconciler.outcomes import Outcome
from ordain.reconciler.state import StateStore

store = StateStore(Path(sys.argv[1]))
store.put("good", "before")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    for number in range(1000):
        store.put(f"fact-{number}", "x" * 5000)
except StateDamaged as error:
    print(error.message)
    sys.exit(error.exit_code)
"""


def test_a_full_disk_is_one_clear_error_and_what_was_written_stays(tmp_path: Path) -> None:
    """A limit of the file size gives the same answer as a full disk: the write is cut short."""
    path = tmp_path / "state.db"
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith(f"the state store {path} failed: ")
    assert "Traceback" not in done.stderr
    store = StateStore(path)
    assert store.get("good") == "before"
    store.put("good", "after")
    store.close()
