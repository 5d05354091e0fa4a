"""A calibration takes the place of the link, for two outcomes and for nothing else."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ordain.runtime.errors import PlanError
from ordain.runtime.scoring import RowPlan
from tests.support.task_plans import linear, plan

SIGMOID = {"method": "sigmoid", "slope": 2.0, "intercept": -1.0}
STEPS = {"method": "isotonic", "x": [-1.0, 0.0, 0.5, 2.0], "y": [0.1, 0.3, 0.3, 0.8]}
DECISION = {"threshold": 0.3, "above": "decline", "below": "approve"}


def made(**changed: Any) -> RowPlan:  # noqa: ANN401
    """A plan whose margin is the income."""
    model = linear((1.0, 0.0, 0.0))
    return RowPlan.read(plan("classification", "logit", model, **changed))


@pytest.mark.parametrize("income", [-800.0, -1.5, 0.0, 0.25, 3.0, 800.0])
def test_a_sigmoid_is_of_the_margin(income: float) -> None:
    expected = 1.0 / (1.0 + math.exp(-min(2.0 * income - 1.0, 700.0))) if income > -300 else 0.0
    assert made(calibration=SIGMOID).score({"income": income}) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("income", "expected"),
    [(-9.0, 0.1), (-1.0, 0.1), (-0.5, 0.2), (0.0, 0.3), (0.4, 0.3), (1.25, 0.55), (9.0, 0.8)],
)
def test_steps_are_joined_by_lines_and_end_at_the_outer_ones(
    income: float, expected: float
) -> None:
    assert made(calibration=STEPS).score({"income": income}) == pytest.approx(expected, abs=1e-15)


def test_the_decision_is_of_the_calibrated_probability() -> None:
    row = {"income": 0.25}
    assert made(decision=DECISION).answer(row).decision == "decline"
    assert made(decision=DECISION, calibration=STEPS).answer(row).decision == "decline"
    assert made(decision=DECISION | {"threshold": 0.31}, calibration=STEPS).answer(
        row
    ).decision == ("approve")


@pytest.mark.parametrize(
    ("task", "link", "classes", "outputs"),
    [
        ("regression", "identity", (), 1),
        ("classification", "softmax", ("good", "watch", "bad"), 3),
    ],
)
def test_a_calibration_of_anything_else_is_refused(
    task: str, link: str, classes: tuple[str, ...], outputs: int
) -> None:
    model = linear(*[(1.0, 0.0, 0.0)] * outputs)
    with pytest.raises(PlanError) as caught:
        RowPlan.read(plan(task, link, model, classes=classes, calibration=SIGMOID))
    assert caught.value.message == "plan.json: a calibration is of two outcomes"
