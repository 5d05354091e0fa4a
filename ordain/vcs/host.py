"""What is asked of a forge with accounts, in words that are no forge's own.

A host answers over HTTP and decides nothing: whose account it is, whether a review counts and what
a merge may bring is judged elsewhere, from documents. Every answer is what the host *says*; what
git can prove (contents, commits, signatures) is read from git instead and never from here.

An account is known by its number. A login can be given up and taken by somebody else, and a review
by somebody who left has no account at all; both are answers here, not errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class HostAccount:
    """An account as the host names it now."""

    login: str
    id: int
    machine: bool = False


class ReviewState(StrEnum):
    """What a review says. Only the newest word of an account counts; comments say nothing.

    `RETARGETED` approved the proposal before it was turned to another target.
    """

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes-requested"
    DISMISSED = "dismissed"
    COMMENTED = "commented"
    RETARGETED = "retargeted"


@dataclass(frozen=True, slots=True)
class HostReview:
    """One review; `account` is None where the host knows no account any more.

    `commit` is the commit that was looked at, empty where the host does not say and nothing tells.
    `base` is where that commit left the target by what was shown, empty where the host is silent.
    `proof` is where whoever doubts it can look.
    """

    account: HostAccount | None
    state: ReviewState
    commit: str
    time: datetime
    proof: str
    base: str = ""


class HostState(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class HostProposal:
    """A pull or merge request.

    `head` is its newest commit, `branch` where it is, `ref` what to fetch to have its commits even
    after the branch is gone (`refs/pull/7/head`). `merged` is the commit that it became on
    the target, empty while it is open; for a rebase that is the last of several. `fork` says that
    the branch is in another repository.
    """

    number: int
    title: str
    body: str
    branch: str
    target: str
    head: str
    ref: str
    state: HostState
    author: HostAccount | None
    created: datetime
    merged: str = ""
    merged_by: HostAccount | None = None
    fork: bool = False
    url: str = ""


class CommitState(StrEnum):
    """What a commit status says."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


class Posted(StrEnum):
    """What became of a comment."""

    MADE = "made"
    EDITED = "edited"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Protection:
    """What a host says it enforces on a branch; None means that it did not tell (no right to ask).

    `checks` are the names of required checks, `approvals` how many reviews are required;
    `open_checks` are those of them that any App or token may leave. `queue_merges_unjudged` says
    that of several proposals that wait in a queue only the last one needs the checks.
    """

    protected: bool
    checks: tuple[str, ...] | None = None
    strict_checks: bool | None = None
    approvals: int | None = None
    stale_dismissed: bool | None = None
    code_owners: bool | None = None
    last_pusher_excluded: bool | None = None
    author_excluded: bool | None = None
    administrators_bound: bool | None = None
    force_push_refused: bool | None = None
    deletion_refused: bool | None = None
    direct_push_refused: bool | None = None
    signatures_required: bool | None = None
    open_checks: tuple[str, ...] = ()
    queue_merges_unjudged: bool = False


class Host(Protocol):
    """A forge with accounts, for one repository on it."""

    name: str
    """`github` or `gitlab`, as in an account of a Person."""

    def proposals(self) -> tuple[HostProposal, ...]:
        """All open ones, oldest first."""

    def proposal(self, number: int) -> HostProposal:
        """One by its number, open or not; `UnknownProposal` if there is none."""

    def proposal_of(self, commit: str, target: str) -> HostProposal | None:
        """The merged proposal whose merge put this commit on the target branch, if one did."""

    def reviews(self, proposal: HostProposal) -> tuple[HostReview, ...]:
        """Every review in the order of time, also those that count no more."""

    def open(self, branch: str, target: str, title: str, body: str) -> HostProposal:
        """Propose a branch that is there already; the same branch is the same proposal."""

    def close(self, proposal: HostProposal) -> None:
        """Close it without merging."""

    def merge(self, proposal: HostProposal, title: str) -> str:
        """Merge exactly `proposal.head` by a merge commit, and return the commit."""

    def comment(self, proposal: HostProposal, marker: str, body: str) -> Posted:
        """The one comment of this account with this marker, made or brought up to date."""

    def report(self, commit: str, state: CommitState, context: str, text: str, url: str) -> None:
        """Set a commit status."""

    def protection(self, branch: str) -> Protection:
        """What protects a branch."""
