"""Metrics of classes, numbers and clusters, held against scikit-learn and simulation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ordain.runtime.errors import SplitError, TrainingError
from ordain.runtime.training import metrics, metrics_classes
from ordain.runtime.training.evaluation import evaluate
from ordain.runtime.training.intervals import bootstrapped
from ordain.runtime.training.measuring import difference, estimate, task_of, tells_apart
from ordain.runtime.training.metrics import Sample
from ordain.runtime.training.metrics_classes import ClassSample
from ordain.runtime.training.metrics_clusters import ROWS, ClusterSample, bootstraps
from ordain.runtime.training.metrics_numbers import NumberSample
from ordain.specs.kinds.model import MetricGate
from ordain.specs.tasks import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordain.runtime.training.measuring import AnySample

pytestmark = pytest.mark.training


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other cost more than the work."""
    with threadpool_limits(1):
        yield


def of_classes(rows: int = 300, seed: int = 1, noise: float = 1.0) -> ClassSample:
    """Probabilities of four classes, with ties, that know something of the right one."""
    rng = np.random.default_rng(seed)
    right = rng.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    margins = 1.5 * np.eye(4)[right] + rng.normal(0, noise, (rows, 4))
    weights = np.round(np.exp(margins), 1) + 0.1
    return ClassSample(right, weights / weights.sum(axis=1, keepdims=True), 7)


def of_numbers(rows: int = 300, seed: int = 1, noise: float = 1.0) -> NumberSample:
    rng = np.random.default_rng(seed)
    truth = rng.gamma(2.0, 3.0, rows)
    return NumberSample(truth, truth + rng.normal(0, noise, rows), 7)


def of_clusters(rows: int = 300, spread: float = 1.0, models: int = 3) -> ClusterSample:
    points, _ = make_blobs(rows, centers=4, cluster_std=spread, random_state=1)
    found = [KMeans(4, n_init=3, random_state=seed).fit(points).labels_ for seed in range(models)]
    return ClusterSample(points, found[0].astype(np.int64), tuple(found[1:]), 7)


def test_values_of_classes_are_those_of_scikit_learn() -> None:
    judged = of_classes()
    y, p = judged.right, judged.scores
    chosen = p.argmax(axis=1)
    expected = {
        "accuracy": oracle.accuracy_score(y, chosen),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, chosen),
        "macro_f1": oracle.f1_score(y, chosen, average="macro"),
        "log_loss": oracle.log_loss(y, p),
        "brier": float(np.mean(np.sum((p - np.eye(4)[y]) ** 2, axis=1))),
        "roc_auc": oracle.roc_auc_score(y, p, multi_class="ovr", average="macro"),
    }
    found = {name: estimate(name, judged, 0.95).value for name in expected}
    assert found == pytest.approx(expected, abs=1e-12)


def test_values_of_decisions_between_two_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    positive = (rng.random(200) < 0.3).astype(np.int64)
    judged = Sample(positive, np.clip(positive * 0.3 + rng.random(200) * 0.7, 0, 1), 0.4, 7)
    upper = judged.scores >= 0.4
    found = {name: estimate(name, judged, 0.95).value for name in ("balanced_accuracy", "macro_f1")}
    assert found == pytest.approx(
        {
            "balanced_accuracy": oracle.balanced_accuracy_score(positive, upper),
            "macro_f1": oracle.f1_score(positive, upper, average="macro"),
        }
    )


def test_values_of_numbers_are_those_of_scikit_learn() -> None:
    judged = of_numbers()
    expected = {
        "rmse": oracle.root_mean_squared_error(judged.truth, judged.given),
        "mae": oracle.mean_absolute_error(judged.truth, judged.given),
        "r2": oracle.r2_score(judged.truth, judged.given),
    }
    found = {name: estimate(name, judged, 0.95).value for name in expected}
    assert found == pytest.approx(expected, abs=1e-12)


