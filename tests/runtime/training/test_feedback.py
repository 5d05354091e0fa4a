"""Where an earlier decision hides outcomes, nothing is claimed of those whom it hid."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from learning import inputs_of
from sklearn.metrics import roc_auc_score

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.errors import TrainingError
from ordain.runtime.monitoring.profiles import Profile
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.evaluation import evaluate
from ordain.runtime.training.features import raw_rows
from ordain.runtime.training.feedback import Cases, everybody
from ordain.runtime.training.job import run_job
from ordain.runtime.training.metrics import Sample
from ordain.runtime.training.order import Job
from ordain.specs.coverage import claim_gap
from ordain.specs.kinds.dataset import Dataset, Feedback
from ordain.specs.kinds.model import MetricGate, Model
from tests.runtime.training.conftest import COLUMNS

if TYPE_CHECKING:
    from ordain.specs.evidence import Evidence

pytestmark = pytest.mark.training

MakeTable = Callable[..., pa.Table]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

LINEAR = "logistic_regression"
ROWS = 2000
WHO = ("applicant_id", "defaulted")
LOOP = {"observed": "granted", "explored": "drawn"}
TRUTHS = {"granted": {"type": "bool"}, "drawn": {"type": "bool"}}


def evidence(job: Job) -> Evidence:
    return run_job(job, lambda _stage, _fraction: None).evidence


def decided(table: pa.Table, chance: float, seed: int = 9, debts: int = 2) -> pa.Table:
    """Few debts were granted, and a share of all by chance; the outcome of the others is hidden."""
    rng = np.random.default_rng(seed)
    drawn = rng.random(len(table)) < chance
    granted = (table["debts"].to_numpy() <= debts) | drawn
    place = table.column_names.index("defaulted")
    hidden = pa.array(table["defaulted"].to_numpy(), mask=~granted)
    table = table.set_column(place, "defaulted", hidden)
    return table.append_column("granted", pa.array(granted)).append_column("drawn", pa.array(drawn))


@pytest.fixture
def looped(lending: MakeTable, dataset: MakeDataset) -> Callable[..., Dataset]:
    """`looped(chance=0.1, minExploration="5%")` declares a table that a decision has shaped."""

    def make(
        chance: float = 0.1,
        *,
        explored: bool = True,
        rows: int = ROWS,
        debts: int = 2,
        **loop: Any,  # noqa: ANN401
    ) -> Dataset:
        table = decided(lending(rows), chance, debts=debts)
        seen = LOOP if explored else {"observed": "granted"}
        return dataset(
            table.drop_columns(["undeclared"]),
            target={"column": "defaulted", "favourable": 0, "feedback": {**seen, **loop}},
            columns=COLUMNS | TRUTHS,
        )

    return make


def gates(*populations: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "metrics": [
            {"name": "roc_auc", "min": 0.5, "population": population, **changed}
            for population in populations
        ]
    }


def test_hidden_cases_are_scored_and_not_learnt_from(
    model: MakeModel, job: MakeJob, looped: Callable[..., Dataset]
) -> None:
    order = job(model(LINEAR, acceptance=gates("labelled")), looped())
    data = inputs_of(order)
    seen = data.table["granted"].to_numpy(zero_copy_only=False)
    for part in ("train", "validation", "test"):
        assert seen[getattr(data.parts, part)].all()
        assert not seen[data.parts.unlabelled[part]].any()
        both = len(getattr(data.parts, part)) + len(data.parts.unlabelled[part])
        assert len(data.parts.population(part)) == both
    found = evidence(order)
    assert sum(found.data["parts"].values()) + sum(found.data["unlabelled"].values()) == ROWS
    bands = found.data["coverage"]["bands"]
    assert len(bands) == 10
    assert sum(band["n"] for band in bands) == len(data.parts.population("test"))
    assert sum(band["labelled"] for band in bands) == len(data.parts.test)
    assert all(one["to"] < two["from"] for one, two in pairwise(bands))
    assert {"granted", "drawn"}.isdisjoint(found.data["features"])


def test_performance_is_measured_and_said_to_be_of_those_who_were_seen(
    model: MakeModel, job: MakeJob, looped: Callable[..., Dataset]
) -> None:
    found = evidence(job(model(LINEAR, acceptance=gates("labelled")), looped(chance=0.0)))
    row = found.metrics[0]
    assert (row.name, row.verdict, row.n) == ("roc_auc", "pass", found.data["parts"]["test"])
    assert row.limit == "value >= 0.5, of cases whose outcome was seen"
    assert found.verdict == "pass"


@pytest.mark.parametrize(
    ("loop", "gap"),
    [
        (
            {"explored": False},
            r"10 of 10 score bands have fewer than 10 outcomes that were seen by chance",
        ),
        (
            {"chance": 0.6, "minExploration": "90%"},
            (
                r"\d+\.\d\d% of the cases of score bands that were not seen whole were seen by "
                "chance, 90% are needed"
            ),
        ),
    ],
)
def test_a_claim_on_all_cases_that_is_not_shown_is_insufficient(
    model: MakeModel,
    job: MakeJob,
    looped: Callable[..., Dataset],
    loop: dict[str, Any],
    gap: str,
) -> None:
    found = evidence(job(model(LINEAR, acceptance=gates("labelled", "all")), looped(**loop)))
    labelled, everybody = found.metrics[:2]
    assert (labelled.verdict, everybody.verdict) == ("pass", "insufficient")
    assert found.verdict == "insufficient"
    assert re.fullmatch(rf"value >= 0\.5, of all cases: {gap}", everybody.limit)
    (told,) = (text for text in found.limitations if text.startswith("Outcomes were seen for"))
    assert re.fullmatch(
        rf"Outcomes were seen for \d\d\.\d% of the test part: "
        rf"performance on the others is not shown \({gap}\)\.",
        told,
    )


def test_a_claim_on_all_cases_is_judged_where_chance_let_enough_through(
    model: MakeModel, job: MakeJob, looped: Callable[..., Dataset]
) -> None:
    found = evidence(job(model(LINEAR, acceptance=gates("all")), looped(chance=0.6)))
    row = found.metrics[0]
    assert (row.limit, found.verdict) == (
        "value >= 0.5, of all cases, by those that were seen by chance",
        "pass",
    )
    bands = found.data["coverage"]["bands"]
    share = min(one["explored"] / one["n"] for one in bands if one["labelled"] < one["n"])
    assert share * 0.95 < row.n / sum(one["n"] for one in bands) <= share
    told = "measured on cases whose outcome was seen, except where a gate asks for all cases."
    assert any(told in one for one in found.limitations)
    failed = evidence(job(model(LINEAR, acceptance=gates("all", min=0.99)), looped(chance=0.6)))
    assert failed.verdict == "fail"


def test_a_claim_on_all_cases_is_not_the_number_of_those_who_were_liked(
    model: MakeModel, job: MakeJob, lending: MakeTable, looped: Callable[..., Dataset]
) -> None:
    """Among those with few debts, debts separate little; among all people they separate a lot."""
    rows = 40_000
    order = job(model(LINEAR, acceptance=gates("labelled", "all")), looped(0.3, rows=rows))
    outcome = run_job(order, lambda _stage, _fraction: None)
    seen, everyone = outcome.evidence.metrics[:2]
    artifact = load_artifact(ArtifactStore(order.store), outcome.artifact)
    plan = RowPlan.read(artifact.member("plan.json"))
    data = inputs_of(order)
    cases = data.parts.population("test")
    happened = dict(zip(*(lending(rows)[name].to_pylist() for name in WHO), strict=True))
    truth = [happened[one] for one in data.table["applicant_id"].take(cases).to_pylist()]
    given = raw_rows(data.table, [one.name for one in plan.inputs], cases)
    all_of_them = roc_auc_score(truth, [plan.answer(row).output for row in given])
    assert seen.n > everyone.n > 500
    assert everyone.low is not None
    assert everyone.high is not None
    assert everyone.low < all_of_them < everyone.high
    assert seen.high is not None
    assert seen.high < all_of_them


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_everybody_is_a_sample_of_all_cases_in_equal_shares(share: float) -> None:
    rng = np.random.default_rng(4)
    n = 5000
    band = np.arange(n) // 500
    explored = rng.random(n) < share
    labelled = explored | (band < 2) | ((band < 5) & (rng.random(n) < 0.5))
    cases = Cases(rng.random(n), labelled, explored, band)
    rows = everybody(cases, 1)
    assert rows is not None
    again, other = everybody(cases, 1), everybody(cases, 2)
    assert again is not None
    assert other is not None
    assert np.array_equal(rows, again)
    assert not np.array_equal(rows, other)
    chosen = np.flatnonzero(labelled)[rows]
    assert len(set(chosen)) == len(chosen)
    assert (explored | (band < 2))[chosen].all()
    (count,) = set(np.bincount(band[chosen], minlength=10))
    assert count == min(int(explored[band == one].sum()) for one in range(2, 10))


def test_nobody_stands_for_a_band_that_chance_has_left_out() -> None:
    band = np.repeat([0, 1], 50)
    explored = band == 0
    assert everybody(Cases(np.zeros(100), explored, explored, band), 1) is None
    assert everybody(Cases(np.zeros(100), band >= 0, explored, band), 1) is None


def test_cases_of_one_outcome_show_nothing() -> None:
    gate = MetricGate(name="roc_auc", min=0.5, population="all")
    test = Sample(np.repeat([0, 1], 50), np.linspace(0, 1, 100), 0.5, 1)
    (row,) = [one for one in evaluate({"test": test}, [gate], everybody=np.arange(20)) if one.limit]
    assert (row.verdict, row.n) == ("insufficient", 20)
    assert row.limit == "value >= 0.5 (all 20 cases have the same outcome)"
    compared = MetricGate(name="roc_auc", versus="champion", min_delta=0.0, population="all")
    found = evaluate({"test": test}, [compared], test, everybody=np.arange(20))
    (row,) = [one for one in found if one.limit]
    assert (row.name, row.verdict, row.n) == ("roc_auc_delta", "insufficient", 20)


def test_a_champion_is_compared_on_those_who_were_seen(
    model: MakeModel, job: MakeJob, looped: Callable[..., Dataset]
) -> None:
    declared = gates("labelled", "all")
    declared["metrics"][0] |= {"versus": "champion", "minDelta": -0.1}
    del declared["metrics"][0]["min"]
    first = run_job(job(model(LINEAR), looped(0.0)), lambda _stage, _fraction: None)
    order = job(model(LINEAR, acceptance=declared), looped(0.0), champion=first.artifact)
    found = {row.name: row for row in evidence(order).metrics if row.limit}
    assert found["roc_auc_delta"].verdict == "pass"
    assert found["roc_auc_delta"].limit.endswith(", of cases whose outcome was seen")
    assert found["roc_auc"].verdict == "insufficient"


def test_what_is_served_is_compared_with_everybody(
    model: MakeModel, job: MakeJob, looped: Callable[..., Dataset]
) -> None:
    order = job(model(LINEAR), looped())
    outcome = run_job(order, lambda _stage, _fraction: None)
    artifact = load_artifact(ArtifactStore(order.store), outcome.artifact)
    rows = Profile.read(artifact.member("profile.json")).rows
    parts, unlabelled = outcome.evidence.data["parts"], outcome.evidence.data["unlabelled"]
    assert unlabelled["test"] > 100
    assert rows == sum(one[part] for one in (parts, unlabelled) for part in ("test", "validation"))


def test_fairness_counts_decisions_about_everybody(
    model: MakeModel, job: MakeJob, looped: Callable[..., Dataset]
) -> None:
    acceptance = {**gates("labelled"), "fairness": [{"attributes": ["sex"]}]}
    order = job(model(LINEAR, acceptance=acceptance), looped())
    (row,) = evidence(order).fairness
    assert row.n + row.n_reference == len(inputs_of(order).parts.population("test"))


def test_without_a_loop_the_split_keeps_its_digest_and_the_evidence_its_rows(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    found = evidence(job(model(LINEAR, acceptance=gates("all")), dataset()))
    assert found.metrics[0].limit == "value >= 0.5"
    assert "coverage" not in found.data
    assert found.data["unlabelled"] == {}


def test_evidence_of_a_loop_stays_small(
    model: MakeModel, job: MakeJob, looped: Callable[..., Dataset]
) -> None:
    found = evidence(job(model(LINEAR), looped()))
    assert len(found.to_json()) < 20_000
    assert json.loads(found.to_json())["data"]["coverage"]["labelled"] < 1


@pytest.mark.parametrize("explored", [0, 9, 10])
def test_a_band_that_is_seen_whole_needs_no_chance(explored: int) -> None:
    whole = {"n": 40, "labelled": 40, "explored": 0}
    partly = {"n": 40, "labelled": 20, "explored": explored}
    gap = claim_gap({"coverage": {"bands": [whole, partly]}}, Feedback(observed="granted"))
    assert bool(gap) == (explored < 10)


def test_an_outcome_that_nobody_has_seen_teaches_nothing(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = decided(lending(60), 0.0)
    few = pa.array([place < 25 for place in range(60)])
    for name, column in (
        ("granted", few),
        ("defaulted", pa.array([place % 2 if place < 25 else None for place in range(60)])),
    ):
        table = table.set_column(table.column_names.index(name), name, column)
    target = {"column": "defaulted", "favourable": 0, "feedback": {"observed": "granted"}}
    declared = dataset(table, target=target, columns=COLUMNS | TRUTHS)
    with pytest.raises(TrainingError) as caught:
        inputs_of(job(model(LINEAR), declared))
    assert caught.value.message.startswith("split: too few rows: 25 (")
