"""The word of a validator on an artifact counts when the artifact is promoted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.specs.findings import Finding, Severity
from tests.policies.conftest import Case, evidence_for, promote

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop

ARTIFACT = "sha256:" + "a" * 64
OTHER = "sha256:" + "f" * 64


def record(
    sketch: Sketch,
    name: str = "credit-1",
    **changes: Any,  # noqa: ANN401 - fields of a Validation, of any type
) -> Sketch:
    spec = {
        "model": "credit",
        "artifact": ARTIFACT,
        "validator": "validator",
        "outcome": "approved",
        "performedOn": "2026-11-02",
        **changes,
    }
    return sketch.add("Validation", name, **spec)


def issue(severity: str, **changes: str) -> dict[str, str]:
    return {"id": "drift", "severity": severity, "text": "The income drifts.", **changes}


def promoted(before: Sketch) -> list[Finding]:
    """What is said of validators when the artifact is promoted."""
    after = promote(before, evidence_for(before))
    case = Case(before, after, pusher="reconciler", signers=("reconciler",)).quorum()
    return [one for one in case.judge().findings if one.code.startswith("VAL")]


def said(found: list[Finding]) -> list[tuple[str, Severity, str]]:
    return [(one.code, one.severity, one.message) for one in found]


# Promotions


def test_an_approved_artifact_is_promoted_and_so_is_one_without_a_record(
    workshop: Workshop,
) -> None:
    assert promoted(workshop.fresh) == []
    assert promoted(record(workshop.fresh)) == []
    assert promoted(record(workshop.fresh, artifact=OTHER)) == []


@pytest.mark.parametrize(
    ("changes", "against", "told"),
    [
        ({"outcome": "rejected"}, "rejects", ()),
        (
            {"outcome": "approved-with-findings", "findings": [issue("high")]},
            "has open findings on",
            ("Validation/credit-0 drift: The income drifts.",),
        ),
    ],
)
def test_what_was_found_on_another_artifact_asks_for_a_look(
    workshop: Workshop, changes: dict[str, Any], against: str, told: tuple[str, ...]
) -> None:
    before = record(workshop.fresh, "credit-0", artifact=OTHER, **changes)
    (found,) = promoted(before)
    message = (
        f"Validation/credit-0 {against} another artifact of credit, "
        "and nobody has looked at that of ModelVersion/credit-1"
    )
    assert said([found]) == [("VAL006", Severity.WARNING, message)]
    assert found.evidence == told
    # Whoever has looked at this one has said what holds for it.
    assert promoted(record(before.copy(), performedOn="2026-11-10")) == []
    approved = record(before.copy(), "credit-2", artifact=OTHER, performedOn="2026-11-10")
    assert bool(promoted(approved)) is bool(told)


def test_a_rejected_artifact_is_not_promoted(workshop: Workshop) -> None:
    (found,) = promoted(record(workshop.fresh, outcome="rejected"))
    assert (found.code, found.severity) == ("VAL001", Severity.ERROR)
    assert found.message == "Validation/credit-1 rejects the artifact of ModelVersion/credit-1"
    assert found.evidence == ("2026-11-02 validator: rejected",)
    assert found.controls == ("SR262-CHALLENGE", "SS123-4.1", "HR-BATCH")


def test_the_newest_record_counts_and_of_one_day_the_worse(workshop: Workshop) -> None:
    rejected = record(workshop.fresh, outcome="rejected")
    later = record(rejected.copy(), "credit-2", performedOn="2026-11-03")
    assert promoted(later) == []
    same_day = record(rejected.copy(), "credit-2")
    assert [one.code for one in promoted(same_day)] == ["VAL001"]


def test_a_rejection_is_lifted_by_the_same_person_alone(workshop: Workshop) -> None:
    before = record(workshop.fresh, outcome="rejected")
    other = record(before.copy(), "credit-2", validator="cto", performedOn="2026-11-03")
    (found,) = promoted(other)
    assert found.message == "Validation/credit-1 rejects the artifact of ModelVersion/credit-1"
    assert found.evidence == ("2026-11-02 validator: rejected", "2026-11-03 cto: approved")
    assert found.remedy == "mend what the record names, or ask its validator for another look"


@pytest.mark.parametrize(
    ("day", "late"), [("2026-11-20", False), ("2026-11-21", False), ("2026-11-22", True)]
)
def test_a_record_of_a_day_to_come_counts_for_nothing(
    workshop: Workshop, *, day: str, late: bool
) -> None:
    before = record(workshop.fresh, performedOn=day)
    message = f"Validation/credit-1 was performed on {day}, which is still to come"
    expected = [("VAL005", Severity.ERROR, message)] if late else []
    assert said(promoted(before)) == expected
    case = workshop.intention(workshop.fresh, before).judge()
    assert [one.message for one in case.findings if one.code == "VAL005"] == (
        [message] if late else []
    )


@pytest.mark.parametrize(
    ("finding", "why"),
    [
        (issue("high"), "is open and of severity high"),
        (
            issue("medium", due="2026-11-19"),
            "is open, of severity medium and was due on 2026-11-19",
        ),
        (issue("medium", due="2026-11-20"), ""),
        (issue("medium"), ""),
        (issue("low", due="2026-01-01"), ""),
        (issue("high", status="closed"), ""),
    ],
)
def test_an_open_finding_keeps_an_artifact_from_its_promotion(
    workshop: Workshop, finding: dict[str, str], why: str
) -> None:
    before = record(workshop.fresh, outcome="approved-with-findings", findings=[finding])
    # A newer record closes nothing that an older one found.
    record(before, "credit-2", performedOn="2026-11-10")
    about = "finding drift of Validation/credit-1 on the artifact of ModelVersion/credit-1 "
    assert said(promoted(before)) == ([("VAL002", Severity.ERROR, about + why)] if why else [])


def test_a_record_on_another_validation_is_not_one_on_this(workshop: Workshop) -> None:
    (found,) = promoted(record(workshop.fresh, evidence=OTHER))
    assert said([found]) == [
        (
            "VAL004",
            Severity.ERROR,
            "Validation/credit-1 rests on another validation than ModelVersion/credit-1 names",
        )
    ]
    after = promote(workshop.fresh, evidence_for(workshop.fresh))
    named = after.documents["ModelVersion/credit-1"]["spec"]["validation"]
    assert found.evidence == (f"record = {OTHER}", f"version = {named}")
    assert promoted(record(workshop.fresh, evidence=named)) == []


def test_a_rollback_to_a_rejected_artifact_is_refused(workshop: Workshop) -> None:
    before = record(workshop.second(artifact=OTHER).after, outcome="rejected")
    after = before.copy().set("Deployment/credit", "spec.version", 1)
    case = workshop.intention(before, after).quorum()
    found = [one for one in case.judge().findings if one.code.startswith("VAL")]
    assert [one.code for one in found] == ["VAL001"]
    # What runs already is not asked again for every edit of its slot.
    running = record(promote(workshop.fresh, evidence_for(workshop.fresh)), outcome="rejected")
    edited = running.copy().set("Deployment/credit", "spec.replicas", 2)
    judgement = workshop.intention(running, edited).judge(enforce=False)
    assert [one.code for one in judgement.findings if one.code.startswith("VAL")] == []


# Records


def brought(workshop: Workshop, **changes: Any) -> list[Finding]:  # noqa: ANN401
    """What is said of a record when it is brought, with version 1 in the tree."""
    before = promote(workshop.fresh, evidence_for(workshop.fresh))
    case = workshop.intention(before, record(before.copy(), **changes))
    case = replace(case, contributors=("validator",), pusher="validator", signers=("validator",))
    return [one for one in case.judge(enforce=False).findings if one.code.startswith("VAL")]


def test_a_record_is_about_an_artifact_of_its_model(workshop: Workshop) -> None:
    assert brought(workshop) == []
    assert said(brought(workshop, artifact=OTHER)) == [
        (
            "VAL003",
            Severity.WARNING,
            "Validation/credit-1 is about an artifact that no version of credit has yet",
        )
    ]


def test_a_record_on_the_artifact_of_another_model_is_refused(workshop: Workshop) -> None:
    before = promote(workshop.fresh, evidence_for(workshop.fresh))
    spec = before.documents["Model/credit"]["spec"]
    after = record(before.copy().add("Model", "churn", **spec), model="churn")
    found = workshop.intention(before, after).judge(enforce=False).findings
    assert said([one for one in found if one.code.startswith("VAL")]) == [
        (
            "VAL003",
            Severity.ERROR,
            "Validation/credit-1 is about churn, and its artifact is that of ModelVersion/credit-1",
        )
    ]


def test_a_record_says_on_which_document_it_rests(workshop: Workshop) -> None:
    assert said(brought(workshop, evidence=OTHER)) == [
        (
            "VAL004",
            Severity.ERROR,
            "Validation/credit-1 rests on another validation than ModelVersion/credit-1 names",
        )
    ]
