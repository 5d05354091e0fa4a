"""What expressions read as `facts`: walks through several documents, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.facts import directory, lock_lines, named_in, named_in_change
from ordain.policies.gate import instant
from ordain.policies.world import World
from ordain.specs.recipes import recipe_from_inputs

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop


def facts_of(
    workshop: Workshop,
    sketch: Sketch,
    key: str,
    **given: Any,  # noqa: ANN401 - arguments of World
) -> dict[str, Any]:
    estate = sketch.load()
    world = World(estate, instant(workshop.now), tree=sketch.tree, **given)
    found: dict[str, Any] = world.values(estate.documents[key], ["facts"])["facts"]
    return found


@pytest.mark.parametrize(
    ("text", "version", "exact"),
    [
        ("numpy==2.4.6", "2.4.6", True),
        ("numpy==2.4.6+cpu  # built here", "2.4.6+cpu", True),
        ("numpy>=2.4.6", "", False),
        ("numpy==2.*", "", False),
        ("numpy~=2.4", "", False),
        ("numpy", "", False),
        ("numpy==2.4.6; python_version<'3.12'", "", False),
        ("numpy @ https://example.org/numpy.whl", "", False),
    ],
)
def test_a_line_of_the_lock_is_exact_or_it_is_not(text: str, version: str, exact: bool) -> None:  # noqa: FBT001
    (line,) = lock_lines(f"# the lock\n\n{text}\n".encode())
    assert (line["line"], line["name"], line["version"], line["exact"]) == (
        3,
        "numpy",
        version,
        exact,
    )


def test_a_lock_that_is_no_text_has_lines_that_are_not_exact() -> None:
    assert [line["exact"] for line in lock_lines(b"\xff\xfe\n-e .\n")] == [False, False]


def test_the_lock_is_found_where_the_estate_says(workshop: Workshop) -> None:
    sketch = workshop.serving.set("Estate/examples", "spec.environmentLock", "locks/train.lock")
    assert facts_of(workshop, sketch, "Estate/examples")["locks"] == {}
    sketch.files["locks/train.lock"] = b"numpy==2.4.6\n"
    found = facts_of(workshop, sketch, "Estate/examples")["locks"]
    assert [line["name"] for line in found["locks/train.lock"]] == ["numpy"]


def test_the_recipe_of_a_version_is_computed_from_its_inputs(workshop: Workshop) -> None:
    sketch = workshop.serving
    version = sketch.load().documents["ModelVersion/credit-1"].spec
    found = facts_of(workshop, sketch, "ModelVersion/credit-1")["recipe"]
    assert found == recipe_from_inputs("credit", version.inputs).digest != version.recipe


def test_only_the_estate_pays_for_what_is_asked_of_the_whole(workshop: Workshop) -> None:
    assert set(facts_of(workshop, workshop.serving, "Monitor/credit")) == {"people"}


def test_people_are_those_whom_the_object_and_its_sections_name(workshop: Workshop) -> None:
    people = facts_of(workshop, workshop.serving, "Deployment/credit")["people"]
    assert people == {
        "data-scientist": {"roles": ["data-scientist"], "teams": ["credit-risk"]},
        "manager": {"roles": ["manager"], "teams": ["lending"]},
        "validator": {"roles": ["validator"], "teams": ["model-validation"]},
    }
    assert facts_of(workshop, workshop.serving, "Dataset/applications")["people"] == {}


def test_of_a_change_people_are_known_who_made_pushed_and_approved_it(workshop: Workshop) -> None:
    change = {"contributors": ["data-scientist", "somebody"], "pusher": "manager"}
    found = facts_of(
        workshop,
        workshop.serving,
        "Dataset/applications",
        change=change,
        approvals=[{"person": "cto", "role": "cto"}],
    )
    assert list(found["people"]) == ["cto", "data-scientist", "manager"]
    assert named_in_change(None, []) == set()
    assert named_in_change({"contributors": [], "pusher": None}, []) == set()


def test_whoever_changes_team_belongs_to_both(workshop: Workshop) -> None:
    before = workshop.serving.load()
    after = workshop.serving.set("Organization/people", "spec.people.1.team", "pricing").load()
    assert directory(before, after)["manager"] == {
        "roles": ["manager"],
        "teams": ["lending", "pricing"],
    }
    assert directory(None, after)["manager"]["teams"] == ["pricing"]


def test_nobody_is_named_where_there_is_no_document() -> None:
    assert named_in(None) == set()


def test_a_rule_sees_who_signed_the_commits_of_a_change(workshop: Workshop) -> None:
    case = workshop.intention(
        workshop.serving, workshop.serving.set("Model/credit", "spec.purpose", "another")
    )
    case.signers = ("data-scientist", None)
    assert case.facts.to_plain()["signers"] == ["data-scientist", None]
