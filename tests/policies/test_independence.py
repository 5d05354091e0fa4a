"""A validation comes from outside of the teams that shaped the model, and from whom it names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.policies.gate import judge
from ordain.policies.independence import withdrawn
from ordain.specs.findings import Location, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sketches import Sketch

    from tests.policies.conftest import Workshop

RECORD = {
    "model": "credit",
    "artifact": "sha256:" + "2" * 64,
    "outcome": "approved",
    "performedOn": "2026-11-02",
}
WROTE: Mapping[str, frozenset[str]] = {"Validation/credit-1": frozenset({"validator"})}
SHAPED: Mapping[str, frozenset[str]] = {"credit": frozenset({"data-scientist", "reconciler"})}


def found(
    workshop: Workshop,
    validator: str = "validator",
    *,
    before: Sketch | None = None,
    teams: Mapping[int, str] | None = None,
    wrote: Mapping[str, frozenset[str]] = WROTE,
    shaped: Mapping[str, frozenset[str]] = SHAPED,
) -> list[tuple[str, str]]:
    """What is said of a change that brings a validation; `teams` are changed in it, too."""
    before = before or workshop.serving
    after = before.copy().add("Validation", "credit-1", validator=validator, **RECORD)
    for index, team in (teams or {}).items():
        after.set("Organization/people", f"spec.people.{index}.team", team)
    case = workshop.intention(before, after)
    facts = replace(case.facts, wrote=wrote, shaped=shaped)
    judgement = judge(
        before.load(),
        after.load(),
        facts,
        (),
        workshop.now,
        tree=after.tree,
        enforce_intentions=False,
    )
    errors = (one for one in judgement.findings if one.severity is Severity.ERROR)
    return [(one.code, one.message) for one in errors if one.code.startswith("SOD-")]


def test_a_validator_of_another_team_may(workshop: Workshop) -> None:
    assert found(workshop) == []


def test_who_shaped_the_model_validates_nothing_of_it(workshop: Workshop) -> None:
    shaped = {"credit": frozenset({"data-scientist", "validator"})}
    assert found(workshop, shaped=shaped) == [
        ("SOD-TEAM", "Validation/credit-1 is by validator, who contributed to credit")
    ]


def test_nor_does_anybody_of_their_team(workshop: Workshop) -> None:
    before = workshop.serving.set("Organization/people", "spec.people.4.team", "credit-risk")
    said = (
        "Validation/credit-1 is by validator of the team credit-risk, which contributed to credit"
    )
    assert found(workshop, before=before) == [("SOD-TEAM", said)]
    # Whoever leaves the team, or joins it, in the same change is of both.
    assert found(workshop, before=before, teams={4: "model-validation"}) == [("SOD-TEAM", said)]
    assert found(workshop, teams={4: "credit-risk"}) == [("SOD-TEAM", said)]


@pytest.mark.parametrize(
    ("wrote", "who"),
    [
        ({}, "nobody who is known"),
        ({"Validation/credit-1": frozenset({"data-scientist"})}, "data-scientist"),
        ({"Validation/credit-1": frozenset({"data-scientist", "validator"})}, "data-scientist"),
    ],
)
def test_the_validator_alone_has_signed_it(
    workshop: Workshop, wrote: Mapping[str, frozenset[str]], who: str
) -> None:
    assert found(workshop, wrote=wrote) == [
        (
            "SOD-VALIDATOR",
            f"Validation/credit-1 is in the name of validator and was written by {who}",
        )
    ]


def test_the_validator_held_the_role_before(workshop: Workshop) -> None:
    wrote = {"Validation/credit-1": frozenset({"compliance-manager"})}
    assert found(workshop, "compliance-manager", wrote=wrote) == [
        ("SOD-VALIDATOR", "compliance-manager does not hold the role validator")
    ]


def test_a_record_that_a_change_leaves_alone_is_not_asked(workshop: Workshop) -> None:
    before = workshop.serving.add("Validation", "credit-1", validator="cto", **RECORD)
    after = before.copy().set("Model/credit", "spec.training.seed", 8)
    codes = [one.code for one in workshop.intention(before, after).judge().findings]
    assert "SOD-VALIDATOR" not in codes


@pytest.mark.parametrize(
    ("validator", "what"), [(None, "removed"), ("second-validator", "given to second-validator")]
)
def test_a_record_is_taken_back_by_its_validator_alone(
    workshop: Workshop, validator: str | None, what: str
) -> None:
    key = "Validation/credit-1"
    before = workshop.serving.add("Validation", "credit-1", validator="validator", **RECORD)
    after = before.copy()
    after = after.drop(key) if validator is None else after.set(key, "spec.validator", validator)
    case = workshop.intention(before, after)

    def said(who: str) -> list[str]:
        facts = replace(case.facts, wrote={key: frozenset({who})} if who else {}, shaped={})
        found = withdrawn(facts, before.load(), after.load())
        return [f"{one.code} {one.location} {one.message}" for one in found]

    place = Location(before.load().documents[key].path)
    if validator is not None:
        place = after.load().documents[key].location
    about = f"SOD-VALIDATOR {place} {key} is in the name of validator"
    assert said("compliance-manager") == [f"{about} and was {what} by compliance-manager"]
    assert said("") == [f"{about} and was {what} by nobody who is known"]
    assert said("validator") == []
    # Through the gate as well.
    codes = [one.code for one in case.judge().findings]
    assert "SOD-VALIDATOR" in codes


def test_of_somebody_unknown_nobody_is_independent(workshop: Workshop) -> None:
    said = "rests on work of an unknown signer, of whom nobody is independent"
    shaped = {"credit": frozenset({"data-scientist", "an unknown signer"})}
    assert found(workshop, shaped=shaped) == [("SOD-UNKNOWN", f"Validation/credit-1 {said}")]
    assert found(workshop, shaped={"other": shaped["credit"]}) == []

    case = workshop.promotion().quorum()
    case.contributors = ("data-scientist", "an unknown signer")
    assert {(one.code, one.message) for one in case.judge().findings} == {
        ("SOD-UNKNOWN", f"{key} {said}") for key in ("ModelVersion/credit-1", "Deployment/credit")
    }
