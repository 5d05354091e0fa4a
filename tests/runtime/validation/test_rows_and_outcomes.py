"""Rows that lack a column or an outcome, and Datasets that say something else than the model's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from validated import declared_dataset, declared_model, find, lending_table, measure

from ordain.runtime.errors import DataError
from ordain.runtime.validation.answering import Answered
from ordain.runtime.validation.order import read_order, write_order
from ordain.runtime.validation.robustness import compared

if TYPE_CHECKING:
    from pathlib import Path

    from validated import Shop

    from ordain.runtime.validation.order import ValidationOrder
    from ordain.specs.evidence import FairnessRow
    from ordain.specs.validations import ValidationReport

pytestmark = pytest.mark.training

FAIR = {"fairness": [{"min": 0.5}]}


def others(
    shop: Shop,
    order: ValidationOrder,
    table: pa.Table,
    model: dict[str, Any] | None = None,
    **changed: Any,  # noqa: ANN401
) -> ValidationOrder:
    """The artifact on rows of another Dataset than the one that it learnt from."""
    later = shop.later(order, table, **changed)
    return replace(later, spec=declared_model(**model or {}), own=order.data)


def with_outcomes(values: list[int | None]) -> pa.Table:
    table = lending_table(len(values), 4)
    place = table.schema.get_field_index("defaulted")
    return table.set_column(place, "defaulted", pa.array(values, pa.int64()))


def rows_by(report: ValidationReport, attribute: str) -> list[FairnessRow]:
    return [row for row in report.fairness if row.attribute == attribute]


def test_an_order_keeps_the_dataset_of_the_model(order: ValidationOrder, tmp_path: Path) -> None:
    with_own = replace(order, own=declared_dataset())
    write_order(tmp_path, with_own)
    assert read_order(tmp_path / "job.json") == with_own


def test_rows_without_a_protected_column_do_not_pass_its_gate(
    shop: Shop, order: ValidationOrder
) -> None:
    report = measure(others(shop, order, lending_table(400, 4), {"acceptance": FAIR}, sex=None))
    (check,) = find(report, "fairness")
    assert (check.name, check.subject, check.limit) == ("groups", "sex", "acceptance.fairness")
    assert (check.verdict, check.reason) == ("insufficient", "the rows have no column sex")
    (row,) = rows_by(report, "sex")
    assert (row.verdict, row.reason) == ("insufficient", "the rows have no column sex")
    assert len(rows_by(report, "age")) == 3
    assert report.verdict in {"insufficient", "fail"}


def test_a_column_that_is_protected_where_the_model_learns_is_compared(
    shop: Shop, order: ValidationOrder
) -> None:
    rows = others(
        shop,
        order,
        lending_table(400, 4),
        {"acceptance": FAIR},
        sex={"role": "feature", "reference": None},
    )
    (row,) = rows_by(measure(rows), "sex")
    assert (row.group, row.reference) == ("female", "male")


def test_proxies_of_a_column_that_rows_lack_are_insufficient(
    shop: Shop, order: ValidationOrder
) -> None:
    limits: dict[str, Any] = {"acceptance": {"proxies": {}}}
    report = measure(others(shop, order, lending_table(300, 4), limits, sex=None))
    (found,) = find(report, "proxies", "joint_auc", "sex")
    assert (found.verdict, found.reason) == ("insufficient", "the rows have no column sex")
    assert found.limit == "acceptance.proxies"


def test_which_outcome_is_good_is_said_by_the_dataset_of_the_model(
    shop: Shop, order: ValidationOrder
) -> None:
    table = lending_table(400, 4)
    target = {"column": "defaulted", "positive": 0, "favourable": 1}
    same = measure(others(shop, order, table, {"acceptance": FAIR}))
    opposite = measure(others(shop, order, table, {"acceptance": FAIR}, target=target))
    assert opposite.fairness == same.fairness
    area = find(same, "performance", "roc_auc")[0].value
    assert find(opposite, "performance", "roc_auc")[0].value == area


def test_favourable_rates_are_the_same_without_a_column_of_outcomes(
    shop: Shop, order: ValidationOrder
) -> None:
    linear = shop.train(declared_model(training={"estimator": "logistic_regression"}), order.data)
    challenged = replace(order, champion=linear.artifact)
    table = lending_table(400, 4)
    known = measure(others(shop, challenged, table, {"acceptance": FAIR}))
    without = measure(others(shop, challenged, table, {"acceptance": FAIR}, defaulted=None))
    assert known.behaviour is not None
    assert without.behaviour is not None
    assert without.behaviour.shifts == known.behaviour.shifts
    assert [row.value for row in without.fairness] == [row.value for row in known.fairness]
    (outcome,) = find(without, "quality", "outcome")
    assert (outcome.limit, outcome.reason) == ("", "column defaulted is not in the rows")


def test_outcomes_that_are_partly_there_are_no_fault_of_the_rows(
    shop: Shop, order: ValidationOrder
) -> None:
    outcomes = [None if place % 4 else place // 4 % 2 for place in range(400)]
    report = measure(others(shop, order, with_outcomes(outcomes)))
    (outcome,) = find(report, "quality", "outcome")
    assert outcome.limit == ""
    assert find(report, "performance", "roc_auc")[0].n == 100


@pytest.mark.parametrize("other", [[1, 2], [1, 9], [0, 1, 5]])
def test_an_outcome_that_the_model_has_not_learnt_fails(
    shop: Shop, order: ValidationOrder, other: list[int]
) -> None:
    outcomes: list[int | None] = [other[place % len(other)] for place in range(200)]
    report = measure(others(shop, order, with_outcomes(outcomes)))
    (found,) = find(report, "quality", "learnt outcomes")
    place = len(other)
    told = f"row {place} has the outcome {other[-1]}, which the model has not learnt"
    assert (found.verdict, found.reason) == ("fail", told)
    assert found.limit == "outcomes that the model has learnt"
    assert find(report, "performance")[0].reason == f"target defaulted: {told}"
    assert report.verdict == "fail"


def test_a_reference_group_that_is_not_there_hides_no_other_row(
    shop: Shop, order: ValidationOrder
) -> None:
    table = lending_table(400, 4)
    place = table.schema.get_field_index("sex")
    women = table.set_column(place, "sex", pa.array(["female"] * 400))
    report = measure(others(shop, order, women, {"acceptance": FAIR}))
    (row,) = rows_by(report, "sex")
    told = "sex has no group male among the measured rows"
    assert (row.group, row.reference) == ("(no other group)", "male")
    assert (row.verdict, row.reason) == ("insufficient", told)
    (check,) = find(report, "fairness")
    assert (check.subject, check.reason) == ("sex", told)
    assert len(rows_by(report, "age")) == 3


def test_a_row_that_a_change_gets_refused_is_a_flip() -> None:
    none, same = np.empty((400, 0)), np.zeros(400, dtype=np.int64)
    before = Answered(np.full(400, 0.2), none, same, ("no", "yes"), {})
    decision = np.tile([0, 1, -1, 0], 100)
    refused = dict.fromkeys(range(2, 400, 4), "out of range")
    after = Answered(np.full(400, 0.2), none, decision, ("no", "yes"), refused)
    found = {one.name: one for one in compared("noise", before, after, "40%")}
    assert (found["noise: refused"].value, found["noise: refused"].limit) == (0.25, "")
    flips = found["noise: flips"]
    assert (flips.value, flips.n, flips.verdict, flips.limit) == (0.5, 400, "fail", "<= 40%")


def test_a_gate_that_rows_cannot_judge_is_told(shop: Shop) -> None:
    gates = {"acceptance": {"metrics": [{"name": "stability", "min": 0.5}]}}
    clusters = declared_model(
        task="clustering",
        training={"estimator": "kmeans", "parameters": {"n_clusters": 2}},
        decision=None,
    )
    ordered = shop.train(clusters, shop.pin(lending_table(300), declared_dataset(target=None)))
    spec = replace(clusters, acceptance=declared_model(**gates).acceptance)
    (found,) = find(measure(replace(ordered, spec=spec)), "performance", "stability")
    assert (found.limit, found.value) == ("", None)
    assert found.reason == "it is measured by fitting again: judged in training only"


def test_few_rows_are_not_held_against_a_limit_of_calibration(
    shop: Shop, order: ValidationOrder
) -> None:
    limits = {"validation": {"calibration": {"maxError": 0.5}}}
    report = measure(others(shop, order, lending_table(60, 4), limits))
    (error,) = find(report, "calibration", "error")
    assert (error.verdict, error.reason) == ("insufficient", "60 rows, 100 are needed")


def test_an_outcome_whose_square_is_no_number_is_refused(shop: Shop) -> None:
    asked: dict[str, Any] = {
        "task": "regression",
        "training": {"estimator": "linear_regression"},
        "decision": None,
    }
    target = {"column": "income"}
    data = declared_dataset(target=target, income={"range": None, "missing": None})
    table = lending_table(300)
    place = table.schema.get_field_index("income")
    table = table.set_column(place, "income", [table["income"].fill_null(1.0)])
    ordered = shop.train(declared_model(**asked), shop.pin(table, data))
    huge = table["income"].to_numpy().copy()
    huge[3] = 1e200
    pinned = shop.pin(table.set_column(place, "income", [huge]), data)
    report = measure(replace(ordered, data=pinned, own=data, part="", split=None))
    told = "target income: 1 of 300 outcomes are beyond 1e+100"
    assert find(report, "performance")[0].reason == told
    with pytest.raises(DataError) as caught:
        shop.train(declared_model(**asked), pinned)
    told = "target income: 1 rows are beyond 1e+100, first row 4"
    assert caught.value.message == told
