"""Young outcomes are not learnt from, and the rows tell whether the delay is long enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from learning import inputs_of

from ordain.runtime.errors import DataError, MaturityError
from ordain.runtime.training.job import run_job
from ordain.runtime.training.maturity import armitage, trend_of
from ordain.runtime.training.order import Job
from ordain.specs.kinds import kind_validator
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.training

MakeTable = Callable[..., pa.Table]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

LINEAR = "logistic_regression"
DAY = np.datetime64("2023-01-01")
TARGET = {"column": "defaulted", "positive": 1, "favourable": 0}


def evidence(job: Job) -> Any:  # noqa: ANN401 - Evidence
    return run_job(job, lambda _stage, _fraction: None).evidence


def censored(table: pa.Table, seed: int = 3) -> pa.Table:
    """Only cases that are over are there: a default is over early, a repayment after 720 days."""
    rng = np.random.default_rng(seed)
    day = table["applied_on"].to_numpy() - DAY.astype("datetime64[D]")
    bad = table["defaulted"].to_numpy() == 1
    over = np.where(bad, rng.integers(30, 300, len(day)), rng.integers(300, 720, len(day)))
    return table.filter(pa.array(day.astype(int) + over <= 760))


def test_rows_whose_outcome_is_not_final_are_in_no_part(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    target = TARGET | {"matureAfter": "365d"}
    found = evidence(job(model(LINEAR), dataset(table, target=target, asOf="2024-12-31")))
    days = table["applied_on"].to_numpy()
    young = int((days > np.datetime64("2024-01-01")).sum())
    assert found.data["left_out"] == {"immature": young, "purged": 0, "outside": 0}
    assert sum(found.data["parts"].values()) == 600 - young
    later = evidence(job(model(LINEAR), dataset(table, target=target, asOf="2025-01-31")))
    assert later.data["left_out"]["immature"] < young
    assert later.split != found.split


def test_what_an_immature_row_says_changes_nothing(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    target = TARGET | {"matureAfter": "365d"}
    young = table["applied_on"].to_numpy() > np.datetime64("2024-01-01")
    outcomes = pa.array(table["defaulted"].to_numpy(), mask=young)
    place = table.column_names.index("defaulted")
    unknown = table.set_column(place, "defaulted", outcomes)
    first = inputs_of(job(model(LINEAR), dataset(table, target=target, asOf="2024-12-31")))
    second = inputs_of(job(model(LINEAR), dataset(unknown, target=target, asOf="2024-12-31")))
    assert first.parts.digest == second.parts.digest
    kept = first.parts.train
    assert first.outcomes.values[kept].tolist() == second.outcomes.values[kept].tolist()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"asOf": None},
            "target.matureAfter: the Dataset does not say up to when outcomes were seen",
        ),
        (
            {"asOf": "2023-06-30"},
            "target defaulted: no row of 600 is 365d old on 2023-06-30, so no outcome is final",
        ),
        ({"time": None}, "target.matureAfter: the Dataset names no time column"),
        (
            {"time": "debts"},
            "target.matureAfter: debts is no date",
        ),
    ],
)
def test_an_age_that_cannot_be_told_is_an_error(
    model: MakeModel,
    dataset: MakeDataset,
    job: MakeJob,
    changed: dict[str, Any],
    message: str,
) -> None:
    declared = {"asOf": "2024-12-31", "target": TARGET | {"matureAfter": "365d"}} | changed
    with pytest.raises(MaturityError) as caught:
        inputs_of(job(model(LINEAR), dataset(**declared)))
    assert caught.value.message == message
    assert caught.value.code == "RUN143"
    assert caught.value.remedy


def test_a_climbing_rate_is_an_error_where_outcomes_are_declared_delayed(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    target = TARGET | {"matureAfter": "30d"}
    data = dataset(censored(lending(3000)), target=target, asOf="2025-01-30")
    with pytest.raises(DataError) as caught:
        inputs_of(job(model(LINEAR), data))
    assert caught.value.code == "RUN143"
    assert caught.value.message == (
        "target defaulted: the share of positive outcomes climbs from 36.9% to 86.4% in the newest "
        "quarter of the rows (z = 16.9), so outcomes are not final after 30d"
    )
    assert caught.value.remedy == "raise target.matureAfter, or leave the newest rows out"


def test_a_delay_that_is_long_enough_mends_it(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    target = TARGET | {"matureAfter": "720d"}
    data = dataset(censored(lending(12_000)), target=target, asOf="2025-01-30")
    assert inputs_of(job(model(LINEAR), data)).trend == ""


def test_a_climbing_rate_is_told_where_no_delay_is_declared(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    found = evidence(job(model(LINEAR), dataset(censored(lending(3000)))))
    (told,) = (text for text in found.limitations if "climbs" in text)
    assert told.startswith("The share of positive outcomes climbs from ")
    assert told.endswith("in the newest quarter of the rows, and no delay of outcomes is declared.")


def test_a_trend_that_nobody_could_look_for_is_told(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    """A time that is no date, or is missing once, is no reason not to learn."""
    table = lending()
    years = dataset(time="debts")
    found = inputs_of(job(model(LINEAR), years)).trend
    assert found == "Whether outcomes have a trend was not looked at: debts is no date."
    days = pa.array(table["applied_on"].to_numpy(), mask=np.arange(600) == 4)
    place = table.column_names.index("applied_on")
    holed = dataset(table.set_column(place, "applied_on", days))
    told = "Whether outcomes have a trend was not looked at: 1 row has no applied_on."
    assert inputs_of(job(model(LINEAR), holed)).trend == told


def test_a_falling_rate_is_told_and_stops_nothing(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending(3000)
    rng = np.random.default_rng(5)
    late = np.linspace(0, 1, 3000) > 0.8
    outcomes = np.where(late & (rng.random(3000) < 0.6), 0, table["defaulted"].to_numpy())
    place = table.column_names.index("defaulted")
    table = table.set_column(place, "defaulted", pa.array(outcomes))
    target = TARGET | {"matureAfter": "30d"}
    data = inputs_of(job(model(LINEAR), dataset(table, target=target, asOf="2025-06-30")))
    assert data.trend.startswith("The share of positive outcomes falls from ")
    assert data.trend.endswith(": outcomes may not be final after 30d.")


def test_a_steady_rate_is_nothing_to_speak_of(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    assert inputs_of(job(model(LINEAR), dataset(lending(3000)))).trend == ""


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=4, max_size=200).filter(
        lambda rows: len({row[0] for row in rows}) > 1 and len({row[1] for row in rows}) > 1
    )
)
def test_the_statistic_is_that_of_the_books(rows: list[tuple[int, int]]) -> None:
    """Its square is n times the squared correlation of score and outcome (Armitage 1955)."""
    scores, positive = (np.array(column) for column in zip(*rows, strict=True))
    expected = scipy.stats.pearsonr(scores, positive).statistic * len(rows) ** 0.5
    assert armitage(scores.astype(float), positive) == pytest.approx(expected, abs=1e-9)


def test_the_order_of_rows_and_the_unit_of_time_change_nothing() -> None:
    rng = np.random.default_rng(2)
    times = rng.integers(0, 700, 2000)
    positive = (rng.random(2000) < 0.1 + times / 2000).astype(np.int64)
    order = rng.permutation(2000)
    first = trend_of(times, positive)
    assert first == trend_of(times[order] * 86_400_000_000, positive[order])
    assert first is not None
    assert first.climbs


@pytest.mark.parametrize("times", [[], [5], [5, 5, 5, 5]])
def test_rows_of_one_instant_have_no_trend(times: list[int]) -> None:
    assert trend_of(np.array(times), np.array([1] * len(times))) is None


def test_noise_raises_no_alarm() -> None:
    """At most a handful of 2,000 tables without any trend are taken for one that climbs."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(2000):
        trend = trend_of(rng.integers(0, 300, 600), (rng.random(600) < 0.2).astype(np.int64))
        alarms += trend is not None and trend.climbs
    assert alarms <= 6


BANK = "bank_marketing/bank_marketing.parquet"


def bank(path: Path, **target: str) -> Dataset:
    types = {"age": "int", "balance": "int", "campaign": "int", "contact_date": "date"}
    columns: dict[str, Any] = {name: {"type": kind} for name, kind in types.items()}
    columns |= {"job": {"type": "category"}, "subscribed": {"type": "int"}}
    declared: Dataset = kind_validator("Dataset").validate_python(
        {
            "source": {"type": "parquet", "uri": path.name},
            "columns": columns,
            "time": "contact_date",
            "asOf": "2010-12-31",
            "target": {"column": "subscribed", **target},
        }
    )
    return declared


def test_a_real_campaign_climbs_and_is_told(
    model: MakeModel, job: MakeJob, needs_data: Callable[[str], Path]
) -> None:
    path = needs_data(BANK)
    data = bank(path)
    found = inputs_of(job(model(LINEAR), data, root=path.parent))
    assert found.trend == (
        "The share of positive outcomes climbs from 6.1% to 28.1% in the newest quarter of the "
        "rows, and no delay of outcomes is declared."
    )
