"""What each section of a validation measures, on an artifact that was really trained."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from validated import declared_dataset, declared_model, find, lending_table, measure

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.scoring import RowPlan
from ordain.specs.chance import holm
from ordain.specs.kinds.dataset import Column

if TYPE_CHECKING:
    from validated import Shop

    from ordain.runtime.validation.order import ValidationOrder
    from ordain.specs.kinds.model import Model

pytestmark = pytest.mark.training


def asking(order: ValidationOrder, **changed: Any) -> ValidationOrder:  # noqa: ANN401
    """The order of a Model that declares more; its artifact is the same."""
    spec: Model = declared_model(**changed)
    return replace(order, spec=spec)


@pytest.fixture(scope="module")
def challenged(shop: Shop, order: ValidationOrder) -> ValidationOrder:
    """The same rows, with a linear model as the version now running."""
    linear = declared_model(training={"estimator": "logistic_regression"})
    return replace(order, champion=shop.train(linear, order.data).artifact)


def test_two_validations_are_equal_but_for_the_load(challenged: ValidationOrder) -> None:
    first, second = measure(challenged), measure(challenged)
    assert first.load.keys() == second.load.keys()
    assert replace(first, load={}).to_json() == replace(second, load={}).to_json()


def test_a_gate_is_judged_on_these_rows(order: ValidationOrder) -> None:
    gates = {"metrics": [{"name": "roc_auc", "min": 0.99}]}
    report = measure(asking(order, acceptance=gates))
    (area,) = find(report, "performance", "roc_auc")
    assert (area.limit, area.verdict) == ("value >= 0.99", "fail")
    assert report.verdict == "fail"


def test_what_has_no_limit_decides_nothing(order: ValidationOrder) -> None:
    report = measure(order)
    assert report.verdict == "pass"
    deciding = [one for one in report.checks if one.limit]
    assert {one.verdict for one in deciding} == {"pass"}


def test_rows_that_have_moved_fail_by_the_limit_of_drift(
    shop: Shop, order: ValidationOrder
) -> None:
    table = lending_table(400, seed=5)
    place = table.schema.get_field_index("debts")
    moved = table.set_column(place, "debts", [table["debts"].to_numpy() + 3])
    report = measure(shop.later(order, moved))
    verdicts = {one.subject: one.verdict for one in find(report, "drift")}
    assert verdicts["debts"] == "fail"
    assert verdicts["income"] == "pass"
    assert report.verdict == "fail"


def test_the_rate_of_every_segment_is_the_share_of_its_decisions(order: ValidationOrder) -> None:
    asked = asking(order, validation={"segments": {"columns": ["purpose"], "minCell": 30}})
    report = measure(asked)
    rates = find(report, "segments", "rate of approve")
    assert [one.subject for one in rates] == ["purpose=car", "purpose=home", "purpose=study"]
    assert sum(one.n for one in rates) == report.rows
    values = [one.value or 0.0 for one in find(report, "segments", "roc_auc")]
    (gap,) = find(report, "segments", "roc_auc gap")
    assert gap.value == pytest.approx(max(values) - min(values))


def test_a_segment_that_is_too_small_is_shown_and_not_judged(order: ValidationOrder) -> None:
    declared = {"columns": ["purpose"], "min": 0.1, "minCell": 50}
    report = measure(asking(order, validation={"segments": declared}))
    found = {one.subject: one for one in find(report, "segments", "roc_auc")}
    assert [name for name, one in found.items() if not one.limit] == ["purpose=study"]
    small = found["purpose=study"]
    assert small.reason == f"{small.n} rows, 50 are needed"
    assert report.verdict == "pass"


def test_a_column_of_which_no_segment_can_be_judged_does_not_pass(order: ValidationOrder) -> None:
    declared = {"columns": ["purpose", "sex"], "min": 0.1, "minCell": 1_000}
    report = measure(asking(order, validation={"segments": declared}))
    found = [one for one in find(report, "segments", "roc_auc") if one.limit]
    assert [(one.subject, one.limit, one.verdict, one.reason) for one in found] == [
        ("purpose", ">= 0.1", "insufficient", "no group of purpose can be judged"),
        ("sex", ">= 0.1", "insufficient", "no group of sex can be judged"),
    ]
    assert report.verdict == "insufficient"


def test_a_reasons_file_that_is_not_there_does_not_pass(order: ValidationOrder) -> None:
    report = measure(asking(order, explanation={"reasons": "reasons/credit.yaml"}))
    deciding = [one for one in find(report, "explanations") if one.limit]
    assert [(one.name, one.verdict, one.reason) for one in deciding] == [
        ("codes", "insufficient", "reasons/credit.yaml is not there")
    ]
    assert report.verdict == "insufficient"


def test_limits_on_few_rows_are_not_judged(shop: Shop, order: ValidationOrder) -> None:
    declared = {
        "calibration": {"maxError": 1.0},
        "robustness": {"noise": "0%", "missing": "0%", "maxFlips": "100%"},
    }
    few = asking(shop.later(order, lending_table(99, seed=5)), validation=declared)
    report = measure(few)
    for section, name in (
        ("calibration", "error"),
        ("robustness", "noise: flips"),
        ("robustness", "missing: flips"),
    ):
        (check,) = find(report, section, name)
        assert (check.verdict, check.reason) == ("insufficient", "99 rows, 100 are needed")
    assert report.verdict == "insufficient"


def test_what_has_no_limit_has_no_verdict_in_robustness(order: ValidationOrder) -> None:
    informing = {one.name: one for one in find(measure(order), "robustness") if not one.limit}
    assert informing["inputs that must be there"].reason == "debts, purpose"
    assert {one.verdict for one in informing.values()} == {"insufficient"}


def test_a_segment_surely_below_its_limit_fails_and_one_perhaps_below_asks_for_a_look(
    order: ValidationOrder,
) -> None:
    declared = {"columns": ["purpose"], "min": 0.99, "minCell": 30}
    report = measure(asking(order, validation={"segments": declared}))
    assert {one.verdict for one in find(report, "segments", "roc_auc")} == {"fail"}
    lower = {"columns": ["purpose"], "min": 0.76, "minCell": 30}
    report = measure(asking(order, validation={"segments": lower}))
    perhaps = [one for one in find(report, "segments", "roc_auc") if one.verdict == "warn"]
    assert perhaps
    assert perhaps[0].reason == "beyond the limit, but within what chance explains"


def test_flips_are_held_against_their_limit(order: ValidationOrder) -> None:
    asked = asking(order, validation={"robustness": {"noise": "100%", "maxFlips": "1%"}})
    (flips,) = find(measure(asked), "robustness", "noise: flips")
    assert (flips.limit, flips.verdict) == ("<= 1%", "fail")
    assert flips.value is not None
    assert flips.value > 0.01


def test_without_noise_no_decision_flips(order: ValidationOrder) -> None:
    asked = asking(order, validation={"robustness": {"noise": "0%", "missing": "0%"}})
    report = measure(asked)
    for name in ("noise: flips", "noise: largest change", "missing: flips"):
        (check,) = find(report, "robustness", name)
        assert check.value == 0.0


def test_a_declared_direction_is_verified_on_the_artifact(
    shop: Shop, order: ValidationOrder
) -> None:
    numeric = {"numeric": {"monotone": {"income": "decreasing"}}}
    held = shop.train(declared_model(preprocessing=numeric), order.data)
    (check,) = find(measure(held), "robustness", "monotone", "income")
    assert (check.value, check.limit, check.verdict) == (0.0, "<= 0", "pass")
    wrong = asking(order, preprocessing={"numeric": {"monotone": {"income": "increasing"}}})
    (check,) = find(measure(wrong), "robustness", "monotone", "income")
    assert check.verdict == "fail"
    assert check.reason.endswith("goes against increasing")


def test_a_direction_of_the_dataset_is_verified_on_the_artifact(order: ValidationOrder) -> None:
    declared = {**order.data.columns}
    declared["income"] = replace(declared["income"], monotone="increasing")
    opposed = replace(order, data=replace(order.data, columns=declared))
    (check,) = find(measure(opposed), "robustness", "monotone", "income")
    assert (check.limit, check.verdict) == ("<= 0", "fail")
    assert check.reason.endswith("goes against increasing")


EDGES = """\
cases:
  - name: no debts and much income
    inputs: {income: 9000, debts: 0, purpose: car}
    expect: {max: 0.5, decision: approve}
    why: nobody is a safer borrower
  - name: a purpose that nobody knows
    inputs: {income: 2000, debts: 1, purpose: yacht}
    expect: {refused: true}
    why: levels are listed, and others are refused
  - name: a wrong expectation
    inputs: {income: 9000, debts: 0, purpose: car}
    expect: {decision: decline}
    why: to see that it fails
