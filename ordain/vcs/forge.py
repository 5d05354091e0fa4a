"""What ordain asks of the place where changes are proposed, approved and merged.

The protocol is as small as the weakest forge that is honest: plain git (see `plain`). A forge with
accounts and reviews answers the same questions over HTTP. Nothing here decides whether a merge is
right: `merge` shows the caller the result first and goes on only if the caller does not raise, so
that the rules run on the merged tree and not on what the proposal looked like alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ordain.vcs.approvals import Approval, Approvals
    from ordain.vcs.changes import Change
    from ordain.vcs.keys import Actor, AllowedKey


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that waits for people.

    `base` is the commit where it left the target branch, `head` its last commit. `author` and
    `created` are what the forge (or the commit) claims; who contributed is asked of signatures.
    `number` and `url` are those of a pull request, where the forge has such things.
    """

    id: str
    branch: str
    title: str
    body: str
    head: str
    base: str
    author: str
    created: datetime
    number: int | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A merge that could be: the tree that the target branch would have, and what that changes.

    `change` is the way from the target's present tip (`onto`) to the merged tree. Its digest is the
    one of the proposal unless the target has touched the same files meanwhile.
    """

    proposal: Proposal
    onto: str
    tree: str
    change: Change


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that is; `notes` are sentences on what was left as it was, and why."""

    commit: str
    tree: str
    notes: tuple[str, ...] = ()


class Forge(Protocol):
    """A place for proposals."""

    @property
    def remote(self) -> str | None:
        """The git remote that is the truth; None where this clone is the truth itself."""

    @property
    def target_ref(self) -> str:
        """The ref of this clone that shows where the target branch is."""

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Sentences on branches that could not be read when proposals were listed last."""

    def refresh(self) -> None:
        """Bring here what the forge knows, for the questions that ask nobody."""

    def proposals(self) -> tuple[Proposal, ...]:
        """All open proposals, oldest first."""

    def seen_proposals(self) -> tuple[Proposal, ...]:
        """The open proposals as of the last `refresh`, without asking anybody."""

    def proposal(self, identifier: str) -> Proposal:
        """An open proposal by its id or branch; `UnknownProposal` if there is none."""

    def offer(self, branch: str, commit: str) -> None:
        """Have a branch that was pushed stand as a proposal, in the words of its commit."""

    def open_proposal(self, branch: str, commit: str, title: str, body: str) -> Proposal:
        """Propose a commit; the same branch at the same commit is the same proposal."""

    def change(self, proposal: Proposal) -> Change:
        """What the proposal changes since it left the target branch; approvals bind to it."""

    def approvals(self, change: str, *, allowed: Sequence[AllowedKey], now: datetime) -> Approvals:
        """All approvals of a change digest, with those that do not hold and the reasons."""

    def approve(
        self,
        proposal: Proposal,
        *,
        change: Change,
        actor: Actor,
        role: str,
        time: datetime,
    ) -> Approval:
        """Approve the change that the caller has seen; `ProposalMoved` if the branch has moved."""

    def merge(
        self,
        proposal: Proposal,
        *,
        actor: Actor,
        message: str,
        time: datetime,
        check: Callable[[Candidate], object],
    ) -> Merged:
        """Merge if `check` does not raise; whoever merges at the same time loses or wins alone."""

    def close(self, proposal: Proposal) -> tuple[str, ...]:
        """Withdraw a proposal without merging it; returns what stays behind for people to do."""
