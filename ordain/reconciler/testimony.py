"""What a host says of a change, held against what git shows.

A host knows two things that git does not: whose account has reviewed what, and which proposal a
merge button was pressed for. Both are words. A review counts as an approval only where the account
is the one that the *base* of the change lists for a person, by number and by login, and it binds to
the content of the commit that was looked at, as a signed statement does. A commit that the host has
made needs no signature of its own only where git shows that it holds nothing but the merge of the
proposal; the commits of the proposal then stand for it, each signed by somebody known.

The host is asked only where git alone does not suffice (see `gating`), so that what people have
signed counts while it is down, and one that is asked and does not answer gives a finding instead of
half of an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ordain.reconciler.behind_merges import Branch
from ordain.reconciler.history import commits_between
from ordain.reconciler.host_reviews import people_of, review_approvals
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.reconciler.recollections import Recollection
from ordain.reconciler.web_merges import (
    WebMerge,
    adds_nothing,
    is_signed_by_platform,
    merge_in,
)
from ordain.specs.findings import Finding, Severity
from ordain.vcs.errors import (
    GitError,
    HostContradicted,
    HostError,
    UnknownProposal,
)
from ordain.vcs.host import HostState
from ordain.vcs.hosted import bring, keep
from ordain.vcs.signatures import commit_signer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ordain.reconciler.answers import Answers
    from ordain.reconciler.gating import Side
    from ordain.reconciler.recollections import Heard
    from ordain.reconciler.source import Source
    from ordain.specs.errors import OrdainError
    from ordain.specs.kinds.organization import Organization
    from ordain.vcs.approvals import Approvals
    from ordain.vcs.changes import Change
    from ordain.vcs.git import Repository
    from ordain.vcs.host import HostProposal, HostReview
    from ordain.vcs.keys import AllowedKey
    from ordain.vcs.objects import Commit


@dataclass(frozen=True, slots=True)
class Testimony:
    """All that a host says of one change, and what git makes of it.

    `brought` are the commits whose signers have made the change, oldest first, `pushed` the newest
    that somebody offered. `platform` are commits that are signed as a host signs and that no
    proposal explains.
    """

    witness: Witness
    proposals: tuple[HostProposal, ...]
    reviews: tuple[tuple[HostProposal, HostReview], ...]
    brought: tuple[str, ...]
    pushed: str
    merged: frozenset[str] = frozenset()
    platform: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()

    @property
    def authors(self) -> frozenset[str]:
        """The people whose accounts have opened the proposals."""
        return frozenset().union(*(people_of(self.witness, one.author) for one in self.proposals))

    def approvals(self, change: Change) -> Approvals:
        """The reviews as approvals; each binds to what its reviewer has looked at."""
        return review_approvals(self.witness, self.reviews, change)


def witness_of(
    source: Source, base: Side, now: datetime, heard: Mapping[str, Heard] | None = None
) -> Witness | None:
    """Whom to ask about a change on top of `base`; nobody on plain git.

    What was `heard` before and stands in our record goes before the host itself.

    Raises:
        ForgeError: the host cannot be asked at all.
    """
    host: Answering | None
    if heard and (forge := _forge_of(base)) is not None:
        host = Recollection(forge, heard, lambda: _answers(source, base))
    else:
        host = source.answers_of(base.estate)
    if host is None:
        return None
    organization = organization_of(base.estate)
    keys = allowed_keys(organization)
    return Witness(source, host, base.revision, organization, keys, now)


def _forge_of(base: Side) -> str | None:
    names = [one.spec.forge.type for one in base.estate.all("Estate")]
    return names[0] if names and names[0] != "git" else None


def _answers(source: Source, base: Side) -> Answers:
    found = source.answers_of(base.estate)
    if found is None:
        raise HostError("no forge can be asked here", remedy="see spec.forge of ordain.yaml")
    return found


class Answering(Protocol):
    """As much of a host as a change is judged by."""

    @property
    def name(self) -> str:
        """As in an account of a Person."""

    def proposal(self, number: int) -> HostProposal:
        """See `Host`."""

    def proposal_of(self, commit: str, target: str) -> HostProposal | None:
        """See `Host`."""

    def reviews(self, proposal: HostProposal) -> tuple[HostReview, ...]:
        """See `Host`."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A host, asked about changes on top of the commit `base`, whose Organization counts."""

    source: Source
    host: Answering
    base: str
    organization: Organization
    allowed: tuple[AllowedKey, ...]
    now: datetime

    @property
    def repository(self) -> Repository:
        return self.source.repository

    def of_commit(self, revision: str, *, number: int | None = None) -> Testimony:
        """What the host says of a commit on the branch, or of one that is to be there.

        With `number` the commit is the host's trial of merging that proposal (a merge queue's, or
        that of a pipeline), which is not on the branch yet.

        Raises:
            ForgeError: the host did not answer, or what it says cannot be (`HostContradicted`).
            GitError: the commits of a proposal cannot be had.
        """
        line = self.repository.commits(self.repository.first_parent(self.base, revision))
        proposals: list[HostProposal] = []
        merges: list[WebMerge] = []
        findings: list[Finding] = []
        index = len(line) - 1
        while index >= 0:
            tried = number if index == len(line) - 1 else None
            found, evil = self._step(line[: index + 1], tried)
            proposals += [] if found is None else [found.proposal]
            findings += evil
            taken = found is not None and bool(found.steps)
            merges += [found] if found is not None and taken else []
            index -= len(found.steps) if found is not None and taken else 1
        return self._told(revision, line, proposals, merges, findings)

    def of_proposal(self, number: int, head: str) -> Testimony:
        """What the host says of merging the commit `head` of a proposal, or of a trial of it.

        Raises:
            ForgeError: the host did not answer, or the proposal is for another branch.
            GitError: the commits of the proposal cannot be had.
        """
        proposal = self._proposal(number)
        if not self.repository.is_ancestor(head, proposal.head) and self._goes_on(head):
            return self.of_commit(head, number=number)
        line = self.repository.commits([head])
        return self._told(head, line, [proposal], [], [], stepped=False)

    def _goes_on(self, head: str) -> bool:
        """Whether a commit is on top of the base, as one that a host tries a merge with."""
        try:
            return bool(self.repository.first_parent(self.base, head))
        except GitError:
            return False

    def makers_behind(self, head: str) -> Callable[[Commit], frozenset[str] | None]:
        """Who made what stands in a commit on the branch of `head`; see `Branch`."""
        return Branch(self, self.repository.first_parent(None, head)).makers_of

    # Steps of the branch

    def _step(
        self, line: Sequence[Commit], number: int | None
    ) -> tuple[WebMerge | None, tuple[Finding, ...]]:
        """The proposal that the last commit of a line is the merge of, as far as git bears it out.

        A commit of somebody known stands for itself, whatever proposal it merges.
        """
        step = line[-1]
        proposal = self.merged_as(step.id) if number is None else self._proposal(number)
        if proposal is None:
            return None, ()
        bare = WebMerge(proposal)
        if self._is_signed(step):
            return bare, ()
        bring(self.repository, self.remote, proposal)
        merge = merge_in(self.repository, line, proposal)
        if merge is not None:
            keep(self.repository, proposal)
        return (
            (bare, (_holds_else(self.host.name, step, proposal),)) if merge is None else (merge, ())
        )

    # Asking

    @property
    def remote(self) -> str:
        return str(self.source.forge.remote)

    @property
    def _branch(self) -> str:
        return self.source.settings.protected_branch

    def _proposal(self, number: int) -> HostProposal:
        proposal = self.host.proposal(number)
        if proposal.number != number or proposal.target != self._branch:
            raise HostContradicted(
                f"proposal {number} goes into {proposal.target}, not into {self._branch}",
                remedy="name the proposal that this change belongs to",
            )
        bring(self.repository, self.remote, proposal)
        return proposal

    def merged_as(self, commit: str) -> HostProposal | None:
        proposal = self.host.proposal_of(commit, self._branch)
        if proposal is None:
            return None
        told = (proposal.state, proposal.merged, proposal.target)
        if told != (HostState.MERGED, commit, self._branch):
            raise HostContradicted(
                f"asked for the merge {commit[:12]}, the forge names proposal {proposal.number},"
                f" which is {proposal.state} as {proposal.merged[:12] or 'nothing'} into"
                f" {proposal.target}",
                remedy="see whether spec.forge of ordain.yaml names the right forge",
            )
        return proposal

    def _told(
        self,
        revision: str,
        line: Sequence[Commit],
        proposals: Sequence[HostProposal],
        merges: Sequence[WebMerge],
        findings: Sequence[Finding],
        *,
        stepped: bool = True,
    ) -> Testimony:
        """Put together what was heard; `stepped` says that `line` are steps of the branch."""
        steps = {one.id for one in line} if stepped else set()
        brought = dict.fromkeys(one for merge in merges for one in merge.commits)
        # After a fast-forward the steps are the proposal's own commits, and excused for nothing.
        merged = {one for merge in merges for one in (*merge.steps, *merge.beside)} - brought.keys()
        brought |= dict.fromkeys(commits_between(self.repository, self.base, revision))
        commits = self.repository.commits(brought)
        unsigned = [one for one in commits if not self._is_signed(one)]
        empty = {
            one.id: one.parents
            for one in unsigned
            if one.id not in steps and adds_nothing(self.repository, one)
        }
        without = empty.keys() | {one.id for one in unsigned if one.id in merged}
        at_tip = next((one for one in merges if one.steps[-1] == revision), None)
        reviews = [(one, review) for one in proposals for review in self.host.reviews(one)]
        return Testimony(
            self,
            tuple(proposals),
            tuple(reviews),
            tuple(one for one in brought if one not in without),
            self._pushed(line[-1], at_tip, empty, stepped=stepped),
            frozenset(merged),
            frozenset(
                one.id for one in unsigned if one.id not in without and is_signed_by_platform(one)
            ),
            tuple(findings),
        )

    def _pushed(
        self,
        tip: Commit,
        merge: WebMerge | None,
        empty: dict[str, tuple[str, ...]],
        *,
        stepped: bool,
    ) -> str:
        """The newest commit that somebody offered; an update from the base is nobody's offer."""
        pushed = tip.id
        if merge is not None:
            pushed = merge.proposal.head
        elif stepped and len(tip.parents) > 1:
            pushed = tip.parents[1]
        while pushed in empty:
            first, second = empty[pushed]
            pushed = second if self.repository.is_ancestor(first, self.base) else first
        return pushed

    def _is_signed(self, commit: Commit) -> bool:
        return commit_signer(commit, self.allowed, self.now).person is not None