"""


def test_every_edge_case_is_asked_and_decides(order: ValidationOrder) -> None:
    asked = asking(order, validation={"edgeCases": "edge-cases.yaml"})
    report = measure(replace(asked, edge_cases=EDGES))
    found = [(one.name, one.limit, one.verdict) for one in find(report, "edge-cases")]
    assert found == [
        ("no debts and much income", "output <= 0.5, decision approve", "pass"),
        ("a purpose that nobody knows", "refused", "pass"),
        ("a wrong expectation", "decision decline", "fail"),
    ]
    wrong = find(report, "edge-cases", "a wrong expectation")[0]
    assert wrong.reason == "decision approve; to see that it fails"
    assert report.verdict == "fail"


def test_the_champion_is_compared_on_the_same_rows(challenged: ValidationOrder) -> None:
    gate = {"name": "log_loss", "versus": "champion", "minDelta": -1.0}
    report = measure(asking(challenged, acceptance={"metrics": [gate]}))
    (delta,) = find(report, "champion", "log_loss_delta")
    assert (delta.n, delta.limit) == (report.rows, "value >= -1 versus champion")
    assert delta.verdict == "pass"


def test_behaviour_counts_who_is_decided_otherwise(challenged: ValidationOrder) -> None:
    report = measure(challenged)
    behaviour = report.behaviour
    assert behaviour is not None
    assert behaviour.champion == challenged.champion
    everybody, *groups = behaviour.shifts
    assert (everybody.subject, everybody.n) == ("", report.rows)
    change = (everybody.up - everybody.down) / everybody.n
    assert everybody.rate - everybody.rate_champion == pytest.approx(change)
    assert everybody.low is not None
    assert everybody.high is not None
    assert everybody.low <= change <= everybody.high
    assert everybody.p_holm is None
    assert [one.p_holm for one in groups] == holm([one.p_value for one in groups])
    by_sex = [one for one in groups if one.subject.startswith("sex=")]
    assert sum(one.up for one in by_sex) == everybody.up
    assert sum(map(sum, behaviour.movement)) == report.rows
    assert sum(ours for _, ours, _ in behaviour.reasons) == pytest.approx(1.0)


def test_a_version_behaves_as_itself(order: ValidationOrder) -> None:
    behaviour = measure(replace(order, champion=order.artifact)).behaviour
    assert behaviour is not None
    assert {(one.up, one.down, one.p_value) for one in behaviour.shifts} == {(0, 0, 1.0)}
    moved = np.array(behaviour.movement)
    assert moved.sum() == np.trace(moved)
    assert all(ours == theirs for _, ours, theirs in behaviour.reasons)


def test_reasons_are_compared_with_a_champion_of_other_decision_names(
    shop: Shop, order: ValidationOrder
) -> None:
    decision = {"threshold": 0.35, "above": "refer", "below": "accept"}
    renamed = declared_model(decision=decision)
    champion = shop.train(renamed, order.data).artifact
    report = measure(replace(order, champion=champion))
    assert report.behaviour is not None
    assert report.behaviour.reasons
    assert all(ours == theirs for _, ours, theirs in report.behaviour.reasons)


REASONS = """\
reasons:
  - {code: R1, text: The income is low, features: [income]}
  - {code: R2, text: Debts are high, features: [debts]}
  - {code: R3, text: The purpose, features: [purpose]}
