"""Whose approval a change needs, and whose does not count.

Authority is read from the base of the change, so that nobody grants themselves a role in the change
that uses it, and must still be there after it. An approval counts when it is for exactly this
content, by a person of the Organization who holds the role it states, who contributed nothing to
the change and did not push it. The machine approves nothing. What does not count is returned with
its reason, because an approver who is ignored in silence will approve again.

The requirement follows from what the change touches: a promotion from the tier of its models, an
intention from its kinds. Several roles in one requirement are several people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.changes import ChangeFacts, Kind
from ordain.specs.canonical import same
from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.people import RECONCILER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.vcs.approvals import Approval

QUORUM: Final[dict[int, tuple[str, ...]]] = {
    1: ("manager", "cto"),
    2: ("manager",),
    3: ("manager",),
}
# Whoever holds a role that approves; for changes that no kind names a role for.
REVIEWER: Final = "reviewer"
APPROVERS: Final = ("manager", "compliance-manager", "cto")
_BY_KIND: Final = {
    "Route": "manager",
    "Deployment": "manager",
    "Waiver": "compliance-manager",
    "Organization": "cto",
    "Policy": "cto",
    "PolicySet": "cto",
    "Estate": "cto",
}
_SECTIONS: Final = ("fairness_bias", "consent_privacy", "risk_monitoring_plan")


@dataclass(frozen=True, slots=True)
class Requirement:
    """Roles that must each be filled by a different person.

    `excluded` are people who would approve something in their own favour; `subjects` are the keys
    of the documents that ask for it.
    """

    roles: tuple[str, ...]
    reason: str
    subjects: tuple[str, ...]
    controls: tuple[str, ...] = ("HR-SOD",)
    location: Location | None = None
    excluded: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        """How many people it takes."""
        return len(self.roles)

    def __str__(self) -> str:
        return " and ".join(f"a {role}" for role in self.roles)


@dataclass(frozen=True, slots=True)
class Refused:
    """An approval that does not count."""

    approval: Approval
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Counted:
    """The approvals of a change: those that count, and the others."""

    used: tuple[Approval, ...] = ()
    refused: tuple[Refused, ...] = ()


def roles_of(estate: LoadedEstate) -> dict[str, frozenset[str]]:
    """The roles of every person of an estate."""
    return {
        person.name: frozenset(person.roles)
        for organization in estate.all("Organization")
        for person in organization.spec.people
    }


def authority(base: LoadedEstate | None, head: LoadedEstate) -> dict[str, frozenset[str]]:
    """The roles that count for a change: held before it and after it."""
    after = roles_of(head)
    if base is None:
        return after
    return {
        person: roles & after.get(person, frozenset()) for person, roles in roles_of(base).items()
    }


def count(
    approvals: Iterable[Approval],
    facts: ChangeFacts,
    roles: Mapping[str, frozenset[str]],
) -> Counted:
    """Divide the approvals into those that count and those that do not.

    One without a role becomes one in each approving role that the person holds.
    """
    used: list[Approval] = []
    refused: list[Refused] = []
    spoken = [one for approval in approvals for one in _in_roles(approval, roles)]
    for approval in sorted(spoken, key=lambda one: (one.time, one.person, one.role)):
        reason = _refusal(approval, facts, roles)
        if reason is None:
            used.append(approval)
        else:
            refused.append(Refused(approval, *reason))
    return Counted(tuple(used), tuple(refused))


def _in_roles(approval: Approval, roles: Mapping[str, frozenset[str]]) -> list[Approval]:
    held = roles.get(approval.person, frozenset())
    spoken = [replace(approval, role=role) for role in APPROVERS if role in held]
    # Whoever holds none is told so.
    return [approval] if approval.role or not spoken else spoken


def _refusal(
    approval: Approval, facts: ChangeFacts, roles: Mapping[str, frozenset[str]]
) -> tuple[str, str] | None:
    """(code, reason) of an approval that does not count; the first reason is given."""
    person = approval.person
    tests = (
        (person == RECONCILER, "SOD-BOT", "the reconciler approves nothing"),
        (
            approval.change != facts.change.digest,
            "SOD-CONTENT",
            "it is for other content than this change now has",
        ),
        (person not in roles, "SOD-PERSON", f"{person} is no person of the Organization"),
        (
            approval.role not in roles.get(person, ()),
            "SOD-ROLE",
            f"{person} does not hold the role {approval.role}",
        ),
        (
            person in facts.contributors,
            "SOD-SELF",
            f"{person} contributed to what this change pins",
        ),
        (person == facts.pusher, "SOD-SELF", f"{person} pushed this change"),
    )
    return next(((code, reason) for refused, code, reason in tests if refused), None)


def required(
    facts: ChangeFacts, base: LoadedEstate | None, head: LoadedEstate, *, reviewed: bool = False
) -> tuple[Requirement, ...]:
    """The approvals that a change needs; the first commit of an estate needs none.

    The root commit is not approved but trusted: the daemon's own configuration names it. With
    `reviewed` every change needs one of somebody, as it does where the base's forge says so.
    """
    if base is None or facts.kind is Kind.ESTATE:
        return ()
    if facts.kind is Kind.PROMOTION:
        return tuple(_quorums(facts, base, head))
    found = _merged(_intentions(facts, base, head))
    if not found and (reviewed or _reviews_every_change(base)) and facts.change.paths:
        reason = "every change is looked at by somebody who did not contribute"
        return (Requirement((REVIEWER,), reason, (), ("HR-SOD",)),)
    return found


def _reviews_every_change(base: LoadedEstate) -> bool:
    forges = [one.spec.forge for one in base.all("Estate")]
    return any(one.type != "git" or one.review == "every-change" for one in forges)


def _quorums(facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate) -> Iterator[Requirement]:
    models: dict[str, Document] = {}
    for key in (*facts.added, *facts.changed):
        document = head.documents[key]
        if document.kind in ("ModelVersion", "Deployment"):
            models.setdefault(document.spec.model, document)
    for name, document in sorted(models.items()):
        tier = _tier(name, base, head)
        yield Requirement(
            roles=QUORUM[tier],
            reason=f"the promotion of {name}, a model of tier {tier}",
            subjects=(f"Model/{name}",),
            controls=("HR-SOD", "HR-BATCH", "SR262-CHALLENGE"),
            location=document.location,
        )


def _tier(model: str, base: LoadedEstate, head: LoadedEstate) -> int:
    """The most material tier that the model has before or after; 1 where nothing is known."""
    found = [document.spec.tier for e in (base, head) if (document := e.get("Model", model))]
    return min(found, default=1)


def _intentions(
    facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate
) -> Iterator[Requirement]:
    for key in sorted({*facts.added, *facts.changed, *facts.removed}):
        old, new = base.documents.get(key), head.documents.get(key)
        document = new or old
        if document is None:
            continue
        role = _BY_KIND.get(document.kind)
        if role:
            controls = ("HR-SOD", "HR-BASEPOLICY") if role == "cto" else ("HR-SOD",)
            excluded = _beneficiaries(old, new) if document.kind == "Organization" else frozenset()
            yield Requirement(
                (role,), f"{key} changes", (key,), controls, document.location, excluded
            )
    yield from _compliance(facts, base, head)
    for one in facts.loosened:
        reason = f"{one.subject} is loosened from {one.before} to {one.after}"
        controls = ("HR-LOOSEN", "HR-SOD")
        yield Requirement(("compliance-manager",), reason, (one.key,), controls, one.location)


def _compliance(
    facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate
) -> Iterator[Requirement]:
    """Sections belong to the model: neither another document of it nor another model hides them."""
    from ordain.policies.compliance import compliance_of

    changed = {*facts.added, *facts.changed, *facts.removed}
    before, after = compliance_of(base), compliance_of(head)
    for model in sorted(before.keys() | after.keys()):
        old, new = before.get(model, ()), after.get(model, ())
        if same(_sections(old), _sections(new)):
            continue
        documents = {one.key: one for one in (*old, *new) if one.key in changed}
        for key, document in sorted(documents.items()):
            yield Requirement(
                ("compliance-manager",), f"{key} changes", (key,), location=document.location
            )


def _sections(documents: Iterable[Document]) -> list[list[Any]]:
    """The sections of one model, document by document, because the last by name is in force."""
    found = [[one.raw["spec"].get(section) for section in _SECTIONS] for one in documents]
    written = [any(section is not None for section in sections) for sections in found]
    return found if any(written) else []


def _beneficiaries(old: Document | None, new: Document | None) -> frozenset[str]:
    """The people whose own entry changes: nobody widens their own power, or keys, by approving."""
    entries = [
        {person.name: person for person in document.spec.people} if document else {}
        for document in (old, new)
    ]
    before, after = entries
    names = before.keys() | after.keys()
    return frozenset(name for name in names if before.get(name) != after.get(name))


def _merged(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """One requirement per set of roles: one manager may approve three routes at once."""
    found: dict[tuple[str, ...], Requirement] = {}
    for one in requirements:
        seen = found.get(one.roles)
        if seen is None:
            found[one.roles] = one
            continue
        reasons = dict.fromkeys([*seen.reason.split("; "), one.reason])
        found[one.roles] = replace(
            seen,
            reason="; ".join(reasons),
            subjects=tuple(dict.fromkeys([*seen.subjects, *one.subjects])),
            controls=tuple(dict.fromkeys([*seen.controls, *one.controls])),
            excluded=seen.excluded | one.excluded,
        )
    return tuple(found[roles] for roles in sorted(found))


def met(requirement: Requirement, counted: Counted) -> bool:
    """Whether different people fill every role."""
    return not missing(requirement, counted)


def missing(requirement: Requirement, counted: Counted) -> tuple[str, ...]:
    """The roles that stay empty when as many as possible are filled by different people."""
    people = {
        role: {
            approval.person
            for approval in counted.used
            if _fills(approval, role) and approval.person not in requirement.excluded
        }
        for role in requirement.roles
    }
    return _unfilled(requirement.roles, people, frozenset())


def _fills(approval: Approval, role: str) -> bool:
    return approval.role == role or (role == REVIEWER and approval.role in APPROVERS)


def _unfilled(
    roles: tuple[str, ...], people: Mapping[str, set[str]], taken: frozenset[str]
) -> tuple[str, ...]:
    """Try every assignment; there are at most a handful of roles and people."""
    if not roles:
        return ()
    first, rest = roles[0], roles[1:]
    tries = [(first, *_unfilled(rest, people, taken))]
    tries += [_unfilled(rest, people, taken | {person}) for person in sorted(people[first] - taken)]
    return min(tries, key=len)


def unmet(
    requirements: Iterable[Requirement], counted: Counted, severity: Severity
) -> Iterator[Finding]:
    """A finding for every requirement that the approvals do not meet."""
    refused = tuple(
        f"approval of {one.approval.person} as {one.approval.role} does not count: {one.reason}"
        for one in counted.refused
    )
    for requirement in requirements:
        roles = missing(requirement, counted)
        if not roles:
            continue
        needed = " and ".join(f"a {role}" for role in roles)
        yield Finding(
            code="SOD-QUORUM",
            severity=severity,
            message=f"the approval of {needed} is missing: {requirement.reason}",
            location=requirement.location,
            evidence=(f"required = {requirement}", *refused),
            remedy=f"ask {needed} who did not contribute to approve this change",
            controls=requirement.controls,
        )


def notes(counted: Counted) -> Iterator[Finding]:
    """A note for every approval that does not count."""
    for one in counted.refused:
        yield Finding(
            code=one.code,
            severity=Severity.NOTE,
            message=f"the approval of {one.approval.person} does not count: {one.reason}",
            evidence=(f"proof = {one.approval.proof}",),
            controls=("HR-SOD",),
        )
