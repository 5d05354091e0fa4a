"""Rows are divided as declared, an entity is on one side, and the same seed cuts the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.datasets.labels import Labels
from ordain.runtime.errors import SplitError
from ordain.runtime.training.splits import Parts, split_rows
from ordain.specs.kinds.dataset import Column, Dataset, Source
from ordain.specs.kinds.model import Split

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.training

PARTS = ("train", "validation", "test")


def declared(**changed: Any) -> Dataset:  # noqa: ANN401 - fields of a Dataset
    return Dataset(source=Source(type="csv"), columns={"x": Column(type="int")}, **changed)


def days(*texts: str) -> pa.Table:
    return pa.table({"day": pa.array(texts).cast(pa.timestamp("us"))})


def by_time(table: pa.Table, *ranges: str, purge: str | None = None) -> Parts:
    train, validation, test = ranges
    split = Split(by="time", train=train, validation=validation, test=test, purge=purge)
    return split_rows(split, declared(time="day"), table, 7)


def sizes(parts: Parts) -> tuple[int, ...]:
    return tuple(len(getattr(parts, part)) for part in PARTS)


def test_a_random_split_has_the_declared_shares() -> None:
    parts = split_rows(Split(), declared(), pa.table({"x": range(1000)}), 7)
    assert sizes(parts) == (600, 200, 200)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(together.tolist()) == list(range(1000))
    assert parts.left_out == {"immature": 0, "purged": 0, "outside": 0}


def test_the_seed_decides_and_nothing_else() -> None:
    table = pa.table({"x": range(100)})
    first, second = (split_rows(Split(), declared(), table, 7).digest for _ in range(2))
    assert first == second
    assert split_rows(Split(), declared(), table, 8).digest != first


@pytest.mark.parametrize("by", ["entity", "random"])
def test_an_entity_is_never_on_both_sides(by: str) -> None:
    who = np.random.default_rng(1).integers(0, 90, 1000).astype(str)
    table = pa.table({"who": pa.array(who, pa.large_string())})
    split = Split(by="entity" if by == "entity" else "random")
    parts = split_rows(split, declared(entity="who"), table, 7)
    sides = [set(who[getattr(parts, part)]) for part in PARTS]
    assert sum(map(len, sides)) == len(set.union(*sides))
    assert sizes(parts) == pytest.approx((600, 200, 200), abs=25)


def test_ranges_of_months_include_their_last_day() -> None:
    table = days("2024-06-30", "2024-07-01", "2024-09-30 23:59:59", "2024-10-01", "2025-01-01")
    parts = by_time(table, "..2024-06", "2024-07..2024-09", "2024-10..2024")
    assert [getattr(parts, part).tolist() for part in PARTS] == [[0], [1, 2], [3]]
    assert parts.left_out == {"immature": 0, "purged": 0, "outside": 1}


def test_the_purge_gap_is_taken_from_the_earlier_part() -> None:
    table = days("2024-05-30", "2024-06-01", "2024-06-29", "2024-07-01", "2024-09-15", "2024-10-01")
    ranges = ("..2024-06-30", "2024-07..2024-09", "2024-10..")
    parts = by_time(table, *ranges, purge="30d")
    assert [getattr(parts, part).tolist() for part in PARTS] == [[0], [3], [5]]
    assert parts.left_out == {"immature": 0, "purged": 3, "outside": 0}


def test_shares_by_time_keep_the_order_and_equal_days_together() -> None:
    table = days(*[f"2024-01-{1 + place // 2:02}" for place in range(20)])
    parts = by_time(table, "60%", "20%", "20%")
    assert sizes(parts) == (12, 4, 4)
    assert parts.train.max() < parts.validation.min() < parts.test.min()


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"train": "50%"}, "split: 50% + 20% + 20% is not 100%"),
        ({"train": "..2024"}, "split.train: '..2024' is no share such as 60%"),
        (
            {"by": "time", "train": ".."},
            "split.train: '..' is no range of days such as 2024-07..2024-09",
        ),
        (
            {"by": "time", "train": "..2024-02-31", "validation": "2025..2025", "test": "2026.."},
            "split.train: '2024-02-31' is no day, month or year",
        ),
        (
            {"by": "time", "train": "2024..2023", "validation": "2025..2025", "test": "2026.."},
            "split.train: 2024..2023 ends before it begins",
        ),
        (
            {"by": "time", "train": "..2024", "validation": "2024-06..2025", "test": "2026.."},
            "split: train and validation overlap",
        ),
        (
            {"by": "time", "train": "2023..", "validation": "2022..2022", "test": "..2021"},
            "split: validation lies before train",
        ),
        (
            {"by": "time", "train": "..2021", "validation": "2023..", "test": "2022..2022"},
            "split: test lies before validation",
        ),
        (
            {"by": "time", "train": "..2020", "validation": "2021..2021", "test": "2022..2022"},
            "split: no row falls into the train part",
        ),
        ({"by": "entity"}, "split.by is entity, but the Dataset names no entity"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(split: dict[str, Any], message: str) -> None:
    with pytest.raises(SplitError) as caught:
        split_rows(Split(**split), declared(time="day"), days("2022-03-01", "2022-04-01"), 7)
    assert caught.value.message == message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("dataset", "table", "message"),
    [
        (
            {},
            lambda: days("2024-01-01"),
            "split: the Dataset names no time column",
        ),
        ({"time": "day"}, lambda: pa.table({"day": ["x"]}), "split: day is no date"),
        (
            {"time": "day"},
            lambda: pa.table({"day": pa.array([None], pa.timestamp("us"))}),
            "split: 1 row has no day",
        ),
    ],
)
def test_a_split_by_time_needs_times(
    dataset: dict[str, str], table: Callable[[], pa.Table], message: str
) -> None:
    with pytest.raises(SplitError) as caught:
        split_rows(Split(by="time"), declared(**dataset), table(), 7)
    assert caught.value.message == message


def labelled(mature: list[bool], known: list[bool]) -> Labels:
    return Labels(np.array(mature), np.array(mature) & np.array(known))


def test_shares_are_of_the_rows_that_count() -> None:
    table = pa.table({"x": range(1000)})
    mature = [place < 500 for place in range(1000)]
    parts = split_rows(Split(), declared(), table, 7, labelled(mature, [True] * 1000))
    assert sizes(parts) == (300, 100, 100)
    assert parts.left_out == {"immature": 500, "purged": 0, "outside": 0}
    assert max(getattr(parts, part).max() for part in PARTS) < 500


def test_rows_without_an_outcome_are_divided_and_kept_apart() -> None:
    table = pa.table({"x": range(1000)})
    known = [place % 3 > 0 for place in range(1000)]
    everything = split_rows(Split(), declared(), table, 7)
    parts = split_rows(Split(), declared(), table, 7, labelled([True] * 1000, known))
    for part in PARTS:
        assert parts.population(part).tolist() == getattr(everything, part).tolist()
        assert all(known[row] for row in getattr(parts, part))
        assert not any(known[row] for row in parts.unlabelled[part])
    assert parts.left_out == {"immature": 0, "purged": 0, "outside": 0}
    assert parts.digest != everything.digest


def test_labels_that_hide_nothing_change_nothing() -> None:
    table = pa.table({"x": range(100)})
    plain = split_rows(Split(), declared(), table, 7)
    found = split_rows(Split(), declared(), table, 7, labelled([True] * 100, [True] * 100))
    assert (found.digest, found.unlabelled) == (plain.digest, {})


def test_an_entity_is_not_cut_by_rows_that_nobody_learns_from() -> None:
    table = days("2024-01-01", "2024-05-01", "2024-09-01").append_column("who", [["a", "b", "a"]])
    split = Split(by="time", train="..2024-04", validation="2024-05..2024-06", test="2024-07..")
    hidden = labelled([True] * 3, [True, True, False])
    with pytest.raises(SplitError, match="1 value of who stands in more than one part"):
        split_rows(split, declared(time="day", entity="who"), table, 7, hidden)
    young = labelled([True, True, False], [True] * 3)
    with pytest.raises(
        SplitError, match=r"test part \(not counting 1 whose outcome is not final\)$"
    ):
        split_rows(split, declared(time="day", entity="who"), table, 7, young)


@given(st.lists(st.integers(-1, 5), min_size=2, max_size=12), st.data())
def test_the_digest_changes_exactly_with_the_membership(
    places: list[int], data: st.DataObject
) -> None:
    def parts_of(found: list[int]) -> Parts:
        train, validation, test, *others = (
            np.flatnonzero(np.array(found) == part) for part in range(6)
        )
        hidden = dict(zip(PARTS, others, strict=True))
        return Parts(train, validation, test, len(found), unlabelled=hidden)

    other = data.draw(st.permutations(places))
    assert (parts_of(places).digest == parts_of(other).digest) == (places == other)


def test_an_entity_that_time_would_cut_in_two_is_refused() -> None:
    table = days("2024-01-01", "2024-05-01", "2024-09-01").append_column("who", [["a", "b", "a"]])
    split = Split(by="time", train="..2024-04", validation="2024-05..2024-06", test="2024-07..")
    with pytest.raises(SplitError) as caught:
        split_rows(split, declared(time="day", entity="who"), table, 7)
    assert caught.value.message == "split: 1 value of who stands in more than one part"
