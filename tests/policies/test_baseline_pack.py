"""Every rule of the baseline finds what its bad examples do, and leaves the good ones alone."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ordain.policies.engine import cel_engine
from ordain.policies.gate import check, instant
from ordain.policies.packs import load_pack, pack_file, pack_names, pack_versions
from ordain.policies.rulebook import ask_all, rulebook
from ordain.policies.world import World

if TYPE_CHECKING:
    from ordain.specs.findings import Finding
    from tests.policies.conftest import Sketch, Workshop

EXAMPLES = yaml.safe_load(pack_file("baseline/1.0.0.examples.yaml"))


def cases(verdict: str) -> list[Any]:
    return [
        pytest.param(example, id=f"{name}-{number}")
        for name, examples in EXAMPLES["policies"].items()
        for number, example in enumerate(examples[verdict])
    ]


def edited(sketch: Sketch, edits: dict[str, Any]) -> Sketch:
    for key, values in edits.items():
        if values is None:
            sketch.drop(key)
            continue
        for path, value in values.items():
            sketch.set(key, path, copy.deepcopy(value))
    return sketch


def of_policies(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings if finding.code.startswith("POL")]


def test_the_example_estate_passes(workshop: Workshop) -> None:
    assert check(workshop.serving.load(), workshop.now).findings == ()


@pytest.mark.parametrize("example", cases("bad"))
def test_a_bad_example_is_found_and_nothing_else(
    workshop: Workshop, example: dict[str, Any]
) -> None:
    sketch = edited(workshop.serving, example["set"])
    judgement = check(sketch.load(), workshop.now)
    assert of_policies(judgement.findings) == [example["finds"]]


@pytest.mark.parametrize("example", cases("bad"))
def test_a_finding_points_at_the_value(workshop: Workshop, example: dict[str, Any]) -> None:
    sketch = edited(workshop.serving, example["set"])
    findings = check(sketch.load(), workshop.now).findings
    (found,) = [one for one in findings if one.code == example["finds"]]
    place = found.location
    assert place is not None
    line = sketch.tree[place.path].decode().splitlines()[place.line - 1]
    assert line[place.column - 1 :][: place.length] == example["at"]
    assert found.message
    assert found.remedy
    assert found.evidence[0].startswith("object = ")


@pytest.mark.parametrize("example", cases("good"))
def test_a_good_example_is_left_alone(workshop: Workshop, example: dict[str, Any]) -> None:
    sketch = edited(workshop.serving, example["set"])
    assert of_policies(check(sketch.load(), workshop.now).findings) == []


def test_every_policy_has_reason_controls_and_both_kinds_of_example() -> None:
    pack = load_pack("baseline")
    assert {one.name for one in pack.policies} == set(EXAMPLES["policies"])
    for policy in pack.policies:
        assert len(policy.spec.rationale) > 80
        assert all(one.controls and one.remedy for one in policy.spec.validations)
        examples = EXAMPLES["policies"][policy.name]
        assert examples["good"]
        tested = {one["finds"] for one in examples["bad"]}
        codes = {
            f"POL-{policy.name}.{one.name}" if one.name else f"POL-{policy.name}"
            for one in policy.spec.validations
        }
        assert tested == codes


def test_the_packs_that_ship_are_listed_with_their_versions() -> None:
    assert pack_names() == ("baseline",)
    assert pack_versions("baseline") == ("1.0.0",)


@pytest.mark.parametrize("verdict", ["good", "bad"])
def test_a_screen_lets_no_object_pass_of_which_a_rule_finds_something(
    workshop: Workshop, verdict: str
) -> None:
    """Only what a screen names is asked about; everything that is asked directly must agree."""
    sketches = [edited(workshop.serving, one.values[0]["set"]) for one in cases(verdict)]
    for sketch in (workshop.serving, *sketches):
        loaded = sketch.load()
        book = rulebook(loaded, cel_engine())
        world = World(loaded, instant(workshop.now), tree=sketch.tree)
        screened = [finding for _, finding in ask_all(book, world, None, broken=False)]
        asked = [
            finding
            for _, document in sorted(loaded.documents.items())
            for rule in book.rules
            if rule.matches(document.kind) and not rule.of_change
            for finding in rule.ask(document, world)
        ]
        assert screened == asked
