"""Transitions: what must be true of the way from the base of a change to its head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ordain.policies.gate import check
from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop

RULE: dict[str, Any] = {
    "match": {"kinds": ["Model"]},
    "transitions": [
        {
            "expression": "object.spec.tier <= oldObject.spec.tier",
            "message": "a tier is never lowered",
        },
    ],
}


def of_policies(findings: tuple[Finding, ...]) -> list[Finding]:
    return [one for one in findings if one.code.startswith("POL")]


def lowered(workshop: Workshop, **rule: Any) -> tuple[Sketch, Sketch]:  # noqa: ANN401 - a spec
    before = workshop.serving.add("Policy", "mine", **(rule or RULE))
    return before, before.copy().set("Model/credit", "spec.tier", 2)


def test_a_transition_compares_a_document_with_what_it_was(workshop: Workshop) -> None:
    before, after = lowered(workshop)
    judgement = workshop.intention(before, after).judge(enforce=False)
    (found,) = of_policies(judgement.findings)
    assert found.code == "POL-mine.transition-1"
    assert found.severity is Severity.ERROR
    assert found.message == "a tier is never lowered"
    assert str(found.location) == "specs/model/credit.yaml:7:9"
    assert "object.spec.tier = 2" in found.evidence
    assert "oldObject.spec.tier = 1" in found.evidence


def test_the_other_way_passes(workshop: Workshop) -> None:
    before, after = lowered(workshop)
    assert of_policies(workshop.intention(after, before).judge(enforce=False).findings) == []


def test_a_new_document_comes_from_nowhere(workshop: Workshop) -> None:
    before, after = lowered(workshop)
    before.drop("Model/credit")
    found = workshop.intention(before, after).judge(enforce=False).findings
    assert [one for one in found if one.code == "POL-mine.transition-1"] == []


def test_a_document_that_the_change_does_not_touch_is_not_asked(workshop: Workshop) -> None:
    rule = RULE | {"transitions": [{"expression": "false", "message": "never"}]}
    before, _ = lowered(workshop, **rule)
    after = before.copy().set("Deployment/credit", "spec.replicas", 2)
    assert of_policies(workshop.intention(before, after).judge(enforce=False).findings) == []


def test_a_tree_has_no_transitions(workshop: Workshop) -> None:
    _, after = lowered(workshop)
    assert of_policies(check(after.load(), workshop.now).findings) == []


def test_validations_and_transitions_of_a_policy_stand_beside_each_other(
    workshop: Workshop,
) -> None:
    rule = RULE | {"validations": [{"expression": "object.spec.tier == 1", "message": "tier 1"}]}
    before, after = lowered(workshop, **rule)
    judgement = workshop.intention(before, after).judge(enforce=False)
    codes = {one.code for one in of_policies(judgement.findings)}
    assert codes == {"POL-mine", "POL-mine.transition-1"}
    assert [name for name, _ in judgement.policies].count("mine") == 1


def test_a_transition_taken_out_by_the_change_is_asked_all_the_same(workshop: Workshop) -> None:
    rule = RULE | {"validations": [{"expression": "true", "message": "nothing"}]}
    before, after = lowered(workshop, **rule)
    after.set("Policy/mine", "spec.transitions", None)
    judgement = workshop.intention(before, after).judge(enforce=False)
    assert "POL-mine.transition-1" in {one.code for one in of_policies(judgement.findings)}
    assert any(one.key == "Policy/mine" for one in judgement.loosened)


def test_a_policy_that_demands_nothing_is_a_finding(workshop: Workshop) -> None:
    sketch = workshop.serving.add("Policy", "mine", match={"kinds": ["Model"]})
    found = [one for one in check(sketch.load(), workshop.now).findings if one.code == "SPEC107"]
    assert "a policy has validations, transitions or both, or else python" in found[0].message


def test_a_change_that_only_removes_is_asked_of_the_estate(workshop: Workshop) -> None:
    rule = {"validations": [{"expression": "size(change.removed) == 0", "message": "it goes"}]}
    before = workshop.serving.add("Policy", "mine", **rule)
    after = before.copy().drop("Monitor/credit")
    found = workshop.intention(before, after).judge(enforce=False).findings
    (one,) = [finding for finding in found if finding.code == "POL-mine"]
    assert one.location is not None
    assert one.location.path == "ordain.yaml"


def test_a_policy_of_some_kinds_is_not_asked_of_a_change_without_them(workshop: Workshop) -> None:
    rule = RULE | {"validations": [{"expression": "size(change.removed) == 0", "message": "no"}]}
    before = workshop.serving.add("Policy", "mine", **rule)
    after = before.copy().drop("Monitor/credit")
    found = workshop.intention(before, after).judge(enforce=False).findings
    assert "POL-mine" not in {one.code for one in found}