"""


def test_reasons_that_do_not_fit_the_champion_are_not_compared_and_it_is_said(
    shop: Shop, order: ValidationOrder
) -> None:
    smaller = declared_model(features={"exclude": ["purpose"]})
    asked = asking(order, explanation={"reasons": "reasons/credit.yaml"})
    champion = shop.train(smaller, order.data).artifact
    report = measure(replace(asked, champion=champion, reasons=REASONS))
    assert report.behaviour is not None
    assert report.behaviour.reasons == ()
    assert report.limitations[-1] == (
        "First reasons are not compared with the version now running: the model has no input "
        "purpose."
    )


def test_slices_of_time_show_how_a_number_moves(order: ValidationOrder) -> None:
    report = measure(order)
    slices = [one for one in find(report, "stability", "roc_auc") if one.subject]
    assert len(slices) == 4
    assert slices == sorted(slices, key=lambda one: one.subject)
    assert all(".." in one.subject for one in slices)


def test_the_load_is_of_this_artifact(order: ValidationOrder) -> None:
    ticks = iter(range(100_000))
    from ordain.runtime.validation.run import validate

    report = validate(order, lambda _stage, _fraction: None, lambda: float(next(ticks)))
    assert report.load["p50_ms"] == report.load["p99_ms"] == 1000.0
    members = load_artifact(ArtifactStore(order.store), order.artifact).members
    assert report.load["bytes"] == sum(map(len, members.values()))


def test_the_answers_are_those_of_the_plan(order: ValidationOrder) -> None:
    from ordain.runtime.validation.scene import make_scene

    scene = make_scene(order)
    artifact = load_artifact(ArtifactStore(order.store), order.artifact)
    plan = RowPlan.read(artifact.member("plan.json"))
    parity = json.loads(artifact.member("parity.json"))
    assert parity
    assert scene.given.output.tolist() == [plan.answer(row).output for row in scene.raw]


def test_fairness_is_counted_on_these_rows(order: ValidationOrder) -> None:
    report = measure(asking(order, acceptance={"fairness": [{"attributes": ["sex"]}]}))
    (row,) = report.fairness
    assert (row.attribute, row.group, row.reference) == ("sex", "female", "male")
    assert row.n + row.n_reference == report.rows


def test_a_regression_is_validated_by_its_own_metrics(shop: Shop) -> None:
    target = {"column": "income"}
    data = declared_dataset(target=target, income={"missing": None})
    table = lending_table()
    filled = table.set_column(
        table.schema.get_field_index("income"), "income", [table["income"].fill_null(3000.0)]
    )
    model = declared_model(task="regression", training={"estimator": "ridge"}, decision=None)
    report = measure(shop.train(model, shop.pin(filled, data)))
    assert [one.name for one in find(report, "performance")] == ["rmse", "mae", "r2"]
    assert not find(report, "calibration")
    assert not find(report, "robustness", "noise: flips")
    (reason,) = [one.reason for one in find(report, "fairness")]
    assert reason == "no decision is favourable: the Dataset or the Model does not say which"


def test_a_clustering_is_validated_without_outcomes(shop: Shop) -> None:
    data = declared_dataset(target=None, income={"missing": None})
    table = lending_table()
    filled = table.set_column(
        table.schema.get_field_index("income"), "income", [table["income"].fill_null(3000.0)]
    )
    training = {"estimator": "kmeans", "parameters": {"n_clusters": 3}}
    gates = {"metrics": [{"name": "silhouette", "min": 0.0}, {"name": "stability", "min": 0.1}]}
    model = declared_model(task="clustering", training=training, decision=None, acceptance=gates)
    report = measure(shop.train(model, shop.pin(filled, data)))
    found = {one.name: one.verdict for one in find(report, "performance") if one.limit}
    assert found == {"silhouette": "pass"}


def test_a_claim_on_all_cases_is_measured_on_outcomes_seen_by_chance(shop: Shop) -> None:
    table = lending_table(5_000)
    rng = np.random.default_rng(5)
    drawn = rng.random(5_000) < 0.4
    granted = drawn | (table["debts"].to_numpy() < 4)
    outcomes = [
        outcome if seen else None
        for outcome, seen in zip(table["defaulted"].to_pylist(), granted.tolist(), strict=True)
    ]
    place = table.schema.get_field_index("defaulted")
    table = table.set_column(place, "defaulted", pa.array(outcomes, pa.int64()))
    table = table.append_column("granted", pa.array(granted))
    table = table.append_column("drawn", pa.array(drawn & granted))
    loop = {"observed": "granted", "explored": "drawn"}
    target = {"column": "defaulted", "positive": 1, "favourable": 0, "feedback": loop}
    data = declared_dataset(target=target)
    columns = {name: Column(type="bool") for name in ("granted", "drawn")}
    data = replace(data, columns=data.columns | columns)
    gates = {
        "metrics": [
            {"name": "roc_auc", "min": 0.5},
            {"name": "brier", "max": 0.5, "population": "labelled"},
        ]
    }
    report = measure(shop.train(declared_model(acceptance=gates), shop.pin(table, data)))
    (area,) = find(report, "performance", "roc_auc")
    (brier,) = find(report, "performance", "brier")
    assert area.reason == "of all cases, by those that were seen by chance"
    assert brier.reason == "of cases whose outcome was seen"
    assert area.n < brier.n < report.rows
