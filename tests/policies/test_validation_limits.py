"""What a Model asks of its validation and asks no longer is seen, and what asks for more is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.validation_limits import weaker_validation
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from ordain.specs.kinds.model import Model

PLAIN = {"purpose": "a", "tier": 1, "owner": "risk", "task": "classification"}
DECLARED: dict[str, Any] = {
    "dataset": "recent",
    "edgeCases": "cases/credit.yaml",
    "segments": {"columns": ["sex", "region"], "metric": "brier", "min": 0.1, "max": 0.3},
    "robustness": {"noise": "10%", "missing": "2%", "maxFlips": "5%"},
    "calibration": {"maxError": 0.05},
}


def model(**changed: Any) -> Model:  # noqa: ANN401
    declared = {name: value for name, value in (DECLARED | changed).items() if value is not None}
    found: Model = kind_validator("Model").validate_python(PLAIN | {"validation": declared})
    return found


def segments(**changed: Any) -> dict[str, Any]:  # noqa: ANN401
    found = {**DECLARED["segments"], **changed}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("changed", "field", "before", "after"),
    [
        ({"dataset": None}, "dataset", "recent", "the test part"),
        ({"dataset": "other"}, "dataset", "recent", "other"),
        ({"edgeCases": None}, "edgeCases", "cases/credit.yaml", "removed"),
        ({"segments": None}, "segments", "present", "removed"),
        (
            {"segments": segments(columns=["sex"])},
            "segments.columns",
            "sex, region",
            "sex",
        ),
        ({"segments": segments(metric="ece")}, "segments.metric", "brier", "ece"),
        ({"segments": segments(min=None)}, "segments.min", 0.1, "removed"),
        ({"segments": segments(min=0.05)}, "segments.min", 0.1, 0.05),
        ({"segments": segments(max=0.4)}, "segments.max", 0.3, 0.4),
        ({"segments": segments(minCell=500)}, "segments.minCell", 100, 500),
        (
            {"robustness": {"noise": "9.5%", "missing": "2%", "maxFlips": "5%"}},
            "robustness.noise",
            "10%",
            "9.5%",
        ),
        (
            {"robustness": {"noise": "10%", "missing": "2%"}},
            "robustness.maxFlips",
            "5%",
            "removed",
        ),
        ({"calibration": {"maxError": 0.06}}, "calibration.maxError", 0.05, 0.06),
        ({"calibration": None}, "calibration", 0.05, "removed"),
    ],
)
def test_what_asks_for_less_is_a_looser_limit(
    changed: dict[str, Any], field: str, before: object, after: object
) -> None:
    (found,) = weaker_validation(model(), model(**changed))
    assert found == (("validation", *field.split(".")), before, after)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"segments": segments(columns=["region", "sex", "age"], min=0.2, max=0.2, minCell=50)},
        {"robustness": {"noise": "20%", "missing": "3%", "maxFlips": "1%"}},
        {"calibration": {"maxError": 0.01}},
    ],
)
def test_what_asks_for_more_is_none(changed: dict[str, Any]) -> None:
    assert list(weaker_validation(model(), model(**changed))) == []
