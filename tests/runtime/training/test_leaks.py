"""A feature that gives the outcome away, or is something else under another name, is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from learning import inputs_of
from sklearn.metrics import roc_auc_score

from ordain.runtime.errors import LeakError
from ordain.runtime.training.leaks import separation
from ordain.runtime.training.order import Job
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

pytestmark = pytest.mark.training

MakeTable = Callable[..., pa.Table]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

ROWS = 600


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:  # noqa: ANN401
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def refused(job: Job) -> LeakError:
    with pytest.raises(LeakError) as caught:
        inputs_of(job)
    assert caught.value.code == "RUN144"
    return caught.value


def test_a_column_that_is_known_after_the_outcome_is_refused(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    error = refused(job(model(), dataset(leaks=[])))
    assert error.message == "feature days_past_due repeats the outcome defaulted, value for value"
    assert error.remedy == "add days_past_due to spec.leaks or features.exclude"


def test_a_column_that_nearly_tells_the_outcome_is_refused(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    rng = np.random.default_rng(4)
    past_due = table["days_past_due"].to_numpy() + rng.integers(0, 92, ROWS)
    data = dataset(with_column(table, "days_past_due", past_due), leaks=[])
    error = refused(job(model(), data))
    assert error.message == (
        "feature days_past_due alone separates the outcome: "
        "the area under its curve is 0.9995 on 360 rows"
    )
    assert error.remedy == (
        "add days_past_due to spec.leaks or features.exclude; if it is known before the outcome, "
        "and somebody looked, set separates: true in its column"
    )


def test_a_column_that_is_filled_in_with_the_outcome_is_refused(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    rng = np.random.default_rng(4)
    repaid = table["defaulted"].to_numpy() == 0
    notes = pa.array(rng.integers(0, 99, ROWS), mask=repaid)
    place = table.column_names.index("days_past_due")
    data = dataset(table.set_column(place, "days_past_due", notes), leaks=[])
    assert refused(job(model(), data)).message == (
        "feature days_past_due is missing by the outcome: "
        "the area under its curve is 1.0000 on 360 rows"
    )


def test_what_somebody_has_looked_at_is_learnt_from(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    data = dataset(leaks=[], days_past_due={"separates": True})
    assert "days_past_due" in inputs_of(job(model(), data)).frame.names


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        (
            "purpose",
            lambda table: ["f" if sex == "female" else "m" for sex in table["sex"].to_pylist()],
            "feature purpose repeats the protected column sex, value for value",
        ),
        (
            "debts",
            lambda table: table["age"].to_numpy() * 12,
            "feature debts repeats the protected column age, value for value",
        ),
        (
            "purpose",
            lambda table: table["applicant_id"].to_pylist(),
            "feature purpose repeats the entity applicant_id, value for value",
        ),
        (
            "employed",
            lambda table: table["sex"].to_numpy() == "female",
            "feature employed repeats the protected column sex, value for value",
        ),
    ],
)
def test_a_feature_that_is_something_else_by_another_name_is_refused(
    model: MakeModel,
    dataset: MakeDataset,
    job: MakeJob,
    lending: MakeTable,
    name: str,
    make: Callable[[pa.Table], Any],
    message: str,
) -> None:
    table = lending()
    error = refused(job(model(), dataset(with_column(table, name, make(table)))))
    assert error.message == message
    assert error.remedy == f"add {name} to spec.leaks or features.exclude"


def test_reviewing_a_feature_does_not_make_a_protected_one_of_it_less(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    copied = with_column(table, "debts", table["age"].to_numpy())
    error = refused(job(model(), dataset(copied, debts={"separates": True})))
    assert error.message == "feature debts repeats the protected column age, value for value"


def test_all_leaks_are_told_at_once(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    copied = with_column(table, "debts", table["age"].to_numpy())
    error = refused(job(model(), dataset(copied, leaks=[])))
    assert error.message.splitlines() == [
        "2 features give away what they must not",
        "  days_past_due repeats the outcome defaulted, value for value",
        "  debts repeats the protected column age, value for value",
    ]
    assert error.remedy == "add days_past_due, debts to spec.leaks or features.exclude"


def test_only_what_may_be_known_before_the_outcome_can_be_accepted(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    past_due = table["days_past_due"].to_numpy() + np.arange(ROWS) % 80
    copied = with_column(table, "debts", table["age"].to_numpy())
    copied = with_column(copied, "days_past_due", past_due)
    assert refused(job(model(), dataset(copied, leaks=[]))).remedy == (
        "add debts, days_past_due to spec.leaks or features.exclude; if days_past_due is known "
        "before the outcome, and somebody looked, set separates: true in its column"
    )


@pytest.mark.parametrize("kind", ["category", "int"])
def test_codes_that_mean_the_outcome_are_found_wherever_the_rows_stand(kind: str) -> None:
    """A status of four codes, of which the third means default; outcomes alternate by the row."""
    outcome = np.arange(400) % 2
    codes = np.where(outcome == 1, 2, np.array([0, 1, 3])[np.arange(400) % 3])
    values = codes.astype(str) if kind == "category" else codes
    column = pa.chunked_array([pa.array(values, pa.large_string() if kind == "category" else None)])
    expected = "alone separates the outcome: the area under its curve is 1.0000 on 400 rows"
    assert separation(column, outcome, regression=False) == expected


def test_numbers_that_never_recur_are_not_taken_for_each_other(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    incomes = np.linspace(500, 9000, ROWS)
    data = inputs_of(job(model(), dataset(with_column(table, "income", incomes))))
    assert "income" in data.frame.names


def test_a_list_of_names_is_no_oracle() -> None:
    """Every level of its own: in the rows it was counted on it would know everything."""
    names = pa.chunked_array([pa.array([f"n{place}" for place in range(400)], pa.large_string())])
    outcome = np.random.default_rng(1).integers(0, 2, 400)
    assert separation(names, outcome, regression=False) == ""


@pytest.mark.parametrize("positives", [1, 9])
def test_perfection_on_a_few_rows_may_be_chance(positives: int) -> None:
    outcome = np.array([1] * positives + [0] * 300)
    values = pa.chunked_array([pa.array(outcome * 5 + 0.5)])
    assert separation(values, outcome, regression=False) == ""


def test_the_area_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(7)
    outcome = rng.integers(0, 2, 500)
    values = np.round(outcome * 3.5 + rng.normal(size=500), 1)
    area = roc_auc_score(outcome, values)
    assert area > 0.99
    expected = f"alone separates the outcome: the area under its curve is {area:.4f} on 500 rows"
    assert separation(pa.chunked_array([values]), outcome, regression=False) == expected
    turned = separation(pa.chunked_array([-values]), outcome, regression=False)
    assert turned == expected


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda price: price * 3 + 1, True),
        (lambda price: np.exp(price / 40), True),
        (lambda price: price + np.random.default_rng(1).normal(0, 30, len(price)), False),
        (lambda price: np.where(price > 50, np.nan, price), True),
        (lambda price: np.full(len(price), 7.0), False),
    ],
)
def test_a_feature_that_explains_a_number_is_found(
    make: Callable[[Any], Any], *, found: bool
) -> None:
    price = np.random.default_rng(3).normal(0, 100, 400)
    values = pa.chunked_array([pa.array(make(price), from_pandas=True)])
    said = separation(values, price, regression=True)
    assert bool(said) == found
    assert not said or said.startswith("alone explains ")


def test_a_feature_that_tells_several_classes_apart_is_found() -> None:
    rng = np.random.default_rng(3)
    classes = rng.integers(0, 4, 800)
    named = pa.chunked_array([pa.array([f"class {one}" for one in classes], pa.large_string())])
    expected = "alone tells the classes apart: it takes away 1.0000 of the errors"
    assert separation(named, classes, regression=False) == expected
    numbers = pa.chunked_array([pa.array(classes * 10.0)])
    assert separation(numbers, classes, regression=False) == expected
    one_of_them = pa.chunked_array([pa.array((classes == 2) * 1.0)])
    assert separation(one_of_them, classes, regression=False) == ""
