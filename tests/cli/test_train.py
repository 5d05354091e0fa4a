"""Training without rights: what a work tree declares, apart from everything that is signed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from places import Place, post
from training_processes import job_in, waits_for

from ordain.reconciler.source import open_source
from ordain.reconciler.unsigned_previews import (
    candidate_of,
    chosen_models,
    open_workshop,
    train_preview,
)
from ordain.runtime.errors import Cancelled

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = [pytest.mark.training, pytest.mark.timeout(60)]

MODEL = "malignancy"
MODEL_FILE = "specs/models/malignancy.yaml"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A clinic whose work tree was tried out by somebody without any key; to be looked at only."""
    root = tmp_path_factory.mktemp("clinic")
    place = Place(root, root / "estate")
    place.ordain("init", str(place.estate), "--example", "clinic", "--port", "0", at=root)
    shutil.rmtree(place.home / "keys")
    place.git("checkout", "--quiet", "-b", "trying")
    place.ordain("train", "--progress", "none")
    return place


@pytest.fixture
def own(clinic: Place, tmp_path: Path) -> Place:
    """The same, to be changed."""
    shutil.copytree(clinic.root, tmp_path / "own", symlinks=True)
    copy = Place(tmp_path / "own", tmp_path / "own/estate")
    copy.git("update-index", "-q", "--refresh")
    return copy


def trained(place: Place, *more: str, expect: int = 0) -> dict[str, Any]:
    done = place.ordain("train", "--progress", "none", "-o", "json", *more, expect=expect)
    (model,) = json.loads(done.stdout)["models"]
    assert (model["preview"], model["signed"]) == (True, False)
    found: dict[str, Any] = model
    return found


def listed(place: Place, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        place.ordain("runs", "list", "-o", "json", *more).stdout
    )["runs"]
    return found


# What is made


def test_an_equal_recipe_is_no_work(clinic: Place) -> None:
    before = {path: path.stat().st_mtime_ns for path in clinic.home.rglob("*") if path.is_file()}
    done = clinic.ordain("train", "--progress", "none")
    (run,) = listed(clinic)
    lines = done.stdout.splitlines()
    assert lines[0] == (
        f"{MODEL}: unsigned preview, run {run['id']}"
        " (up to date: an equal recipe was trained before)"
    )
    assert lines[-2:] == [
        "Meets what the model declares; nobody has approved it.",
        "Next: ordain serve --local",
    ]
    assert all(len(line) <= 100 for line in lines if "/" not in line)
    after = {path: path.stat().st_mtime_ns for path in clinic.home.rglob("*") if path.is_file()}
    changed = {path for path in after if after[path] != before.get(path)}
    # What the gate finds depends on documents that no recipe covers, so the page is written anew.
    assert {path.name for path in changed} <= {"report.html"}
    assert after.keys() == before.keys()


def test_nothing_of_a_preview_is_where_production_looks(clinic: Place) -> None:
    said = trained(clinic)
    names = {one.name for one in clinic.home.iterdir()}
    assert names & {"artifacts", "state.db", "jobs", "run", "keys"} == set()
    blob = said["artifact"].removeprefix("sha256:")
    assert (clinic.home / "previews/artifacts/sha256" / blob[:2] / blob[2:]).is_file()
    assert clinic.git("status", "--porcelain") == ""


def test_the_reconciler_makes_the_same_artifact_again(own: Place) -> None:
    said = trained(own)
    own.git("checkout", "--quiet", "main")
    # There is no key here to propose with; training comes before that.
    own.ordain("reconcile", "--once", expect=None)
    (job,) = own.home.glob("jobs/*/result.json")
    result = json.loads(job.read_bytes())
    assert (result["artifact"], result["recipe"]) == (said["artifact"], said["recipe"])
    assert [run["preview"] for run in listed(own)] == [False, True]


def test_the_page_says_that_it_is_a_preview(own: Place) -> None:
    own.edit(MODEL_FILE, "owner: pathology", "owner: somebody-else")
    own.ordain("report", MODEL, "--preview", "--out", str(own.root / "page.html"))
    page = (own.root / "page.html").read_text(encoding="utf-8")
    assert "<strong>UNSIGNED PREVIEW: not approved, not served.</strong>" in page
    assert "of a work tree with 1 changed file." in page
    assert "<title>UNSIGNED PREVIEW: malignancy" in page
    assert "<script" not in page
    (first,) = own.home.glob("previews/*/report.html")
    assert "not approved, not served" in first.read_text(encoding="utf-8")


