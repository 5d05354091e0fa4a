"""Reviews on a host as approvals by people.

A review counts where the account is the one that the *base* of the change lists for a person, by
number and by login: a login alone may be somebody else's by now, and a number alone would hide that
the Organization is out of date. It binds to the content that its commit had, as a signed statement
binds to the content that was signed, and so is void after new content and not after an update from
the base. What does not count is returned with its reason.

An account is matched strictly where it would approve, and loosely where it has contributed: doubt
about who somebody is must take a right away and never give one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ordain.policies.separation import REVIEWER
from ordain.vcs.approvals import SKEW, Approval, Approvals, RejectedApproval
from ordain.vcs.changes import change_between
from ordain.vcs.errors import VcsError
from ordain.vcs.host import ReviewState
from ordain.vcs.hosted import bring, is_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ordain.ledger.records import Event
    from ordain.reconciler.testimony import Witness
    from ordain.specs.kinds.organization import Account
    from ordain.vcs.changes import Change
    from ordain.vcs.host import HostAccount, HostProposal, HostReview


def review_approvals(
    witness: Witness, reviews: Iterable[tuple[HostProposal, HostReview]], change: Change
) -> Approvals:
    """Only the newest word of a person counts, whichever of their accounts said it."""
    valid: list[Approval] = []
    rejected: list[RejectedApproval] = []
    for proposal, review in _newest(witness, reviews):
        try:
            valid.append(_approval(witness, proposal, review))
        except (_Rejected, VcsError) as error:
            claimed = _claimed(witness, review)
            rejected.append(RejectedApproval(claimed, change.digest, str(error), review.proof))
    return Approvals(tuple(valid), tuple(rejected))


class _Rejected(Exception):
    """Why a review is no approval."""


def _newest(
    witness: Witness, reviews: Iterable[tuple[HostProposal, HostReview]]
) -> Iterator[tuple[HostProposal, HostReview]]:
    """The newest word of everybody about each proposal; remarks are none.

    Of two words of the same moment the one that approves is the older one.
    """
    said: dict[object, list[tuple[HostProposal, HostReview]]] = {}
    for proposal, review in reviews:
        if review.state is not ReviewState.COMMENTED:
            key = proposal.number, _speaker(witness, review)
            said.setdefault(key, []).append((proposal, review))
    for words in said.values():
        yield max(words, key=lambda one: (one[1].time, one[1].state is not ReviewState.APPROVED))


def _speaker(witness: Witness, review: HostReview) -> object:
    """Whose word it is: a person's, an account's, or nobody's, who is always somebody else.

    The number alone tells, because a login may be somebody else's by now.
    """
    if review.account is None:
        return review.proof, review.time
    people = _listed_under(witness, review.account.id)
    return people[0] if len(people) == 1 else review.account.id


def _listed_under(witness: Witness, number: int) -> list[str]:
    return sorted(
        {
            person.name
            for person in witness.organization.people
            for one in person.accounts
            if one.forge == witness.host.name and one.id == number
        }
    )


def _approval(witness: Witness, proposal: HostProposal, review: HostReview) -> Approval:
    if review.state is ReviewState.DISMISSED:
        raise _Rejected("it was dismissed")
    if review.state is ReviewState.RETARGETED:
        raise _Rejected("it was given before the proposal was turned to this branch")
    if review.state is not ReviewState.APPROVED:
        raise _Rejected("their newest review asks for changes")
    person = _person(witness, review.account)
    if review.time > witness.now + SKEW:
        raise _Rejected(f"it is dated in the future ({review.time:%Y-%m-%dT%H:%M:%SZ})")
    seen, base = _looked_at(witness, proposal, review)
    account = f"{witness.host.name} {review.account.id}" if review.account else ""
    return Approval(person, "", seen.digest, review.time, "", review.proof, base, account)


def _person(witness: Witness, account: HostAccount | None) -> str:
    """The one person for whom the base lists exactly this account."""
    if account is None:
        raise _Rejected("the account that gave it is not there any more")
    if account.machine:
        raise _Rejected(f"{account.login} is a machine's account, and machines approve nothing")
    listed = [
        (person.name, one)
        for person in witness.organization.people
        for one in person.accounts
        if one.forge == witness.host.name
    ]
    exact = {name for name, one in listed if one.id == account.id and _same_login(one, account)}
    if len(exact) == 1 and exact == people_of(witness, account):
        return next(iter(exact))
    raise _Rejected(_misfit(account, listed))


def _misfit(account: HostAccount, listed: Sequence[tuple[str, Account]]) -> str:
    """How an account and the Organization disagree."""
    for name, one in listed:
        if one.id == account.id and not _same_login(one, account):
            return (
                f"account {account.id} of {name} is listed as {one.login} and called"
                f" {account.login}"
            )
        if one.id != account.id and _same_login(one, account):
            return (
                f"{account.login} is account {account.id} now, and the Organization lists"
                f" {one.id} for {name}"
            )
    if any(one.id == account.id for _, one in listed):
        return f"the account {account.login} is listed for several people"
    return f"the account {account.login} ({account.id}) is nobody's in the Organization"


def _looked_at(witness: Witness, proposal: HostProposal, review: HostReview) -> tuple[Change, str]:
    """What a reviewer has looked at: the way to their commit from where it left the branch."""
    repository, commit = witness.repository, review.commit
    if not commit:
        raise _Rejected("the forge does not say which commit was looked at")
    bring(repository, str(witness.source.forge.remote), proposal)
    if not is_here(repository, commit):
        raise _Rejected(f"the commit it was given on ({commit[:12]}) cannot be looked at")
    if not repository.is_ancestor(commit, proposal.head):
        raise _Rejected(
            f"the commit it was given on ({commit[:12]}) is no part of proposal {proposal.number}"
        )
    base = repository.merge_base(witness.base, commit)
    if base is None:
        raise _Rejected(f"{commit[:12]} has no history in common with the branch")
    _refuse_unseen(witness, review)
    return change_between(repository, base, commit), base


def _refuse_unseen(witness: Witness, review: HostReview) -> None:
    """A forge shows what comes on top of the branch, and not what was refused and still is on it.

    A commit that stands on a step of the branch after the last good one was shown without that
    step. Where branches are merged by moving forward its own commits are steps, too; a forge that
    does so says where the proposal began.
    """
    repository, commit = witness.repository, review.commit
    steps = repository.first_parent(witness.base, witness.source.head())
    if review.base:
        seen = is_here(repository, review.base) and repository.is_ancestor(
            review.base, witness.base
        )
    else:
        seen = not steps or not repository.is_ancestor(steps[0], commit)
    if not seen:
        raise _Rejected(
            f"its commit ({commit[:12]}) stands on what was refused on the branch, and the forge"
            " did not show that"
        )


def _claimed(witness: Witness, review: HostReview) -> str:
    """Who a rejected review says it is of."""
    if review.account is None:
        return "somebody who left"
    people = _listed_under(witness, review.account.id)
    return people[0] if len(people) == 1 else review.account.login


def _same_login(listed: Account, account: HostAccount) -> bool:
    return listed.login.casefold() == account.login.casefold()


def people_of(witness: Witness, account: HostAccount | None) -> frozenset[str]:
    """Everybody who may be behind an account: its number or its login is listed for them."""
    if account is None:
        return frozenset()
    return frozenset(
        person.name
        for person in witness.organization.people
        for listed in person.accounts
        if listed.forge == witness.host.name
        and (listed.id == account.id or _same_login(listed, account))
    )


def joined(one: Approvals, other: Approvals) -> Approvals:
    """The approvals of two sources."""
    return replace(one, valid=(*one.valid, *other.valid), rejected=(*one.rejected, *other.rejected))


def recorded_reviews(passed: Iterable[Event], change: Change) -> tuple[Approval, ...]:
    """The reviews of a change as the gate heard them first, from our own record.

    A forge may have lost them since; the record says that they counted, and when that was.
    """
    first = next((one for one in passed if one.data.get("change") == change.digest), None)
    rows = () if first is None else first.data.get("approvals", ())
    return tuple(
        Approval(person, role or REVIEWER, change.digest, first.time, key, proof, change.base)
        for person, role, key, proof in rows
        if first is not None and not key
    )
