"""Folds repeat inside the training part what the split does outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from ordain.runtime.errors import SplitError
from ordain.runtime.training.outcomes import Outcomes
from ordain.runtime.training.search.folds import ENOUGH, Fold, make_folds
from ordain.specs.kinds import kind_validator
from ordain.specs.kinds.model import Split
from ordain.specs.tasks import BINARY, REGRESSION

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Dataset

DAY = 86_400_000_000


def declared(**changed: object) -> Dataset:
    spec = {
        "source": {"type": "csv", "uri": "rows.csv"},
        "columns": {"who": {"type": "id"}, "day": {"type": "date"}, "y": {"type": "int"}},
    }
    found: Dataset = kind_validator("Dataset").validate_python(spec | changed)
    return found


def table(rows: int, people: int) -> pa.Table:
    rng = np.random.default_rng(3)
    day = np.sort(rng.integers(0, 400, rows)) * DAY
    return pa.table(
        {
            "who": pa.array([f"P{number}" for number in rng.integers(0, people, rows)]),
            "day": pa.array(day, pa.timestamp("us")),
            "y": rng.integers(0, 2, rows),
        }
    )


def folds(rows: pa.Table, data: Dataset, split: Split, count: int = 5) -> tuple[Fold, ...]:
    train = np.arange(0, rows.num_rows, 2)
    outcomes = Outcomes(BINARY, rows["y"].to_numpy(), positive="1")
    return make_folds(count, split, data, rows, train, outcomes, 7)


def test_every_row_of_the_training_part_is_held_out_once_and_no_other_ever() -> None:
    found = folds(table(5_000, 4), declared(), Split())
    assert len(found) == 5
    held = np.concatenate([one.held for one in found])
    assert sorted(held) == list(range(0, 5_000, 2))
    assert all(not set(one.learn) & set(one.held) for one in found)


def test_every_fold_has_the_same_share_of_each_outcome() -> None:
    rows = table(5_000, 4)
    values = rows["y"].to_numpy()
    counts = [int(values[one.held].sum()) for one in folds(rows, declared(), Split())]
    assert max(counts) - min(counts) <= 1


def test_an_entity_is_never_on_both_sides() -> None:
    rows = table(3_000, 200)
    who = np.array(rows["who"].to_pylist())
    for one in folds(rows, declared(entity="who"), Split(by="entity")):
        assert not set(who[one.learn]) & set(who[one.held])


def test_folds_by_time_learn_from_what_lies_before_them_and_keep_the_gap() -> None:
    rows = table(3_000, 200)
    day = rows["day"].cast(pa.int64()).to_numpy()
    found = folds(rows, declared(time="day"), Split(by="time", purge="30d"))
    assert len(found) == 5
    for one in found:
        assert day[one.held].min() - day[one.learn].max() > 30 * DAY
    starts = [int(day[one.held].min()) for one in found]
    assert starts == sorted(starts, reverse=True)


def test_few_rows_are_cut_again_and_many_are_judged_on_some_of_their_folds() -> None:
    assert len(folds(table(1_000, 4), declared(), Split())) == 15
    many = folds(table(60_000, 4), declared(), Split())
    assert len(many) == 2
    assert sum(len(one.held) for one in many) >= ENOUGH


def test_a_training_part_without_a_fold_to_learn_from_is_refused() -> None:
    rows = table(40, 4)
    outcomes = Outcomes(REGRESSION, np.r_[1.0, np.zeros(39)])
    with pytest.raises(SplitError) as caught:
        make_folds(2, Split(by="time"), declared(time="day"), rows, np.arange(1, 40), outcomes, 7)
    assert caught.value.message == (
        "training.automl: none of 2 folds of the training part can be learnt from"
    )
