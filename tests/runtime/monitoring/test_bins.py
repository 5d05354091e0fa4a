from __future__ import annotations

import math

import numpy as np
import pytest

from ordain.runtime.monitoring.bins import (
    CategoryBins,
    NumberBins,
    freeze,
    freeze_number,
    read_bins,
)
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


def test_a_date_is_counted_by_its_day() -> None:
    bins = freeze("date", [f"2026-01-{day:02}" for day in range(1, 31)] + [None])
    assert (bins.counts, sum(bins.all_counts)) == ((3,) * 10, 31)
    assert bins.labels[:2] == ("≤ 2026-01-03", "2026-01-03 to 2026-01-06")
    assert bins.count(["2026-01-04T23:59:59Z", "1999-12-31"]).counts[:2] == (1, 1)


def test_a_text_is_counted_by_its_length() -> None:
    bins = freeze("text", ["a" * size for size in range(1, 31)] + [None])
    assert bins.counts == (3,) * 10
    assert bins.count(["four", "x" * 1000, None]).all_counts == (0, 1, *[0] * 7, 1, 1)


@pytest.mark.parametrize("kind", ["date", "text"])
def test_what_is_measured_survives_the_bytes(kind: str) -> None:
    bins = freeze(kind, ["2026-01-01", "2026-02-01", "2026-03-01T10:00:00Z"])
    assert read_bins(bins.to_plain()) == bins


def test_days_and_lengths_do_not_add_up() -> None:
    with pytest.raises(ProfileError, match="profiles with different bins do not add up"):
        freeze("date", ["2026-01-01"]).add(freeze("text", ["2026-01-01"]))


def test_a_value_of_another_type_is_not_shown() -> None:
    with pytest.raises(ProfileError) as caught:
        freeze("date", ["a secret"])
    assert caught.value.message == "a value of type str is no date"
    with pytest.raises(ProfileError) as caught:
        freeze("text", [7])
    assert caught.value.message == "a value of type int is no text"


def test_a_measure_that_is_unknown_is_refused() -> None:
    plain = freeze("text", ["a", "bb"]).to_plain()
    with pytest.raises(ProfileError, match="the measure 'weight' is unknown"):
        read_bins(plain | {"measure": "weight"})