def unheard(error: OrdainError) -> Finding:
    """That nothing was heard on which reviews or a merge button could rest.

    An answer that cannot be stays what it is, so that nobody waits for another one.
    """
    if isinstance(error, (HostContradicted, UnknownProposal)):
        return Finding(
            code="GATE013",
            severity=Severity.ERROR,
            message=f"what the forge says of this change cannot be: {error.message}",
            remedy=error.remedy or "see whether spec.forge of ordain.yaml names the right forge",
            controls=("HR-SOD",),
        )
    return Finding(
        code="GATE010",
        severity=Severity.ERROR,
        message=f"the forge could not be asked about this change: {error.message}",
        remedy=error.remedy or "try again when it answers; approvals signed in git need no forge",
        controls=("HR-SOD",),
    )


def unexplained(commit: str) -> Finding:
    """That a commit is signed as a forge signs, and is the merge of no proposal."""
    return Finding(
        code="GATE012",
        severity=Severity.ERROR,
        message=f"commit {commit[:12]} has a PGP signature, as a forge's own commits have, and no"
        " merged proposal explains it",
        remedy="commit it with a key that specs/organization.yaml lists, and propose that",
        controls=("HR-SOD",),
    )


def _holds_else(forge: str, step: Commit, proposal: HostProposal) -> Finding:
    return Finding(
        code="GATE011",
        severity=Severity.ERROR,
        message=f"commit {step.id[:12]} holds something else than merging proposal"
        f" {proposal.number} gives",
        remedy="revert it, and propose what it adds by itself",
        evidence=(f"{forge} = {proposal.url}", f"head of the proposal = {proposal.head}"),
        controls=("HR-SOD",),
    )
