"""A waiver excuses exactly one finding for a time, in sight of everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.gate import check
from ordain.specs.findings import Severity, Verdict
from ordain.specs.plain import spec_digest

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


def test_a_measurement_can_be_waived(workshop: Workshop) -> None:
    fresh = workshop.fresh.set("Model/credit", "spec.acceptance.drift.psi.max", 0.2)
    waiver = waived(workshop).documents["Waiver/drift"]["spec"]
    fresh.add("Waiver", "drift", **{**waiver, "finding": "ACC-DRIFT", "object": subject(fresh)})
    case = workshop.promotion(fresh, drift={"income": 0.5}).quorum()
    judgement = case.judge()
    assert [one.finding.code for one in judgement.suppressed] == ["ACC-DRIFT"]
    assert not judgement.blocked
