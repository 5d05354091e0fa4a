"""A waiver excuses exactly one finding for a time, in sight of everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.changes import Kind
from ordain.policies.gate import check
from ordain.policies.packs import load_pack
from ordain.specs.findings import Severity, Verdict
from ordain.specs.plain import spec_digest
from tests.policies.conftest import Case, evidence_for, promote

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop

CODE = "POL-drift-limit.acceptance"


def subject(sketch: Sketch, kind: str = "Model", name: str = "credit") -> dict[str, str]:
    """An object with its present content."""
    document = sketch.load().get(kind, name)
    assert document is not None
    return {"kind": kind, "name": name, "digest": spec_digest(document.spec)}


def waived(workshop: Workshop, **changes: object) -> Sketch:
    """An estate that breaks the drift limit, and a waiver for it."""
    sketch = workshop.serving.set("Model/credit", "spec.acceptance.drift.psi.max", 0.4)
    spec = {
        "finding": CODE,
        "object": subject(sketch),
        "reason": "the new branch changes the population until March",
        "requestedBy": "data-scientist",
        "approvedBy": "compliance-manager",
        "expires": "2027-03-31",
    }
    return sketch.add("Waiver", "drift", **{**spec, **changes})


def test_what_is_waived_is_listed_and_does_not_block(workshop: Workshop) -> None:
    judgement = check(waived(workshop).load(), workshop.now)
    assert judgement.findings == ()
    assert judgement.verdict is Verdict.PASS
    (one,) = judgement.suppressed
    assert (one.finding.code, one.subject, one.waiver) == (CODE, "Model/credit", "Waiver/drift")
    assert (one.approved_by, one.expires) == ("compliance-manager", "2027-03-31")


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"expires": "2026-11-19"},
            "WVR001",
            "Waiver/drift has no effect: it expired after 2026-11-19",
        ),
        (
            {"requestedBy": "compliance-manager"},
            "WVR002",
            "Waiver/drift has no effect: compliance-manager both asked for it and approved it",
        ),
        (
            {"approvedBy": "manager"},
            "WVR003",
            "Waiver/drift has no effect: manager does not hold the role compliance-manager",
        ),
        (
            {"expires": "2027-11-22"},
            "WVR008",
            "Waiver/drift has no effect: it would last 367 days, and at most are 366",
        ),
    ],
)
def test_a_waiver_with_something_wrong_has_no_effect(
    workshop: Workshop, changes: dict[str, str], code: str, message: str
) -> None:
    judgement = check(waived(workshop, **changes).load(), workshop.now)
    by_code = {one.code: one for one in judgement.findings}
    assert set(by_code) == {CODE, code}
    assert by_code[code].message == message
    assert by_code[code].severity is Severity.WARNING
    assert judgement.suppressed == ()
    assert judgement.verdict is Verdict.FAIL


def test_it_may_last_for_a_year(workshop: Workshop) -> None:
    judgement = check(waived(workshop, expires="2027-11-21").load(), workshop.now)
    assert (judgement.findings, len(judgement.suppressed)) == ((), 1)


def test_it_counts_to_the_end_of_its_last_day_and_says_when_that_is_near(
    workshop: Workshop,
) -> None:
    judgement = check(waived(workshop, expires="2026-11-20").load(), workshop.now)
    assert len(judgement.suppressed) == 1
    assert [(one.code, one.message) for one in judgement.findings] == [
        ("WVR006", "Waiver/drift ends in 0 days")
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"finding": "POL-drift-limit"},
        {"object": {"kind": "Monitor", "name": "credit", "digest": "sha256:" + "0" * 64}},
        {"object": {"kind": "Model", "name": "credit", "digest": "sha256:" + "0" * 64}},
    ],
)
def test_it_covers_one_code_of_one_object_with_one_content(
    workshop: Workshop, changes: dict[str, Any]
) -> None:
    judgement = check(waived(workshop, **changes).load(), workshop.now)
    assert judgement.suppressed == ()
    assert [one.code for one in judgement.findings] == [CODE, "WVR005"]


def test_it_can_be_bound_to_a_content(workshop: Workshop) -> None:
    model = waived(workshop).load().get("Model", "credit")
    assert model is not None
    subject = {"kind": "Model", "name": "credit", "digest": spec_digest(model.spec)}
    sketch = waived(workshop, object=subject)
    assert len(check(sketch.load(), workshop.now).suppressed) == 1
    sketch.set("Model/credit", "spec.acceptance.drift.psi.max", 0.5)
    assert check(sketch.load(), workshop.now).suppressed == ()


@pytest.mark.parametrize("code", ["SOD-QUORUM", "PRO004", "SPEC104", "POL002"])
def test_the_gate_itself_cannot_be_waived(workshop: Workshop, code: str) -> None:
    judgement = check(waived(workshop, finding=code).load(), workshop.now)
    found = [one for one in judgement.findings if one.code == "WVR004"]
    assert [one.message for one in found] == [
        f"Waiver/drift has no effect: {code} cannot be waived"
    ]


def test_a_waiver_has_no_effect_in_the_change_that_brings_it(workshop: Workshop) -> None:
    after = waived(workshop)
    case = workshop.intention(workshop.serving, after).approve("compliance-manager")
    assert CODE in [one.code for one in case.judge().findings]
    before = after.copy().set("Model/credit", "spec.acceptance.drift.psi.max", 0.2)
    later = workshop.intention(before, after).approve("compliance-manager").judge()
    assert [one.finding.code for one in later.suppressed] == [CODE]
    gone = workshop.intention(after, after.copy().drop("Waiver/drift"))
    assert CODE in [one.code for one in gone.judge().findings]


def with_waiver(workshop: Workshop, before: Sketch, **changes: object) -> Sketch:
    """A base that waives its drift, as far as the object says."""
    waiver = waived(workshop).documents["Waiver/drift"]["spec"]
    waiver = {**waiver, "finding": "ACC-DRIFT", **changes}
    return before.copy().add("Waiver", "drift", **waiver)


def drifted(before: Sketch, drift: float = 0.5, number: int = 1) -> Case:
    """A promotion beyond the limit of its drift."""
    after = promote(before, evidence_for(before, drift={"income": drift}), number)
    case = Case(before, after, pusher="reconciler", signers=("reconciler",))
    return case.quorum()


def test_a_measurement_can_be_waived_for_the_version_that_is_proposed(workshop: Workshop) -> None:
    fresh = workshop.fresh.set("Model/credit", "spec.acceptance.drift.psi.max", 0.2)
    proposed = drifted(fresh)
    assert [one.code for one in proposed.judge().findings] == ["ACC-DRIFT"]
    version = subject(proposed.after, "ModelVersion", "credit-1")
    judgement = drifted(with_waiver(workshop, fresh, object=version)).judge()
    assert [(one.finding.code, one.subject) for one in judgement.suppressed] == [
        ("ACC-DRIFT", "ModelVersion/credit-1")
    ]
    assert not judgement.blocked


def test_a_waiver_of_a_measurement_excuses_no_other_version(workshop: Workshop) -> None:
    """Neither other numbers under the same name, nor the next version of the same Model."""
    fresh = workshop.fresh.set("Model/credit", "spec.acceptance.drift.psi.max", 0.2)
    version = subject(drifted(fresh).after, "ModelVersion", "credit-1")
    base = with_waiver(workshop, fresh, object=version)
    worse = drifted(base, drift=0.9).judge()
    assert (worse.suppressed, worse.blocked) == ((), True)
    running = drifted(base).after
    running.set("Dataset/applications", "spec.digest", "sha256:" + "7" * 64)
    later = drifted(running, number=2).judge()
    assert (later.suppressed, later.blocked) == ((), True)
    assert "ACC-DRIFT" in [one.code for one in later.findings]


def test_a_measurement_is_not_waived_for_a_model(workshop: Workshop) -> None:
    fresh = workshop.fresh.set("Model/credit", "spec.acceptance.drift.psi.max", 0.2)
    base = with_waiver(workshop, fresh, object=subject(fresh))
    judgement = drifted(base).judge()
    assert (judgement.suppressed, judgement.blocked) == ((), True)
    message = "ACC-DRIFT is waived for one ModelVersion, not for a Model"
    assert [one.message for one in judgement.findings if one.code == "WVR004"] == [
        f"Waiver/drift has no effect: {message}"
    ]
    brings_it = workshop.intention(fresh, base).approve("compliance-manager")
    assert of_waivers(brings_it) == [
        ("WVR004", Severity.ERROR, f"Waiver/drift would have no effect: {message}")
    ]


def test_a_policy_can_refuse_to_be_waived(workshop: Workshop) -> None:
    rule = {
        "match": {"kinds": ["Model"]},
        "validations": [{"expression": "object.spec.tier > 1", "message": "tier 2 at most"}],
    }
    sketch = waived(workshop, finding="POL-mine").add("Policy", "mine", **rule)
    sketch.set("Model/credit", "spec.acceptance.drift.psi.max", 0.2)
    sketch.set("Waiver/drift", "spec.object", subject(sketch))
    assert [one.finding.code for one in check(sketch.load(), workshop.now).suppressed] == [
        "POL-mine"
    ]
    closed = sketch.copy().edit({"Policy/mine": {"spec.waivable": False}})
    judgement = check(closed.load(), workshop.now)
    assert judgement.suppressed == ()
    assert [(one.code, one.message) for one in judgement.findings] == [
        ("POL-mine", "tier 2 at most"),
        (
            "WVR004",
            "Waiver/drift has no effect: POL-mine cannot be waived: the policy mine refuses it",
        ),
    ]
    # It stays closed in the change that opens it, and is closed in the one that closes it.
    for before, after in ((closed, sketch), (sketch, closed)):
        codes = [one.code for one in workshop.intention(before, after).judge().findings]
        assert {"POL-mine", "WVR004"} <= set(codes)


def test_the_separation_of_duties_cannot_be_waived() -> None:
    pack = load_pack("separation-of-duties")
    assert [one.name for one in pack.policies if one.spec.waivable] == []


# The change that brings a waiver


def brings(workshop: Workshop, **changes: object) -> Case:
    after = waived(workshop, **changes)
    return workshop.intention(after.copy().drop("Waiver/drift"), after)


def of_waivers(case: Case) -> list[tuple[str, Severity, str]]:
    found = (one for one in case.judge().findings if one.code.startswith(("WVR", "CHG")))
    return [(one.code, one.severity, one.message) for one in found]


UNAPPROVED = (
    "WVR007",
    Severity.ERROR,
    (
        "Waiver/drift names compliance-manager, "
        "who has not approved this change as compliance-manager"
    ),
)


def test_whom_a_waiver_names_has_approved_the_change_that_brings_it(workshop: Workshop) -> None:
    assert of_waivers(brings(workshop)) == [UNAPPROVED]
    assert of_waivers(brings(workshop).approve("manager").approve("cto")) == [UNAPPROVED]
    assert of_waivers(brings(workshop).approve("compliance-manager")) == []


def test_another_compliance_manager_is_another_person(workshop: Workshop) -> None:
    case = brings(workshop)
    for sketch in (case.before, case.after):
        sketch.set("Organization/people", "spec.people.4.roles", ["compliance-manager"])
    assert of_waivers(case.approve("validator", "compliance-manager")) == [UNAPPROVED]


def test_it_is_approved_as_compliance_manager_and_in_no_other_role(workshop: Workshop) -> None:
    case = brings(workshop)
    for sketch in (case.before, case.after):
        sketch.set("Organization/people", "spec.people.3.roles", ["compliance-manager", "cto"])
    assert of_waivers(case.approve("compliance-manager", "cto")) == [UNAPPROVED]


def test_an_edit_needs_the_approval_again(workshop: Workshop) -> None:
    before = waived(workshop)
    after = before.copy().set("Waiver/drift", "spec.expires", "2027-06-30")
    case = workshop.intention(before, after)
    assert case.facts.kind is Kind.LOOSENING
    assert of_waivers(case) == [UNAPPROVED]
    assert of_waivers(case.approve("compliance-manager")) == []
    # One that goes needs nobody whom it names, but a compliance manager all the same.
    gone = workshop.intention(before, before.copy().drop("Waiver/drift"))
    assert of_waivers(gone) == []
    assert [one.roles for one in gone.judge().required] == [("compliance-manager",)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"requestedBy": "compliance-manager"}, "WVR002"),
        ({"finding": "SOD-QUORUM"}, "WVR004"),
        ({"expires": "2026-11-19"}, "WVR001"),
        ({"expires": "2030-01-01"}, "WVR008"),
    ],
)
def test_a_waiver_that_would_have_no_effect_is_not_brought(
    workshop: Workshop, changes: dict[str, str], code: str
) -> None:
    case = brings(workshop, **changes).approve("compliance-manager")
    assert [(one, weight) for one, weight, _ in of_waivers(case)] == [(code, Severity.ERROR)]


def test_a_waiver_comes_alone(workshop: Workshop) -> None:
    case = brings(workshop)
    case.after.set("Route/credit", "spec.fallback.decision", "call-the-branch")
    case.approve("compliance-manager").approve("manager")
    assert [one for one, _, _ in of_waivers(case)] == ["CHG002"]
