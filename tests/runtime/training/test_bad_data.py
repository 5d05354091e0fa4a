"""Whatever is wrong with the rows is one clear error, and nothing is left in the store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from learning import inputs_of

from ordain.runtime.errors import DataError, RunError
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import Job, write_job
from ordain.runtime.training.soundness import repeated_rows, unseen_levels
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model
from tests.runtime.training.conftest import pin

pytestmark = pytest.mark.training

MakeTable = Callable[..., pa.Table]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

ROOT = Path(__file__).parents[3]
FILE = "data/applications.parquet"
ROWS = 600
LINEAR = "logistic_regression"


def changed(table: pa.Table, **columns: Any) -> pa.Table:  # noqa: ANN401
    for name, values in columns.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(values))
    return table


def refused(order: Job) -> RunError:
    """The error of a job that leaves the store as it was: the snapshot and nothing else."""
    before = files(order.store)
    with pytest.raises(RunError) as caught:
        run_job(order, lambda _stage, _fraction: None)
    assert caught.value.remedy
    assert len(before) == 3
    assert files(order.store) == before
    return caught.value


def files(store: Path) -> list[Path]:
    return sorted(path for path in store.rglob("*") if path.is_file())


CASES: dict[str, tuple[Callable[[pa.Table], pa.Table], dict[str, Any], str, str]] = {
    "new level": (
        lambda table: table,
        {"purpose": {"levels": ["car", "home", "study", "plane"], "unknown": "refuse"}},
        "RUN140",
        (
            f"{FILE}: column purpose: 13 of 600 rows (2.17%) with an unknown level, first row 9: "
            "'boat'"
        ),
    ),
    "new level after training": (
        lambda table: changed(table, purpose=["car", "home"] * 297 + ["boat"] + ["car"] * 5),
        {"purpose": {"unknown": "refuse"}},
        "RUN140",
        "column purpose: 'boat' is in no training row, and unknown is refuse",
    ),
    "all-null column": (
        lambda table: changed(table, debts=pa.nulls(ROWS, pa.int64())),
        {},
        "RUN140",
        f"{FILE}: column debts: all values are missing",
    ),
    "one-class target": (
        lambda table: changed(table, defaulted=[0] * ROWS),
        {},
        "RUN140",
        f"{FILE}: target defaulted: all 600 rows have the same outcome",
    ),
    "leak in the features": (
        lambda table: table,
        {"leaks": []},
        "RUN144",
        "feature days_past_due repeats the outcome defaulted, value for value",
    ),
    "constant features": (
        lambda table: changed(
            table, debts=[1] * ROWS, employed=[True] * ROWS, income=[5.0] * ROWS,
            purpose=["car"] * ROWS,
        ),
        {},
        "RUN150",
        "feature debts: all values of the training part are the same",
    ),
    "10 rows": (
        lambda table: changed(table.slice(0, 10), defaulted=[0, 1] * 5),
        {},
        "RUN151",
        (
            "split: too few rows: 10 (6 to learn from, 2 to judge by), a split needs at least 20 "
            "and 10"
        ),
    ),
    "no rows": (
        lambda table: table.slice(0, 0),
        {},
        "RUN140",
        f"{FILE}: there are no rows",
    ),
    "time without a value": (
        lambda table: changed(
            table, applied_on=pa.array(table["applied_on"].to_numpy(), mask=np.arange(ROWS) == 4)
        ),
        {"asOf": "2026-01-01", "target": {"column": "defaulted", "matureAfter": "1d"}},
        "RUN143",
        "target.matureAfter: 1 row has no applied_on",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_with_the_rows_is_one_clear_error(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable, case: str
) -> None:
    make, declared, code, message = CASES[case]
    data = dataset(make(lending()), **declared)
    error = refused(job(model(LINEAR), data))
    assert (error.code, error.message) == (code, message)


UNREADABLE: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "missing column": (
        lambda table: table.drop_columns(["debts"]),
        f"{FILE}: column debts not found",
    ),
    "infinities": (
        lambda table: changed(table, income=[*[1.0] * 599, float("-inf")]),
        f"{FILE}: column income, row 600: -inf is no float",
    ),
    "mixed types": (
        lambda table: changed(table, debts=["1"] * 300 + ["many"] * 300),
        f"{FILE}: column debts, row 301: 'many' is no int",
    ),
    "numbers where truth is declared": (
        lambda table: changed(table, employed=[0, 1, 2] * 200),
        f"{FILE}: column employed, row 3: 2 is no bool",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_one_clear_error_when_it_is_pinned(
    dataset: MakeDataset, lending: MakeTable, tmp_path: Path, case: str
) -> None:
    make, message = UNREADABLE[case]
    with pytest.raises(DataError) as caught:
        pin(dataset(make(lending())), tmp_path, tmp_path / "store")
    assert caught.value.message == message
    assert caught.value.remedy
    assert files(tmp_path / "store") == []


def test_an_entity_on_both_sides_of_a_day_is_refused(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    who = [f"A{place % 500:05}" for place in range(ROWS)]
    split = {"by": "time", "train": "60%", "validation": "20%", "test": "20%"}
    error = refused(job(model(split=split), dataset(changed(lending(), applicant_id=who))))
    assert error.message == "split: 100 values of applicant_id stand in more than one part"
    assert error.remedy == "keep one row for each, widen split.purge, or split by entity"


def test_a_time_split_keeps_an_entity_whole_where_a_gap_takes_what_lies_between(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    """Whoever stands on both sides of the day does so within the gap that is left out."""
    table = lending()
    days = table["applied_on"].to_numpy()
    edge = np.datetime64("2024-01-01")
    near = np.flatnonzero(np.abs((days - edge).astype(int)) <= 10)
    who = table["applicant_id"].to_pylist()
    before, after = near[days[near] < edge], near[days[near] >= edge]
    for one, two in zip(before.tolist(), after.tolist(), strict=False):
        who[two] = who[one]
    ranges = {"train": "..2023-12-31", "validation": "2024-01..2024-05", "test": "2024-06.."}
    split = {"by": "time", **ranges}
    data = dataset(changed(table, applicant_id=who))
    assert "more than one part" in refused(job(model(LINEAR, split=split), data)).message
    gap = split | {"purge": "11d"}
    parts = inputs_of(job(model(LINEAR, split=gap), data)).parts
    assert parts.left_out["purged"] >= len(before)
    names = np.array(who)
    sides = [set(names[getattr(parts, part)]) for part in ("train", "validation", "test")]
    assert sum(map(len, sides)) == len(set.union(*sides))


def test_a_column_that_never_differs_is_refused(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    error = refused(job(model(LINEAR), dataset(changed(lending(), debts=[1] * ROWS))))
    assert error.message == "feature debts: all values of the training part are the same"


def test_rows_that_repeat_across_the_split_are_counted(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    """The same case under another number: whatever a row says but who it is."""
    table = lending()
    first = inputs_of(job(model(LINEAR), dataset(table)))
    assert repeated_rows(dataset(table), first.table, first.parts) == 0
    order = np.arange(ROWS)
    order[first.parts.test[:30]] = first.parts.train[:30]
    copied = table.take(order).set_column(0, "applicant_id", table["applicant_id"])
    found = run_job(job(model(LINEAR), dataset(copied)), lambda _stage, _fraction: None).evidence
    expected = (
        "30 of 120 rows of the test part (25.0%) equal a row of the training part in all that is "
        "declared: they are no new cases."
    )
    assert expected in found.limitations


def test_levels_that_nothing_was_learnt_about_are_counted(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    parts = inputs_of(job(model(LINEAR), dataset(table))).parts
    purpose = np.array(table["purpose"].fill_null("car").to_pylist(), dtype=object)
    purpose[parts.test[:7]] = "yacht"
    order = job(model(LINEAR), dataset(changed(table, purpose=purpose.tolist())))
    data = inputs_of(order)
    assert unseen_levels(data.frame, data.parts) == {"purpose": 7}
    found = run_job(order, lambda _stage, _fraction: None).evidence
    expected = (
        "Feature purpose: 7 rows of validation and test part have a level that training has not "
        "seen."
    )
    assert expected in found.limitations


def test_evidence_tells_what_the_table_was_held_to(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    found = run_job(job(model(LINEAR), dataset()), lambda _stage, _fraction: None).evidence
    assert found.data["expectations"] == {
        "met": 4,
        "missing column income": "at most 10.00% missing: 5.50% of the values are missing",
        "missing column purpose": "at most 10.00% missing: 3.67% of the values are missing",
        "outcome target defaulted": "an outcome: all 600 rows",
        "range column income": "0 to 1e+06: all 600 rows",
    }


def test_membership_alone_decides_the_digest_of_a_split(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    first = inputs_of(job(model(LINEAR), dataset())).parts
    other = inputs_of(job(model(LINEAR), dataset(changed(lending(), debts=range(ROWS))))).parts
    assert first.digest == other.digest
    wider = {"train": "61%", "validation": "19%", "test": "20%"}
    moved = inputs_of(job(model(LINEAR, split=wider), dataset())).parts
    assert moved.digest != first.digest


@pytest.mark.parametrize(
    ("case", "lines"),
    [
        (
            "leaks",
            [
                "error[RUN144]: 2 features give away what they must not",
                "  days_past_due repeats the outcome defaulted, value for value",
                "  debts repeats the protected column age, value for value",
            ],
        ),
        (
            "expectations",
            [
                f"error[RUN140]: {FILE}: 2 expectations are not met",
                (
                    "  there are 600 rows, expected are 1000 to 2000; bring the rows that belong "
                    "there, or correct spec.expect.rows"
                ),
                (
                    "  column income: 5.50% of the values are missing, accepted are 1.00%; mend "
                    "the data, or raise spec.columns.income.missing"
                ),
            ],
        ),
    ],
)
def test_a_terminal_shows_all_that_is_wrong(
    tmp_path: Path,
    model: MakeModel,
    dataset: MakeDataset,
    job: MakeJob,
    lending: MakeTable,
    case: str,
    lines: list[str],
) -> None:
    table = lending()
    if case == "leaks":
        data = dataset(changed(table, debts=table["age"].to_numpy()), leaks=[])
    else:
        data = dataset(table, expect={"rows": [1000, 2000]}, income={"missing": "1%"})
    write_job(tmp_path / "job", job(model(), data))
    ran = subprocess.run(
        [sys.executable, "-m", "ordain.runtime.training", str(tmp_path / "job")],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "THREADS" not in name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == lines
