"""Nobody takes away the last one who could approve, nor approves with a key that goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.vcs.keys import PublicKey

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Case, Workshop

HEAD = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"
KEYS = {
    name: HEAD + letter * 43
    for name, letter in (("manager", "A"), ("cto", "B"), ("compliance-manager", "C"))
}


def staffed(workshop: Workshop) -> Sketch:
    """An estate whose approvers have keys."""
    sketch = workshop.fresh
    for person in people(sketch):
        if person["name"] in KEYS:
            person["keys"] = [{"public": KEYS[person["name"]]}]
    return sketch


def people(sketch: Sketch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sketch.documents["Organization/people"]["spec"]["people"]
    return found


def person(sketch: Sketch, name: str) -> dict[str, Any]:
    return next(one for one in people(sketch) if one["name"] == name)


def empty(case: Case) -> list[tuple[str, tuple[str, ...]]]:
    found = (one for one in case.judge().findings if one.code == "SOD-EMPTY")
    return [(one.message, one.evidence) for one in found]


@pytest.mark.parametrize(
    "edit",
    [
        lambda one: one.update(roles=["auditor"]),
        lambda one: one["keys"].clear(),
        lambda one: one["keys"][0].update(revoked=True),
        lambda one: one["keys"][0].update(validUntil="2026-11-20T09:30:00Z"),
        lambda one: one["keys"][0].update(validFrom="2026-11-20T09:30:01Z"),
        lambda one: one.update(keys=[], accounts=[{"forge": "git", "login": "c"}]),
        # The estate is on plain git.
        lambda one: one.update(keys=[], accounts=[{"forge": "github", "login": "c", "id": 7}]),
    ],
)
def test_the_last_who_can_approve_in_a_role_stays(workshop: Workshop, edit: Any) -> None:  # noqa: ANN401
    before = staffed(workshop)
    after = before.copy()
    edit(person(after, "compliance-manager"))
    assert empty(workshop.intention(before, after).approve("cto")) == [
        (
            "after this change nobody could approve as compliance-manager any more",
            ("could before = compliance-manager",),
        )
    ]


@pytest.mark.parametrize(
    "edit",
    [
        lambda after: person(after, "validator").update(
            roles=["compliance-manager"], keys=[{"public": HEAD + "D" * 43}]
        ),
        lambda after: person(after, "compliance-manager").update(
            accounts=[{"forge": "github", "login": "c", "id": 7}], roles=["compliance-manager"]
        ),
    ],
)
def test_another_one_or_an_account_is_enough(workshop: Workshop, edit: Any) -> None:  # noqa: ANN401
    before = staffed(workshop).set("Estate/examples", "spec.forge", {"type": "github"})
    after = before.copy()
    person(after, "compliance-manager").update(keys=[], roles=["auditor"])
    edit(after)
    assert empty(workshop.intention(before, after)) == []


@pytest.mark.parametrize(("forge", "missing"), [("github", 0), ("gitlab", 1), ("git", 1)])
def test_who_can_only_review_approves_on_no_other_forge(
    workshop: Workshop, forge: str, missing: int
) -> None:
    before = staffed(workshop).set("Estate/examples", "spec.forge", {"type": "github"})
    account = {"forge": "github", "login": "c", "id": 7}
    person(before, "compliance-manager").update(keys=[], accounts=[account])
    after = before.copy().set("Estate/examples", "spec.forge", {"type": forge, "remote": "up"})
    assert len(empty(workshop.intention(before, after))) == missing


def test_a_role_that_nobody_could_fill_before_is_no_fault_of_the_change(
    workshop: Workshop,
) -> None:
    before, after = staffed(workshop), staffed(workshop)
    for sketch in (before, after):
        person(sketch, "compliance-manager")["keys"] = []
    person(after, "data-scientist")["team"] = "pricing"
    assert empty(workshop.intention(before, after)) == []


def test_a_key_that_the_change_takes_away_does_not_approve_it(workshop: Workshop) -> None:
    before = staffed(workshop)
    after = before.copy().set("Route/credit", "spec.fallback.decision", "call-the-branch")
    person(after, "manager")["keys"] = [{"public": HEAD + "D" * 43}]
    fingerprint = PublicKey.parse(KEYS["manager"]).fingerprint

    def refused(**key: str) -> list[tuple[str, str]]:
        case = workshop.intention(before, after).approve("manager", **key)
        return [(one.code, one.reason) for one in case.judge().refused]

    assert refused(key=fingerprint) == [
        ("SOD-KEY", "after this change the key that signed it speaks for manager no more")
    ]
    # One that stays, or the word of a forge, is another matter.
    assert refused(key=PublicKey.parse(KEYS["cto"]).fingerprint) == []
    assert refused(key="") == []


def test_an_account_that_the_change_takes_away_does_not_approve_it(workshop: Workshop) -> None:
    def account(login: str, number: int) -> dict[str, Any]:
        return {"forge": "github", "login": login, "id": number}

    before = staffed(workshop)
    person(before, "manager")["accounts"] = [account("m", 7), account("second", 8)]
    after = before.copy().set("Route/credit", "spec.fallback.decision", "call-the-branch")
    person(after, "manager")["accounts"] = [account("renamed", 8), account("new", 9)]

    def refused(said_by: str) -> list[tuple[str, str]]:
        case = workshop.intention(before, after).approve("manager", "", key="")
        case.approvals = [replace(case.approvals[0], account=said_by)]
        return [(one.code, one.reason) for one in case.judge().refused]

    assert refused("github 7") == [
        ("SOD-KEY", "after this change the account that gave it speaks for manager no more")
    ]
    # By its number it is the same account, whatever its name is.
    assert refused("github 8") == []
    assert refused("") == []
