"""What people do with a proposal: look at it, approve it, merge it.

Looking runs the same gate that the merge and the reconciler run, on the tree that the merge would
give, so that nobody learns afterwards what was missing.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ordain.ledger.records import Event
from ordain.policies.separation import VALIDATOR, Counted, missing
from ordain.reconciler.errors import ProposalRefused
from ordain.reconciler.gating import Judged, Side, judge_commit, judge_merge, read_side
from ordain.reconciler.people import allowed_keys, find_person, organization_of
from ordain.specs.errors import FindingsError
from ordain.specs.findings import Severity
from ordain.vcs.errors import HostError, KeyUnusable
from ordain.vcs.forge import Proposal
from ordain.vcs.keygen import open_signer
from ordain.vcs.keys import Actor, holder
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from datetime import datetime

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.source import Source
    from ordain.vcs.approvals import Approval
    from ordain.vcs.changes import Change
    from ordain.vcs.forge import Candidate, Merged
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import PublicKey

_APPROVING = ("cto", "manager", "compliance-manager")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A proposal and what the gate says of merging it now."""

    proposal: Proposal
    judged: Judged


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who approves or merges: a person of the Organization, their key's file, and a chosen role.

    Without a key the one in the estate's home is used, without a role the one that is missing.
    """

    person: str
    key: Path | None = None
    role: str | None = None
    insist: bool = False


def review(source: Source, identifier: str, now: datetime, *, good: str | None = None) -> Reviewed:
    """Judge the tree that merging the proposal would give.

    The name of the protected branch stands for what is on it and was refused since the commit
    `good`, so that what was merged too early can still be approved.

    Raises:
        UnknownProposal: there is none of that name.
        MergeConflict: it does not merge.
    """
    with suppress(HostError):
        # What is on the branches is in git, whether or not the host answers.
        source.fetch()
    if good is not None and identifier == source.settings.protected_branch:
        return _review_branch(source, good, now)
    proposal = source.forge.proposal(identifier)
    onto = source.head()
    tree = source.repository.merge_tree(onto, proposal.head)
    return Reviewed(proposal, _judge(source, proposal, onto, tree, now))


def judge_sides(
    source: Source, onto: str, head: str, now: datetime, *, number: int | None = None
) -> tuple[Side, Side, Judged]:
    """Judge a commit for a server or a pipeline: the tree that merging it onto another would give.

    What is before and after comes with the verdict. A merge that is made already is judged as it
    is, so that what it adds of its own is found. With `number` the reviews of that proposal count,
    and the commit may be the host's trial of merging it (see `queued_proposal`).

    Raises:
        MergeConflict: it does not merge.
    """
    base, commit = read_side(source, onto), source.repository.commit(head)
    if len(commit.parents) > 1 and commit.parents[0] == onto:
        side = read_side(source, head, base)
        return base, side, judge_commit(source, base, side, now, number=number)
    side = read_side(source, source.repository.merge_tree(onto, head), base)
    return base, side, judge_merge(source, base, side, head, now, number=number)


def queued_proposal(ref: str, branch: str) -> int | None:
    """The number of the proposal that a merge queue tries on a ref, None for any other ref."""
    found = re.fullmatch(
        rf"(?:refs/heads/)?gh-readonly-queue/{re.escape(branch)}/pr-([0-9]+)-[0-9a-f]+", ref
    )
    return None if found is None else int(found[1])


def _review_branch(source: Source, good: str, now: datetime) -> Reviewed:
    head = source.repository.commit(source.head())
    name = source.settings.protected_branch
    if head.id == good:
        message = f"everything on {name} has passed the gate, there is nothing to approve"
        raise ProposalRefused(message, remedy="see: ordain proposals list")
    proposal = Proposal(
        name, name, head.title, head.body, head.id, good, str(head.author), head.time
    )
    base = read_side(source, good)
    side = read_side(source, head.id, base)
    return Reviewed(proposal, judge_commit(source, base, side, now))


def approve(
    source: Source,
    ledger: Ledger,
    identifier: str,
    *,
    by: Reviewer,
    now: datetime,
    good: str | None = None,
) -> Approval:
    """Sign an approval of the proposal's present content.

    Raises:
        ProposalRefused: the person has no such role, contributed, or the key is not theirs; or the
            proposal is reviewed elsewhere.
        KeyUnusable: the key cannot be read, or does not sign.
    """
    asked = ask_approval(source, identifier, by=by, now=now, good=good)
    actor = actor_of(source, asked.base, by, now)
    return record_approval(source, ledger, identifier, asked, actor, stated=now, now=now)


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval that somebody may give: of what, in which role, by the list of which commit."""

    reviewed: Reviewed
    base: Side
    change: Change
    role: str


def ask_approval(
    source: Source,
    identifier: str,
    *,
    by: Reviewer,
    now: datetime,
    good: str | None = None,
) -> Asked:
    """What somebody would sign.

    Where people review on a host a statement is written only if they `insist`: two places for one
    thing help nobody, until one of them is down.

    Raises:
        ProposalRefused: the person has no such role, contributed, or the proposal is reviewed
            elsewhere.
    """
    reviewed = review(source, identifier, now, good=good)
    if reviewed.proposal.number is not None and not by.insist:
        raise ProposalRefused(
            f"{identifier} is reviewed at {reviewed.proposal.url}",
            remedy="review it there, or sign a statement all the same with --signed",
        )
    # Keys and roles are those of the commit that the change goes on from, as in the gate.
    base = read_side(source, reviewed.judged.change.base)
    role = _role(base, by, reviewed.judged)
    if by.person in reviewed.judged.facts.contributors:
        message = f"{by.person} contributed to what {identifier} brings, and cannot approve it"
        raise ProposalRefused(message, remedy="ask somebody who did not contribute")
    return Asked(reviewed, base, reviewed.judged.change, role)


