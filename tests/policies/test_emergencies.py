"""What the gate asks of the trace of an emergency, and of what stands beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.policies.files import OWNERS_FILE
from ordain.policies.owners import owners
from tests.policies.conftest import Case, evidence_for, promote

if TYPE_CHECKING:
    from sketches import Sketch

    from ordain.policies.changes import ChangeFacts
    from tests.policies.conftest import Workshop

BACK = {
    "action": "rollback",
    "deployment": "credit",
    "version": 1,
    "reason": "it declines everybody",
    "requestedBy": "manager",
    "requestedAt": "2026-11-20T09:30:00Z",
}
STOP = {
    "action": "stop",
    "route": "credit",
    "reason": "it declines everybody",
    "requestedBy": "manager",
    "requestedAt": "2026-11-20T09:30:00Z",
}


@pytest.fixture
def running(workshop: Workshop) -> Sketch:
    """A model of tier 1 that ran version 1 and runs version 2."""
    return workshop.second().after


class Trace(Case):
    """A change whose every commit touches the trace of an emergency."""

    @property
    def facts(self) -> ChangeFacts:
        facts = super().facts
        wrote = frozenset(one for one in self.signers if one is not None)
        return replace(facts, wrote=dict.fromkeys(facts.touched, wrote))


def by_manager(before: Sketch, after: Sketch) -> Case:
    """A change that the manager has made; a data scientist shaped the version."""
    people = ("data-scientist", "manager")
    return Trace(before, after, people, pusher="manager", signers=("manager",))


def rolled_back(running: Sketch, **spec: object) -> Case:
    after = running.copy().set("Deployment/credit", "spec.version", 1)
    return by_manager(running, after.add("BreakGlass", "back", **(BACK | spec)))


def errors(case: Case) -> list[str]:
    found = case.judge().findings
    return [f"{one.code} {one.message}" for one in found if one.severity.value == "error"]


MISSING = (
    "SOD-QUORUM the approval of a reviewer is missing:"
    " an emergency is approved by somebody else than who acted"
)


def test_a_rollback_takes_one_other_person_also_in_tier_1(running: Sketch) -> None:
    assert rolled_back(running).facts.kind.value == "promotion"
    assert errors(rolled_back(running)) == [MISSING]
    assert errors(rolled_back(running).approve("manager")) == [MISSING]
    assert errors(rolled_back(running).approve("data-scientist")) == [MISSING]
    for person in ("cto", "compliance-manager"):
        assert errors(rolled_back(running).approve(person)) == []


def test_a_stop_takes_one_other_person(running: Sketch) -> None:
    def stopped() -> Case:
        return by_manager(running, running.copy().add("BreakGlass", "stop", **STOP))

    assert errors(stopped()) == [MISSING]
    assert errors(stopped().approve("compliance-manager")) == []


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_on_a_forge_an_emergency_needs_no_other_code_owners(running: Sketch, forge: str) -> None:
    running.set("Estate/examples", "spec.forge", {"type": forge})
    running.files[OWNERS_FILE[forge]] = owners(running.load(), forge)
    after = running.copy().add("BreakGlass", "stop", **STOP)
    assert errors(by_manager(running, after)) == [MISSING]
    assert errors(by_manager(running, after).approve("cto")) == []
    assert errors(rolled_back(running).approve("cto")) == []


def test_without_the_document_a_rollback_has_the_quorum_of_its_tier(running: Sketch) -> None:
    after = running.copy().set("Deployment/credit", "spec.version", 1)
    (found,) = errors(by_manager(running, after).approve("cto"))
    assert found == (
        "SOD-QUORUM the approval of a manager and a compliance-manager is missing:"
        " the promotion of credit, a model of tier 1"
    )


def test_the_document_is_no_way_round_a_quorum(running: Sketch, workshop: Workshop) -> None:
    """Beside a new version, more of the Deployment, or anything else, all is asked as always."""
    fresh = workshop.fresh
    after = promote(fresh, evidence_for(fresh)).add("BreakGlass", "back", **BACK)
    new = Case(fresh, after, ("manager",), pusher="manager", signers=("manager",)).approve("cto")
    assert any(one.startswith("SOD-QUORUM the approval of a manager") for one in errors(new))
    assert any(one.startswith("EMG005 ") for one in errors(new))

    more = running.copy().set("Deployment/credit", "spec.replicas", 3)
    more.add("BreakGlass", "back", **BACK)
    found = errors(by_manager(running, more).approve("cto"))
    assert any(one.startswith("SOD-QUORUM the approval of a manager") for one in found)

    beside = running.copy().add("BreakGlass", "stop", **STOP)
    beside.set("Route/credit", "spec.fallback.decision", "approve")
    found = errors(by_manager(running, beside).approve("cto"))
    assert any(one.startswith("SOD-QUORUM the approval of a manager") for one in found)

    evidence = running.copy().add("BreakGlass", "stop", **STOP)
    evidence.files["notes.txt"] = b"more"
    found = errors(by_manager(running, evidence))
    assert not any(one == MISSING for one in found)


def test_the_document_is_signed_by_the_manager_whom_it_names(running: Sketch) -> None:
    case = rolled_back(running, requestedBy="cto").approve("compliance-manager")
    case.signers = ("cto",)
    assert errors(case) == ["EMG004 BreakGlass/back was ordered by cto, who is no manager"]
    case = rolled_back(running).approve("cto")
    case.signers = ("data-scientist", None)
    assert errors(case) == [
        "EMG004 BreakGlass/back is not signed by manager, whom it names",
        "EMG004 BreakGlass/back is written by data-scientist, who did not act",
    ]


def test_nobody_goes_on_writing_at_the_trace_of_an_emergency(running: Sketch) -> None:
    case = rolled_back(running).approve("cto")
    case.signers = ("manager", "data-scientist")
    assert errors(case) == ["EMG004 BreakGlass/back is written by data-scientist, who did not act"]


def test_an_end_is_signed_by_the_manager_whom_it_names(running: Sketch) -> None:
    ended = BACK | {"endedBy": "cto", "endedAt": "2026-11-20T10:30:00Z"}
    after = running.copy().add("BreakGlass", "back", **ended)
    case = by_manager(running, after).approve("compliance-manager")
    assert errors(case) == ["EMG004 BreakGlass/back was ended by cto, who is no manager"]
    people = running.documents["Organization/people"]["spec"]["people"]
    (cto,) = (one for one in people if one["name"] == "cto")
    cto["roles"] = ["cto", "manager"]
    after = running.copy().add("BreakGlass", "back", **ended)
    case = by_manager(running, after).approve("compliance-manager")
    assert errors(case) == ["EMG004 BreakGlass/back is not signed by cto, whom it names"]
    case.signers = ("manager", "cto")
    assert errors(case) == []


def test_nobody_is_a_manager_by_the_change_itself(running: Sketch) -> None:
    after = running.copy().add("BreakGlass", "stop", **(STOP | {"requestedBy": "validator"}))
    people = after.documents["Organization/people"]["spec"]["people"]
    for one in people:
        if one["name"] == "validator":
            one["roles"] = ["manager"]
    case = Case(running, after, ("validator",), "validator", ("validator",))
    assert "EMG004 BreakGlass/stop was ordered by validator, who is no manager" in errors(case)


def test_a_trace_never_changes_and_goes_as_a_whole(running: Sketch) -> None:
    before = running.copy().add("BreakGlass", "stop", **STOP)
    after = before.copy().set("BreakGlass/stop", "spec.reason", "nothing")
    found = errors(by_manager(before, after).approve("cto"))
    assert "EMG005 BreakGlass/stop was edited; the trace of an emergency never changes" in found

    gone = Case(before, before.copy().drop("BreakGlass/stop"))
    assert errors(gone) == [
        "SOD-QUORUM the approval of a manager is missing: BreakGlass/stop changes"
    ]
    assert errors(gone.approve("manager")) == []


def test_what_is_stopped_goes_nowhere_under_another_name(running: Sketch) -> None:
    before = running.copy().add("BreakGlass", "stop", **STOP)
    said = "EMG005 BreakGlass/stop keeps Route/credit stopped, and it leaves its endpoint"
    spec = before.documents["Route/credit"]["spec"]
    renamed = before.copy().drop("Route/credit").add("Route", "other", **spec)
    assert said in errors(Case(before, renamed).approve("manager"))
    moved = before.copy().set("Route/credit", "spec.endpoint", "/v1/elsewhere")
    assert said in errors(Case(before, moved).approve("manager"))
    assert errors(Case(before, renamed.copy().drop("BreakGlass/stop")).approve("manager")) == []
    edited = before.copy().set("Route/credit", "spec.fallback.decision", "approve")
    assert said not in errors(Case(before, edited).approve("manager"))


def test_a_rollback_goes_back_and_never_on(running: Sketch) -> None:
    """Version 2 may have been withdrawn for what it did; so it takes its quorum again."""
    old = running.copy().set("Deployment/credit", "spec.version", 1)
    after = running.copy().add("BreakGlass", "back", **(BACK | {"version": 2}))
    assert errors(by_manager(old, after).approve("cto")) == [
        "EMG005 BreakGlass/back goes to version 2, which is not older than what runs"
    ]
    never = running.copy().set("Deployment/credit", "spec.version", None)
    assert errors(by_manager(never, after).approve("cto")) == [
        "EMG005 BreakGlass/back goes to version 2, which is not older than what runs"
    ]


def test_an_ended_rollback_changes_no_deployment(running: Sketch) -> None:
    ended = BACK | {"endedBy": "manager", "endedAt": "2026-11-20T10:30:00Z"}
    after = running.copy().add("BreakGlass", "back", **ended)
    assert errors(by_manager(running, after).approve("cto")) == []

    for version in (1, 3):
        moved = after.copy().set("Deployment/credit", "spec.version", version)
        assert errors(by_manager(running, moved).approve("cto"))[:1] == [
            "EMG005 BreakGlass/back is ended, and Deployment/credit changes beside it"
        ]