def test_values_of_clusters_are_those_of_scikit_learn() -> None:
    judged = of_clusters()
    expected = {
        "silhouette": oracle.silhouette_score(judged.points, judged.chosen),
        "davies_bouldin": oracle.davies_bouldin_score(judged.points, judged.chosen),
        "stability": np.mean(
            [oracle.adjusted_rand_score(judged.chosen, other) for other in judged.others]
        ),
    }
    found = {name: estimate(name, judged, 0.95).value for name in expected}
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_calibration_of_the_chosen_class_is_that_of_ten_bins() -> None:
    scores = np.array([[0.9, 0.05, 0.05], [0.1, 0.85, 0.05], [0.35, 0.33, 0.32], [0.92, 0.08, 0.0]])
    right = np.array([0, 2, 0, 1])
    expected = 0.5 * abs(0.91 - 0.5) + 0.25 * abs(0.85 - 0.0) + 0.25 * abs(0.35 - 1.0)
    found = estimate("ece", ClassSample(right, scores, 7), 0.95)
    assert found.value == pytest.approx(expected, abs=1e-15)
    assert found.low <= found.value <= found.high


def test_two_classes_have_the_area_and_the_interval_of_the_binary_case() -> None:
    rng = np.random.default_rng(2)
    right = rng.integers(0, 2, 150)
    positive = np.clip(0.3 * right + 0.7 * rng.random(150), 0, 1)
    both = np.column_stack([1 - positive, positive])
    found = metrics_classes.estimate("roc_auc", ClassSample(right, both, 7), 0.95)
    expected = metrics.estimate("roc_auc", Sample(right, positive, 0.5, 7), 0.95)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-12
    )


def test_the_interval_of_the_mean_area_covers_as_it_says() -> None:
    truth = estimate("roc_auc", of_classes(60_000, seed=99), 0.95).value
    rounds = 200
    covered = 0
    for seed in range(rounds):
        found = estimate("roc_auc", of_classes(250, seed=seed), 0.95)
        covered += found.low <= truth <= found.high
    assert 0.90 <= covered / rounds <= 0.99


def test_a_class_without_a_row_is_left_out_of_the_mean() -> None:
    judged = of_classes()
    kept = judged.right != 3
    fewer = ClassSample(judged.right[kept], judged.scores[kept], 7)
    areas = [
        oracle.roc_auc_score(fewer.right == place, fewer.scores[:, place]) for place in range(3)
    ]
    assert estimate("roc_auc", fewer, 0.95).value == pytest.approx(np.mean(areas))
    chosen = fewer.scores.argmax(axis=1)
    recalls = [np.mean(chosen[fewer.right == place] == place) for place in range(3)]
    assert estimate("balanced_accuracy", fewer, 0.95).value == pytest.approx(np.mean(recalls))


SAMPLES: list[tuple[str, AnySample, AnySample]] = [
    *((name, of_classes(noise=0.5), of_classes(noise=4.0)) for name in METRICS["classification"]),
    *((name, of_numbers(noise=0.5), of_numbers(noise=4.0)) for name in METRICS["regression"]),
]


@pytest.mark.parametrize(("name", "good", "bad"), SAMPLES)
def test_a_difference_counts_more_as_better(name: str, good: AnySample, bad: AnySample) -> None:
    found = difference(name, good, bad, 0.95)
    values = [estimate(name, one, 0.95).value for one in (good, bad)]
    greater = {"roc_auc", "accuracy", "balanced_accuracy", "macro_f1", "r2"}
    sign = 1 if name in greater else -1
    assert found.value == pytest.approx(sign * (values[0] - values[1]), abs=1e-12)
    assert found.low <= found.value <= found.high
    same = difference(name, good, good, 0.95)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_intervals_hold_the_value_and_are_the_same_on_every_run() -> None:
    for judged in (of_classes(), of_numbers(), of_clusters()):
        for name in METRICS[task_of(judged)]:
            found = estimate(name, judged, 0.95)
            assert found.low <= found.value <= found.high
            assert found == estimate(name, judged, 0.95)


