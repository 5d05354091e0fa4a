"""The whole loop on the clinic: real data, two passes, an approval, a decision and its reasons.

The steps are one story, told once and looked at by many tests: each test says one thing that must
be true at its point of the story.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from places import Place, post

pytestmark = pytest.mark.e2e

ROUTE = "/v1/malignancy"
# What each command says is to be typed next.
STEPS = {
    "check": "plan",
    "first": "proposals list",
    "show": "approve malignancy-1 --as PERSON",
    "approve": "proposals merge malignancy-1 --as PERSON",
    "merge": "reconcile --once",
    "second": "status",
    "third": "status",
}


@pytest.fixture(scope="module")
def story(place: Place) -> dict[str, Any]:
    """From nothing to a served decision; every output is kept."""
    told: dict[str, Any] = {}
    told["init"] = place.ordain(
        "init", str(place.estate), "--example", "clinic", "--port", "0", at=place.root
    )
    told["check"] = place.ordain("check")
    told["plan"] = place.ordain("plan", "--out", str(place.root / "plan.json"))
    told["changes"] = place.ordain("plan", "--exit-code", expect=1)
    told["first"] = place.ordain("reconcile", "--once")
    told["stale"] = place.ordain("apply", str(place.root / "plan.json"), expect=2)
    told["waiting"] = json.loads(place.ordain("status", "-o", "json").stdout)
    told["show"] = place.ordain("proposals", "show", "malignancy-1")
    told["early"] = place.ordain("proposals", "merge", "malignancy-1", "--as", "manager", expect=1)
    told["own"] = place.ordain(
        "proposals", "approve", "malignancy-1", "--as", "data-scientist", expect=1
    )
    told["approve"] = place.ordain("approve", "malignancy-1", "--as", "manager")
    told["merge"] = place.ordain("proposals", "merge", "malignancy-1", "--as", "manager")
    told["key"] = place.ordain("keys", "create", "--route", "malignancy").stdout.strip()
    told["second"] = place.ordain("reconcile", "--once")
    told["third"] = place.ordain("reconcile", "--once")
    told["rows"] = _rows(place)
    told["answer"] = post(place.address() + ROUTE, told["rows"][0], told["key"])
    return told


def _rows(place: Place) -> list[dict[str, float]]:
    lines = (place.estate / "data/biopsies.csv").read_text().splitlines()
    names = lines[0].split(",")[:-1]
    return [dict(zip(names, map(float, line.split(",")), strict=False)) for line in lines[1:]]


def test_the_estate_is_green_at_once(story: dict[str, Any]) -> None:
    assert "no findings in" in story["check"].stdout


def test_a_plan_says_what_will_happen_before_it_does(story: dict[str, Any]) -> None:
    assert "+ train malignancy" in story["plan"].stdout
    assert "Plan: 4 to add, 0 to change, 0 to remove." in story["plan"].stdout
    assert story["changes"].returncode == 1


def test_the_first_pass_proposes_and_serves_nothing(story: dict[str, Any]) -> None:
    assert "proposed as malignancy-1" in story["first"].stdout
    (model,) = story["waiting"]["models"]
    assert model["sync"] == "Waiting"
    assert model["health"] == "Idle"
    assert "NoApprovedVersion" in model["waits_for"]
    assert "ApprovalPending" in model["waits_for"]


def test_a_saved_plan_is_refused_when_production_moved(story: dict[str, Any]) -> None:
    assert "the plan is out of date" in story["stale"].stderr


def test_the_proposal_shows_its_evidence(story: dict[str, Any]) -> None:
    assert "roc_auc" in story["show"].stdout
    assert "specs/versions/malignancy/1.yaml" in story["show"].stdout


def test_nothing_is_merged_without_an_approval(story: dict[str, Any]) -> None:
    assert "the approval of a manager is missing" in story["early"].stderr


def test_a_data_scientist_cannot_approve(story: dict[str, Any]) -> None:
    assert "data-scientist has no role that approves" in story["own"].stderr


def test_the_second_pass_serves_and_the_third_does_nothing(story: dict[str, Any]) -> None:
    assert "serving on http://127.0.0.1:" in story["second"].stdout
    assert "No changes. Production matches git" in story["third"].stdout


def test_the_route_answers_with_the_approved_version(story: dict[str, Any]) -> None:
    status, answer = story["answer"]
    assert status == 200
    assert answer["model"] == "malignancy"
    assert answer["version"] == 1
    assert 0.0 <= answer["score"] <= 1.0
    assert answer["decision"] in {"review-first", "routine"}


def test_reasons_are_those_of_exactly_that_version(place: Place, story: dict[str, Any]) -> None:
    rows, address = story["rows"], place.address() + ROUTE
    answers = [post(address, row, story["key"])[1] for row in rows[:20]]
    worst = max(answers, key=lambda answer: answer["score"])
    told = place.ordain("reasons", worst["id"]).stdout
    assert told.splitlines()[-1] == "Next: ordain report malignancy"
    found = json.loads(place.ordain("reasons", worst["id"], "-o", "json").stdout)
    assert found["prediction"]["output"] == worst["score"]
    assert 1 <= len(found["reasons"]) <= 3
    assert all(reason["contribution"] > 0 for reason in found["reasons"])
    assert [reason["rank"] for reason in found["reasons"]] == list(
        range(1, len(found["reasons"]) + 1)
    )


def test_each_step_ends_with_the_next_one(story: dict[str, Any]) -> None:
    told = {name: done.stdout.splitlines()[-1] for name, done in story.items() if name in STEPS}
    assert told == {name: f"Next: ordain {words}" for name, words in STEPS.items()}
    assert story["init"].stdout.splitlines()[-1].endswith("/estate && ordain check")


def test_a_request_without_a_key_is_refused(place: Place, story: dict[str, Any]) -> None:
    assert post(place.address() + ROUTE, story["rows"][0])[0] == 401
    assert post(place.address() + ROUTE, story["rows"][0], "ord_wrong")[0] == 401


def test_a_request_that_breaks_the_contract_names_the_field(
    place: Place, story: dict[str, Any]
) -> None:
    row = {**story["rows"][0], "mean_radius": "wide"}
    status, answer = post(place.address() + ROUTE, row, story["key"])
    assert status == 422
    assert answer["error"]["field"] == "mean_radius"
    assert post(place.address() + ROUTE, b"{not json", story["key"])[0] == 400


def test_every_answer_is_in_the_record(place: Place, story: dict[str, Any]) -> None:
    identifier = story["answer"][1]["id"]
    (line,) = place.ordain("audit", "query", "--id", identifier, "-o", "json").stdout.splitlines()
    assert json.loads(line)["output"] == story["answer"][1]["score"]


@pytest.mark.usefixtures("story")
def test_the_metrics_of_the_server_count_the_answers(place: Place) -> None:
    with urllib.request.urlopen(place.address() + "/metrics", timeout=10) as answer:  # noqa: S310
        text = answer.read().decode()
    assert "ordain_predictions_total" in text
    assert 'model="malignancy"' in text
    for path in ("/healthz", "/readyz"):
        with urllib.request.urlopen(place.address() + path, timeout=10) as answer:  # noqa: S310
            assert answer.status == 200


def test_drift_is_a_verdict_with_its_numbers(place: Place, story: dict[str, Any]) -> None:
    address = place.address() + ROUTE
    moved = [{**row, "mean_radius": row["mean_radius"] * 1.4} for row in story["rows"][:300]]
    for start in range(0, len(moved), 100):
        status, _ = post(address, {"records": moved[start : start + 100]}, story["key"])
        assert status == 200
    done = place.ordain("monitor", "run", "-o", "json", expect=1)
    report = json.loads(done.stdout)
    worst = report["features"][0]
    assert report["verdict"] == "fail"
    assert worst["feature"] == "mean_radius"
    assert worst["psi"] > 0.25


def test_the_report_is_one_page_without_anything_outside(place: Place) -> None:
    out = place.root / "page.html"
    told = place.ordain("report", "malignancy", "--out", str(out)).stdout
    assert told.splitlines()[-1] == "Next: ordain audit verify"
    page = out.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "malignancy" in page
    assert "roc_auc" in page.lower().replace("-", "_").replace(" ", "_")


def test_the_record_verifies_and_a_changed_byte_is_found(place: Place) -> None:
    told = place.ordain("audit", "verify").stdout
    assert "missing or changed" in told
    assert told.splitlines()[-1] == "Next: ordain audit query"
    segment = min(place.home.glob("ledger/predictions/*/*.jsonl"))
    original = segment.read_bytes()
    lines = original.splitlines(keepends=True)
    segment.write_bytes(
        b"".join([lines[0], lines[1].replace(b"malignancy", b"malignance", 1), *lines[2:]])
    )
    try:
        broken = place.ordain("audit", "verify", expect=1)
        assert "does not verify" in broken.stderr
    finally:
        segment.write_bytes(original)
    place.ordain("audit", "verify")


def test_a_killed_server_is_serving_again_after_the_next_pass(
    place: Place, story: dict[str, Any]
) -> None:
    (status,) = place.home.glob("run/*/status.json")
    os.kill(json.loads(status.read_bytes())["pid"], signal.SIGKILL)
    done = place.ordain("reconcile", "--once")
    assert "serving of production" in done.stdout
    assert post(place.address() + ROUTE, story["rows"][0], story["key"])[0] == 200


def test_a_new_key_is_served_without_dropping_a_request(
    place: Place, story: dict[str, Any]
) -> None:
    """A changed configuration replaces the process under load."""
    address, row, stop = place.address() + ROUTE, story["rows"][0], threading.Event()
    seen: list[int] = []

    def ask() -> None:
        while not stop.is_set():
            seen.append(post(address, row, story["key"])[0])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        second = place.ordain("keys", "create", "--route", "malignancy").stdout.strip()
        done = place.ordain("reconcile", "--once")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert "update serving of production" in done.stdout
    assert set(seen) == {200}
    assert post(address, row, second)[0] == 200


def test_a_deleted_model_is_retired_and_its_record_stays(
    place: Place, story: dict[str, Any]
) -> None:
    for path in ("models", "deployments", "routes", "monitors", "compliance"):
        (place.estate / "specs" / path / "malignancy.yaml").unlink()
    place.commit("Retire the model")
    early = place.ordain("reconcile", "--once", expect=1)
    assert "the approval of a manager is missing" in early.stderr
    place.ordain("proposals", "approve", "main", "--as", "cto")
    told = place.ordain("proposals", "approve", "main", "--as", "manager")
    assert told.stdout.splitlines()[-1] == "Next: ordain reconcile --once"
    done = place.ordain("reconcile", "--once")
    assert "retire malignancy" in done.stdout
    assert "stop serving of production" in done.stdout
    (model,) = json.loads(place.ordain("status", "-o", "json").stdout)["models"]
    assert (model["model"], model["sync"]) == ("malignancy", "Retired")
    identifier = story["answer"][1]["id"]
    place.ordain("audit", "query", "--id", identifier)
    assert any((place.home / "artifacts").rglob("*"))
    place.ordain("audit", "verify")


def test_no_private_key_is_in_the_repository(place: Place) -> None:
    files = [path for path in place.estate.rglob("*") if path.is_file()]
    assert not any(b"PRIVATE KEY" in path.read_bytes() for path in files)
    for key in (place.home / "keys").iterdir():
        if key.name != "allowed_signers":
            assert Path(key).stat().st_mode & 0o077 == 0
