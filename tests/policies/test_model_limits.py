"""What a Model promises beside its gates, and promises no longer, is seen."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.loosening import loosened_between
from ordain.policies.model_limits import weaker_promises
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from ordain.specs.kinds.model import Model
    from tests.policies.conftest import Workshop

SEARCH = {"attributes": ["sex"], "maxLoss": 0.005, "variants": 12}
DECLARED: dict[str, Any] = {
    "purpose": "a",
    "tier": 1,
    "owner": "risk",
    "task": "classification",
    "explanation": {"reasons": "reasons.yaml", "gates": {"agreement": 0.8, "flips": 0.9}},
    "preprocessing": {"numeric": {"monotone": {"income": "decreasing"}}},
    "training": {
        "automl": {
            "families": ["lightgbm"],
            "budget": {"trials": 9},
            "alternatives": SEARCH,
        }
    },
}


def model(path: str = "", value: Any = None) -> Model:  # noqa: ANN401 - any YAML value
    """The Model with one field set, or without it where the value is None."""
    raw = copy.deepcopy(DECLARED)
    if path:
        *steps, last = path.split(".")
        place = raw
        for step in steps:
            place = place[step]
        place[last] = value
        if value is None:
            del place[last]
    found: Model = kind_validator("Model").validate_python(raw)
    return found


@pytest.mark.parametrize(
    ("path", "value", "before", "after"),
    [
        ("explanation.reasons", None, "reasons.yaml", "removed"),
        ("explanation.gates.agreement", 0.7, 0.8, 0.7),
        ("explanation.gates.flips", 0.5, 0.9, 0.5),
        ("preprocessing.numeric.monotone.income", None, "decreasing", "removed"),
        ("preprocessing.numeric.monotone.income", "increasing", "decreasing", "increasing"),
        ("training.automl.alternatives", None, "present", "removed"),
        ("training.automl.alternatives.maxLoss", 0.5, 0.005, 0.5),
        ("training.automl.alternatives.variants", 3, 12, 3),
        ("training.automl.alternatives.attributes", ["age"], "sex", "age"),
    ],
)
def test_a_weaker_promise_is_seen(path: str, value: Any, before: Any, after: Any) -> None:  # noqa: ANN401
    found = list(weaker_promises(model(), model(path, value)))
    assert found == [(tuple(path.split(".")), before, after)]


def test_a_search_that_gives_way_to_an_estimator_goes_with_its_alternatives() -> None:
    other = model("training", {"estimator": "lightgbm"})
    assert list(weaker_promises(model(), other)) == [
        (("training", "automl", "alternatives"), "present", "removed")
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("explanation.gates.agreement", 0.9),
        ("explanation.reasons", "others.yaml"),
        ("training.automl.alternatives.maxLoss", 0.001),
        ("training.automl.alternatives.variants", 50),
        ("training.automl.alternatives.attributes", ["age", "sex"]),
        ("training.automl.alternatives.attributes", []),
        ("preprocessing.numeric.monotone", {"income": "decreasing", "age": "increasing"}),
    ],
)
def test_a_stronger_or_other_promise_is_none(path: str, value: Any) -> None:  # noqa: ANN401
    assert list(weaker_promises(model(), model(path, value))) == []


@pytest.mark.parametrize(
    ("column", "after"),
    [
        ({"type": "float"}, "removed"),
        ({"type": "float", "monotone": "increasing"}, "increasing"),
        (None, "removed"),
    ],
)
def test_a_direction_of_a_dataset_that_goes_is_seen(
    workshop: Workshop, column: dict[str, Any] | None, after: str
) -> None:
    path = "spec.columns.income"
    declared = {"type": "float", "monotone": "decreasing"}
    old = workshop.serving.set("Dataset/applications", path, declared)
    new = old.copy()
    if column is None:
        del new.documents["Dataset/applications"]["spec"]["columns"]["income"]
    else:
        new.set("Dataset/applications", path, column)
    found = [(one.field, one.before, one.after) for one in loosened_between(old.load(), new.load())]
    assert found == [(f"{path}.monotone", "decreasing", after)]
