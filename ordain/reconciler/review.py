"""What people do with a proposal: look at it, approve it, merge it.

Looking runs the same gate that the merge and the reconciler run, on the tree that the merge would
give, so that nobody learns afterwards what was missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.ledger.records import Event
from ordain.reconciler.errors import ProposalRefused
from ordain.reconciler.gating import Judged, Side, judge_side, read_side
from ordain.reconciler.history import commits_between
from ordain.reconciler.people import find_person, organization_of
from ordain.specs.errors import FindingsError
from ordain.specs.findings import Severity
from ordain.vcs.keys import Actor, load_signer
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.source import Source
    from ordain.vcs.approvals import Approval
    from ordain.vcs.forge import Candidate, Merged, Proposal

# Who may lend the weight of several roles approves as the weightiest that a promotion asks for.
_APPROVING = ("cto", "manager", "compliance-manager")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A proposal and what the gate says of merging it now."""

    proposal: Proposal
    judged: Judged


def review(source: Source, identifier: str, now: datetime) -> Reviewed:
    """Judge the tree that merging the proposal would give.

    Raises:
        UnknownProposal: there is none of that name.
        MergeConflict: it does not merge.
    """
    source.fetch()
    proposal = source.forge.proposal(identifier)
    onto = source.head()
    tree = source.repository.merge_tree(onto, proposal.head)
    return Reviewed(proposal, _judge(source, proposal, onto, tree, now))


def approve(
    source: Source,
    ledger: Ledger,
    identifier: str,
    *,
    person: str,
    key: Path | None,
    now: datetime,
) -> Approval:
    """Sign an approval of the proposal's present content.

    Raises:
        ProposalRefused: the person has no role that approves, or contributed to what is proposed.
    """
    reviewed = review(source, identifier, now)
    base = read_side(source, source.head())
    role = _role(base, person)
    if person in reviewed.judged.facts.contributors:
        message = f"{person} contributed to what {identifier} pins, so the approval would not count"
        raise ProposalRefused(message, remedy="ask somebody who did not contribute")
    approval = source.forge.approve(
        reviewed.proposal,
        actor=_actor(source, person, key),
        role=role,
        time=now,
    )
    data = {"change": approval.change, "role": role, "key": approval.key, "proof": approval.proof}
    ledger.record(Event(now, person, "approval.recorded", identifier, data))
    return approval


def merge(
    source: Source,
    ledger: Ledger,
    identifier: str,
    *,
    person: str,
    key: Path | None,
    now: datetime,
) -> Merged:
    """Merge a proposal that the gate lets pass, signed by whoever merges.

    Raises:
        FindingsError: the gate refuses; the findings say why.
        ProposalRefused: the person may not merge.
    """
    source.fetch()
    proposal = source.forge.proposal(identifier)
    _role(read_side(source, source.head()), person)

    def check(candidate: Candidate) -> None:
        judged = _judge(source, proposal, candidate.onto, candidate.tree, now)
        if judged.blocked:
            blockers = tuple(f for f in judged.findings if f.severity is Severity.ERROR)
            data = {
                "findings": [[f.code, f.message] for f in blockers],
                "change": judged.change.digest,
            }
            ledger.record(Event(now, person, "merge.refused", identifier, data))
            message = f"{identifier} may not be merged"
            raise FindingsError(
                message, blockers, remedy=f"see: ordain proposals show {identifier}"
            )

    merged = source.forge.merge(
        proposal,
        message=f"Merge {proposal.title[:1].lower()}{proposal.title[1:]}",
        actor=_actor(source, person, key),
        time=now,
        check=check,
    )
    ledger.record(Event(now, person, "proposal.merged", identifier, {"commit": merged.commit}))
    return merged


def _judge(source: Source, proposal: Proposal, onto: str, tree: str, now: datetime) -> Judged:
    commits = commits_between(source.repository, onto, proposal.head)
    base, side = read_side(source, onto), read_side(source, tree)
    return judge_side(source, base, side, commits=commits, pushed=proposal.head, now=now)


def _role(base: Side, person: str) -> str:
    """The role in which a person approves and merges, read from the base."""
    roles = find_person(organization_of(base.estate), person).roles
    for role in _APPROVING:
        if role in roles:
            return role
    message = f"{person} has no role that approves (has: {', '.join(roles)})"
    raise ProposalRefused(message, remedy="ask a manager")


def _actor(source: Source, person: str, key: Path | None) -> Actor:
    signer = load_signer(source.home.key(person) if key is None else key)
    return Actor(person, Identity(person, f"{person}@ordain.invalid"), signer)
