"""Runs are read from what they left, told apart, compared, and removed when they are old."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ordain.reconciler import attempts
from ordain.reconciler.comparing import compare
from ordain.reconciler.errors import RunUnknown
from ordain.reconciler.home import Home
from ordain.reconciler.jobs import idle
from ordain.reconciler.runs import find_run, list_runs, prune
from ordain.reconciler.sweeping import Freed, keeping_blobs, sweep_previews
from ordain.runtime.artifacts import ArtifactStore
from ordain.specs.canonical import canonical_json
from ordain.specs.evidence import Evidence, Metric

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def metric(name: str, value: float) -> Metric:
    return Metric(name, "test", value, value - 0.01, value + 0.01, 0.95, 100)


def run(
    home: Home,
    recipe: str,
    *metrics: Metric,
    minute: int = 0,
    preview: bool = False,
    champion: str | None = None,
    order: dict[str, Any] | None = None,
) -> None:
    """A run that has ended, as its files would say it."""
    directory = (home.preview if preview else home.job)(digest(recipe))
    moment = NOW + timedelta(minutes=minute)
    begun = attempts.begin(
        directory, moment, model="credit", recipe=digest(recipe), preview=preview, champion=champion
    )
    (directory / "job.json").write_text(json.dumps(order or {}))
    evidence = Evidence(
        model="credit",
        recipe=digest(recipe),
        artifact=digest(recipe),
        split=digest("5"),
        data={},
        metrics=metrics,
        fairness=(),
        importance=(),
        parity={},
    )
    (directory / "evidence.json").write_bytes(evidence.to_json())
    result = {
        "artifact": digest(recipe),
        "split": digest("5"),
        "verdict": "pass",
        "metrics": {one.name: one.value for one in metrics},
    }
    (directory / "result.json").write_bytes(canonical_json(result))
    attempts.end(directory, begun, moment + timedelta(seconds=3), None)


def test_runs_are_listed_newest_first(home: Home) -> None:
    run(home, "a", minute=1)
    run(home, "a", minute=2, preview=True)
    run(home, "b", minute=0)
    found = list_runs(home)
    assert [one.id for one in found] == ["aaaaaaaaaa-p1", "aaaaaaaaaa-1", "bbbbbbbbbb-1"]
    assert {one.seconds for one in found} == {3.0}


def test_a_run_is_found_by_its_id_its_beginning_or_its_model(home: Home) -> None:
    run(home, "a", minute=1)
    run(home, "a", minute=2)
    run(home, "b", minute=3)
    assert find_run(home, "credit").id == "bbbbbbbbbb-1"
    assert find_run(home, "bb").id == "bbbbbbbbbb-1"
    assert find_run(home, "aaaaaaaaaa-1").begun.attempt == 1
    with pytest.raises(RunUnknown, match=r"^several runs begin with 'aa'$") as error:
        find_run(home, "aa")
    assert error.value.remedy == "one of: aaaaaaaaaa-2, aaaaaaaaaa-1"
    with pytest.raises(RunUnknown, match=r"^there is no run ''$"):
        find_run(home, "")


def test_the_paired_difference_is_of_the_artifact_it_was_measured_against(home: Home) -> None:
    run(home, "a", metric("roc_auc", 0.75))
    delta = metric("roc_auc_delta", 0.02)
    run(home, "b", metric("roc_auc", 0.78), delta, champion=digest("a"))
    run(home, "c", metric("roc_auc", 0.78), delta, champion=digest("d"))
    before = find_run(home, "a")
    (pair,) = compare(before, find_run(home, "b")).metrics
    assert (pair.name, pair.paired) == ("roc_auc", delta)
    assert pair.difference == pytest.approx(0.03)
    (pair,) = compare(before, find_run(home, "c")).metrics
    assert pair.paired is None


def test_what_went_in_is_told_by_material_fields_data_lock_and_tool(home: Home) -> None:
    model = {"purpose": "x", "tier": 3, "owner": "one", "task": "classification", "dataset": "d"}
    training = {"estimator": "logistic_regression", "seed": 7}
    before = {"spec": model | {"training": training}, "recipe": {"data": "x"}}
    run(home, "a", order=before | {"environment": "numpy==2.0.0\n"})
    other = model | {"owner": "two", "training": training | {"seed": 8}}
    after = {"spec": other, "recipe": {"data": "y"}}
    run(home, "b", order=after | {"environment": "numpy==2.1.0\n"})
    found = compare(find_run(home, "a"), find_run(home, "b"))
    assert [(one.what, one.before, one.after) for one in found.inputs] == [
        ("Model spec.training.seed", 7, 8),
        ("data digest", "x", "y"),
        ("lock numpy", "2.0.0", "2.1.0"),
    ]


def test_old_runs_go_and_what_a_reconciler_goes_on_from_stays(home: Home) -> None:
    for minute in range(3):
        run(home, "a", minute=minute)
    run(home, "b", minute=4, preview=True)
    run(home, "b", minute=5, preview=True)
    run(home, "c", minute=6, preview=True)
    gone = prune(home, 1)
    assert set(gone) == {"bbbbbbbbbb-p1", "bbbbbbbbbb-p2", "aaaaaaaaaa-1", "aaaaaaaaaa-2"}
    assert [one.id for one in list_runs(home)] == ["cccccccccc-p1", "aaaaaaaaaa-3"]
    assert not home.preview(digest("b")).exists()


def test_a_run_that_began_since_it_was_listed_stays(home: Home) -> None:
    run(home, "b", minute=4, preview=True)
    with idle(home.preview(digest("b"))) as held:
        assert held
        assert prune(home, 0) == ()
    assert prune(home, 0) == ("bbbbbbbbbb-p1",)
    assert not home.preview(digest("b")).exists()


def test_blobs_of_a_preview_are_kept_while_it_is_trained_or_served(home: Home) -> None:
    store = ArtifactStore(home.preview_artifacts)
    lent, serving = store.put(b"lent"), store.put(b"serving")
    config = home.preview_server / "run/config.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"artifact": serving}))
    with keeping_blobs(home):
        assert sweep_previews(home) == Freed(0, 0)
    assert sweep_previews(home) == Freed(1, 4)
    assert (store.has(lent), store.has(serving)) == (False, True)


def test_a_home_without_runs_has_none(home: Home) -> None:
    assert list_runs(home) == ()
    assert prune(home, 0) == ()


def test_previews_have_a_store_of_their_own(home: Home) -> None:
    blob = ArtifactStore(home.preview_artifacts).put(b"{}")
    assert not ArtifactStore(home.artifacts).has(blob)