def record_approval(
    source: Source,
    ledger: Ledger,
    identifier: str,
    asked: Asked,
    actor: Actor,
    *,
    stated: datetime,
    now: datetime,
) -> Approval:
    """Have it signed, put it where approvals stand, and write down that it was given."""
    approval = source.forge.approve(
        asked.reviewed.proposal, change=asked.change, actor=actor, role=asked.role, time=stated
    )
    data = {
        "change": approval.change,
        "role": asked.role,
        "key": approval.key,
        "proof": approval.proof,
    }
    ledger.record(Event(now, actor.person, "approval.recorded", identifier, data))
    return approval


def merge(
    source: Source,
    ledger: Ledger,
    identifier: str,
    *,
    by: Reviewer,
    now: datetime,
) -> Merged:
    """Merge a proposal that the gate lets pass, signed by whoever merges.

    Raises:
        FindingsError: the gate refuses; the findings say why.
        ProposalRefused: the person may not merge.
    """
    source.fetch()
    proposal = source.forge.proposal(identifier)
    base = read_side(source, source.head())
    _role(base, by)
    actor = actor_of(source, base, by, now)

    def check(candidate: Candidate) -> None:
        judged = _judge(source, proposal, candidate.onto, candidate.tree, now)
        if judged.blocked:
            blockers = tuple(f for f in judged.findings if f.severity is Severity.ERROR)
            data = {
                "findings": [[f.code, f.message] for f in blockers],
                "change": judged.change.digest,
            }
            ledger.record(Event(now, by.person, "merge.refused", identifier, data))
            message = f"{identifier} may not be merged"
            raise FindingsError(
                message, blockers, remedy=f"see: ordain proposals show {identifier}"
            )

    merged = source.forge.merge(
        proposal,
        message=f"Merge {proposal.title[:1].lower()}{proposal.title[1:]}",
        actor=actor,
        time=now,
        check=check,
    )
    ledger.record(Event(now, by.person, "proposal.merged", identifier, {"commit": merged.commit}))
    return merged


def _judge(source: Source, proposal: Proposal, onto: str, tree: str, now: datetime) -> Judged:
    base = read_side(source, onto)
    side = read_side(source, tree, base)
    return judge_merge(source, base, side, proposal.head, now, number=proposal.number)


def _role(base: Side, by: Reviewer, judged: Judged | None = None) -> str:
    """The role in which somebody acts, read from the base.

    A role that the change still misses goes before a weightier one, because a person who holds two
    roles is asked for the one that is empty.
    """
    roles = find_person(organization_of(base.estate), by.person).roles
    if by.role is not None and by.role not in roles:
        message = f"{by.person} does not hold the role {by.role} (has: {', '.join(roles)})"
        raise ProposalRefused(message, remedy="leave --role out, or ask somebody who holds it")
    wanted = [by.role] if by.role is not None else [*_missing(judged), *_APPROVING]
    for role in wanted:
        # Validators look at what reviews of paths ask them for, and merge nothing.
        if role in roles and (role in _APPROVING or (judged is not None and role == VALIDATOR)):
            return role
    message = f"{by.person} has no role that approves (has: {', '.join(roles)})"
    raise ProposalRefused(message, remedy="ask a manager")


def _missing(judged: Judged | None) -> list[str]:
    """The roles that the change still asks for."""
    if judged is None:
        return []
    counted = Counted(judged.judgement.approvals, judged.judgement.refused)
    return [role for one in judged.judgement.required for role in missing(one, counted)]


def actor_of(source: Source, base: Side, by: Reviewer, now: datetime) -> Actor:
    """The person with a key that is theirs; a statement under a false name is not even written."""
    path = by.key or _usual_key(source, base, by.person, now)
    signer = open_signer(path)
    refuse_stranger(base, signer.public, by.person, str(path), now)
    return Actor(by.person, identity_of(by.person), signer)


def _usual_key(source: Source, base: Side, person: str, now: datetime) -> Path:
    """The key in the estate's home; without one there, what git signs with, if that is theirs."""
    mine = source.home.keys / person
    if mine.is_file():
        return mine
    found = key_of_git(source.repository)
    if found is not None:
        with suppress(KeyUnusable, ProposalRefused):
            refuse_stranger(base, open_signer(found).public, person, str(found), now)
            return found
    return source.home.key(person)


def key_of_git(repository: Repository) -> Path | None:
    """The file of the key that git signs commits with in this clone, if it names one."""
    settings = ("config", "--type=path", "--get", "user.signingKey")
    found = repository.ask(*settings).out.decode("utf-8", "surrogateescape").strip()
    return Path(found) if found.startswith("/") else None


def identity_of(person: str) -> Identity:
    """Who a commit says has made it; an address of a person's own is nobody's business."""
    return Identity(person, f"{person}@ordain.invalid")


def refuse_stranger(base: Side, key: PublicKey, person: str, place: str, now: datetime) -> None:
    """Refuse a key that is not the person's, or not any more."""
    found = holder(key, allowed_keys(organization_of(base.estate)), now)
    if found.person != person:
        reason = found.reason or f"it is the key of {found.person}"
        message = f"{place} is not a key of {person}: {reason}"
        raise ProposalRefused(message, remedy="use the key that the Organization lists for you")
