"""How well one column tells another, against scipy and against data that is made to order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import chi2_contingency, spearmanr
from scipy.stats.contingency import association, crosstab

from ordain.runtime.fairness.associations import Association, cut, of_levels, of_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mixed(
    n: int, share: float, levels: int, seed: int
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """A group, and levels that repeat it in a share of the rows and are drawn in the others."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, n)
    drawn = rng.integers(0, levels, n)
    told = np.where(rng.random(n) < share, group * (levels // 2), drawn)
    return told.astype(np.str_), group.astype(np.str_)


def corrected(one: NDArray[np.str_], other: NDArray[np.str_]) -> float:
    """Bergsma's correction of scipy's V, written from the paper."""
    table = crosstab(one, other).count
    n, (r, k) = table.sum(), table.shape
    square = association(table, method="cramer") ** 2 * (min(r, k) - 1)
    square = max(0.0, square - (r - 1) * (k - 1) / (n - 1))
    rows, columns = (count - (count - 1) ** 2 / (n - 1) for count in (r, k))
    return math.sqrt(square / (min(rows, columns) - 1))


def known(found: Association) -> tuple[float, float, float]:
    """The interval and the value between its ends, of something that was measured."""
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    return found.low, found.value, found.high


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("levels", [2, 6, 40])
def test_v_is_that_of_scipy_with_the_correction_of_bergsma(share: float, levels: int) -> None:
    told, group = mixed(800, share, levels, seed=3)
    found = of_levels(told, group, 0.95)
    assert found.value == pytest.approx(corrected(told, group), abs=1e-12)
    table = crosstab(told, group).count
    assert found.p_value == pytest.approx(chi2_contingency(table, correction=False).pvalue)
    low, value, high = known(found)
    assert 0 <= low <= value <= high <= 1


def test_levels_alone_make_no_association() -> None:
    """A postcode with 300 levels tells nothing of a group that it was drawn without."""
    told, group = mixed(2000, 0.0, 300, seed=4)
    plain = association(crosstab(told, group).count, method="cramer")
    found = of_levels(told, group, 0.95)
    assert plain > 0.35
    assert found.value is not None
    assert found.value < 0.1
    assert found.p_value is not None
    assert found.p_value > 0.05


def test_a_column_that_repeats_the_group_tells_everything() -> None:
    _, group = mixed(500, 1.0, 2, seed=5)
    assert of_levels(group, group, 0.95).value == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("truth", [0.1, 0.3])
def test_the_interval_of_v_holds_the_truth_about_as_often_as_it_says(truth: float) -> None:
    """Two levels and two groups that agree in (1 + v) / 2 of the cases have exactly V = v."""
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(150):
        group = rng.integers(0, 2, 400)
        told = np.where(rng.random(400) < (1 + truth) / 2, group, 1 - group)
        found = of_levels(told.astype(np.str_), group.astype(np.str_), 0.95)
        inside += (found.low or 0.0) <= truth <= (found.high or 0.0)
    assert 0.90 <= inside / 150 <= 0.99


def test_a_rank_correlation_is_that_of_scipy_on_the_rows_with_both_values() -> None:
    rng = np.random.default_rng(7)
    one = rng.normal(size=300)
    other = np.where(rng.random(300) < 0.1, np.nan, -one + rng.normal(size=300))
    both = ~np.isnan(other)
    expected = spearmanr(one[both], other[both])
    found = of_numbers(one, other, 0.95)
    low, value, high = known(found)
    assert found.n == both.sum()
    assert value == pytest.approx(-expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert 0 < low < value < high < 1


def test_an_interval_of_a_rank_correlation_that_holds_zero_begins_there() -> None:
    rng = np.random.default_rng(8)
    found = of_numbers(rng.normal(size=200), rng.normal(size=200), 0.95)
    assert found.low == 0.0


def test_equal_numbers_have_a_rank_correlation_of_one() -> None:
    values = np.arange(50.0)
    found = of_numbers(values, values, 0.95)
    assert known(found)[1:] == pytest.approx((1.0, 1.0))


def test_what_has_one_level_tells_nothing_and_says_so() -> None:
    one, two = np.full(40, "a"), np.array(["x", "y"] * 20)
    expected = Association("cramers_v", 40, reason="all rows have one level")
    assert of_levels(one, two, 0.95) == of_levels(two, one, 0.95) == expected
    same = of_numbers(np.ones(40), np.arange(40.0), 0.95)
    assert same == Association("spearman", 40, reason="all rows have one value")


def test_numbers_are_cut_into_tenths_and_missing_ones_are_a_level() -> None:
    numbers = np.array([*np.arange(100.0), np.nan, np.nan])
    found = cut(numbers)
    names, counts = np.unique(found, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        **{str(tenth): 10 for tenth in range(10)},
        "(missing)": 2,
    }
    assert set(cut(np.full(3, np.nan))) == {"(missing)"}
    assert len(set(cut(np.array([1.0, 1.0, 1.0, 5.0])))) == 2


def test_a_number_in_the_middle_tells_a_group_that_no_order_would() -> None:
    rng = np.random.default_rng(9)
    numbers = rng.normal(size=1000)
    middle = np.abs(numbers) < 0.6
    group = middle.astype(np.str_)
    found = of_levels(cut(numbers), group, 0.95)
    assert abs(spearmanr(numbers, middle.astype(float)).statistic) < 0.1
    assert found.value is not None
    assert found.value > 0.8
