"""A change as it is offered: the commits that bring it, who signed them, what a host says of it.

Everything that a verdict rests on is gathered here, from git and from what was heard, before the
rules are asked: who contributed, and which approvals bind to exactly this content.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ordain.policies.changes import Kind, describe
from ordain.reconciler.challenges import Written, with_challenges
from ordain.reconciler.claims import Names, claimed
from ordain.reconciler.history import contributors_to_model, known, signers, untouched
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.specs.people import RECONCILER
from ordain.vcs.approvals import Approvals, RejectedApproval, read_approvals
from ordain.vcs.changes import change_between

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ordain.policies.changes import ChangeFacts
    from ordain.reconciler.gating import Side
    from ordain.reconciler.source import Source
    from ordain.reconciler.testimony import Testimony
    from ordain.specs.documents import LoadedEstate
    from ordain.vcs.changes import Change
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import AllowedKey
    from ordain.vcs.objects import Commit


@dataclass(frozen=True, slots=True)
class Offer:
    """A side that would follow a base; `signed` says who signed each commit, in their order.

    `allowed` are the keys of the base, `pushed` the newest commit that was offered.
    """

    source: Source
    base: Side | None
    side: Side
    change: Change
    commits: tuple[Commit, ...]
    signed: tuple[str | None, ...]
    names: Names
    allowed: tuple[AllowedKey, ...]
    pushed: str
    now: datetime
    told: Testimony | None

    @property
    def repository(self) -> Repository:
        return self.source.repository

    @property
    def before(self) -> LoadedEstate | None:
        """What the base declares."""
        return None if self.base is None else self.base.estate


def offer_of(
    source: Source,
    base: Side | None,
    side: Side,
    *,
    commits: Sequence[str],
    pushed: str,
    now: datetime,
    told: Testimony | None,
) -> Offer:
    """See `judge_side`."""
    repository = source.repository
    allowed = allowed_keys(organization_of((base or side).estate))
    # The first commit changes everything.
    start = repository.write_tree(None, {}) if base is None else base.revision
    change = change_between(repository, start, side.revision)
    if base is not None and not change.paths:
        # Nothing is brought, so nothing has to be signed or approved: a revert heals the branch.
        commits = ()
    names = Names(None if base is None else base.estate, side.estate)
    signed = signers(repository, commits, allowed, now)
    brought = tuple(repository.commits(commits))
    return Offer(source, base, side, change, brought, signed, names, allowed, pushed, now, told)


def facts_of(offer: Offer) -> ChangeFacts:
    """What is changed, and by whom."""
    repository, base = offer.repository, offer.base
    facts = describe(
        offer.before,
        offer.side.estate,
        offer.change,
        contributors=known(offer.signed) | claimed(offer.commits, offer.names),
        pusher=signers(repository, [offer.pushed], offer.allowed, offer.now)[0],
        signers=offer.signed,
    )
    if base is None:
        return facts
    if facts.kind is Kind.PROMOTION:
        facts = _with_contributors(offer, base, facts)
    if offer.told is not None:
        facts = replace(facts, contributors=facts.contributors | offer.told.authors)
    commits = [one.id for one in offer.commits]
    behind = None if offer.told is None else offer.told.witness.makers_behind(base.revision)
    history = Written(repository, commits, offer.signed, (base.revision, offer.pushed), behind)
    return with_challenges(history, (base.estate, offer.side.estate), facts, offer.names)


def _with_contributors(offer: Offer, base: Side, facts: ChangeFacts) -> ChangeFacts:
    """A promotion is contributed to by everyone who shaped what it pins, and who wrote itself.

    The machine writes most promotions and is no person; a rollback is written by one.
    """
    touched = (offer.side.estate.documents[key] for key in (*facts.added, *facts.changed))
    models = {one.spec.model for one in touched if one.kind in {"ModelVersion", "Deployment"}}
    people = set(facts.contributors) - {RECONCILER}
    told = offer.told
    behind = None if told is None else told.witness.makers_behind(base.revision)
    for model in sorted(models):
        people |= contributors_to_model(
            offer.repository,
            base.estate,
            model,
            base.revision,
            behind,
            read=base.read,
            names=offer.names,
        )
    return replace(facts, contributors=frozenset(people))


def approvals_of(offer: Offer) -> Approvals:
    """The statements in git and the reviews on a host that bind to what is offered."""
    found = read_approvals(
        offer.repository,
        offer.change.digest,
        estate=offer.source.root_commit,
        allowed=offer.allowed,
        now=offer.now,
    )
    if offer.told is not None:
        from ordain.reconciler.host_reviews import joined

        found = joined(found, offer.told.approvals(offer.change))
    return found if offer.base is None else _fresh(offer.repository, found, offer.change)


def _fresh(repository: Repository, approvals: Approvals, change: Change) -> Approvals:
    """Set aside approvals of another time when these files looked the same.

    Going back and forth gives the same change digest again; without this an approval given once
    could be used by anybody for ever. Each names the commit that it was given on, and since then
    nothing may have touched what it would change.
    """
    kept, aside = [], list(approvals.rejected)
    for one in approvals.valid:
        if untouched(repository, one.base, change.base, change.names):
            kept.append(one)
            continue
        reason = f"it was given on {one.base[:12]}, and these files have changed since"
        aside.append(RejectedApproval(one.person, one.change, reason, one.proof))
    return Approvals(tuple(kept), tuple(aside))
