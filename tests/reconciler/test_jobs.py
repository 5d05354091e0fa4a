"""A training job has a lock and attempts; it is adopted, cancelled, and said to have died."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest
from training_processes import job_in

from ordain.policies.lookups import recipe_in
from ordain.reconciler import attempts
from ordain.reconciler.errors import DriverFailed
from ordain.reconciler.gating import read_side
from ordain.reconciler.jobs import (
    ADOPTING,
    CHANGED,
    Carried,
    Job,
    carry_out,
    idle,
    is_done,
    is_running,
)
from ordain.reconciler.orders import Ground, order_job
from ordain.reconciler.pinned_data import Readable, ensure_snapshot, reconciling_taker
from ordain.reconciler.runs import runs_in
from tests.reconciler.conftest import MODEL, MODEL_FILE, NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ordain.reconciler.outcomes import Outcome
    from tests.reconciler.conftest import Bench


def job_of(bench: Bench) -> tuple[Path, Job]:
    """The job of the only model, and the directory that it works in."""
    source = bench.source()
    side = read_side(source, source.head())
    recipe = recipe_in(side.estate, MODEL, side.tree)
    assert recipe is not None
    directory = source.home.job(recipe.digest)
    name = side.estate.documents[f"Model/{MODEL}"].spec.dataset
    place = Readable(side.tree, source.repository.path, directory / "data")
    ensure_snapshot(
        name,
        side.estate.documents[f"Dataset/{name}"].spec,
        place,
        source.home.artifacts,
        taker=reconciling_taker(source, bench.now),
        tell=lambda _line: None,
    )
    ground = Ground(side.estate, side.tree, source.home.artifacts)
    return directory, order_job(ground, recipe, champion=None)


def lasting(bench: Bench) -> tuple[Path, Job]:
    """One that takes some seconds, so that it does not end before it is stopped."""
    bench.commit(bench.edited(MODEL_FILE, "logistic_regression", "hist_gradient_boosting"))
    bench.commit(bench.edited(MODEL_FILE, "{C: 0.5, max_iter: 2000}", "{max_iter: 1000}"))
    return job_of(bench)


def broken(job: Job) -> Job:
    """One whose lock is not that of its recipe, so that it ends where it would begin to train."""
    return Job(replace(job.order, environment=""))


def carried(
    bench: Bench, directory: Path, job: Job, told: Callable[[str], None] = lambda _: None
) -> Carried[Outcome]:
    return carry_out(directory, job, lambda: bench.now, told)


# Real processes


@pytest.mark.training
def test_a_run_is_written_down_with_what_it_cost(bench: Bench) -> None:
    directory, job = job_of(bench)
    lines: list[str] = []
    done = carried(bench, directory, job, lines.append)
    assert done.worked
    (run,) = runs_in(directory)
    assert run.id == f"{job.order.recipe.digest[7:17]}-1"
    assert (run.state, run.verdict, run.error) == ("done", "pass", None)
    assert (run.started, run.ended) == (NOW, NOW)
    assert run.resources["rows"] == 569
    assert run.resources["cpu_seconds"] > 0
    assert run.resources["peak_rss_bytes"] > 50_000_000
    told = [json.loads(line) for line in lines]
    assert [one["elapsed"] for one in told] == sorted(one["elapsed"] for one in told)
    assert all(one["rss"] > 0 for one in told)
    # Nothing of the clock is in what the recipe makes.
    assert b"2026-11-20" not in (directory / "evidence.json").read_bytes()
    assert not carried(bench, directory, job).worked
    assert len(list(runs_in(directory))) == 1


@pytest.mark.training
def test_a_result_that_was_changed_is_set_aside_and_made_again(bench: Bench) -> None:
    directory, job = job_of(bench)
    first = carried(bench, directory, job).outcome
    evidence = directory / "evidence.json"
    edited = evidence.read_bytes().replace(b'"verdict":"pass"', b'"verdict":"warn"', 1)
    evidence.write_bytes(edited)
    lines: list[str] = []
    again = carried(bench, directory, job, lines.append)
    assert (again.worked, again.outcome) == (True, first)
    assert lines[0] == CHANGED
    # What was changed is kept for whoever asks what happened.
    assert (directory / "attempts/001/evidence.json").read_bytes() == edited
    assert not carried(bench, directory, job).worked


@pytest.mark.parametrize("text", ["", "[]", "{", '{"error": {"code": "RUN154"}}'])
def test_a_result_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    assert not is_done(tmp_path)
    (tmp_path / "result.json").write_text(text)
    assert not is_done(tmp_path)


@pytest.mark.training
def test_every_attempt_is_kept(bench: Bench) -> None:
    directory, job = job_of(bench)
    for _ in range(2):
        outcome = carried(bench, directory, broken(job)).outcome
        assert outcome.summary == f"model {MODEL}: the recipe names another environment"
    runs = list(runs_in(directory))
    assert [run.id[-2:] for run in runs] == ["-2", "-1"]
    assert [run.state for run in runs] == ["failed", "failed"]
    assert [run.error and run.error["code"] for run in runs] == ["RUN153", "RUN153"]
    assert b"error[RUN153]" in (directory / "attempts/001/log").read_bytes()


@pytest.mark.training
def test_a_cancelled_run_leaves_nothing_half_done(bench: Bench) -> None:
    directory, job = lasting(bench)
    seen: list[int | None] = []

    def interrupt(line: str) -> None:
        if "fitting" in line:
            seen.append(job_in(directory))
            (directory / ".new-abc").write_bytes(b"half of a file")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carried(bench, directory, job, interrupt)
    assert seen != [None]
    assert job_in(directory) is None
    assert not is_running(directory)
    (run,) = runs_in(directory)
    assert run.state == "cancelled"
    assert run.error == {"code": "RUN154", "message": "cancelled", "remedy": "run it again"}
    left = {one.name for one in directory.iterdir()}
    assert left == {"data", "job.json", "lock", "log", "resources.json", "run.json"} & left
    assert "result.json" not in left
    assert carried(bench, directory, job).outcome.fate == "proposable"


@pytest.mark.training
def test_a_job_that_is_killed_is_said_to_be_killed(bench: Bench) -> None:
    directory, job = lasting(bench)

    def kill(line: str) -> None:
        if "fitting" in line:
            process = job_in(directory)
            assert process is not None
            os.kill(process, signal.SIGKILL)

    with pytest.raises(DriverFailed) as error:
        carried(bench, directory, job, kill)
    assert error.value.message == (
        "training was ended by SIGKILL; most often the machine had no memory left"
    )
    assert error.value.remedy == "give the machine more memory, or the model fewer rows or columns"
    (run,) = runs_in(directory)
    assert (run.state, run.error and run.error["code"]) == ("failed", "REC007")


def test_a_disk_that_takes_nothing_is_one_error(bench: Bench) -> None:
    directory, job = job_of(bench)
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.write_bytes(b"")
    with pytest.raises(DriverFailed, match=r": File exists$") as error:
        carried(bench, directory, job)
    assert error.value.remedy == "make room, mend the rights, try again"


@pytest.mark.training
def test_a_disk_that_fills_while_a_job_runs_is_no_cancellation(bench: Bench) -> None:
    directory, job = lasting(bench)

    def full(_line: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DriverFailed, match=r": No space left on device$"):
        carried(bench, directory, job, full)
    (run,) = runs_in(directory)
    assert (run.state, run.error and run.error["code"]) == ("failed", "REC007")
    assert job_in(directory) is None


@pytest.mark.training
def test_a_run_waits_for_the_lock_that_others_would_find(bench: Bench) -> None:
    """Whoever removes old runs may remove a directory whose lock somebody waits for."""
    directory, job = job_of(bench)
    told: SimpleQueue[str] = SimpleQueue()
    with ThreadPoolExecutor() as pool:
        with idle(directory) as held:
            assert held
            waiting = pool.submit(carried, bench, directory, broken(job), told.put)
            assert told.get() == ADOPTING
            shutil.rmtree(directory)
        assert waiting.result().outcome.fate == "broken"
    assert attempts.read_run(directory) is not None


# What is written down


def begin(directory: Path) -> attempts.Begun:
    directory.mkdir(exist_ok=True)
    return attempts.begin(
        directory, NOW, model=MODEL, recipe="sha256:ab", preview=False, champion=None
    )


def test_attempts_are_bounded(tmp_path: Path) -> None:
    directory = tmp_path / "job"
    for _ in range(attempts.KEPT + 5):
        last = begin(directory)
    names = [one.name for one in attempts.earlier(directory)]
    assert (last.attempt, len(names)) == (25, attempts.KEPT)
    assert (names[0], names[-1]) == ("005", "024")


def test_setting_aside_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    directory = tmp_path / "job"
    begin(directory)
    for name in ("job.json", "log"):
        (directory / name).write_text("{}")
    # Killed after the first of three files was moved.
    (directory / "attempts/001").mkdir(parents=True)
    (directory / "job.json").replace(directory / "attempts/001/job.json")
    assert begin(directory).attempt == 2
    kept = sorted(one.name for one in (directory / "attempts/001").iterdir())
    assert kept == ["job.json", "log", "run.json"]


def test_an_end_that_nobody_saw_is_told_by_the_result(tmp_path: Path) -> None:
    directory = tmp_path / "job"
    begin(directory)
    (run,) = runs_in(directory)
    assert (run.state, run.ended) == ("failed", None)
    assert run.error == {
        "code": "REC007",
        "message": "the process ended without a result, and nobody saw why",
        "remedy": "read its log",
    }
    (directory / "result.json").write_text('{"verdict": "pass", "metrics": {}}')
    (directory / "resources.json").write_text('{"wall_seconds": 2.5}')
    (run,) = runs_in(directory)
    assert (run.state, run.seconds) == ("done", 2.5)
    attempts.settle(directory, lambda: NOW)
    (run,) = runs_in(directory)
    assert (run.state, run.begun.state, run.ended) == ("done", "done", NOW)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "ordain.run/1", "x": 1}'])
def test_what_is_no_record_of_a_run_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    assert list(runs_in(tmp_path)) == []
