from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ordain.runtime.monitoring.bins import Bins, NumberBins
from ordain.runtime.monitoring.psi import (
    ALPHA,
    FeatureDrift,
    chi_squared_quantile,
    chi_squared_tail,
    expected_psi,
    feature_drift,
    null_limit,
    pearson,
    psi,
)
from ordain.specs.findings import Verdict
from ordain.specs.kinds.monitor import Limits

if TYPE_CHECKING:
    import random

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12)
EDGES = tuple(float(edge) for edge in range(9))


def bins(*counts: int) -> Bins:
    return NumberBins(EDGES[: len(counts) - 1], counts, 0)


def judge(before: Bins, after: Bins, *, min_rows: int = 1, alpha: float = ALPHA) -> FeatureDrift:
    return feature_drift("income", before, after, Limits(), min_rows=min_rows, alpha=alpha)


@given(COUNTS)
def test_the_index_is_never_negative_and_the_same_in_both_directions(
    pairs: list[tuple[int, int]],
) -> None:
    before, after = zip(*pairs, strict=True)
    assume(sum(before) and sum(after))
    assert psi(before, after) >= 0
    assert math.isclose(psi(before, after), psi(after, before), abs_tol=1e-15)


@given(COUNTS, st.randoms(use_true_random=False))
def test_the_order_of_the_bins_does_not_matter(
    pairs: list[tuple[int, int]], shuffler: random.Random
) -> None:
    before, after = zip(*pairs, strict=True)
    assume(sum(before) and sum(after))
    shuffled = shuffler.sample(pairs, len(pairs))
    assert psi(*zip(*shuffled, strict=True)) == psi(before, after)


def test_the_index_is_that_of_numpy_where_no_bin_is_empty() -> None:
    generator = np.random.default_rng(3)
    for _ in range(50):
        before, after = generator.integers(1, 1000, size=(2, 10))
        p, q = before / before.sum(), after / after.sum()
        expected = float(((q - p) * np.log(q / p)).sum())
        assert math.isclose(psi(before.tolist(), after.tolist()), expected, abs_tol=1e-12)


def test_an_empty_bin_counts_as_half_a_row_and_leaves_the_others_alone() -> None:
    full = (0.5 - 0.4) * math.log(0.5 / 0.4) + (0.4 - 0.6) * math.log(0.4 / 0.6)
    empty = (0.1 - 0.005) * math.log(0.1 / 0.005)
    assert math.isclose(psi([40, 60, 0], [50, 40, 10]), full + empty)
    assert psi([40, 60, 0], [40, 60, 0]) == 0


def test_there_is_no_index_without_rows() -> None:
    with pytest.raises(ValueError, match="no rows to compare"):
        psi([1, 2], [0, 0])


@given(COUNTS)
def test_pearson_of_two_equal_samples_is_zero(pairs: list[tuple[int, int]]) -> None:
    before = [a for a, _ in pairs]
    assume(sum(before))
    assert pearson(before, [2 * count for count in before]) == 0


@pytest.mark.training
def test_pearson_is_that_of_scipy() -> None:
    from scipy.stats import chi2_contingency

    generator = np.random.default_rng(8)
    for _ in range(20):
        before, after = generator.integers(1, 300, size=(2, 10)).tolist()
        exact = chi2_contingency([before, after], correction=False)
        assert math.isclose(pearson(before, after), exact.statistic, rel_tol=1e-12)


@pytest.mark.training
@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 33])
def test_the_tail_is_that_of_scipy(degrees: int) -> None:
    from scipy.stats import chi2

    for probability in (0.5, 0.1, 0.05, 0.01, 0.001):
        value = float(chi2.isf(probability, degrees))
        assert math.isclose(chi_squared_tail(value, degrees), probability, rel_tol=0.3)


@pytest.mark.training
@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 10, 33])
@pytest.mark.parametrize("probability", [0.9, 0.95, 0.99, 0.999, 0.9999])
def test_the_quantile_is_that_of_scipy(degrees: int, probability: float) -> None:
    from scipy.stats import chi2

    exact = float(chi2.ppf(probability, degrees))
    assert math.isclose(chi_squared_quantile(probability, degrees), exact, rel_tol=0.04)


