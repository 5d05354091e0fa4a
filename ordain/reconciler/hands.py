"""Keys and accounts do not change hands.

What was signed with a key, or brought in by an account, is its holder's work; passed on, it would
name somebody else as the one who contributed. Nor do they in two steps: one that was taken off the
list is still the one of who had it. An account is the one with the same number, whatever its login
is by now; on a plain git server, which has no numbers, it is the one with the same login.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.reconciler.history import keys_ever, organizations_ever
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.specs.findings import Finding, Severity
from ordain.vcs.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ordain.specs.documents import LoadedEstate
    from ordain.specs.kinds.organization import Organization
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import AllowedKey

# Who holds it, and what it is.
_Holding = tuple[str, str]


def changed_hands(
    repository: Repository, revision: str, base: LoadedEstate, head: LoadedEstate
) -> Iterator[Finding]:
    """A finding for each account and key that was somebody else's on the branch of `revision`.

    Both estates have exactly one Organization.
    """
    before, after = organization_of(base), organization_of(head)
    yield from _changed(
        "an account",
        "give every person accounts of their own",
        (_accounts(before), _accounts(after)),
        lambda: _accounts(*organizations_ever(repository, revision)),
    )
    yield from _changed(
        "a key",
        "give every person keys of their own: ssh-keygen -t ed25519",
        (_keys(allowed_keys(before)), _keys(allowed_keys(after))),
        lambda: _keys(keys_ever(repository, revision)),
    )


def _changed(
    what: str,
    remedy: str,
    sides: tuple[set[_Holding], set[_Holding]],
    held: Callable[[], set[_Holding]],
) -> Iterator[Finding]:
    """One finding for each former holder of what is new; history is read only where it matters."""
    before, after = sides
    new = after - before
    if not new:
        return
    ever = before | held()
    for person, thing in sorted(new):
        for other in sorted(who for who, one in ever if one == thing and who != person):
            yield Finding(
                code="GATE005",
                severity=Severity.ERROR,
                message=f"{what} of {other} is to become one of {person}",
                remedy=remedy,
                controls=("HR-SOD",),
            )


def _accounts(*organizations: Organization) -> set[_Holding]:
    return {
        (person.name, f"{one.forge} {one.login.lower() if one.id is None else one.id}")
        for organization in organizations
        for person in organization.people
        for one in person.accounts
    }


def _keys(keys: Iterable[AllowedKey]) -> set[_Holding]:
    """(person, key) of every entry, whatever time it is good at."""
    return {(one.person, PublicKey.parse(one.public).blob.hex()) for one in keys}