def test_evidence_that_fails_is_exit_code_1(own: Place) -> None:
    own.edit(MODEL_FILE, "min: 0.95", "min: 0.9999")
    done = own.ordain("train", "--progress", "none", expect=1)
    assert "ACC-METRIC" in done.stdout
    line = next(
        number
        for number, text in enumerate((own.estate / MODEL_FILE).read_text().splitlines(), start=1)
        if "min: 0.9999" in text
    )
    assert f"{MODEL_FILE}:{line}:" in done.stdout
    assert "note: No protected attribute is declared: fairness is not shown.\n" in done.stdout
    assert done.stdout.splitlines()[-2:] == [
        "Does not meet what the model declares.",
        "Next: ordain explain ACC-VERDICT",
    ]
    assert trained(own, expect=1)["accepted"] is False
    shown = own.ordain("runs", "show", MODEL).stdout
    assert "error[ACC-METRIC]: malignancy: lower bound of roc_auc is " in shown
    assert "note: No protected attribute is declared: fairness is not shown.\n" in shown


def test_data_that_nobody_has_pinned_are_taken_as_they_are(own: Place) -> None:
    file = next((own.estate / "specs/datasets").glob("*.yaml"))
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if "digest:" not in line), encoding="utf-8")
    done = own.ordain("train", "--progress", "none", "-o", "json")
    (said,) = json.loads(done.stdout)["models"]
    assert said["data"]["pinned"] is False
    assert done.stderr == (
        "note: biopsies is not pinned; training on what is there now, "
        f"{said['data']['digest'][:19]}\n"
    )
    assert said["worked"] is False


def test_what_a_pinned_source_holds_by_now_is_not_learnt_from_and_that_is_said(own: Place) -> None:
    place = next((own.estate / "data").glob("*.csv"))
    source = place.relative_to(own.estate)
    before = trained(own)
    place.write_text("gone\n", encoding="utf-8")
    after = trained(own, "--again")
    assert (after["artifact"], after["worked"]) == (before["artifact"], True)
    assert after["data"]["rows"] == f"the pinned snapshot; {source} was not read"
    lines = own.ordain("train", "--progress", "none").stdout.splitlines()
    assert f"rows      the pinned snapshot; {source} was not read" in lines


def test_pinned_rows_that_nobody_has_kept_are_taken_from_their_source(own: Place) -> None:
    shutil.rmtree(own.home / "previews")
    (source,) = (own.estate / "data").glob("*.csv")
    place = source.relative_to(own.estate)
    assert trained(own)["data"]["rows"] == f"the pinned rows, taken from {place}"
    shutil.rmtree(own.home / "previews")
    source.write_text("gone\n", encoding="utf-8")
    done = own.ordain("train", "--progress", "none", expect=2)
    assert "RUN142" in done.stderr


# What is refused


@pytest.mark.parametrize(
    ("name", "message", "remedy"),
    [
        ("maligancy", "there is no Model 'maligancy'", "did you mean `malignancy`?"),
        ("x", "there is no Model 'x'", "one of: malignancy"),
    ],
)
def test_an_unknown_model_is_refused(clinic: Place, name: str, message: str, remedy: str) -> None:
    done = clinic.ordain("train", name, expect=2)
    assert done.stderr == f"error[REC015]: {message}\n  = help: {remedy}\n"


def test_a_model_that_is_trained_elsewhere_is_refused(own: Place) -> None:
    file = own.estate / MODEL_FILE
    text = file.read_text(encoding="utf-8")
    head = text[: text.index("  dataset:")]
    file.write_text(f"{head}  external: {{provider: a vendor}}\n", encoding="utf-8")
    done = own.ordain("train", MODEL, expect=2)
    assert done.stderr == (
        "error[REC015]: Model malignancy has no `training`: it was not made here\n"
        "  = help: name a model that is trained here\n"
    )


def test_data_that_cannot_be_read_are_an_error_with_its_code(own: Place) -> None:
    """Neither the source nor a store has the rows."""
    for file in (own.estate / "data").iterdir():
        file.unlink()
    shutil.rmtree(own.home / "previews")
    own.edit(MODEL_FILE, "seed: 7", "seed: 8")
    done = own.ordain("train", "--progress", "none", expect=2)
    begins = "error[RUN142]: model malignancy: the snapshot of Dataset/biopsies is not in"
    assert done.stderr.startswith(begins)
    assert f"\n --> {MODEL_FILE}:" in done.stderr
    assert "data/biopsies.csv: there is no such file" in done.stderr
    assert done.stdout == "Next: ordain explain RUN142\n"


# Stopping