def test_the_index_without_drift_is_as_large_as_expected() -> None:
    generator = np.random.default_rng(4)
    before, after = (generator.multinomial(n, [0.1] * 10, size=2000) for n in (5000, 1000))
    found = np.mean([psi(a.tolist(), b.tolist()) for a, b in zip(before, after, strict=True)])
    assert math.isclose(float(found), expected_psi(10, 1000, 5000), rel_tol=0.05)


def false_alarms(rows: int, shares: list[float], *, limit: float, trials: int = 1000) -> float:
    """The share of windows without drift that alarm at this limit of size."""
    generator = np.random.default_rng(5)
    limits = Limits(warn=limit, fail=1.0)
    pairs = zip(
        generator.multinomial(6000, shares, size=trials).tolist(),
        generator.multinomial(rows, shares, size=trials).tolist(),
        strict=True,
    )
    found = [
        feature_drift("income", bins(*a), bins(*b), limits, min_rows=1, alpha=ALPHA).verdict
        for a, b in pairs
    ]
    return sum(verdict in {Verdict.WARN, Verdict.FAIL} for verdict in found) / trials


@pytest.mark.training
@pytest.mark.parametrize("shares", [[0.1] * 10, [0.5, 0.2, 0.12, 0.08, 0.05, 0.03, 0.02]])
@pytest.mark.parametrize("rows", [100, 200, 500, 1000, 10_000])
def test_false_alarms_are_rare_at_every_size_of_the_window(rows: int, shares: list[float]) -> None:
    # Even without a limit of size, what alarms is bounded by the chance that was declared: 10 in
    # 1,000 windows, and 17 are what that chance exceeds once in a hundred tests.
    assert false_alarms(rows, shares, limit=0.0) <= 0.017
    if rows >= 500:
        assert false_alarms(rows, shares, limit=0.1) == 0


def test_a_fixed_limit_alone_would_have_alarmed_on_a_third_of_small_windows() -> None:
    generator = np.random.default_rng(6)
    windows = generator.multinomial(100, [0.1] * 10, size=1000)
    over = [psi([600] * 10, counts.tolist()) > 0.1 for counts in windows]
    assert 0.25 < sum(over) / 1000 < 0.5


def test_a_real_shift_is_found_in_a_thousand_rows() -> None:
    generator = np.random.default_rng(7)
    shares = np.array([4, 4, 7, 8, 9, 10, 11, 13, 15, 19]) / 100
    before = bins(*([600] * 10))
    windows = [bins(*row.tolist()) for row in generator.multinomial(1000, shares, size=300)]
    found = [judge(before, after, alpha=ALPHA / 50).verdict for after in windows]
    assert found.count(Verdict.PASS) <= 0.05 * 300
    assert Verdict.INSUFFICIENT not in found


def test_the_four_answers() -> None:
    before = bins(1000, 1000)
    assert judge(before, bins(500, 500)).verdict is Verdict.PASS
    warned = judge(before, bins(660, 340))
    assert (warned.verdict, warned.reason) == (Verdict.WARN, "PSI 0.106 ≥ 0.1")
    failed = judge(before, bins(800, 200))
    assert (failed.verdict, failed.reason) == (Verdict.FAIL, "PSI 0.416 ≥ 0.25")
    few = judge(before, bins(80, 20), min_rows=200)
    assert (few.verdict, few.reason) == (
        Verdict.INSUFFICIENT,
        "100 rows, at least 200 are needed",
    )


def test_above_the_limit_but_within_the_noise_is_insufficient() -> None:
    drift = judge(bins(1000, 1000), bins(8, 3))
    assert drift.psi is not None
    assert 0.1 < drift.psi < drift.null_limit
    assert drift.verdict is Verdict.INSUFFICIENT
    assert drift.reason == "over the limit, but within the noise of 11 rows"


def test_an_empty_window_is_insufficient() -> None:
    drift = judge(bins(1000, 1000), bins(0, 0))
    assert (drift.psi, drift.verdict, drift.reason) == (
        None,
        Verdict.INSUFFICIENT,
        "no rows to compare",
    )


def test_a_bin_that_nobody_uses_adds_no_noise() -> None:
    with_empty = judge(bins(500, 500, 0, 0), bins(250, 250, 0, 0))
    assert with_empty.null_limit == null_limit(2, 500, 1000, ALPHA)


def test_news_in_a_constant_feature_is_found() -> None:
    drift = judge(bins(0, 1000, 0), bins(0, 400, 100))
    assert drift.verdict is Verdict.FAIL
