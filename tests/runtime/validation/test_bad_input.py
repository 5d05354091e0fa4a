"""Rows, champions and files that are not as they should be: the right verdict or one error."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from validated import declared_dataset, declared_model, find, lending_table, measure

from ordain.runtime.errors import DataError, EdgeCasesError, SnapshotError
from ordain.specs.validation_verdicts import blockers

if TYPE_CHECKING:
    from validated import Shop

    from ordain.runtime.validation.order import ValidationOrder

pytestmark = pytest.mark.training

GATES = {"metrics": [{"name": "roc_auc", "min": 0.6}]}


def asking(order: ValidationOrder, **changed: Any) -> ValidationOrder:  # noqa: ANN401
    return replace(order, spec=declared_model(**changed))


def test_rows_without_outcomes_keep_performance_from_being_judged_and_nothing_else(
    shop: Shop, order: ValidationOrder
) -> None:
    later = shop.later(asking(order, acceptance=GATES), lending_table(300, 4), target=None)
    report = measure(later)
    (area,) = find(report, "performance")
    assert (area.verdict, area.reason) == ("insufficient", "the Dataset names no target")
    assert find(report, "drift", subject="income")[0].verdict == "pass"
    assert report.verdict == "insufficient"
    assert report.limitations == (
        "The model learns from applications: it may have seen some of these rows.",
        "Outcomes are not known (the Dataset names no target): performance is not shown.",
    )


def test_outcomes_that_have_not_come_yet_are_insufficient(
    shop: Shop, order: ValidationOrder
) -> None:
    table = lending_table(300, 4)
    empty = pa.nulls(300, pa.int64())
    place = table.schema.get_field_index("defaulted")
    feedback = {"column": "defaulted", "favourable": 0}
    later = shop.later(
        asking(order, acceptance=GATES),
        table.set_column(place, "defaulted", empty),
        target=feedback,
    )
    (area,) = find(measure(later), "performance")
    assert (area.verdict, area.reason) == ("insufficient", "no row has an outcome in defaulted")


def test_a_missing_column_stops_what_needs_answers(shop: Shop, order: ValidationOrder) -> None:
    later = asking(order, acceptance=GATES)
    report = measure(shop.later(later, lending_table(300, 4), debts=None))
    (columns,) = find(report, "schema")
    assert columns.verdict == "fail"
    assert columns.reason == "the rows have no column debts, which the model reads"
    (area,) = find(report, "performance")
    assert (area.verdict, area.reason) == ("insufficient", columns.reason)
    assert report.verdict == "fail"
    assert report.load.keys() == {"bytes", "load_ms"}


def test_a_column_of_another_type_stops_what_needs_answers(
    shop: Shop, order: ValidationOrder
) -> None:
    later = shop.later(order, lending_table(300, 4), debts={"type": "category"})
    (columns,) = find(measure(later), "schema")
    assert columns.reason == "column debts is of another type than the model reads"


def test_three_rows_say_nothing(shop: Shop, order: ValidationOrder) -> None:
    report = measure(shop.later(asking(order, acceptance=GATES), lending_table(3, 8)))
    (area,) = [one for one in find(report, "performance") if one.limit]
    assert area.verdict == "insufficient"
    (slices,) = find(report, "stability")
    assert slices.reason == "3 rows, 120 are needed"
    assert report.verdict in {"insufficient", "fail"}


def test_one_outcome_for_all_rows_is_insufficient(shop: Shop, order: ValidationOrder) -> None:
    table = lending_table(200, 4)
    place = table.schema.get_field_index("defaulted")
    same = table.set_column(place, "defaulted", [np.zeros(200, dtype=np.int64)])
    (area,) = find(measure(shop.later(asking(order, acceptance=GATES), same)), "performance")
    assert area.reason == "200 rows, and all have the same outcome or cluster"


def with_incomes(first: float) -> pa.Table:
    """Rows of which five have this income."""
    table = lending_table(200, 4)
    income = table["income"].fill_null(2000.0).to_numpy().copy()
    income[:5] = first
    return table.set_column(table.schema.get_field_index("income"), "income", [income])


def test_infinite_values_never_become_rows(shop: Shop, order: ValidationOrder) -> None:
    with pytest.raises(DataError) as caught:
        shop.later(order, with_incomes(np.inf))
    expected = "data/applications.parquet: column income, row 1: inf is no float"
    assert caught.value.message == expected


def test_rows_that_a_server_refuses_are_told_and_left_out(
    shop: Shop, order: ValidationOrder
) -> None:
    report = measure(shop.later(order, with_incomes(-1.0), income={"range": None}))
    (outside,) = find(report, "schema", "out of range")
    assert (outside.subject, outside.value) == ("income", 0.025)
    (refused,) = find(report, "schema", "refused")
    assert (refused.value, refused.verdict) == (0.025, "fail")
    assert refused.reason == "income is not from 0 to 1000000"
    (area,) = find(report, "performance", "roc_auc")
    assert area.n == 195


def test_a_level_that_is_refused_is_counted(shop: Shop, order: ValidationOrder) -> None:
    table = lending_table(200, 4)
    purposes = table["purpose"].to_pylist()
    purposes[0] = "yacht"
    place = table.schema.get_field_index("purpose")
    changed = table.set_column(place, "purpose", pa.array(purposes))
    report = measure(shop.later(order, changed, purpose={"unknown": "bucket"}))
    (unseen,) = find(report, "schema", "unseen level")
    assert (unseen.subject, unseen.value) == ("purpose", 0.005)
    (refused,) = find(report, "schema", "refused")
    assert refused.value == 0.005


def test_a_champion_that_is_not_in_the_store_is_insufficient(order: ValidationOrder) -> None:
    gate = {"metrics": [{"name": "roc_auc", "versus": "champion", "minDelta": 0.0}]}
    absent = f"sha256:{'0' * 64}"
    report = measure(replace(asking(order, acceptance=gate), champion=absent))
    assert report.champion == absent
    assert (report.inputs, report.behaviour) == (order.inputs, None)
    (delta,) = find(report, "champion")
    assert (delta.limit, delta.verdict) == ("value >= 0 versus champion", "insufficient")
    assert delta.reason.startswith("the champion cannot be loaded: artifact store ")
    assert report.behaviour is None
    assert report.verdict == "insufficient"


def test_a_champion_that_cannot_read_the_rows_is_insufficient(
    shop: Shop, order: ValidationOrder
) -> None:
    without = declared_model(features={"exclude": ["debts"]})
    ours = shop.train(without, order.data, champion=order.artifact)
    gate = {"metrics": [{"name": "roc_auc", "versus": "champion", "minDelta": 0.0}]}
    spec = declared_model(features={"exclude": ["debts"]}, acceptance=gate)
    report = measure(shop.later(replace(ours, spec=spec), lending_table(300, 4), debts=None))
    (delta,) = find(report, "champion")
    assert delta.reason == (
        "the champion cannot read these rows: the rows have no column debts, which the model reads"
    )
    assert report.verdict == "insufficient"


def test_the_first_version_has_no_champion_which_is_not_held_against_it(
    order: ValidationOrder,
) -> None:
    gate = {"metrics": [{"name": "roc_auc", "versus": "champion", "minDelta": 0.0}]}
    report = measure(asking(order, acceptance=gate))
    (delta,) = find(report, "champion")
    assert (delta.limit, delta.reason) == ("", "there is no champion yet")
    assert report.verdict == "pass"


def test_rows_that_are_not_in_the_store_are_refused(order: ValidationOrder) -> None:
    other = replace(order.data, digest=f"sha256:{'1' * 64}")
    with pytest.raises(SnapshotError) as caught:
        measure(replace(order, data=other))
    assert caught.value.code == "RUN142"


def test_a_broken_file_of_edge_cases_is_one_error(order: ValidationOrder) -> None:
    asked = asking(order, validation={"edgeCases": "edge-cases.yaml"})
    with pytest.raises(EdgeCasesError) as caught:
        measure(replace(asked, edge_cases="cases:\n  - {name: a}\n"))
    assert caught.value.message == "a case has exactly the keys name, inputs, expect and why"
    assert str(caught.value.location) == "edge-cases.yaml:2:5"


def test_a_suite_that_is_not_there_keeps_the_validation_from_passing(
    order: ValidationOrder,
) -> None:
    report = measure(asking(order, validation={"edgeCases": "edge-cases.yaml"}))
    (suite,) = find(report, "edge-cases")
    assert (suite.verdict, suite.reason) == ("insufficient", "edge-cases.yaml is not there")


def test_a_protected_column_with_one_level_compares_nobody(
    shop: Shop, order: ValidationOrder
) -> None:
    table = lending_table(200, 4)
    place = table.schema.get_field_index("sex")
    same = table.set_column(place, "sex", pa.array(["male"] * 200))
    asked = asking(order, acceptance={"fairness": [{"attributes": ["sex"]}]})
    report = measure(shop.later(asked, same))
    (row,) = report.fairness
    assert (row.verdict, row.reason) == ("insufficient", "every row is of the group male")


def test_a_group_of_three_asks_for_a_look_and_is_never_a_pass(
    shop: Shop, order: ValidationOrder
) -> None:
    table = lending_table(400, 4)
    sexes = ["diverse"] * 3 + table["sex"].to_pylist()[3:]
    place = table.schema.get_field_index("sex")
    asked = asking(order, acceptance={"fairness": [{"attributes": ["sex"]}]})
    later = shop.later(asked, table.set_column(place, "sex", pa.array(sexes)))
    report = measure(later)
    row, other = report.fairness
    assert (row.verdict, row.reason) == ("insufficient", "3 rows, 30 are needed")
    assert other.verdict in {"pass", "warn"}
    assert report.verdict == "warn"


def test_a_gate_of_which_no_group_could_be_judged_does_not_pass(
    shop: Shop, order: ValidationOrder
) -> None:
    table = lending_table(400, 4)
    sexes = ["diverse"] * 3 + ["male"] * 397
    place = table.schema.get_field_index("sex")
    asked = asking(order, acceptance={"fairness": [{"attributes": ["sex"]}]})
    report = measure(shop.later(asked, table.set_column(place, "sex", pa.array(sexes))))
    (told,) = blockers(report)
    about = "fairness: no group of adverse_impact_ratio by sex could be judged"
    assert told == f"{about}: diverse: 3 rows, 30 are needed"
    assert report.verdict == "insufficient"


def test_a_reference_group_that_is_not_there_keeps_fairness_from_passing(
    shop: Shop, order: ValidationOrder
) -> None:
    table = lending_table(200, 4)
    place = table.schema.get_field_index("sex")
    asked = asking(order, acceptance={"fairness": [{"attributes": ["sex"]}]})
    women = table.set_column(place, "sex", pa.array(["female"] * 200))
    report = measure(shop.later(asked, women))
    (groups,) = find(report, "fairness")
    assert (groups.limit, groups.verdict) == ("acceptance.fairness", "insufficient")
    assert report.verdict == "insufficient"


def test_data_that_break_their_promises_are_told_and_not_refused(
    shop: Shop, order: ValidationOrder
) -> None:
    from dataclasses import replace as with_

    table = lending_table(200, 4)
    data = shop.pin(table, declared_dataset())
    stricter = with_(
        data, columns=data.columns | {"income": with_(data.columns["income"], missing="0%")}
    )
    report = measure(replace(order, data=stricter, part="", split=None))
    failed = [one for one in find(report, "quality", "missing") if one.verdict == "fail"]
    assert [one.subject for one in failed] == ["income"]
    assert report.verdict == "fail"


def test_segments_of_bands_that_are_none_end_with_one_error(
    shop: Shop, order: ValidationOrder
) -> None:
    data = shop.pin(lending_table(300, 5), declared_dataset(age={"levels": ["18..x"]}))
    asked = asking(order, validation={"segments": {"columns": ["age"]}})
    message = "column age: the level '18..x' is no band of numbers"
    with pytest.raises(DataError, match=re.escape(message)):
        measure(replace(asked, data=data, part="", split=None))
