"""Every limit that can be made weaker is seen when it is, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.loosening import loosened_between

if TYPE_CHECKING:
    from tests.policies.conftest import Sketch, Workshop

GATES = [
    {"name": "roc_auc", "min": 0.7, "bound": "lower", "confidence": 0.95},
    {"name": "brier", "max": 0.2},
]
FAIRNESS = [{"metric": "adverse_impact_ratio", "attributes": ["sex"], "min": 0.8, "minCell": 30}]
METRICS = "spec.acceptance.metrics"
FAIR = "spec.acceptance.fairness"


def estate(workshop: Workshop) -> Sketch:
    sketch = workshop.serving.set("Model/credit", METRICS, GATES)
    sketch.set("Model/credit", FAIR, FAIRNESS)
    sketch.set("Monitor/credit", "spec.hysteresis", {"breaches": 1, "of": 2})
    return sketch


def gate(number: int, **changes: object) -> list[dict[str, Any]]:
    return [{**one, **changes} if index == number else one for index, one in enumerate(GATES)]


@pytest.mark.parametrize(
    ("key", "path", "value", "before", "after"),
    [
        ("Model/credit", METRICS, gate(0, min=0.6), "roc_auc min 0.7", "min 0.6"),
        ("Model/credit", METRICS, gate(1, max=0.3), "brier max 0.2", "max 0.3"),
        (
            "Model/credit",
            METRICS,
            gate(0, bound="value"),
            "roc_auc at its lower bound",
            "at its value",
        ),
        ("Model/credit", METRICS, gate(0, confidence=0.8), "roc_auc at 0.95", "at 0.8"),
        ("Model/credit", METRICS, GATES[1:], "roc_auc", "removed"),
        ("Model/credit", METRICS, [GATES[0], {"name": "brier"}], "brier max 0.2", "max None"),
        ("Model/credit", FAIR, [], "adverse_impact_ratio", "removed"),
        (
            "Model/credit",
            FAIR,
            [{**FAIRNESS[0], "min": 0.7}],
            "adverse_impact_ratio min 0.8",
            "min 0.7",
        ),
        (
            "Model/credit",
            FAIR,
            [{**FAIRNESS[0], "alpha": 0.01}],
            "adverse_impact_ratio alpha 0.05",
            "alpha 0.01",
        ),
        (
            "Model/credit",
            FAIR,
            [{**FAIRNESS[0], "minCell": 90}],
            "adverse_impact_ratio minCell 30",
            "minCell 90",
        ),
        ("Model/credit", FAIR, [{**FAIRNESS[0], "attributes": ["age"]}], "sex", "age"),
        ("Model/credit", "spec.tier", 2, "1", "2"),
        ("Model/credit", "spec.acceptance.drift.psi.max", 0.25, "0.2", "0.25"),
        ("Monitor/credit", "spec.psi.fail", 0.25, "0.2", "0.25"),
        ("Monitor/credit", "spec.predictionPsi.warn", 0.2, "0.1", "0.2"),
        ("Monitor/credit", "spec.window", {"minRows": 900}, "200", "900"),
        ("Monitor/credit", "spec.hysteresis.breaches", 2, "1", "2"),
        ("Monitor/credit", "spec.features", ["income"], "all", "income"),
        ("Dataset/applications", "spec.leaks", [], "days_past_due_12m", "removed"),
        ("Dataset/applications", "spec.columns.sex.role", "id", "protected", "id"),
        ("Dataset/applications", "spec.columns.sex", None, "protected", "removed"),
        ("Route/credit", "spec.access.keys", "none", "required", "none"),
    ],
)
def test_a_weaker_limit_is_seen(
    workshop: Workshop, key: str, path: str, value: object, before: str, after: str
) -> None:
    old, new = estate(workshop), estate(workshop).set(key, path, value)
    (found,) = loosened_between(old.load(), new.load())
    assert (found.key, found.before, found.after) == (key, before, after)
    assert path.startswith(found.field) or found.field.startswith(path)
    assert found.location.path == f"specs/{key.lower()}.yaml"
    assert found.location.line > 0


@pytest.mark.parametrize(
    ("key", "path", "value"),
    [
        ("Model/credit", METRICS, list(reversed(GATES))),
        ("Model/credit", METRICS, gate(0, min=0.8)),
        ("Model/credit", METRICS, [*GATES, {"name": "log_loss", "max": 0.5}]),
        ("Model/credit", FAIR, [{**FAIRNESS[0], "attributes": []}]),
        ("Model/credit", "spec.acceptance.drift.psi.max", 0.1),
        ("Model/credit", "spec.owner", "somebody-else"),
        ("Monitor/credit", "spec.psi.fail", 0.15),
        ("Dataset/applications", "spec.leaks", ["days_past_due_12m", "amount"]),
    ],
)
def test_a_tighter_or_other_change_is_none(
    workshop: Workshop, key: str, path: str, value: object
) -> None:
    old, new = estate(workshop), estate(workshop).set(key, path, value)
    assert loosened_between(old.load(), new.load()) == ()


def test_a_limit_that_falls_back_to_its_default_is_loosened_when_the_default_is_weaker(
    workshop: Workshop,
) -> None:
    old = estate(workshop)
    new = old.copy().set("Monitor/credit", "spec.psi", None)
    assert [
        (one.field, one.before, one.after) for one in loosened_between(old.load(), new.load())
    ] == [("spec.psi.fail", "0.2", "0.25")]


def test_a_monitor_or_a_policy_that_goes_is_loosened(workshop: Workshop) -> None:
    rule = {"validations": [{"expression": "true", "message": "never"}]}
    old = estate(workshop).add("Policy", "mine", **rule)
    new = old.copy().drop("Monitor/credit").drop("Policy/mine")
    assert [one.key for one in loosened_between(old.load(), new.load())] == [
        "Monitor/credit",
        "Policy/mine",
    ]
    weaker = old.copy().set("Policy/mine", "spec.enforcement", "advise")
    (found,) = loosened_between(old.load(), weaker.load())
    assert found.to_plain() == {
        "object": "Policy/mine",
        "field": "spec.enforcement",
        "before": "block",
        "after": "advise",
    }
