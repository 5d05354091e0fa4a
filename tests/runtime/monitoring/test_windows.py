from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ordain.ledger.records import Event, Prediction, encode
from ordain.runtime.monitoring.errors import MonitorError
from ordain.runtime.monitoring.profiles import Profile, profile_rows
from ordain.runtime.monitoring.windows import DriftReport, evaluate, select
from ordain.specs.canonical import canonical_json
from ordain.specs.findings import Verdict
from ordain.specs.kinds.monitor import Hysteresis, Limits, Monitor, Window

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ARTIFACT = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
INPUTS = (("income", "float"), ("purpose", "category"))


def rows(count: int, *, shift: float = 0.0, seed: int = 1) -> list[dict[str, Any]]:
    generator = random.Random(seed)
    return [
        {"income": generator.gauss(shift, 1.0), "purpose": generator.choice(["car", "home"])}
        for _ in range(count)
    ]


def scores(count: int) -> list[float]:
    return [index / count for index in range(count)]


PROFILE = profile_rows(rows(4000, seed=7), INPUTS, scores(4000))


def predictions(
    inputs: list[dict[str, Any]],
    *,
    newest: datetime = NOW,
    **changes: Any,  # noqa: ANN401
) -> list[Prediction]:
    """One prediction a second, the first of the inputs being the oldest."""
    output = scores(len(inputs))
    random.Random(2).shuffle(output)
    start = newest - timedelta(seconds=len(inputs))
    given: dict[str, Any] = {
        "route": "credit",
        "rule": None,
        "draw": None,
        "deployment": "credit-default",
        "model": "credit-default",
        "version": "1",
        "artifact": ARTIFACT,
        "decision": None,
        "threshold": None,
        "latency_us": 100,
        "key_id": None,
    } | changes
    return [
        Prediction(
            id=f"{index:036}",
            time=start + timedelta(seconds=index + 1),
            inputs=row,
            output=output[index],
            **given,
        )
        for index, row in enumerate(inputs)
    ]


def monitor(**changes: Any) -> Monitor:  # noqa: ANN401 - any field
    return Monitor(deployment="credit-default", **changes)


def run(
    found: list[Prediction], watch: Monitor | None = None, past: tuple[Verdict, ...] = ()
) -> DriftReport:
    return evaluate(watch or monitor(), PROFILE, found, artifact=ARTIFACT, now=NOW, past=past)


def test_a_stable_window_passes() -> None:
    report = run(predictions(rows(1000)))
    assert (report.verdict, report.rows) == (Verdict.PASS, 1000)
    assert [drift.verdict for drift in report.features] == [Verdict.PASS, Verdict.PASS]
    assert report.output.verdict is Verdict.PASS


def test_a_shifted_feature_fails_and_stands_first() -> None:
    report = run(predictions(rows(1000, shift=1.0)))
    assert report.verdict is Verdict.FAIL
    assert [drift.feature for drift in report.features] == ["income", "purpose"]
    income = report.features[0]
    assert (income.verdict, income.n, income.n_reference) == (Verdict.FAIL, 1000, 4000)
    assert sum(bin_.window for bin_ in income.bins) == 1000


def test_drift_of_the_output_is_judged_by_its_own_limits() -> None:
    found = [
        Prediction(**{name: getattr(row, name) for name in row.__slots__} | {"output": 0.99})
        for row in predictions(rows(1000))
    ]
    assert run(found).output.verdict is Verdict.FAIL
    lenient = monitor(prediction_psi=Limits(warn=50.0, fail=100.0))
    assert run(found, lenient).verdict is Verdict.PASS


def test_a_window_with_too_few_rows_is_insufficient() -> None:
    report = run(predictions(rows(199)))
    assert report.verdict is Verdict.INSUFFICIENT
    assert report.features[0].reason == "199 rows, at least 200 are needed"


def test_no_predictions_are_insufficient_and_have_no_times() -> None:
    report = run([])
    assert (report.verdict, report.rows, report.since) == (Verdict.INSUFFICIENT, 0, None)


def test_the_window_is_the_newest_rows() -> None:
    old = predictions(rows(3000, shift=3.0), newest=NOW - timedelta(hours=2))
    new = predictions(rows(1000))
    report = run(old + new)
    assert report.verdict is Verdict.PASS
    assert (report.since, report.until) == (new[0].time, NOW)


