"""Choices among several classes are watched beside the output; dates and texts have bins too."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ordain.ledger.records import Event, Prediction, encode
from ordain.runtime.monitoring.bins import CategoryBins, NumberBins, freeze
from ordain.runtime.monitoring.errors import ProfileError
from ordain.runtime.monitoring.profiles import Profile, count_window, merge, profile_rows
from ordain.runtime.monitoring.psi import psi_by_feature
from ordain.runtime.monitoring.windows import DriftReport, evaluate
from ordain.specs.findings import Verdict
from ordain.specs.kinds.monitor import Monitor

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ARTIFACT = "sha256:" + "a" * 64
CLASSES = ("good", "watch", "bad")
INPUTS = (("income", "float"),)


def drawn(count: int, weights: tuple[int, int, int], seed: int) -> list[tuple[float, float, str]]:
    """Income, probability of the chosen class, and the class."""
    generator = random.Random(seed)
    return [
        (generator.gauss(0, 1), generator.uniform(0.4, 1), generator.choices(CLASSES, weights)[0])
        for _ in range(count)
    ]


def profile_of(table: list[tuple[float, float, str]]) -> Profile:
    rows = [{"income": income} for income, _, _ in table]
    return profile_rows(rows, INPUTS, [one[1] for one in table], [one[2] for one in table])


PROFILE = profile_of(drawn(3000, (60, 30, 10), 1))


def report_of(weights: tuple[int, int, int], count: int = 1000) -> DriftReport:
    predictions = [
        Prediction(
            id=f"{index:036}",
            time=NOW - timedelta(seconds=count - index),
            route="grade",
            rule=None,
            draw=None,
            deployment="grade",
            model="grade",
            version="1",
            artifact=ARTIFACT,
            inputs={"income": income},
            output=output,
            decision=decision,
            threshold=None,
            latency_us=100,
            key_id=None,
        )
        for index, (income, output, decision) in enumerate(drawn(count, weights, 2))
    ]
    monitor = Monitor(deployment="grade")
    return evaluate(monitor, PROFILE, predictions, artifact=ARTIFACT, now=NOW)


def test_classes_that_change_places_are_drift_while_their_probability_stands_still() -> None:
    report = report_of((10, 30, 60))
    assert report.output.verdict is Verdict.PASS
    assert report.decisions is not None
    assert (report.decisions.feature, report.decisions.verdict) == ("decisions", Verdict.FAIL)
    assert {bin_.label for bin_ in report.decisions.bins} == {*CLASSES, "other", "missing"}
    assert (report.window, report.verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert report.outputs == (report.output, report.decisions)


def test_stable_classes_pass() -> None:
    report = report_of((60, 30, 10))
    assert report.verdict is Verdict.PASS


def test_the_decisions_of_a_window_survive_the_ledger() -> None:
    report = report_of((60, 30, 10))
    data = report.to_json()
    assert DriftReport.from_json(json.loads(json.dumps(data))) == report
    assert encode(Event(NOW, "monitor", "monitor.evaluated", "grade", {"report": data}))


def test_what_a_fallback_decided_is_no_choice_of_the_model() -> None:
    counted = count_window(PROFILE, [{}, {}], [0.5, math.nan], ["good", None])
    assert counted.decisions == CategoryBins(("good", "watch", "bad"), (1, 0, 0), 0, 1)


def test_a_profile_with_decisions_survives_its_bytes_and_adds_up() -> None:
    assert Profile.read(PROFILE.to_json()) == PROFILE
    window = count_window(PROFILE, [{"income": 0.0}], [0.9], ["unheard of"])
    assert window.decisions is not None
    assert window.decisions.other == 1
    both = merge(PROFILE, window)
    assert both.decisions is not None
    assert sum(both.decisions.all_counts) == both.rows == 3001


def test_a_profile_of_a_model_with_one_output_is_written_as_before() -> None:
    assert b"decisions" not in profile_rows([{}], INPUTS, [0.5]).to_json()


def test_profiles_with_and_without_decisions_do_not_add_up() -> None:
    single = profile_rows([{}], INPUTS, [0.5])
    with pytest.raises(ProfileError, match="profiles with different bins do not add up"):
        merge(single, profile_rows([{}], INPUTS, [0.5], ["good"]))


def test_every_row_needs_its_decision() -> None:
    with pytest.raises(ProfileError, match="2 rows have 1 decisions"):
        profile_rows([{}, {}], INPUTS, [0.5, 0.5], ["good"])
    with pytest.raises(ProfileError, match="1 rows have 0 decisions"):
        count_window(PROFILE, [{}], [0.5])


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        (
            {"kind": "number", "edges": [], "counts": [1], "missing": 0},
            "the decisions of a profile are a category",
        ),
        (
            {"kind": "category", "levels": ["a"], "counts": [2], "other": 0, "missing": 0},
            "decisions: the bins hold 2 rows, the profile 1",
        ),
    ],
)
def test_wrong_decisions_of_a_profile_are_refused(decisions: Any, message: str) -> None:  # noqa: ANN401
    raw = json.loads(profile_rows([{}], INPUTS, [0.5], ["a"]).to_json())
    with pytest.raises(ProfileError) as caught:
        Profile.read(json.dumps(raw | {"decisions": decisions}).encode())
    assert caught.value.message == message


DAYS = ["2026-01-01", "2026-01-02", "2026-01-02T23:59:00Z", "2026-01-04T12:00", None]


def test_a_date_is_counted_by_its_day_of_utc() -> None:
    bins = freeze("date", DAYS)
    assert isinstance(bins, NumberBins)
    assert (bins.measure, bins.missing) == ("days", 1)
    assert bins.labels[0] == "≤ 2026-01-01"
    later = bins.count(["2026-01-03T01:00:00+02:00", "2030-05-05"])
    assert sum(later.all_counts) == 2
    assert later.counts[-1] == 1


def test_a_free_text_is_counted_by_its_words() -> None:
    bins = freeze("text", ["one", "two words", "three short words", "", None])
    assert isinstance(bins, NumberBins)
    assert (bins.edges, bins.counts, bins.missing) == ((0.0, 1.0, 2.0), (1, 1, 1, 1), 1)
    assert bins.labels[-2:] == ("> 2 words", "missing")


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        ("date", "31.01.2026", "a value of type str is no date"),
        ("date", 5, "a value of type int is no date"),
        ("text", 5, "a value of type int is no text"),
    ],
)
def test_a_wrong_date_or_text_is_refused_and_not_repeated(
    type_: str, value: object, message: str
) -> None:
    with pytest.raises(ProfileError) as caught:
        freeze(type_, [value])
    assert caught.value.message == message


def test_a_profile_of_dates_and_texts_survives_its_bytes_and_says_how_they_were_counted() -> None:
    rows = [{"applied": day, "note": "a b"} for day in DAYS]
    profile = profile_rows(rows, [("applied", "date"), ("note", "text")], [0.5] * 5)
    assert Profile.read(profile.to_json()) == profile
    raw = json.loads(profile.to_json())
    assert raw["features"]["applied"]["measure"] == "days"
    raw["features"]["note"]["measure"] = "colour"
    with pytest.raises(ProfileError, match="the measure 'colour' is unknown"):
        Profile.read(json.dumps(raw).encode())
    number = NumberBins((1.0,), (1, 1), 0)
    with pytest.raises(ProfileError, match="profiles with different bins do not add up"):
        number.add(NumberBins((1.0,), (1, 1), 0, "words"))


def test_a_date_is_watched_only_where_the_monitor_names_it() -> None:
    """It is later in every window, which is no drift."""
    rows = [{"applied": f"2026-01-{1 + index % 28:02}", "income": 1.0} for index in range(300)]
    inputs = [("applied", "date"), ("income", "float")]
    profile = profile_rows(rows, inputs, [0.5] * 300)

    def features(*named: str) -> list[str]:
        monitor = Monitor(deployment="grade", features=named)
        report = evaluate(monitor, profile, [], artifact=ARTIFACT, now=NOW)
        return [one.feature for one in report.features]

    assert features() == ["income"]
    assert features("applied") == ["applied"]
    assert psi_by_feature(profile, profile) == {"income": 0.0}
