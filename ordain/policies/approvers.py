"""Who is able to approve before and after a change.

A role on paper approves nothing: it takes a key that is good, or an account on the forge that the
estate is on. An estate that changes its forge changes who can approve, too.
A change after which nobody could approve in a role any more can never be mended in the ordinary
way, since mending it would take that approval; so it is refused, whoever wants it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ordain.policies.facts import directory
from ordain.policies.separation import APPROVERS, Standing
from ordain.specs.canonical import same
from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import LoadedEstate
    from ordain.specs.kinds.organization import Key, Person


def standing(base: LoadedEstate | None, head: LoadedEstate, now: datetime) -> Standing:
    """Teams, lost keys and lost accounts of all people of a change."""
    known = directory(base, head)
    teams = {name: frozenset(one["teams"]) for name, one in known.items()}
    if base is None or _same_people(base, head):
        return Standing(teams)
    after = _speaking(head, now)
    lost = {
        person: keys - after.get(person, frozenset())
        for person, keys in _speaking(base, now).items()
    }
    return Standing(teams, lost)


def _same_people(base: LoadedEstate, head: LoadedEstate) -> bool:
    before, after = ([one.raw for one in e.all("Organization")] for e in (base, head))
    return same(before, after)


def _speaking(estate: LoadedEstate, now: datetime) -> dict[str, frozenset[str]]:
    """The fingerprints of the keys, and the accounts, that speak for each person.

    An account is known by its number: whoever renames it has it still.
    """
    # A check of one tree must not pay for what only a change of people needs.
    from ordain.vcs.keys import PublicKey

    found: dict[str, frozenset[str]] = {}
    for organization in estate.all("Organization"):
        for person in organization.spec.people:
            good = (key.public for key in person.keys if _good(key, now))
            keys = (PublicKey.parse(public).fingerprint for public in good)
            accounts = (f"{one.forge} {one.id}" for one in person.accounts if one.id is not None)
            found[person.name] = frozenset((*keys, *accounts))
    return found


def _good(key: Key, now: datetime) -> bool:
    from ordain.vcs.keys import AllowedKey

    start, end = (
        None if text is None else datetime.fromisoformat(text)
        for text in (key.valid_from, key.valid_until)
    )
    return AllowedKey("", key.public, start, end, key.revoked).fault(now) is None


def emptied(base: LoadedEstate, head: LoadedEstate, now: datetime) -> Iterator[Finding]:
    """A finding for each approving role in which somebody could approve, and nobody could then."""
    if _same_people(base, head) and _forges(base) == _forges(head):
        return
    before, after = _able(base, now), _able(head, now)
    organizations = (*head.all("Organization"), *base.all("Organization"))
    for role in APPROVERS:
        if before[role] and not after[role]:
            yield Finding(
                code="SOD-EMPTY",
                severity=Severity.ERROR,
                message=f"after this change nobody could approve as {role} any more",
                location=organizations[0].location,
                evidence=(f"could before = {', '.join(sorted(before[role]))}",),
                remedy=f"appoint another {role} with a key or an account in a change before",
                controls=("HR-SOD",),
            )


def _able(estate: LoadedEstate, now: datetime) -> dict[str, set[str]]:
    """Who could approve in each role."""
    found: dict[str, set[str]] = {role: set() for role in APPROVERS}
    forges = _forges(estate)
    for organization in estate.all("Organization"):
        for person in organization.spec.people:
            for role in found.keys() & set(person.roles):
                if _can_speak(person, forges, now):
                    found[role].add(person.name)
    return found


def _forges(estate: LoadedEstate) -> frozenset[str]:
    """The forges whose reviews count; on a plain git server an account pushes, and none reviews."""
    return frozenset(one.spec.forge.type for one in estate.all("Estate")) - {"git"}


def _can_speak(person: Person, forges: frozenset[str], now: datetime) -> bool:
    reviews = any(account.forge in forges for account in person.accounts)
    return reviews or any(_good(key, now) for key in person.keys)