def test_noise_is_not_stable_and_blobs_are() -> None:
    """Every index finds clusters in noise; refits agree on none of them."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 6))
    noise, blobs = (
        ClusterSample(
            rows,
            KMeans(4, n_init=3, random_state=0).fit_predict(rows).astype(np.int64),
            tuple(
                KMeans(4, n_init=3, random_state=0).fit(rows[drawn]).predict(rows)
                for drawn in list(bootstraps(np.arange(300), 7))[:8]
            ),
            7,
        )
        for rows in (points, of_clusters().points)
    )
    assert estimate("stability", blobs, 0.95).low > 0.95
    assert estimate("stability", noise, 0.95).high < 0.6


def test_many_rows_are_sampled_with_the_seed() -> None:
    judged = of_clusters(ROWS + 500, models=1)
    points, chosen = judged.drawn()
    assert (len(points), len(chosen)) == (ROWS, ROWS)
    assert np.array_equal(points, judged.drawn()[0])


def test_a_test_part_of_one_outcome_or_cluster_says_nothing() -> None:
    one = np.zeros(5, dtype=np.int64)
    judged: list[tuple[AnySample, str]] = [
        (ClassSample(one, np.full((5, 3), 1 / 3), 7), "have the same outcome"),
        (NumberSample(np.ones(5), np.ones(5), 7), "have the same outcome"),
        (ClusterSample(np.ones((5, 2)), one, (), 7), "are in one cluster"),
    ]
    for sample, same in judged:
        assert not tells_apart(sample)
        with pytest.raises(SplitError) as caught:
            evaluate({"test": sample}, [])
        assert caught.value.message == f"split: all rows of the test part {same}"


@pytest.mark.parametrize(
    ("judge", "gate", "message", "remedy"),
    [
        (
            of_numbers,
            MetricGate(name="roc_auc", min=0.7),
            "`roc_auc` is no metric of a regression",
            "use one of rmse, mae, r2",
        ),
        (
            of_clusters,
            MetricGate(name="rmse", max=1.0),
            "`rmse` is no metric of a clustering",
            "use one of silhouette, davies_bouldin, stability",
        ),
    ],
)
def test_a_metric_of_another_task_is_refused(
    judge: Callable[[], AnySample], gate: MetricGate, message: str, remedy: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        evaluate({"test": judge()}, [gate])
    assert caught.value.message == f"acceptance.metrics: {message}"
    assert caught.value.remedy == remedy


def test_clusterings_are_not_compared() -> None:
    gate = MetricGate(name="stability", versus="champion", min_delta=0.0)
    for told in (
        lambda: evaluate({"test": of_clusters()}, [gate], of_clusters()),
        lambda: difference("stability", of_clusters(), of_clusters(), 0.95),
    ):
        with pytest.raises(TrainingError) as caught:
            told()
        expected = "versions of a clustering are not compared: their clusters have no names"
        assert caught.value.message == f"acceptance.metrics: {expected}"


def test_a_class_of_which_the_test_part_has_no_row_is_no_pass() -> None:
    scores = np.eye(3)[np.repeat([0, 1], 20)]
    judged = ClassSample(np.repeat([0, 1], 20), scores, 7)
    rows = evaluate({"test": judged}, [MetricGate(name="accuracy", min=0.5)])
    assert (rows[0].verdict, rows[0].limit) == (
        "insufficient",
        "value >= 0.5 (one class has 0 rows in the test part, 10 are needed)",
    )


def test_metrics_of_clusters_say_of_how_many_rows_or_refits_they_are() -> None:
    judged = of_clusters(ROWS + 500, models=2)
    rows = evaluate({"test": judged}, [])
    found = {one.name: one.n for one in rows}
    assert found == {"silhouette": ROWS, "davies_bouldin": ROWS, "stability": 1}


def test_every_metric_of_the_task_is_measured_on_the_test_part() -> None:
    for judged in (of_classes(), of_numbers(), of_clusters()):
        rows = evaluate({"test": judged, "train": judged}, [])
        named = {row.name for row in rows if row.part == "test"}
        assert named == set(METRICS[task_of(judged)])
        assert {row.part for row in rows} == {"test", "train"}


def test_three_classes_of_few_rows_that_are_parted_leave_the_area_unsure() -> None:
    right = np.repeat([0, 1, 2], 10)
    found = estimate("roc_auc", ClassSample(right, np.eye(3)[right], 7), 0.95)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 0.9


def test_a_bootstrap_without_a_number_has_no_interval() -> None:
    found = bootstrapped(lambda _drawn: math.nan, 5, 1, 0.95)
    assert [math.isnan(end) for end in (found.low, found.high)] == [True, True]