def test_the_window_is_not_older_than_its_duration() -> None:
    watch = monitor(window=Window(rows=1000, duration="5m"))
    kept = select(watch, predictions(rows(1000)), artifact=ARTIFACT, now=NOW)
    assert len(kept) == 301
    assert kept[-1].time == NOW - timedelta(minutes=5)


def test_a_window_may_be_longer_than_the_calendar() -> None:
    watch = monitor(window=Window(rows=1000, duration="999999999d"))
    assert len(select(watch, predictions(rows(300)), artifact=ARTIFACT, now=NOW)) == 300


def test_what_came_after_the_evaluation_does_not_belong_to_it() -> None:
    late = predictions(rows(10), newest=NOW + timedelta(hours=1))
    assert select(monitor(), late, artifact=ARTIFACT, now=NOW) == []


@pytest.mark.parametrize(
    "changes", [{"rule": "shadow"}, {"artifact": OTHER}, {"deployment": "challenger"}]
)
def test_only_what_the_version_itself_answered_belongs_to_the_window(
    changes: dict[str, Any],
) -> None:
    foreign = predictions(rows(1000, shift=3.0), **changes)
    report = run(foreign + predictions(rows(300)))
    assert (report.rows, report.verdict) == (300, Verdict.PASS)


def test_the_order_in_which_predictions_are_read_does_not_matter() -> None:
    found = predictions(rows(1500))
    shuffled = random.Random(3).sample(found, len(found))
    assert run(shuffled) == run(found)


def test_only_the_features_of_the_monitor_are_watched() -> None:
    report = run(predictions(rows(1000, shift=1.0)), monitor(features=("purpose",)))
    assert [drift.feature for drift in report.features] == ["purpose"]
    assert report.verdict is Verdict.PASS


def test_a_monitor_of_a_feature_that_is_not_there_is_an_error() -> None:
    with pytest.raises(MonitorError) as caught:
        run([], monitor(features=("incom",)))
    assert caught.value.message == (
        "the Monitor of credit-default watches incom, which the version does not have"
    )
    assert caught.value.remedy == "watch some of income, purpose"


def test_one_bad_window_of_two_needed_is_a_warning() -> None:
    watch = monitor(hysteresis=Hysteresis(breaches=2, of=3))
    bad = predictions(rows(1000, shift=1.0))
    first = run(bad, watch)
    assert (first.window, first.verdict) == (Verdict.FAIL, Verdict.WARN)
    assert first.reason == "1 of the last 3 windows failed; 2 are a breach"
    second = run(bad, watch, past=(Verdict.PASS, Verdict.FAIL))
    assert (second.verdict, second.reason) == (Verdict.FAIL, "2 of the last 3 windows failed")
    forgotten = run(bad, watch, past=(Verdict.PASS, Verdict.PASS, Verdict.FAIL))
    assert forgotten.verdict is Verdict.WARN


def test_a_report_is_the_data_of_an_event_and_comes_back_whole() -> None:
    report = run(predictions(rows(1000, shift=1.0)))
    data = report.to_json()
    event = Event(NOW, "reconciler", "monitor.evaluated", "Deployment/credit-default", data)
    assert encode(event).body.startswith(b'"type":"event"')
    assert DriftReport.from_json(json.loads(canonical_json(data))) == report


def test_a_report_of_many_features_is_cut_to_those_that_moved_most() -> None:
    names = [f"feature-{index:03}" for index in range(120)]
    table = [{name: float(row) for name in names} for row in range(300)]
    profile = profile_rows(table, [(name, "float") for name in names], scores(300))
    moved = [row | {"feature-077": 299.0} for row in table]
    report = evaluate(monitor(), profile, predictions(moved), artifact=ARTIFACT, now=NOW)
    data = report.to_json()
    assert len(report.features) == 120
    assert (len(data["features"]), data["left_out"]) == (50, 70)
    assert data["features"][0]["feature"] == "feature-077"
    assert len(canonical_json(data)) < 64_000


def test_data_that_are_no_report_are_refused() -> None:
    with pytest.raises(MonitorError, match=r"no drift report of the format ordain\.drift/1"):
        DriftReport.from_json({})


def test_the_profile_of_the_tests_survives_its_bytes() -> None:
    assert Profile.read(PROFILE.to_json()) == PROFILE
