"""Whose approval counts, and whether those that count are enough.

Authority is read from the base of the change, so that nobody grants themselves a role in the change
that uses it, and must still be there after it. An approval counts when it is for exactly this
content, by a person of the Organization who holds the role it states, who contributed nothing to
the change and did not push it. The machine approves nothing. What does not count is returned with
its reason, because an approver who is ignored in silence will approve again.

A forge knows accounts and no roles: its approval states none, and speaks in every approving role
that the person holds. It is still one person, who fills one role of a requirement and not two.

What a change needs is in `requirements`. Several roles in one requirement are several people.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity
from ordain.specs.people import RECONCILER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.policies.changes import ChangeFacts
    from ordain.specs.documents import LoadedEstate
    from ordain.specs.findings import Location
    from ordain.vcs.approvals import Approval

# Whoever holds a role that approves; for changes that no kind names a role for.
REVIEWER: Final = "reviewer"
APPROVERS: Final = ("manager", "compliance-manager", "cto")
# Effective challenge is no approval of what people want; it is asked for by reviews of paths alone.
VALIDATOR: Final = "validator"
_SPEAKING: Final = (*APPROVERS, VALIDATOR)
# Between the roles of which any fills a place.
_OR: Final = " or "


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


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the people before and after a change, beyond their roles.

    `teams` are those of each person on either side; `lost` are the fingerprints of keys, and the
    accounts, that spoke for a person before the change and do so no more after it.
    """

    teams: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lost: Mapping[str, frozenset[str]] = field(default_factory=dict)


def count(
    approvals: Iterable[Approval],
    facts: ChangeFacts,
    roles: Mapping[str, frozenset[str]],
    standing: Standing | None = None,
) -> Counted:
    """Divide the approvals into those that count and those that do not.

    One without a role becomes one in each approving role that the person holds.
    """
    standing = standing or Standing()
    used: list[Approval] = []
    refused: list[Refused] = []
    for approval in sorted(approvals, key=lambda one: (one.time, one.person, one.role)):
        reason = _refusal(approval, facts, roles, standing)
        spoken = [approval] if reason else _in_roles(approval, roles)
        for one in spoken:
            why = reason or _refusal_of_role(one, facts, roles, standing)
            if why is None:
                used.append(one)
            else:
                refused.append(Refused(one, *why))
    return Counted(tuple(used), tuple(refused))


def _in_roles(approval: Approval, roles: Mapping[str, frozenset[str]]) -> list[Approval]:
    if approval.role:
        return [approval]
    held = roles.get(approval.person, frozenset())
    spoken = [replace(approval, role=role) for role in _SPEAKING if role in held]
    # Whoever holds none is told so.
    return spoken or [approval]


def _refusal(
    approval: Approval,
    facts: ChangeFacts,
    roles: Mapping[str, frozenset[str]],
    standing: Standing,
) -> tuple[str, str] | None:
    """(code, reason) of an approval that counts in no role; the first reason is given."""
    person = approval.person
    lost = standing.lost.get(person, frozenset())
    tests = (
        (person == RECONCILER, "SOD-BOT", "the reconciler approves nothing"),
        (
            approval.change != facts.change.digest,
            "SOD-CONTENT",
            "it is for other content than this change now has",
        ),
        (person not in roles, "SOD-PERSON", f"{person} is no person of the Organization"),
        (
            approval.key in lost,
            "SOD-KEY",
            f"after this change the key that signed it speaks for {person} no more",
        ),
        (
            approval.account in lost,
            "SOD-KEY",
            f"after this change the account that gave it speaks for {person} no more",
        ),
        (
            person in facts.contributors,
            "SOD-SELF",
            f"{person} contributed to what this change pins",
        ),
        (person == facts.pusher, "SOD-SELF", f"{person} pushed this change"),
    )
    return next(((code, reason) for refused, code, reason in tests if refused), None)


def _refusal_of_role(
    approval: Approval,
    facts: ChangeFacts,
    roles: Mapping[str, frozenset[str]],
    standing: Standing,
) -> tuple[str, str] | None:
    """(code, reason) of an approval that does not count in the role that it states."""
    person, role = approval.person, approval.role
    if role not in roles.get(person, ()):
        what = f"the role {role}" if role else "a role that approves"
        return "SOD-ROLE", f"{person} does not hold {what}"
    if role == VALIDATOR:
        shared = shared_teams(person, facts.contributors, standing.teams)
        if shared:
            return "SOD-TEAM", f"{person} is of the team {shared[0]}, which contributed"
    return None


def shared_teams(
    person: str, others: Iterable[str], teams: Mapping[str, frozenset[str]]
) -> tuple[str, ...]:
    """The teams of a person of which one of the others is, too."""
    theirs = frozenset[str]().union(*(teams.get(other, frozenset()) for other in others))
    return tuple(sorted(teams.get(person, frozenset()) & theirs))


def met(requirement: Requirement, counted: Counted) -> bool:
    """Whether different people fill every role."""
    return not missing(requirement, counted)


def missing(requirement: Requirement, counted: Counted) -> tuple[str, ...]:
    """The roles that stay empty when as many as possible are filled by different people."""
    people = {
        role: {
            approval.person
            for approval in counted.used
            if fills(approval.role, role) and approval.person not in requirement.excluded
        }
        for role in requirement.roles
    }
    return _unfilled(requirement.roles, people, frozenset())


def fills(held: str, role: str) -> bool:
    """Whether an approval in a held role fills the place of a role in a requirement."""
    return held in role.split(_OR) or (role == REVIEWER and held in APPROVERS)


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
    requirements: Iterable[Requirement],
    counted: Counted,
    severity: Severity,
    others: Mapping[str, frozenset[str]],
) -> Iterator[Finding]:
    """A finding for every requirement that the approvals do not meet.

    `others` are the roles of those who did not contribute.
    """
    refused = tuple(
        f"approval of {_as(one.approval)} does not count: {one.reason}" for one in counted.refused
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
            remedy=f"ask {needed} who did not contribute to approve this change"
            + _way_out(roles, requirement, others),
            controls=requirement.controls,
        )


def _way_out(
    roles: Iterable[str], requirement: Requirement, others: Mapping[str, frozenset[str]]
) -> str:
    """What helps where nobody is left: a line Co-authored-by can name every manager there is."""
    held = {
        role
        for person, found in others.items()
        if person not in requirement.excluded
        for role in found
    }
    empty = [role for role in roles if not any(fills(one, role) for one in held)]
    if not empty:
        return ""
    needed = " and ".join(f"a {role}" for role in empty)
    return f"; as {needed} nobody is left: name another person in the Organization first"


def _as(approval: Approval) -> str:
    return f"{approval.person} as {approval.role}" if approval.role else approval.person


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
