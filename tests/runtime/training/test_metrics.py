"""Metrics and their intervals, held against scikit-learn, scipy and simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as oracle

from ordain.runtime.errors import SplitError, TrainingError
from ordain.runtime.training.evaluation import counted, evaluate
from ordain.runtime.training.metrics import (
    Sample,
    difference,
    estimate,
    row_losses,
    wilson,
)
from ordain.specs.findings import Verdict
from ordain.specs.kinds.model import MetricGate

if TYPE_CHECKING:
    from ordain.specs.evidence import Metric

pytestmark = pytest.mark.training


def sample(rows: int = 400, seed: int = 1, noise: float = 1.0, decimals: int = 2) -> Sample:
    """Scores with ties that know something of the outcome."""
    rng = np.random.default_rng(seed)
    positive = (rng.random(rows) < 0.3).astype(np.int64)
    margin = positive * 1.5 - 1.2 + rng.normal(0, noise, rows)
    return Sample(positive, np.round(1 / (1 + np.exp(-margin)), decimals), 0.5, 7)


def test_values_are_those_of_scikit_learn() -> None:
    judged = sample()
    y, s = judged.positive, judged.scores
    expected = {
        "roc_auc": oracle.roc_auc_score(y, s),
        "log_loss": oracle.log_loss(y, s),
        "brier": oracle.brier_score_loss(y, s),
        "accuracy": oracle.accuracy_score(y, s >= 0.5),
    }
    found = {name: estimate(name, judged, 0.95).value for name in expected}
    assert found == pytest.approx(expected, abs=1e-12)


def test_calibration_error_is_the_weighted_gap_of_ten_bins() -> None:
    positive = np.array([0, 1, 1, 1, 0])
    scores = np.array([0.05, 0.05, 0.92, 0.98, 1.0])
    expected = 2 / 5 * abs(0.05 - 0.5) + 3 / 5 * abs((0.92 + 0.98 + 1.0) / 3 - 2 / 3)
    found = estimate("ece", Sample(positive, scores, 0.5, 7), 0.95)
    assert found.value == pytest.approx(expected, abs=1e-15)
    assert found.low <= found.value <= found.high


@given(st.integers(1, 60), st.integers(0, 60))
def test_wilson_is_that_of_scipy(n: int, count: int) -> None:
    count = min(count, n)
    expected = binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert wilson(count, n, 1.959963984540054) == pytest.approx(tuple(expected), abs=1e-12)


def test_the_interval_of_the_area_covers_as_it_says() -> None:
    """Normal scores one unit apart have the area Φ(1/√2) = 0.7602."""
    truth, covered, rounds = 0.76024993890652, 0, 300
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        positive = np.repeat([1, 0], [60, 120])
        found = estimate("roc_auc", Sample(positive, rng.normal(positive, 1), 0.5, 7), 0.95)
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / rounds <= 0.985


def test_delong_variance_is_that_of_its_definition() -> None:
    judged = sample(60)
    above = judged.scores[judged.positive == 1]
    below = judged.scores[judged.positive == 0]
    wins = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    variance = np.var(wins.mean(axis=1), ddof=1) / len(above)
    variance += np.var(wins.mean(axis=0), ddof=1) / len(below)
    found = estimate("roc_auc", judged, 0.95)
    assert (found.high - found.value) == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "brier", "accuracy", "ece"])
def test_a_difference_counts_more_as_better(name: str) -> None:
    good, bad = sample(noise=0.3, decimals=6), sample(noise=4.0, decimals=6)
    found = difference(name, good, bad, 0.95)
    values = [estimate(name, one, 0.95).value for one in (good, bad)]
    sign = 1 if name in {"roc_auc", "accuracy"} else -1
    assert found.value == pytest.approx(sign * (values[0] - values[1]), abs=1e-12)
    assert found.value > 0
    assert difference(name, bad, good, 0.95).value == pytest.approx(-found.value, abs=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "ece"])
def test_a_model_does_not_differ_from_itself(name: str) -> None:
    found = difference(name, sample(), sample(), 0.95)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_intervals_are_the_same_on_every_run() -> None:
    assert estimate("ece", sample(), 0.95) == estimate("ece", sample(), 0.95)


def test_a_certain_and_wrong_score_costs_much_but_not_everything() -> None:
    losses = row_losses("log_loss", Sample(np.array([1, 0]), np.array([0.0, 1.0]), 0.5, 7))
    assert losses == pytest.approx([34.538776, 34.538776], abs=1e-2)


def row(rows: tuple[Metric, ...], name: str, part: str = "test") -> Metric:
    return next(one for one in rows if (one.name, one.part) == (name, part))


def judged(gate: MetricGate, champion: Sample | None = None) -> Metric:
    rows = evaluate({"test": sample()}, [gate], champion)
    return row(rows, f"{gate.name}_delta" if gate.versus else gate.name)


@pytest.mark.parametrize(
    ("gate", "limit", "verdict"),
    [
        (MetricGate(name="roc_auc", min=0.7), "value >= 0.7", "pass"),
        (MetricGate(name="roc_auc", min=0.99), "value >= 0.99", "fail"),
        (MetricGate(name="brier", max=0.2, bound="upper"), "upper <= 0.2", "pass"),
        (MetricGate(name="roc_auc", min=0.84, bound="lower"), "lower >= 0.84", "fail"),
        (MetricGate(name="log_loss", max=0.1), "value <= 0.1", "fail"),
        (MetricGate(name="brier", min=0.0, max=0.5), "value >= 0 and <= 0.5", "pass"),
    ],
)
def test_a_gate_judges_the_end_of_the_interval_that_it_names(
    gate: MetricGate, limit: str, verdict: str
) -> None:
    found = judged(gate)
    assert (found.limit, found.verdict, found.n) == (limit, verdict, 400)


def few(positives: int) -> Sample:
    """Ten rows and more that are ranked perfectly, of which so many are positive."""
    positive = np.array([0] * 10 + [1] * positives)
    return Sample(positive, np.linspace(0.0, 1.0, len(positive)), 0.5, 7)


@pytest.mark.parametrize(
    ("positives", "told", "verdict"),
    [
        (1, " (one class has 1 row in the test part, 10 are needed)", "insufficient"),
        (9, " (one class has 9 rows in the test part, 10 are needed)", "insufficient"),
        (10, "", "pass"),
    ],
)
def test_a_class_of_few_rows_is_no_pass(positives: int, told: str, verdict: str) -> None:
    gates = [
        MetricGate(name="roc_auc", min=0.6, bound="lower"),
        MetricGate(name="roc_auc", versus="champion", min_delta=-0.01, bound="lower"),
    ]
    rows = evaluate({"test": few(positives)}, gates, few(positives))
    found, delta = row(rows, "roc_auc"), row(rows, "roc_auc_delta")
    assert (found.limit, found.verdict) == (f"lower >= 0.6{told}", verdict)
    assert (delta.limit, delta.verdict) == (f"lower >= -0.01 versus champion{told}", verdict)


def test_a_metric_without_a_gate_informs() -> None:
    rows = evaluate({"test": sample(), "train": sample(seed=2)}, [])
    assert {one.name for one in rows if one.part == "test"} == {
        "roc_auc",
        "log_loss",
        "brier",
        "accuracy",
        "ece",
        "balanced_accuracy",
        "macro_f1",
    }
    assert row(rows, "roc_auc", "train").limit == ""
    assert counted(rows, first=True) == []


def test_the_first_version_is_not_measured_against_a_champion() -> None:
    gate = MetricGate(name="roc_auc", versus="champion", min_delta=-0.002)
    found = judged(gate)
    assert found.limit == "value >= -0.002 versus champion (there is no champion yet)"
    assert (found.verdict, found.n) == ("insufficient", 0)
    assert counted([found], first=True) == []
    assert counted([found], first=False) == [Verdict.INSUFFICIENT]


@pytest.mark.parametrize(("noise", "verdict"), [(0.1, "fail"), (9.0, "pass")])
def test_a_version_is_measured_against_the_champion(noise: float, verdict: str) -> None:
    gate = MetricGate(name="roc_auc", versus="champion", min_delta=-0.002, bound="lower")
    assert judged(gate, sample(noise=noise)).verdict == verdict


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (MetricGate(name="rmse", max=1.0), "`rmse` is no metric of a classification"),
        (MetricGate(name="roc_auc"), "`roc_auc` has no limit"),
        (MetricGate(name="roc_auc", versus="champion"), "`roc_auc` has no limit"),
        (
            MetricGate(name="brier", versus="champion", min=0.1, min_delta=0.0),
            "`min` limits a value, and `versus` compares a difference",
        ),
        (
            MetricGate(name="roc_auc", min=0.84, bound="upper"),
            "`min` is held against the end of the interval that is sooner met with few rows",
        ),
    ],
)
def test_a_gate_that_cannot_be_judged_is_refused(gate: MetricGate, message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        judged(gate)
    assert caught.value.message == f"acceptance.metrics: {message}"


def test_a_test_part_with_one_outcome_is_refused() -> None:
    lonely = Sample(np.zeros(5, np.int64), np.linspace(0, 1, 5), 0.5, 7)
    with pytest.raises(SplitError) as caught:
        evaluate({"test": lonely}, [])
    assert caught.value.message == "split: all rows of the test part have the same outcome"


def separated(rows: int) -> Sample:
    positive = np.repeat([0, 1], rows)
    return Sample(positive, np.linspace(0.05, 0.95, 2 * rows), 0.5, 7)


def test_few_rows_that_are_parted_leave_the_area_unsure() -> None:
    few = estimate("roc_auc", separated(10), 0.95)
    assert (few.value, few.high) == (1.0, 1.0)
    assert few.low == pytest.approx(0.8002, abs=1e-4)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1"])
def test_decisions_that_are_all_right_leave_a_share_unsure(name: str) -> None:
    found = estimate(name, separated(10), 0.95)
    low, _ = wilson(10, 10, 1.959964)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(1 - (1 - low) / np.sqrt(2), abs=1e-6)


def test_the_interval_of_many_rows_is_that_of_delong() -> None:
    judged = sample()
    above = judged.scores[judged.positive == 1]
    below = judged.scores[judged.positive == 0]
    wins = (above[:, None] > below).astype(float) + 0.5 * (above[:, None] == below)
    parts = (wins.mean(axis=1), wins.mean(axis=0))
    half = 1.959964 * np.sqrt(sum(np.var(one, ddof=1) / len(one) for one in parts))
    found = estimate("roc_auc", judged, 0.95)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_few_rows_of_a_good_model_hold_the_area_in_most_samples() -> None:
    held = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        margin = np.concatenate([rng.normal(0, 1, 10), rng.normal(2, 1, 10)])
        one = Sample(np.repeat([0, 1], 10), 1 / (1 + np.exp(-margin)), 0.5, 7)
        found = estimate("roc_auc", one, 0.95)
        held += found.low <= 0.9214 <= found.high  # The area of margins two apart.
    assert held >= 0.93 * 400
