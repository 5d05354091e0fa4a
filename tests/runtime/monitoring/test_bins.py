from __future__ import annotations

import math

import numpy as np
import pytest

from ordain.runtime.monitoring.bins import CategoryBins, NumberBins, freeze, freeze_number
from ordain.runtime.monitoring.errors import ProfileError


def test_bins_hold_equal_shares_of_the_reference() -> None:
    values = np.random.default_rng(1).lognormal(size=5000).tolist()
    assert freeze_number(values).counts == (500,) * 10


def test_counts_are_those_of_numpy_on_the_same_edges() -> None:
    generator = np.random.default_rng(2)
    bins = freeze_number(generator.normal(size=3000).tolist())
    values = generator.normal(0.4, 1.3, size=2000)
    expected = np.bincount(np.searchsorted(bins.edges, values, side="left"), minlength=10)
    assert bins.count(values.tolist()).counts == tuple(expected.tolist())


def test_an_edge_belongs_to_the_bin_on_its_left() -> None:
    bins = NumberBins((0.0, 1.0), (0, 0, 0), 0)
    assert bins.count([-0.0, 0.0, 1.0, math.nextafter(1.0, 2.0)]).counts == (2, 1, 1)


def test_missing_is_a_bin_of_its_own() -> None:
    bins = freeze_number([1.0, None, math.nan, 2])
    assert (sum(bins.counts), bins.missing) == (2, 2)
    assert bins.labels[-1] == "missing"


@pytest.mark.parametrize("heavy", [0.0, 5.0, 100.0])
def test_a_value_that_fills_several_quantiles_gets_a_bin_to_itself(heavy: float) -> None:
    values = [*map(float, range(40)), *([heavy] * 60)]
    bins = freeze_number(values)
    alone = bins.count([heavy]).counts.index(1)
    assert bins.counts[alone] == values.count(heavy)


def test_a_rare_truth_value_is_not_hidden_in_the_bin_of_the_common_one() -> None:
    assert freeze_number([0] * 5 + [1] * 95).counts == (5, 95)


def test_anything_but_the_value_of_a_constant_lands_in_a_bin_that_was_empty() -> None:
    bins = freeze_number([5.0] * 20)
    assert bins.counts == (0, 20, 0)
    assert bins.count([4.9, 5.0, 5.1]).counts == (1, 1, 1)


def test_a_feature_without_any_value_has_one_bin() -> None:
    assert freeze_number([None, None]) == NumberBins((), (0,), 2)


def test_infinite_values_are_counted_at_the_ends_and_are_no_edges() -> None:
    bins = freeze_number([-math.inf, -math.inf, 1.0, 2.0, math.inf, math.inf, 10**400])
    assert all(map(math.isfinite, bins.edges))
    assert sum(bins.counts) == 7


def test_text_in_a_number_is_refused_without_repeating_it() -> None:
    with pytest.raises(ProfileError) as caught:
        freeze_number(["4711"])
    assert caught.value.message == "a value of type str is no number"


def test_levels_are_kept_by_frequency_and_new_ones_are_other() -> None:
    bins = freeze("category", ["car", "home", "car", None, "boat"])
    assert bins == CategoryBins(("car", "boat", "home"), (2, 1, 1), 0, 1)
    assert bins.count(["car", "moon", None]).all_counts == (1, 0, 0, 1, 1)


def test_a_category_of_many_levels_counts_the_rarest_as_other() -> None:
    values = [f"level-{index:03}" for index in range(100) for _ in range(100 - index)]
    bins = freeze("category", values)
    assert isinstance(bins, CategoryBins)
    assert bins.levels[0] == "level-000"
    assert (len(bins.levels), sum(bins.counts) + bins.other) == (30, len(values))


def test_truth_values_have_two_levels_even_when_one_was_never_seen() -> None:
    assert freeze("bool", [True, True, None]) == CategoryBins(("false", "true"), (0, 2), 0, 1)


def test_a_type_without_bins_is_refused() -> None:
    with pytest.raises(ProfileError, match="the type 'id' has no bins"):
        freeze("id", [])
