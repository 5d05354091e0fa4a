"""Every rule that ships finds what its bad examples do, and leaves the good ones alone.

Every version of every pack is tested alone, in an estate whose PolicySet names that version.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from yaml import CSafeLoader

from ordain.policies.engine import cel_engine
from ordain.policies.gate import check, instant
from ordain.policies.packs import Pack, load_pack, pack_file, pack_names, pack_versions
from ordain.policies.pages import by_code
from ordain.policies.rulebook import ask_all, rulebook
from ordain.policies.world import World
from ordain.specs.canonical import digest
from ordain.specs.plain import to_plain

if TYPE_CHECKING:
    from pathlib import Path

    from sketches import Sketch

    from ordain.specs.findings import Finding
    from tests.policies.conftest import Workshop

Example = dict[str, Any]

# What can only be absent, because the language refuses every other wrong value of it.
ONLY_ABSENT = {
    "POL-acceptance-metrics.declared": "a gate is a list, and an empty one asks for nothing",
    "POL-dataset-pinned": "a digest has one form",
    "POL-fairness-gate.covers": "no gate at all is the first of its examples",
    "POL-findings-mended.due": "a day is a date, and the language refuses another one",
    "POL-monitored.declared": "there is a Monitor, or there is none",
    "POL-route-fallback.material": "every decision is a fallback",
    "POL-route-fallback.other": "every decision is a fallback",
}

PACKS = [load_pack(name, version) for name in pack_names() for version in pack_versions(name)]


@cache
def parsed(path: str) -> Example:
    found: Example = yaml.load(pack_file(path), CSafeLoader)
    return found


def examples_of(pack: Pack) -> Example:
    return parsed(pack.examples)


def cases(*verdicts: str) -> list[Any]:
    return [
        pytest.param(pack, example, id=f"{pack.origin}-{name}-{verdict}-{number}")
        for pack in PACKS
        for name, examples in examples_of(pack)["policies"].items()
        for verdict in verdicts
        for number, example in enumerate(examples[verdict], 1)
    ]


each_pack = pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.origin)


def good_estate(pack: Pack, workshop: Workshop) -> Sketch:
    """The estate of the examples, held to exactly this version of the pack."""
    sketch = workshop.sketch(examples_of(pack))
    packs = [{"name": pack.name, "version": pack.version, "params": {}}]
    return sketch.add("PolicySet", "pack", packs=packs)


def judged(
    pack: Pack, example: Example, workshop: Workshop
) -> tuple[Sketch, tuple[Finding, ...], World]:
    """The tree of an example, what the gate finds, and the world that its rules were asked in."""
    before = good_estate(pack, workshop).edit(example.get("before", {}))
    after = before.copy().edit(example["set"])
    world = World(after.load(), instant(workshop.now), tree=after.tree)
    if not {"by", "approvals"} & example.keys():
        return after, check(world.estate, workshop.now, tree=after.tree).findings, world
    case = workshop.intention(before, after)
    by = example.get("by", {})
    case.contributors = tuple(by.get("contributors", case.contributors))
    case.pusher = by.get("pusher", case.pusher)
    case.signers = tuple(by.get("signers", case.signers))
    for person, role in example.get("approvals", {}).items():
        case.approve(person, role)
    return after, case.judge().findings, world


def of_policies(findings: tuple[Finding, ...]) -> list[str]:
    return sorted({finding.code for finding in findings if finding.code.startswith("POL")})


@each_pack
def test_the_example_estate_passes(pack: Pack, workshop: Workshop) -> None:
    sketch = good_estate(pack, workshop)
    tree = sketch.tree if sketch.files else None
    assert check(sketch.load(), workshop.now, tree=tree).findings == ()


@pytest.mark.parametrize(("pack", "example"), cases("bad"))
def test_a_bad_example_is_found_at_the_value_and_nothing_else(
    pack: Pack, example: Example, workshop: Workshop
) -> None:
    sketch, findings, _ = judged(pack, example, workshop)
    assert of_policies(findings) == sorted([example["finds"], *example.get("also", [])])
    (found,) = [one for one in findings if one.code == example["finds"]]
    place = found.location
    assert place is not None
    line = sketch.tree[place.path].decode().splitlines()[place.line - 1]
    assert line[place.column - 1 :][: place.length].strip("'\"") == example["at"]
    assert found.message
    assert found.remedy
    assert found.evidence[0].startswith("object = ")


@pytest.mark.parametrize(("pack", "example"), cases("good"))
def test_a_good_example_is_left_alone(pack: Pack, example: Example, workshop: Workshop) -> None:
    _, findings, _ = judged(pack, example, workshop)
    assert of_policies(findings) == []


@pytest.mark.parametrize(("pack", "example"), cases("good", "bad"))
def test_a_screen_lets_no_object_pass_of_which_a_rule_finds_something(
    pack: Pack, example: Example, workshop: Workshop
) -> None:
    """Only what a screen names is asked about; everything that is asked directly must agree."""
    _, _, world = judged(pack, example, workshop)
    book = rulebook(world.estate, cel_engine())
    screened = [finding for _, finding in ask_all(book, world, None, broken=False)]
    asked = [
        finding
        for _, document in sorted(world.estate.documents.items())
        for rule in book.rules
        if rule.matches(document.kind) and not rule.of_change
        for finding in rule.ask(document, world)
    ]
    assert screened == asked


def codes_of(pack: Pack, policy: str) -> set[str]:
    (document,) = [one for one in pack.policies if one.name == policy]
    return set(by_code(document))


@each_pack
def test_every_policy_has_reason_controls_and_both_kinds_of_example(pack: Pack) -> None:
    policies = examples_of(pack)["policies"]
    assert {one.name for one in pack.policies} == set(policies)
    for policy in pack.policies:
        assert len(policy.spec.rationale) > 80
        assert all(one.controls and one.remedy for one in policy.spec.validations)
        assert policies[policy.name]["good"]
        tested = {one["finds"] for one in policies[policy.name]["bad"]}
        assert tested == codes_of(pack, policy.name)


@each_pack
def test_a_bad_example_has_the_field_filled_and_still_fails(pack: Pack) -> None:
    """That a field is there is no control; only these rules are about what is not there."""
    filled = {
        example["finds"]
        for examples in examples_of(pack)["policies"].values()
        for example in examples["bad"]
        if all(map(_is_filled, example["set"].values()))
    }
    codes = {code for one in pack.policies for code in codes_of(pack, one.name)}
    assert codes - filled <= ONLY_ABSENT.keys()


def _is_filled(values: Any) -> bool:  # noqa: ANN401 - edits, a text, or None
    return bool(values) and (isinstance(values, str) or all(map(bool, values.values())))


@pytest.fixture(scope="module")
def controls_in_force(control_catalogue: Path) -> set[str]:
    """The ids of the controls whose source is not rescinded, withdrawn or repealed."""
    catalogue = yaml.load(control_catalogue.read_bytes(), CSafeLoader)
    gone = {"rescinded", "withdrawn", "repealed"}
    sources = {name for name, one in catalogue["sources"].items() if one["status"] not in gone}
    return {one["id"] for one in catalogue["controls"] if one["source"] in sources}


@each_pack
def test_every_control_is_in_the_catalogue_and_in_force(
    pack: Pack, controls_in_force: set[str]
) -> None:
    named = {
        control
        for policy in pack.policies
        for one in policy.spec.validations
        for control in one.controls
    }
    assert named - controls_in_force == set()


def test_the_packs_that_ship_are_listed_with_their_versions() -> None:
    assert {name: pack_versions(name) for name in pack_names()} == {
        "baseline": ("1.1.0", "1.0.0"),
        "fair-lending": ("1.0.0",),
        "model-risk": ("1.0.0",),
        "separation-of-duties": ("1.0.0",),
        "supply-chain": ("1.0.0",),
    }


def test_a_policy_has_one_name_in_all_packs() -> None:
    """Its codes are made of the name, and a code means one thing."""
    names = [policy.name for name in pack_names() for policy in load_pack(name).policies]
    assert len(names) == len(set(names))


# Versions that have been released. Whoever pins one keeps its rules; a rule that is mended is part
# of a new version.
RELEASED = {
    "baseline 1.0.0": "sha256:3d089a3e01f6c96acc4e1854dfdcbb725db445ed1fe69c3efd6bbdf103223ec4",
}


def test_a_version_that_was_released_is_never_changed() -> None:
    found = {pack.origin: digest([to_plain(one.spec) for one in pack.policies]) for pack in PACKS}
    assert {origin: found[origin] for origin in RELEASED} == RELEASED
