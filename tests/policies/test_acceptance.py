"""Evidence is judged by the task that the model declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ordain.policies.acceptance import Case, accept
from ordain.specs.evidence import Evidence, Metric, classes_of
from ordain.specs.findings import Location
from ordain.specs.kinds.model import Acceptance, Decision, MetricGate, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARES = {"test": {"good": 0.5, "watch": 0.3, "bad": 0.2}}


def findings(
    task: str,
    gate: MetricGate,
    metric: Metric,
    *,
    shown: str | None = None,
    base_rate: Mapping[str, Any] | None = None,
    decision: Decision | None = None,
) -> list[tuple[str, str]]:
    model = Model(
        purpose="Grade of a customer",
        tier=2,
        owner="credit-risk",
        task=task,  # type: ignore[arg-type]
        acceptance=Acceptance(metrics=(gate,)),
        decision=decision,
    )
    evidence = Evidence(
        model="grade",
        recipe="sha256:1",
        artifact="sha256:2",
        split="sha256:3",
        data={"rows": 6000, "base_rate": base_rate or {"test": 0.2}},
        metrics=(metric,),
        fairness=(),
        importance=(),
        parity={"plan": 0.0},
        drift={"income": 0.01},
        verdict="pass",
        task=shown or task,
    )
    case = Case("grade", model, None, evidence, champion=False, location=Location("m.yaml", 1, 1))
    return [(one.code, one.message) for one in accept(case)]


def measured(name: str, value: float) -> Metric:
    return Metric(name, "test", value, value * 0.9, value * 1.1, 0.95, 1200, "limit", "pass")


def test_metrics_of_every_task_are_held_against_their_limits() -> None:
    rmse = MetricGate(name="rmse", max=250.0)
    assert findings("regression", rmse, measured("rmse", 240.0)) == []
    assert findings("regression", rmse, measured("rmse", 260.0)) == [
        ("ACC-METRIC", "grade: rmse is 260; required is at most 250")
    ]
    silhouette = MetricGate(name="silhouette", min=0.2, bound="lower")
    assert findings("clustering", silhouette, measured("silhouette", 0.3)) == []
    f1 = MetricGate(name="macro_f1", min=0.6)
    assert findings("classification", f1, measured("macro_f1", 0.7), base_rate=SHARES) == []


def test_evidence_of_another_task_is_refused_whatever_its_numbers_are() -> None:
    r2 = MetricGate(name="r2", min=0.5)
    assert findings("regression", r2, measured("r2", 0.9), shown="classification") == [
        (
            "ACC-TASK",
            "grade: the evidence is of a classification, and the model is declared as a regression",
        )
    ]


def test_a_metric_of_a_class_with_few_rows_is_not_believed() -> None:
    gate = MetricGate(name="roc_auc", min=0.7, bound="lower")
    perfect = Metric("roc_auc", "test", 1.0, 1.0, 1.0, 0.95, 10, "limit", "pass")
    message = "roc_auc is required, and is not shown: one class has 1 row in the test part, 10 are "
    for rates in ({"test": 0.1}, {"test": 0.9}, {"test": {"good": 0.5, "bad": 0.4, "lost": 0.1}}):
        found = findings("classification", gate, perfect, base_rate=rates)
        assert found == [("ACC-METRIC", f"grade: {message}needed")]
    (odd,) = findings("classification", gate, perfect, base_rate={"test": "half"})
    assert odd[1].endswith("one class has 0 rows in the test part, 10 are needed")
    assert findings("regression", MetricGate(name="r2", min=0.5), measured("r2", 0.9)) == []


def test_a_gate_that_says_nothing_is_never_met() -> None:
    assert findings("classification", MetricGate(name="roc_auc"), measured("roc_auc", 0.9)) == [
        ("ACC-METRIC", "grade: the gate cannot be judged: `roc_auc` has no limit")
    ]


def test_evidence_of_several_classes_is_not_judged_as_one_of_two_outcomes() -> None:
    found = findings(
        "classification",
        MetricGate(name="roc_auc", min=0.7),
        measured("roc_auc", 0.9),
        base_rate=SHARES,
        decision=Decision(threshold=0.3),
    )
    assert found == [
        (
            "ACC-TASK",
            "grade: the decision parts two outcomes, and the evidence is of 3: good, watch, bad",
        )
    ]


def test_a_metric_of_another_task_was_not_measured() -> None:
    assert findings("regression", MetricGate(name="rmse", max=1.0), measured("roc_auc", 0.9)) == [
        ("ACC-METRIC", "grade: required is rmse of at most 1, and the evidence does not hold it")
    ]


def test_the_classes_of_evidence_are_those_of_its_base_rate() -> None:
    def of(data: dict[str, Any]) -> tuple[str, ...]:
        return classes_of(
            Evidence("m", "r", "a", "s", data, (), (), (), {"plan": 0.0}, task="classification")
        )

    assert of({"base_rate": SHARES}) == ("good", "watch", "bad")
    assert of({"base_rate": {"test": 0.2}}) == of({"base_rate": 0.2}) == of({}) == ()


def test_a_finding_of_drift_names_its_limit_and_says_when_it_is_the_default() -> None:
    model = Model(purpose="Grade", tier=2, owner="credit-risk", task="classification")
    evidence = Evidence(
        model="grade", recipe="", artifact="", split="", data={}, metrics=(), fairness=(),
        importance=(), parity={"plan": 0.0}, drift={"month": 2.09}, verdict="pass",
    )  # fmt: skip
    case = Case("grade", model, None, evidence, champion=False, location=Location("m.yaml", 1, 1))
    (found,) = accept(case)
    assert found.message == (
        "grade: PSI of month between training and test is 2.090, above 0.25, "
        "the default of acceptance.drift.psi.max"
    )
