"""Accounts do not change hands, as keys do not.

What an account brought in is its holder's. An account is the one with the same number, whatever its
login is by now; on a plain git server, which has no numbers, it is the one with the same login. Nor
does it in two steps: one that was taken off the list is still the one of who had it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.reconciler.history import organizations_ever
from ordain.reconciler.people import organization_of
from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import LoadedEstate
    from ordain.specs.kinds.organization import Organization
    from ordain.vcs.git import Repository

# Who holds it, and what it is.
_Holding = tuple[str, tuple[str, str]]


def changed_accounts(
    repository: Repository, revision: str, base: LoadedEstate, head: LoadedEstate
) -> Iterator[Finding]:
    """A finding for each account that was somebody else's on the branch of `revision`.

    Both estates have exactly one Organization.
    """
    before, after = (_holdings(organization_of(estate)) for estate in (base, head))
    new = after - before
    if not new:
        return
    ever = before.union(*map(_holdings, organizations_ever(repository, revision)))
    for person, account in sorted(new):
        for other in sorted(who for who, one in ever if one == account and who != person):
            yield Finding(
                code="GATE005",
                severity=Severity.ERROR,
                message=f"an account of {other} is to become one of {person}",
                remedy="give every person accounts of their own",
                controls=("HR-SOD",),
            )


def _holdings(organization: Organization) -> set[_Holding]:
    return {
        (person.name, (one.forge, one.login.lower() if one.id is None else str(one.id)))
        for person in organization.people
        for one in person.accounts
    }
