"""Whose approval a change needs, and whose does not count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.policies.separation import Counted, Requirement, missing
from ordain.specs.findings import Severity
from ordain.vcs.approvals import Approval

if TYPE_CHECKING:
    from collections.abc import Callable

    from sketches import Sketch

    from tests.policies.conftest import Case, Workshop


def quorum(case: Case) -> list[str]:
    return [one.message for one in case.judge().findings if one.code == "SOD-QUORUM"]


def refused(case: Case) -> list[tuple[str, str]]:
    return [(one.code, one.reason) for one in case.judge().refused]


@pytest.mark.parametrize(
    ("people", "absent"),
    [
        ((), "a manager and a cto and a compliance-manager"),
        (("manager", "cto"), "a compliance-manager"),
        (("cto", "compliance-manager"), "a manager"),
        (("manager", "compliance-manager"), "a cto"),
    ],
)
def test_tier_1_takes_a_manager_the_cto_and_a_compliance_manager(
    workshop: Workshop, people: tuple[str, ...], absent: str
) -> None:
    case = workshop.promotion()
    for person in people:
        case.approve(person)
    assert quorum(case) == [
        f"the approval of {absent} is missing: the promotion of credit, a model of tier 1"
    ]


@pytest.mark.parametrize("tier", [2, 3])
def test_lower_tiers_take_a_manager(workshop: Workshop, tier: int) -> None:
    fresh = workshop.fresh.set("Model/credit", "spec.tier", tier)
    assert quorum(workshop.promotion(fresh).approve("manager")) == []
    assert len(quorum(workshop.promotion(fresh).approve("cto"))) == 1


def test_one_person_with_both_roles_is_still_one_person(workshop: Workshop) -> None:
    fresh = workshop.fresh
    people = fresh.documents["Organization/people"]["spec"]["people"]
    people[1]["roles"] = ["manager", "cto"]
    case = workshop.promotion(fresh).approve("manager", "manager").approve("manager", "cto")
    case.approve("compliance-manager")
    assert len(quorum(case)) == 1
    assert quorum(case.approve("cto")) == []


def test_the_promotion_of_a_model_whose_tier_was_just_lowered_keeps_the_old_quorum(
    workshop: Workshop,
) -> None:
    # The tier is metadata: lowering it beside a promotion would halve the quorum unseen, so such
    # a change is no promotion at all.
    case = workshop.promotion()
    case.after.set("Model/credit", "spec.tier", 3)
    codes = [one.code for one in case.approve("manager").judge().findings]
    # The version, what the deployment runs, and four papers: evidence,
    # validation, statement and components.
    assert codes.count("PRO001") == 6


@pytest.mark.parametrize(
    ("person", "role", "change", "code", "reason"),
    [
        ("reconciler", "manager", None, "SOD-BOT", "the reconciler approves nothing"),
        (
            "manager",
            "manager",
            "sha256:" + "0" * 64,
            "SOD-CONTENT",
            "it is for other content than this change now has",
        ),
        ("stranger", "manager", None, "SOD-PERSON", "stranger is no person of the Organization"),
        ("validator", "manager", None, "SOD-ROLE", "validator does not hold the role manager"),
        (
            "data-scientist",
            "data-scientist",
            None,
            "SOD-SELF",
            "data-scientist contributed to what this change pins",
        ),
    ],
)
def test_an_approval_that_does_not_count_says_why(
    workshop: Workshop, person: str, role: str, change: str | None, code: str, reason: str
) -> None:
    case = workshop.promotion().quorum().approve(person, role, change)
    judgement = case.judge()
    assert refused(case) == [(code, reason)]
    (note,) = judgement.findings
    assert (note.code, note.severity) == (code, Severity.NOTE)
    assert note.message == f"the approval of {person} does not count: {reason}"


def test_who_contributed_or_pushed_does_not_count_as_approver(workshop: Workshop) -> None:
    case = workshop.promotion().quorum()
    author = replace(case, contributors=("data-scientist", "manager"))
    assert refused(author) == [("SOD-SELF", "manager contributed to what this change pins")]
    assert len(quorum(author)) == 1
    pusher = replace(case, pusher="cto")
    assert refused(pusher) == [("SOD-SELF", "cto pushed this change")]
    assert len(quorum(pusher)) == 1


def test_nobody_gives_themselves_a_role_in_the_change_that_uses_it(workshop: Workshop) -> None:
    before = workshop.fresh
    after = before.copy()
    people = after.documents["Organization/people"]["spec"]["people"]
    people[4]["roles"] = ["validator", "cto"]
    case = workshop.intention(before, after).approve("validator", "cto")
    assert refused(case) == [("SOD-ROLE", "validator does not hold the role cto")]
    assert quorum(case) == ["the approval of a cto is missing: Organization/people changes"]


def test_a_role_that_the_change_takes_away_does_not_approve_it(workshop: Workshop) -> None:
    before = workshop.fresh
    after = before.copy()
    after.documents["Organization/people"]["spec"]["people"][2]["roles"] = ["auditor"]
    case = workshop.intention(before, after).approve("cto")
    assert refused(case) == [("SOD-ROLE", "cto does not hold the role cto")]


def test_nobody_approves_a_change_of_their_own_entry(workshop: Workshop) -> None:
    before = workshop.fresh
    after = before.copy()
    after.documents["Organization/people"]["spec"]["people"][2]["roles"] = ["cto", "manager"]
    assert len(quorum(workshop.intention(before, after).approve("cto"))) == 1


def loosen(sketch: Sketch) -> Sketch:
    return sketch.set("Monitor/credit", "spec.psi.fail", 0.25)


@pytest.mark.parametrize(
    ("edit", "role"),
    [
        (lambda s: s.set("Route/credit", "spec.fallback.decision", "call-the-branch"), "manager"),
        (lambda s: s.set("Deployment/credit", "spec.replicas", 2), "manager"),
        (lambda s: s.drop("Route/credit"), "manager"),
        (
            lambda s: s.set("Compliance/credit", "spec.fairness_bias.rationale", "Something else"),
            "compliance-manager",
        ),
        (loosen, "compliance-manager"),
        (lambda s: s.set("Estate/examples", "spec.protectedBranch", "trunk"), "cto"),
        (
            lambda s: s.add(
                "Policy", "new", validations=[{"expression": "true", "message": "never"}]
            ),
            "cto",
        ),
        (lambda s: s.set("Model/credit", "spec.owner", "somebody-else"), None),
        (lambda s: s.set("Compliance/credit", "spec.model_info.rationale", "Another"), None),
    ],
)
def test_an_intention_needs_the_role_of_what_it_touches(
    workshop: Workshop, edit: Callable[[Sketch], Sketch], role: str | None
) -> None:
    case = workshop.intention(workshop.fresh, edit(workshop.fresh))
    assert [one.roles for one in case.judge().required] == ([(role,)] if role else [])
    assert len(quorum(case)) == (1 if role else 0)
    if role:
        assert quorum(case.approve(role)) == []


def repointed(sketch: Sketch) -> Sketch:
    return sketch.set("Compliance/credit", "spec.model", "other")


def replaced(sketch: Sketch) -> Sketch:
    info = sketch.documents["Compliance/credit"]["spec"]["model_info"]
    return sketch.add("Compliance", "bare", model="credit", model_info=info).drop(
        "Compliance/credit"
    )


def overshadowed(sketch: Sketch) -> Sketch:
    info = sketch.documents["Compliance/credit"]["spec"]["model_info"]
    return sketch.add("Compliance", "later", model="credit", model_info=info)


@pytest.mark.parametrize("edit", [repointed, replaced, overshadowed])
def test_the_sections_of_a_model_are_its_own_in_whatever_document(
    workshop: Workshop, edit: Callable[[Sketch], Sketch]
) -> None:
    other = workshop.fresh.documents["Model/credit"]["spec"]
    before = workshop.fresh.add("Model", "other", **other)
    judgement = workshop.intention(before, edit(before.copy())).judge()
    (required,) = judgement.required
    assert required.roles == ("compliance-manager",)
    assert "Compliance/" in required.reason
    assert " changes" in required.reason


def test_a_compliance_document_without_those_sections_needs_nobody(workshop: Workshop) -> None:
    before = workshop.fresh.add(
        "Model", "other", **workshop.fresh.documents["Model/credit"]["spec"]
    )
    info = before.documents["Compliance/credit"]["spec"]["model_info"]
    after = before.copy().add("Compliance", "other", model="other", model_info=info)
    assert workshop.intention(before, after).judge().required == ()


def test_a_missing_approval_of_an_intention_blocks_where_it_is_enforced(workshop: Workshop) -> None:
    case = workshop.intention(workshop.fresh, loosen(workshop.fresh))
    assert case.judge(enforce=True).blocked
    assert not case.judge(enforce=False).blocked
    assert not workshop.promotion().quorum().judge(enforce=False).blocked
    assert workshop.promotion().judge(enforce=False).blocked


def test_the_finding_names_who_is_missing_and_who_did_not_count(workshop: Workshop) -> None:
    case = replace(workshop.promotion(), contributors=("manager",)).approve("manager")
    (found, _) = case.judge().findings
    assert found.evidence == (
        "required = a manager and a cto and a compliance-manager",
        (
            "approval of manager as manager does not count: "
            "manager contributed to what this change pins"
        ),
    )
    assert found.remedy == (
        "ask a manager and a cto and a compliance-manager who did not contribute to approve this "
        "change; as a manager nobody is left: name another person in the Organization first"
    )
    assert found.controls == ("HR-SOD", "HR-BATCH", "SR262-CHALLENGE")


def test_roles_are_filled_as_well_as_they_can_be(workshop: Workshop) -> None:
    def by(person: str, role: str) -> Approval:
        return Approval(person, role, "sha256:", workshop.now, "", "")

    both = Requirement(("manager", "cto"), "", ())
    # The first person could fill either role; only one assignment fills both.
    counted = Counted((by("first", "manager"), by("first", "cto"), by("second", "manager")))
    assert missing(both, counted) == ()
    assert missing(both, Counted((by("first", "manager"), by("first", "cto")))) == ("manager",)
    assert missing(Requirement(("manager",), "", (), excluded=frozenset({"first"})), counted) == ()


# The word of a forge, which knows accounts and no roles


def test_a_forge_speaks_in_every_role_that_the_person_holds(workshop: Workshop) -> None:
    fresh = workshop.fresh
    fresh.set("Organization/people", "spec.people.1.roles", ["manager", "cto", "data-scientist"])
    case = workshop.promotion(fresh).approve("manager", "", key="")
    judgement = case.judge()
    assert [(one.person, one.role) for one in judgement.approvals] == [
        ("manager", "manager"),
        ("manager", "cto"),
    ]
    # It is one person for all that: two places stay empty.
    assert len(quorum(case.approve("cto", "", key=""))) == 1
    assert quorum(case.approve("compliance-manager", "", key="")) == []


@pytest.mark.parametrize("spoken", [("",), ("manager", "cto")])
def test_an_expression_counts_people_and_not_the_roles_that_they_speak_in(
    workshop: Workshop, spoken: tuple[str, ...]
) -> None:
    two = {"expression": "size(approvals.filter(a, a.person != 'nobody')) >= 2", "message": "few"}
    both = {
        "expression": "approvals.exists(a, 'cto' in a.roles && 'manager' in a.roles)",
        "message": "no such roles",
    }
    fresh = workshop.fresh.add(
        "Policy",
        "two",
        match={"kinds": ["Deployment"]},
        validations=[two, {"name": "both", **both}],
    )
    fresh.set("Organization/people", "spec.people.1.roles", ["manager", "cto"])
    case = workshop.promotion(fresh)
    for role in spoken:
        case.approve("manager", role, key="" if role == "" else "SHA256:fingerprint")

    def policies() -> list[str]:
        return [one.code for one in case.judge().findings if one.code.startswith("POL-two")]

    assert policies() == ["POL-two"]
    case.approve("compliance-manager")
    assert policies() == []


def test_a_forge_that_vouches_for_somebody_without_a_role_is_told_so(workshop: Workshop) -> None:
    fresh = workshop.fresh.set("Organization/people", "spec.people.4.roles", ["auditor"])
    case = workshop.promotion(fresh).approve("validator", "", key="")
    assert refused(case) == [("SOD-ROLE", "validator does not hold a role that approves")]
    (missing_one,) = [one for one in case.judge().findings if one.code == "SOD-QUORUM"]
    assert missing_one.evidence[1] == (
        "approval of validator does not count: validator does not hold a role that approves"
    )


def test_the_word_of_a_forge_is_refused_once_and_not_for_each_role(workshop: Workshop) -> None:
    fresh = workshop.fresh
    fresh.set("Organization/people", "spec.people.1.roles", ["manager", "cto"])
    case = replace(workshop.promotion(fresh), pusher="manager").approve("manager", "", key="")
    assert refused(case) == [("SOD-SELF", "manager pushed this change")]


def test_a_validator_speaks_for_no_team_that_contributed(workshop: Workshop) -> None:
    before = workshop.fresh.set("Organization/people", "spec.people.4.team", "credit-risk")
    reviews = [{"paths": ["specs/model/"], "roles": ["validator"]}]
    before.set("Organization/people", "spec.reviews", reviews)
    after = before.copy().set("Model/credit", "spec.training.seed", 8)
    case = workshop.intention(before, after).approve("validator")
    assert refused(case) == [
        ("SOD-TEAM", "validator is of the team credit-risk, which contributed")
    ]
    assert len(quorum(case)) == 1
    other = replace(case, contributors=("manager",), pusher="manager", signers=("manager",))
    assert refused(other) == []
    assert quorum(other) == []
