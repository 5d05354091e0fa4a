"""What a change is: computed from the documents, and refused where both halves are mixed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.policies.changes import Kind, describe
from ordain.policies.gate import judge
from ordain.specs.findings import Severity
from ordain.vcs.changes import Change, PathChange
from tests.policies.conftest import evidence_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from sketches import Sketch

    from tests.policies.conftest import Case, Workshop


def codes(case: Case) -> list[str]:
    judgement = case.judge(enforce=False)
    return [one.code for one in judgement.findings if one.severity is Severity.ERROR]


def test_what_the_reconciler_proposes_is_a_promotion(workshop: Workshop) -> None:
    facts = workshop.promotion().facts
    assert facts.kind is Kind.PROMOTION
    assert facts.added == ("ModelVersion/credit-1",)
    assert facts.changed == ("Deployment/credit",)
    assert facts.touched == {"ModelVersion/credit-1", "Deployment/credit"}


def test_new_data_read_for_a_retrain_belongs_to_a_promotion(workshop: Workshop) -> None:
    fresh = workshop.fresh
    pinned = fresh.copy().set("Dataset/applications", "spec.digest", "sha256:" + "e" * 64)
    case = workshop.promotion(pinned)
    judgement = replace(case, before=fresh).quorum().judge()
    assert judgement.kind is Kind.PROMOTION
    assert judgement.findings == ()


def test_a_person_who_pins_data_has_an_intention(workshop: Workshop) -> None:
    after = workshop.fresh.set("Dataset/applications", "spec.digest", "sha256:" + "e" * 64)
    case = workshop.intention(workshop.fresh, after)
    assert case.facts.kind is Kind.INTENTION
    assert codes(case) == []


@pytest.mark.parametrize(("before", "after"), [(False, 0), (1, True), (1, 1.0)])
def test_a_value_that_only_python_takes_for_the_same_is_a_change(
    workshop: Workshop, before: object, after: object
) -> None:
    checks = [{"expression": "params.on == params.on", "message": "never"}]
    old = workshop.serving.add("Policy", "mine", validations=checks, params={"on": before})
    new = old.copy().set("Policy/mine", "spec.params.on", after)
    case = workshop.intention(old, new)
    assert case.facts.changed == ("Policy/mine",)
    assert [one.roles for one in case.judge().required] == [("compliance-manager",), ("cto",)]
    mixed = workshop.promotion(
        workshop.fresh.add("Policy", "mine", **old.documents["Policy/mine"]["spec"])
    )
    mixed.after.set("Policy/mine", "spec.params.on", after)
    assert mixed.facts.kind is Kind.LOOSENING
    assert "PRO001" in codes(mixed)


@pytest.mark.parametrize(
    "smuggle",
    [
        lambda after: after.set("Model/credit", "spec.owner", "somebody-else"),
        lambda after: after.set("Deployment/credit", "spec.replicas", 2),
        lambda after: after.set("Deployment/credit", "metadata.labels", {"line": "retail"}),
        lambda after: after.set("Dataset/applications", "spec.licence", "internal"),
        lambda after: after.drop("Monitor/credit"),
        lambda after: after.files.update({"README.md": b"hello\n"}),
        lambda after: after.files.update({"environment.lock": b"numpy==9\n"}),
    ],
)
def test_a_promotion_carries_nothing_else(
    workshop: Workshop, smuggle: Callable[[Sketch], object]
) -> None:
    case = workshop.promotion()
    smuggle(case.after)
    assert case.facts.kind in {Kind.INTENTION, Kind.LOOSENING}
    found = [one for one in case.judge(enforce=False).findings if one.code == "PRO001"]
    assert len(found) == 6
    assert all(one.severity is Severity.ERROR and one.related for one in found)
    assert {one.message.partition(" is written")[0].partition("/")[0] for one in found} == {
        "ModelVersion",
        "Deployment",
        "evidence",
    }


def test_an_intention_sets_no_version_of_a_new_deployment(workshop: Workshop) -> None:
    before = workshop.promotion().after
    after = before.copy().add(
        "Deployment", "challenger", model="credit", environment="production", version=1
    )
    found = [
        one
        for one in workshop.intention(before, after).judge(enforce=False).findings
        if one.code == "PRO001"
    ]
    assert [one.message for one in found] == [
        (
            "Deployment/challenger spec.version is written by a promotion only, "
            "and this change edits other things"
        ),
    ]
    assert str(found[0].location) == "specs/deployment/challenger.yaml:8:12"


@pytest.mark.parametrize("field", ["artifact", "recipe"])
def test_a_version_is_never_edited(workshop: Workshop, field: str) -> None:
    before = workshop.promotion().after
    after = before.copy().set("ModelVersion/credit-1", f"spec.{field}", "sha256:" + "f" * 64)
    assert "PRO002" in codes(workshop.intention(before, after))


def test_a_version_stays_when_its_model_goes(workshop: Workshop) -> None:
    before = workshop.promotion().after
    after = before.copy()
    for key in ("Model/credit", "Deployment/credit", "Route/credit", "Monitor/credit"):
        after.drop(key)
    after.drop("Compliance/credit")
    assert codes(workshop.intention(before, after)) == []
    assert codes(workshop.intention(before, after.copy().drop("ModelVersion/credit-1"))) == [
        "PRO002"
    ]


@pytest.mark.parametrize("verb", ["edited", "removed"])
def test_evidence_is_never_touched(workshop: Workshop, verb: str) -> None:
    before = workshop.promotion().after
    after = before.copy()
    path = evidence_in(after.files)
    if verb == "edited":
        after.files[path] += b" "
    else:
        del after.files[path]
    found = workshop.intention(before, after).judge(enforce=False).findings
    assert f"{path} was {verb}; evidence never changes" in [one.message for one in found]


@pytest.mark.parametrize(
    ("mode", "what"), [("120000", "a symbolic link"), ("160000", "a submodule")]
)
def test_what_leads_out_of_the_tree_is_refused(workshop: Workshop, mode: str, what: str) -> None:
    path = PathChange("specs/model.yaml", None, "0" * 40, None, mode)
    estate = workshop.fresh.load()
    facts = describe(estate, estate, Change("1" * 40, "2" * 40, (path,)))
    found = judge(
        estate, estate, facts, (), workshop.now, tree={}, enforce_intentions=False
    ).findings
    assert [(one.code, one.message) for one in found] == [("CHG001", f"specs/model.yaml is {what}")]


def test_the_first_commit_is_a_whole_estate_and_needs_no_approval(workshop: Workshop) -> None:
    head = workshop.fresh
    facts = describe(None, head.load(), Change("", "2" * 40, ()))
    judgement = judge(
        None, head.load(), facts, (), workshop.now, tree=head.tree, enforce_intentions=True
    )
    assert facts.kind is Kind.ESTATE
    assert judgement.findings == ()
    assert judgement.required == ()


def test_what_serves_in_the_first_commit_has_its_evidence(workshop: Workshop) -> None:
    head = workshop.promotion().after
    path = evidence_in(head.files)
    del head.files[path]
    facts = describe(None, head.load(), Change("", "2" * 40, ()))
    judgement = judge(
        None, head.load(), facts, (), workshop.now, tree=head.tree, enforce_intentions=True
    )
    assert [one.code for one in judgement.findings] == ["PRO007"]


def test_a_head_with_mistakes_is_not_judged_any_further(workshop: Workshop) -> None:
    after = workshop.fresh.set("Model/credit", "spec.teir", 1)
    found = workshop.intention(workshop.fresh, after).judge().findings
    assert [one.code[:4] for one in found] == ["SPEC"]


def test_old_rules_hold_in_the_change_that_weakens_them(workshop: Workshop) -> None:
    rule = {
        "match": {"kinds": ["Model"]},
        "validations": [{"expression": "object.spec.tier == 1", "message": "tier 1 only"}],
    }
    before = workshop.fresh.add("Policy", "tiers", **rule)
    after = before.copy().set("Model/credit", "spec.tier", 2)
    after.set("Policy/tiers", "spec.validations", [{"expression": "true", "message": "anything"}])
    assert codes(workshop.intention(before, after)) == ["POL-tiers"]
    assert codes(workshop.intention(before, after.copy().drop("Policy/tiers"))) == ["POL-tiers"]


def test_new_rules_hold_in_the_change_that_brings_them(workshop: Workshop) -> None:
    rule = {
        "match": {"kinds": ["Model"]},
        "validations": [{"expression": "object.spec.tier == 3", "message": "tier 3 only"}],
    }
    after = workshop.fresh.add("Policy", "tiers", **rule)
    assert codes(workshop.intention(workshop.fresh, after)) == ["POL-tiers"]


def test_a_rule_can_compare_with_what_was_there(workshop: Workshop) -> None:
    rule = {
        "match": {"kinds": ["Model"], "when": "oldObject != null"},
        "validations": [
            {
                "expression": "object.spec.tier <= oldObject.spec.tier",
                "message": "a tier is never lowered",
            }
        ],
    }
    before = workshop.fresh.add("Policy", "tiers", **rule)
    after = before.copy().set("Model/credit", "spec.tier", 3)
    assert codes(workshop.intention(before, after)) == ["POL-tiers"]
    assert codes(workshop.intention(after, before)) == []


def test_a_rule_can_ask_about_the_change_and_its_approvals(workshop: Workshop) -> None:
    rule = {
        "match": {"kinds": ["ModelVersion", "Deployment"], "when": "model.spec.tier == 1"},
        "validations": [
            {
                "expression": "approvals.filter(a, !(a.person in change.contributors)).size() >= 2",
                "message": "two approvals by people who did not contribute",
            }
        ],
    }
    fresh = workshop.fresh.add("Policy", "two", **rule)
    assert codes(workshop.promotion(fresh).approve("manager")) == [
        "POL-two",
        "POL-two",
        "SOD-QUORUM",
    ]
    assert codes(workshop.promotion(fresh).quorum()) == []
    elsewhere = fresh.copy().set("Dataset/applications", "spec.licence", "internal")
    assert codes(workshop.intention(fresh, elsewhere)) == []


def test_the_material_fields_of_a_change_are_told_and_descriptions_are_not(
    workshop: Workshop,
) -> None:
    after = workshop.serving.copy().set("Model/credit", "spec.training.seed", 8)
    after.set("Model/credit", "spec.owner", "risk").set(
        "Route/credit", "metadata.labels", {"a": "b"}
    )
    case = workshop.intention(workshop.serving, after)
    assert case.facts.changed == ("Model/credit", "Route/credit")
    assert case.facts.material == (("Model/credit", "spec.training.seed"),)
    assert case.facts.to_plain()["material"] == [
        {"object": "Model/credit", "field": "spec.training.seed"}
    ]


def test_a_document_that_comes_or_goes_is_material_as_a_whole(workshop: Workshop) -> None:
    after = workshop.serving.copy().drop("Monitor/credit")
    after.add("Comment", "why", model="credit", breach="1", author="manager", text="because")
    case = workshop.intention(workshop.serving, after)
    assert case.facts.material == (("Comment/why", "spec"), ("Monitor/credit", "spec"))


def test_a_policy_can_ask_for_the_material_fields(workshop: Workshop) -> None:
    checks = [
        {
            "expression": "change.material.all(m, m.object != 'Model/' + object.metadata.name)",
            "message": "this freeze lets only descriptions change",
        }
    ]
    frozen = workshop.serving.copy()
    frozen.add("Policy", "freeze", match={"kinds": ["Model"]}, validations=checks)
    described = frozen.copy().set("Model/credit", "spec.owner", "risk")
    assert codes(workshop.intention(frozen, described)) == []
    trained = frozen.copy().set("Model/credit", "spec.training.seed", 8)
    assert codes(workshop.intention(frozen, trained)) == ["POL-freeze"]
