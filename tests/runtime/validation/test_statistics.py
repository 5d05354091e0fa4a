"""Numbers that a validation computes itself, against those of scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import beta, binomtest
from sklearn.linear_model import LogisticRegression

from ordain.runtime.training.metrics import Sample
from ordain.runtime.validation.behaviour import mcnemar, movement, paired_interval, shift
from ordain.runtime.validation.calibration import fit_line, jeffreys, judge_error

pytestmark = pytest.mark.training


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_test_of_mcnemar_is_the_binomial_test(up: int, down: int) -> None:
    expected = binomtest(up, up + down).pvalue if up + down else 1.0
    assert mcnemar(up, down) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("count", "n"), [(0, 20), (1, 20), (7, 20), (20, 20)])
def test_the_interval_of_jeffreys_is_that_of_its_posterior(count: int, n: int) -> None:
    low, high = beta.ppf([0.025, 0.975], count + 0.5, n - count + 0.5)
    expected = (0.0 if count == 0 else low), (1.0 if count == n else high)
    assert jeffreys(count, n) == pytest.approx(expected, rel=1e-9)


def test_intercept_and_slope_are_those_of_a_logistic_regression() -> None:
    rng = np.random.default_rng(3)
    margins = rng.normal(size=2_000)
    positive = (rng.random(2_000) < expit(-0.5 + 0.7 * margins)).astype(np.int64)
    found = fit_line(expit(margins), positive)
    assert found is not None
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(margins[:, None], positive)
    assert found[0].value == pytest.approx(fitted.intercept_[0], abs=1e-5)
    assert found[1].value == pytest.approx(fitted.coef_[0, 0], abs=1e-5)
    assert found[0].low < -0.5 < found[0].high
    assert found[1].low < 0.7 < found[1].high


@pytest.mark.parametrize(
    "scores", [np.full(40, 0.3), np.linspace(0.01, 0.99, 40)], ids=["equal", "parting"]
)
def test_no_line_fits_scores_that_are_equal_or_part_the_outcomes(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    positive = (np.arange(40) >= 20).astype(np.int64)
    assert fit_line(scores, positive) is None


def test_intervals_of_the_slope_hold_what_they_promise() -> None:
    held = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        margins = rng.normal(size=400)
        positive = (rng.random(400) < expit(margins)).astype(np.int64)
        found = fit_line(expit(margins), positive)
        held += found is not None and found[1].low <= 1.0 <= found[1].high
    assert 0.92 <= held / 300 <= 0.98


def test_a_shift_counts_both_directions() -> None:
    ours = np.array([True, True, False, False, True])
    theirs = np.array([True, False, True, False, False])
    found = shift("sex=female", ours, theirs)
    assert (found.n, found.up, found.down) == (5, 2, 1)
    assert (found.rate, found.rate_champion, found.p_value) == (0.6, 0.4, 1.0)


def test_the_interval_of_paired_rates_is_that_of_newcombe() -> None:
    # The first example of table I of Newcombe (1998): 36 both, 12 and 2 one only, 0 none.
    assert paired_interval(36, 12, 2, 50) == pytest.approx((0.0569, 0.3404), abs=5e-5)
    assert paired_interval(5, 0, 0, 5) == pytest.approx((-0.4345, 0.4345), abs=5e-5)


def test_rows_that_keep_their_order_keep_their_decile() -> None:
    scores = np.random.default_rng(1).random(1_000)
    table = np.array(movement(scores**2, scores))
    assert np.diagonal(table).tolist() == [100] * 10
    assert movement(-scores, scores)[0][9] == 100


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 0.3), (-2.0, 0.2), (1.0, -0.5), (0.0, 5.0)])
def test_a_line_fits_models_that_are_far_too_sure(intercept: float, slope: float) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        margins = rng.normal(scale=4.0, size=300)
        positive = (rng.random(300) < expit(intercept + slope * margins)).astype(np.int64)
        found = fit_line(expit(margins), positive)
        assert found is not None
        fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000)
        fitted.fit(margins[:, None], positive)
        assert found[0].value == pytest.approx(fitted.intercept_[0], abs=1e-4)
        assert found[1].value == pytest.approx(fitted.coef_[0, 0], abs=1e-4)


def verdict_of_error(seed: int, power: float) -> str:
    """Outcomes of a hundred rows by their scores, or by scores that are less sure."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.02, 0.98, 100)
    chance = scores**power / (scores**power + (1 - scores) ** power)
    sample = Sample((rng.random(100) < chance).astype(np.int64), scores, 0.5, seed)
    return judge_error(sample, 0.05).verdict


def test_an_error_that_chance_explains_asks_for_a_look_and_does_not_fail() -> None:
    right = [verdict_of_error(seed, 1.0) for seed in range(60)]
    assert right.count("fail") <= 8
    assert right.count("warn") > 40
    wrong = [verdict_of_error(seed, -1.0) for seed in range(20)]
    assert wrong == ["fail"] * 20
