"""The forge with accounts: branches and statements in git, proposals and merges on a host.

Everything that git can show is read from git: the commits of a proposal are fetched by the ref
under which the host keeps them, and the merge that the host made is held against the tree that was
judged before. The host is asked for three things only: which proposals are open, that one be
opened or closed, and that exactly one commit be merged.

Signed statements in `refs/ordain/approvals/` go on counting, and a proposal is found by its branch,
so that people can approve while the host does not answer. Its reviews are no part of this class:
whose account it is, and what a review binds to, is judged where the Organization is known.

A branch of the machine is described by its signed commit and not by the text of the pull request,
which anybody with access may edit.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from ordain.specs.errors import OrdainError
from ordain.vcs.changes import change_between
from ordain.vcs.errors import (
    ForgeError,
    GitError,
    HostContradicted,
    HostError,
    ProposalMoved,
    RefMoved,
    UnknownProposal,
    UnknownRevision,
)
from ordain.vcs.forge import Candidate, Merged, Proposal
from ordain.vcs.host import HostState
from ordain.vcs.objects import is_id
from ordain.vcs.plain import PROMOTE, PlainGit, chosen, refuse_unfit, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from ordain.vcs.git import Repository
    from ordain.vcs.host import Host, HostProposal
    from ordain.vcs.keys import Actor

# The newest commit of each proposal that was fetched, so that git keeps it after a squash.
FETCHED = "refs/ordain/proposals/"
_REF = re.compile(r"refs/(pull|merge-requests)/[0-9]+/head")
_NUMBER = re.compile(r"[#!]?([0-9]{1,12})")


class HostedForge(PlainGit):
    """A `Forge` over one repository, its remote, and the host that the remote is on.

    `open_host` is called when the host is needed for the first time.
    """

    def __init__(
        self, repository: Repository, *, target: str, remote: str, open_host: Callable[[], Host]
    ) -> None:
        super().__init__(repository, target=target, remote=remote)
        self._open_host = open_host
        self._last: tuple[Proposal, ...] | None = None

    # Proposals

    def refresh(self) -> None:
        """Bring the remote's branches and `refs/ordain/*` here, then what the host has open.

        Raises:
            GitError: the remote does not answer.
            HostError: the host does not; what is in git is here all the same.
        """
        super().refresh()
        self._last = tuple(self._open_ones())

    def proposals(self) -> tuple[Proposal, ...]:
        self._fetch_branches()
        self._last = tuple(self._open_ones())
        return self._last

    def seen_proposals(self) -> tuple[Proposal, ...]:
        # Where the host has not answered yet, the branches of the remote say nearly the same.
        return super().seen_proposals() if self._last is None else self._last

    def proposal(self, identifier: str) -> Proposal:
        if number := _NUMBER.fullmatch(identifier):
            return self._numbered(int(number[1]))
        try:
            found = self.proposals()
        except HostError as error:
            # Most proposals are branches of this remote, and git has those: what people sign must
            # not wait for the host.
            try:
                return chosen(identifier, self._listed())
            except UnknownProposal:
                raise error from None
        meant = [one for one in found if identifier in {one.id, one.branch}]
        if not meant:
            raise unknown(identifier, [one.id for one in found])
        if len(meant) > 1:
            raise ForgeError(
                f"{identifier!r} is the branch of {len(meant)} proposals",
                remedy=f"name one by its number: {', '.join(str(one.number) for one in meant)}",
            )
        return meant[0]

    def offer(self, branch: str, commit: str) -> None:
        """Open the proposal of a branch unless it is open.

        Raises:
            UnknownRevision: the commit is not in this clone.
            HostError: the host does not answer, or says no.
        """
        head = self.repository.commit(commit)
        self._open_host().open(branch, self.target, head.title, head.body)

    def open_proposal(self, branch: str, commit: str, title: str, body: str) -> Proposal:
        head = self.repository.commit(commit)
        refuse_unfit(branch, head, title, body)
        self._fetch_branches()
        host, present = self._open_host(), self._head(branch)
        if present not in {None, head.id} and self._is_open(host, branch):
            raise ForgeError(
                f"{branch} is open already, at another commit ({present})",
                remedy=f"close it first: ordain proposals show {branch}",
            )
        if present != head.id:
            # A branch without a proposal is left over from one that was merged or closed.
            self._move(f"refs/heads/{branch}", head.id, present)
        opened = host.open(branch, self.target, title, body)
        found = self._described_by_host(opened, self._tip())
        if found is None:
            raise ForgeError(
                f"{branch} brings nothing: {self.target} contains {head.id} already",
                remedy="propose a commit that is not merged yet",
            )
        return found

    def close(self, proposal: Proposal) -> tuple[str, ...]:
        self._fetch_branches()
        host = self._open_host()
        host.close(self._unmoved(host, proposal))
        return self._drop_branch(proposal) if proposal.branch.startswith(PROMOTE) else ()

    # Merging

    def merge(
        self,
        proposal: Proposal,
        *,
        actor: Actor,  # noqa: ARG002 - the host merges as the account that the token is of
        message: str,
        time: datetime,  # noqa: ARG002 - and dates the merge itself
        check: Callable[[Candidate], object],
    ) -> Merged:
        """Have the host merge exactly the commit that was judged, and look at what it made.

        Raises:
            MergeConflict: the target has changed the same lines.
            ProposalMoved: the branch is not at the commit the caller has looked at.
            HostError: the host refuses, or has merged something else.
        """
        self._fetch_branches()
        host = self._open_host()
        there = self._unmoved(host, proposal)
        onto = self._tip()
        tree = self.repository.merge_tree(onto, proposal.head)
        check(Candidate(proposal, onto, tree, change_between(self.repository, onto, tree)))
        commit = host.merge(there, message)
        self._fetch_branches()
        made = self._made(proposal, commit, tree, check)
        notes = (*self._follow(onto, commit), *self._drop_branch(proposal))
        return Merged(commit, made, notes)

    def _made(
        self, proposal: Proposal, commit: str, tree: str, check: Callable[[Candidate], object]
    ) -> str:
        """The tree that the host has merged; judged again where the target had moved meanwhile."""
        if not is_here(self.repository, commit) or not self.repository.is_ancestor(
            commit, self._tip()
        ):
            raise HostError(
                f"the forge says it merged {proposal.id} as {commit}, which is not on"
                f" {self.target}",
                remedy="look at the proposal there; the reconciler judges the branch again",
            )
        found = self.repository.commit(commit)
        if found.tree == tree:
            return tree
        onto = found.parents[0] if found.parents else commit
        change = change_between(self.repository, onto, found.tree)
        try:
            check(Candidate(proposal, onto, found.tree, change))
        except OrdainError as error:
            raise HostError(
                f"{proposal.id} was merged as {commit[:12]}, which is not what was judged:"
                f" {error.message}",
                remedy="see ordain reconcile --once; revert the merge if it is refused there",
            ) from error
        return found.tree

    def _drop_branch(self, proposal: Proposal) -> tuple[str, ...]:
        """Delete the branch of a proposal that is done where it is still there and is ours."""
        if self._head(proposal.branch) != proposal.head:
            return ()
        try:
            self._move(f"refs/heads/{proposal.branch}", None, proposal.head)
        except GitError as error:
            return (f"the branch {proposal.branch} stays: {error.message}",)
        return ()

    # What the host has

    def _open_ones(self) -> Iterator[Proposal]:
        found = [one for one in self._open_host().proposals() if one.target == self.target]
        if not found:
            return
        tip = self._tip()
        for one in _fetched(self.repository, str(self.remote), found):
            described = self._described_by_host(one, tip)
            if described is not None:
                yield described

    def _numbered(self, number: int) -> Proposal:
        found = self._open_host().proposal(number)
        if found.state is not HostState.OPEN or found.target != self.target:
            state = found.state.value if found.state is not HostState.OPEN else "open"
            raise UnknownProposal(
                f"proposal {number} is {state}, into {found.target}",
                remedy=f"see the open ones into {self.target}: ordain proposals list",
            )
        self._fetch_branches()
        bring(self.repository, str(self.remote), found)
        described = self._described_by_host(found, self._tip())
        if described is None:
            raise UnknownProposal(
                f"proposal {number} brings nothing to {self.target}", remedy="close it"
            )
        return described

    def _described_by_host(self, one: HostProposal, tip: str) -> Proposal | None:
        base = self.repository.merge_base(tip, one.head)
        if base is None or base == one.head:
            return None
        machine = one.branch.startswith(PROMOTE) and not one.fork
        head = self.repository.commit(one.head)
        return Proposal(
            id=one.branch.removeprefix(PROMOTE) if machine else str(one.number),
            branch=one.branch,
            title=head.title if machine else one.title,
            body=head.body if machine else one.body,
            head=one.head,
            base=base,
            author="somebody who left" if one.author is None else one.author.login,
            created=one.created,
            number=one.number,
            url=one.url,
        )

    def _is_open(self, host: Host, branch: str) -> bool:
        return any(
            one.branch == branch and one.target == self.target and not one.fork
            for one in host.proposals()
        )

    def _unmoved(self, host: Host, proposal: Proposal) -> HostProposal:
        if proposal.number is None:
            raise UnknownProposal(
                f"{proposal.id} is no proposal on the forge", remedy="see: ordain proposals list"
            )
        there = host.proposal(proposal.number)
        if there.state is not HostState.OPEN or there.head != proposal.head:
            now = f"is at {there.head}" if there.state is HostState.OPEN else f"is {there.state}"
            raise ProposalMoved(
                f"{proposal.id} {now}, it was at {proposal.head} when it was looked at",
                remedy=f"look again: ordain proposals show {proposal.id}",
            )
        return there


def bring(repository: Repository, remote: str, proposal: HostProposal) -> None:
    """Have the newest commit of a proposal here; nothing is fetched that is here already.

    Raises:
        GitError: the remote does not answer or has no such ref.
        HostContradicted: the host names a commit that git does not have.
    """
    if is_here(repository, proposal.head):
        return
    if not _REF.fullmatch(proposal.ref):
        raise HostContradicted(
            f"the forge keeps proposal {proposal.number} under {proposal.ref!r}, which is no ref"
            " of a proposal",
            remedy="see whether spec.forge of ordain.yaml names the right forge",
        )
    repository.fetch(remote, [_spec(proposal)])
    if not is_here(repository, proposal.head):
        raise HostContradicted(
            f"the forge says that proposal {proposal.number} is at {proposal.head}, which"
            f" {proposal.ref} does not have",
            remedy="try again: somebody may have pushed in this moment",
        )


def keep(repository: Repository, proposal: HostProposal) -> None:
    """Have git keep the commits of a proposal that was squashed, whatever becomes of its branch."""
    ref = f"{FETCHED}{proposal.number}"
    old = repository.refs(ref).get(ref)
    if old != proposal.head:
        with suppress(RefMoved):
            # Somebody who judges at the same time keeps the same.
            repository.update_ref(ref, proposal.head, old)


def _fetched(
    repository: Repository, remote: str, proposals: Sequence[HostProposal]
) -> Iterator[HostProposal]:
    """The proposals whose commits are here now; one that cannot be had hides no other one."""
    wanted = [one for one in proposals if _REF.fullmatch(one.ref)]
    missing = [one for one in wanted if not is_here(repository, one.head)]
    with suppress(GitError):
        # All at once where that works; git fetches nothing at all if one of them is gone.
        if missing:
            repository.fetch(remote, [_spec(one) for one in missing])
    for one in wanted:
        try:
            bring(repository, remote, one)
        except (GitError, HostError):
            continue
        yield one


def _spec(proposal: HostProposal) -> str:
    return f"+{proposal.ref}:{FETCHED}{proposal.number}"


def is_here(repository: Repository, commit: str) -> bool:
    """Whether this clone has a commit; what is no commit id is nowhere."""
    try:
        return is_id(commit) and repository.commit(commit).id == commit
    except UnknownRevision:
        return False
