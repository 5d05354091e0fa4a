"""A search that looks among its trials for a model that discriminates less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ordain.runtime.training.inputs import read_inputs
from ordain.runtime.training.order import Job
from ordain.runtime.training.pinned import pinned_rows
from ordain.runtime.training.search.searching import Searched, search
from ordain.runtime.training.search.spaces import spec_of
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

pytestmark = pytest.mark.training

MakeTable = Callable[..., pa.Table]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]


def searched(order: Job) -> Searched:
    with pinned_rows(order) as table:
        return search(order, read_inputs(order, table), lambda _stage, _fraction: None)


def with_proxy(table: pa.Table) -> pa.Table:
    """The debts of women look higher than they are; outcomes do not follow what is added."""
    sex = np.array(table["sex"].to_pylist())
    chance = np.random.default_rng(3).integers(0, 2, len(sex))
    debts = table["debts"].to_numpy() + np.where(sex == "female", 3, 0) + chance
    place = table.column_names.index("debts")
    return table.set_column(place, "debts", pa.array(debts))


def declared(**changed: Any) -> dict[str, Any]:  # noqa: ANN401
    found = {"families": ["logistic_regression"], "budget": {"trials": 2}, "folds": 2}
    return {"automl": found | {"alternatives": {"attributes": ["sex"]} | changed}}


def test_a_search_compares_what_it_would_be_without_each_feature(
    lending: MakeTable, dataset: MakeDataset, model: MakeModel, job: MakeJob
) -> None:
    data = dataset(with_proxy(lending(3000)))
    block = declared(maxLoss=0.2, variants=24)
    found = searched(job(model(training=block), data))
    told = found.facts["alternatives"]
    answer = told["attributes"]["sex"]
    assert answer["reason"] == "confirmed"
    assert answer["confirmation"]["low"] > 0
    changes = {one.number: one.changes for one in found.trials}
    decision = answer["changes"].pop("decision")
    assert answer["changes"] == changes[answer["chosen"]]
    assert 0 < decision["threshold"] < 1
    (without,) = [
        number for number, one in changes.items() if one.get("features") == {"exclude": ["debts"]}
    ]
    ratios = {one["number"]: one["ratio"] for one in answer["points"]}
    assert ratios[without] > 0.9 > ratios[answer["performer"]]
    # All of the training part chooses, and the validation part, which no trial has seen, confirms.
    assert told["rows"] == {"select": 1800, "confirm": 600}
    assert answer["confirmation"]["n"] == 600
    # It is told and not taken: the search chooses by its metric.
    assert found.facts["chosen"]["number"] != answer["chosen"]
    assert found.spec.features.exclude == ()
    adopted = spec_of(model(training=block), changes[without])
    assert adopted.features.exclude == ("debts",)


def test_variants_are_trials_after_the_budget_and_none_is_chosen(
    lending: MakeTable, dataset: MakeDataset, model: MakeModel, job: MakeJob
) -> None:
    found = searched(job(model(training=declared(variants=3)), dataset(lending(900))))
    assert [one.number for one in found.trials] == [1, 2, 3, 4, 5]
    assert found.facts["chosen"]["number"] in {1, 2}
    assert found.facts["trials"]["done"] + found.facts["trials"]["stopped"] == 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {"target": {"column": "defaulted", "positive": 1}},
            "the Dataset does not say which outcome is favourable",
        ),
        (
            {"sex": {"role": "feature"}, "age": {"role": "feature"}},
            "the Dataset has no protected column",
        ),
    ],
)
def test_where_nobody_can_be_compared_that_is_said(
    lending: MakeTable,
    dataset: MakeDataset,
    model: MakeModel,
    job: MakeJob,
    changed: dict[str, Any],
    reason: str,
) -> None:
    found = searched(job(model(training=declared()), dataset(lending(600), **changed)))
    assert found.facts["alternatives"] == {"reason": reason}
    assert len(found.trials) == 2


def test_a_group_that_is_too_small_says_nothing(
    lending: MakeTable, dataset: MakeDataset, model: MakeModel, job: MakeJob
) -> None:
    table = lending(600)
    sex = pa.array(["female"] * 5 + ["male"] * 595)
    table = table.set_column(table.column_names.index("sex"), "sex", sex)
    found = searched(job(model(training=declared(variants=0)), dataset(table)))
    assert found.facts["alternatives"]["attributes"]["sex"] == {
        "reason": "less discriminatory alternatives: no group beside male has 30 rows"
    }