def started(place: Place) -> subprocess.Popen[str]:
    """A run that has begun, of a model that takes some seconds."""
    place.edit(MODEL_FILE, "logistic_regression", "hist_gradient_boosting")
    place.edit(MODEL_FILE, "{C: 0.5, max_iter: 2000}", "{max_iter: 1000}")
    process = subprocess.Popen(
        [sys.executable, "-m", "ordain.cli", "train", "--progress", "json"],
        cwd=place.estate,
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if json.loads(line)["stage"] == "reading":
            return process
    pytest.fail("it ended before it began")


def directory_of(place: Place) -> Path:
    """Where the run is that began last."""
    found = place.home.glob("previews/*/run.json")
    return max(found, key=lambda one: one.stat().st_mtime_ns).parent


def job_of(place: Place) -> int:
    process = job_in(directory_of(place))
    assert process is not None
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_run(own: Place, number: signal.Signals) -> None:
    with started(own) as process:
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == 2
    assert said.endswith(
        "error[RUN154]: training of malignancy was cancelled\n"
        "  = help: nothing of it is kept; run it again: ordain train malignancy\n"
    )
    assert "Traceback" not in said
    assert job_in(directory_of(own)) is None
    assert [run["state"] for run in listed(own)] == ["cancelled", "done"]
    assert list(own.home.rglob(".new-*")) == []
    assert trained(own)["state"] == "done"


def test_stopping_before_a_job_begins_is_a_cancellation_as_well(own: Place) -> None:
    """Rows are read and kept before there is a job; the clock stands for that moment."""
    source = open_source(own.estate, own.environment)
    workshop = open_workshop(source.home, own.estate)
    source.repository.close()
    (document,) = chosen_models(workshop.estate, ())

    def stopped() -> datetime:
        raise KeyboardInterrupt

    with pytest.raises(Cancelled) as caught:
        train_preview(workshop, candidate_of(workshop, document), stopped, print, again=True)
    assert caught.value.message == "training of malignancy was cancelled"
    assert caught.value.remedy == "nothing of it is kept; run it again: ordain train malignancy"


def test_a_page_says_what_the_gate_finds_now(own: Place) -> None:
    """What is found depends on documents that are in no recipe."""
    page = Path(trained(own)["page"])
    before = page.read_text(encoding="utf-8")
    own.edit("specs/monitors/malignancy.yaml", "fail: 0.25", "fail: 5")
    assert trained(own)["worked"] is False
    assert page.read_text(encoding="utf-8") != before


def test_a_second_signal_waits_for_nothing(own: Place) -> None:
    with started(own) as process:
        job = job_of(own)
        # Held where it is, it hears no signal but the last.
        os.kill(job, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        while not waits_for(job, signal.SIGTERM):
            pass
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 2
    assert job_in(directory_of(own)) is None
    assert listed(own)[0]["state"] == "cancelled"


def test_a_killed_command_leaves_a_run_to_adopt(own: Place) -> None:
    with started(own) as process:
        job = job_of(own)
        process.kill()
        process.communicate()
    # Held only now: a group that is stopped when it loses its parent is hung up on.
    os.kill(job, signal.SIGSTOP)
    assert listed(own)[0]["state"] == "running"
    second = subprocess.Popen(
        [sys.executable, "-m", "ordain.cli", "train", "--progress", "json"],
        cwd=own.estate,
        env=own.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert second.stderr is not None
    with second:
        first = json.loads(second.stderr.readline())
        assert first == {"model": MODEL, "note": "adopting the run that is going on"}
        os.kill(job, signal.SIGCONT)
        said, _ = second.communicate()
    assert second.returncode == 0
    assert "(up to date" in said.splitlines()[0]
    runs = listed(own)
    assert [run["state"] for run in runs] == ["done", "done"]
    assert runs[0]["ended"] is not None


# Serving


def test_previews_are_served_apart_and_say_so(own: Place) -> None:
    own.edit(MODEL_FILE, "seed: 7", "seed: 8")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "ordain.cli", "serve", "--local", "--progress", "none"],
        cwd=own.estate,
        env=own.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "Serving an unsigned preview; stop with Ctrl-C.\n"
        address, model = process.stdout.readline().split()
        assert (address.rpartition(":")[2].partition("/")[2], model) == ("v1/malignancy", MODEL)
        status, answer = post(address, record(own))
        assert (status, answer["preview"], answer["version"]) == (200, True, 0)
        assert 0.0 <= answer["score"] <= 1.0
        with pytest.raises(HTTPError) as refused:
            urlopen(address, b"{}", timeout=30)  # noqa: S310 - loopback
        with refused.value as error:
            assert (error.code, error.headers["x-ordain-preview"]) == (422, "unsigned")
        busy = own.ordain("serve", "--local", expect=2)
        assert busy.stderr.startswith("error[REC001]: previews of this estate are served already\n")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 0
    assert said == (
        "note: malignancy has no preview of what is declared now; training it\nStopped.\n"
    )
    assert not (own.home / "previews/serving/ledger").exists()
    assert not (own.home / "ledger").exists()


def record(place: Place) -> dict[str, Any]:
    """A row of the background that explanations compare with: one that the model accepts."""
    for blob in (place.home / "previews/artifacts").rglob("*"):
        if blob.is_file() and blob.read_bytes().startswith(b'{"rows":[{'):
            found: dict[str, Any] = json.loads(blob.read_bytes())["rows"][0]
            return found
    pytest.fail("no preview has a background")


def test_serving_what_is_approved_is_not_for_this_command(clinic: Place) -> None:
    done = clinic.ordain("serve", expect=2)
    assert done.stderr.splitlines()[-1] == (
        "Error: what is approved is served by `ordain reconcile`; for previews give --local"
    )


def test_a_misspelt_route_is_refused(clinic: Place) -> None:
    done = clinic.ordain("serve", "--local", "malignanci", expect=2)
    assert done.stderr == (
        "error[CMP001]: there is no Route or Model 'malignanci'\n"
        "  = help: did you mean `malignancy`?\n"
    )


# Runs


def test_two_runs_are_compared_by_what_went_in_and_what_came_out(own: Place) -> None:
    own.edit(MODEL_FILE, "C: 0.5", "C: 0.25")
    trained(own)
    after, before = listed(own)
    found = json.loads(
        own.ordain("runs", "compare", before["id"], after["id"], "-o", "json").stdout
    )
    assert found["inputs"] == [
        {"what": "Model spec.training.parameters.C", "before": 0.5, "after": 0.25}
    ]
    auc = next(one for one in found["metrics"] if one["name"] == "roc_auc")
    assert auc["difference"] == auc["after"]["value"] - auc["before"]["value"]
    assert auc["paired"] is None
    assert {one["what"] for one in found["resources"]} >= {"cpu_seconds", "peak_rss_bytes", "rows"}
    shown = own.ordain("runs", "compare", before["id"][:4], after["id"][:4])
    assert "Model spec.training.parameters.C" in shown.stdout
    assert "PAIRED" not in shown.stdout
    assert "only with versus: champion" in shown.stdout
    assert re.search(r"^memory +[0-9]+ MB +[0-9]+ MB$", shown.stdout, re.MULTILINE)
    assert all(len(line) <= 100 for line in shown.stdout.splitlines())


def test_a_run_shows_all_that_is_known_of_it(clinic: Place) -> None:
    found = json.loads(clinic.ordain("runs", "show", MODEL, "-o", "json").stdout)
    assert found["mark"] == "unsigned preview"
    assert found["training"]["parameters"] == {"C": 0.5, "max_iter": 2000}
    assert (found["inputs"]["seed"], found["trials"]) == (7, [])
    assert set(found["files"]) == {
        *("job.json", "evidence.json", "result.json", "resources.json", "log", "report.html"),
        "run.json",
    }
    assert found["measured"][0]["low"] is not None
    shown = clinic.ordain("runs", "show", found["id"]).stdout
    assert shown.startswith(f"{found['id']}: malignancy, unsigned preview\n")
    assert "569 rows" in shown
    assert os.uname().nodename not in json.dumps(
        json.loads((directory_of(clinic) / "run.json").read_bytes())
    )


def test_what_is_no_run_is_refused(clinic: Place) -> None:
    done = clinic.ordain("runs", "show", "nope", expect=2)
    assert done.stderr == "error[REC014]: there is no run 'nope'\n  = help: see: ordain runs list\n"


def test_old_runs_are_removed_with_their_artifacts(own: Place) -> None:
    first = trained(own)
    own.edit(MODEL_FILE, "seed: 7", "seed: 8")
    second = trained(own)
    done = own.ordain("runs", "prune", "--keep", "1")
    assert done.stdout.startswith(f"- {first['run']}\nRemoved 1 run and ")
    assert [run["id"] for run in listed(own)] == [second["run"]]
    store = own.home / "previews/artifacts/sha256"
    kept = {f"sha256:{one.parent.name}{one.name}" for one in store.glob("*/*")}
    assert second["artifact"] in kept
    assert first["artifact"] not in kept
    assert trained(own)["worked"] is False
