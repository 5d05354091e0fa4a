"""The forge that needs no server: branches, signed statements and two-parent merges.

A proposal is a branch that brings something to the target: `ordain/promote/<id>` is one by the
machine, any other one by people. Its title and body are the message of its last commit; an approval
is a signed statement under `refs/ordain/approvals/`. With a remote all of it lives there and this
clone only looks; without one it lives here.

The target branch moves by compare and swap, as the last step after the caller's check, so a race
has one winner and the losers have changed nothing. Squash and rebase were refused: a merge commit
with two parents keeps the commits that people have signed, and lets anybody recompute the tree.
A remote that lets everybody push to the target is a convention, not a control: the gate on the
server and the reconciler judge again.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ordain.vcs import emergencies
from ordain.vcs.approvals import (
    BESIDE,
    PREFIX,
    Approval,
    Approvals,
    beside_ref,
    is_approval_ref,
    read_approvals,
    write_approval,
)
from ordain.vcs.changes import change_between
from ordain.vcs.errors import (
    ForgeError,
    GitError,
    NoCommits,
    ProposalMoved,
    UnknownProposal,
    WorkTreeInTheWay,
)
from ordain.vcs.forge import Candidate, Merged, Proposal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ordain.vcs.changes import Change
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import Actor, AllowedKey
    from ordain.vcs.objects import Commit

PROMOTE = "ordain/promote/"
ANCHORS = "refs/ordain/anchors"
REMOTE_ANCHORS = "refs/ordain/remote-anchors"
REMOTE_APPROVALS = "refs/ordain/remote-approvals/"


class PlainGit:
    """A `Forge` over one repository and at most one remote.

    `remote` names it; None takes `origin`, or the only one there is, or none. With `alone` the
    repository is the truth itself, whatever remotes it has: the one that a server keeps.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        target: str = "main",
        remote: str | None = None,
        alone: bool = False,
    ) -> None:
        self.repository = repository
        self.target = target
        self.remote = None if alone else _chosen_remote(repository, remote)
        # Branches that could not be read when proposals were listed last, and why.
        self.unreadable: tuple[str, ...] = ()

    @property
    def target_ref(self) -> str:
        """The ref of this clone that shows where the target branch is."""
        return self._seen(self.target)

    # Proposals

    def refresh(self) -> None:
        """Bring branches, approvals and anchors of the remote here, if there is a remote."""
        if self.remote is None:
            return
        self._fetch_branches()
        self._fetch_approvals()
        try:
            # Not onto our own: whoever may push there could put theirs in the place of ours.
            self.repository.fetch(self.remote, [f"+{ANCHORS}:{REMOTE_ANCHORS}"])
        except GitError:
            # The remote has none yet; the next one that is made goes there.
            return

    def proposals(self) -> tuple[Proposal, ...]:
        self._fetch_branches()
        return self._listed()

    def seen_proposals(self) -> tuple[Proposal, ...]:
        return self._listed()

    def proposal(self, identifier: str) -> Proposal:
        return chosen(identifier, self.proposals())

    def offer(self, branch: str, commit: str) -> None:
        """Nothing: here a branch is a proposal."""

    def open_proposal(self, branch: str, commit: str, title: str, body: str) -> Proposal:
        head = self.repository.commit(commit)
        refuse_unfit(branch, head, title, body)
        self._fetch_branches()
        proposal = self._described(branch, head, self._tip())
        if proposal is None:
            raise ForgeError(
                f"{branch} brings nothing: {self.target} contains {head.id} already",
                remedy="propose a commit that is not merged yet",
            )
        present = self._head(branch)
        merged = present is not None and self.repository.is_ancestor(present, self._tip())
        if present not in {None, head.id} and not merged:
            raise ForgeError(
                f"{branch} is open already, at another commit ({present})",
                remedy=f"close it first, or choose another name: ordain proposals show {branch}",
            )
        if present != head.id:
            # A branch that was merged, rightly or not, is no proposal any more and gives way.
            self._move(f"refs/heads/{branch}", head.id, present)
        return proposal

    def change(self, proposal: Proposal) -> Change:
        return change_between(self.repository, proposal.base, proposal.head)

    def close(self, proposal: Proposal) -> tuple[str, ...]:
        self._fetch_branches()
        self._refuse_moved(proposal)
        self._refuse_checked_out(proposal.branch)
        self._move(f"refs/heads/{proposal.branch}", None, proposal.head)
        return ()

    # Approvals

    def approvals(self, change: str, *, allowed: Sequence[AllowedKey], now: datetime) -> Approvals:
        self._fetch_approvals()
        estate = self.repository.root_commit(self._tip())
        return read_approvals(self.repository, change, estate=estate, allowed=allowed, now=now)

    def approve(
        self,
        proposal: Proposal,
        *,
        change: Change,
        actor: Actor,
        role: str,
        time: datetime,
    ) -> Approval:
        self._fetch_branches()
        self._refuse_moved(proposal)
        self._fetch_approvals()
        ref, commit = write_approval(
            self.repository,
            change,
            actor=actor,
            role=role,
            time=time,
            estate=self.repository.root_commit(self._tip()),
        )
        present = self.repository.refs(ref).get(ref)
        if self.remote is None:
            self._move(ref, commit, present)
        else:
            there = REMOTE_APPROVALS + ref.removeprefix(PREFIX)
            self._move(ref, commit, self.repository.refs(there).get(there))
            self.repository.update_ref(ref, commit, present)
        return Approval(
            person=actor.person,
            role=role,
            change=change.digest,
            time=time,
            key=actor.signer.public.fingerprint,
            proof=f"{ref}@{commit}",
            base=change.base,
        )

    # Merging

    def merge(
        self,
        proposal: Proposal,
        *,
        actor: Actor,
        message: str,
        time: datetime,
        check: Callable[[Candidate], object],
    ) -> Merged:
        """Merge a proposal; see `Forge.merge`.

        Raises:
            MergeConflict: the target has changed the same lines.
            PushRejected, RefMoved: somebody else was faster, or the remote has refused.
            ProposalMoved: the branch is not at the commit the caller has looked at.
            WorkTreeInTheWay: without a remote, the target is checked out with changes.
        """
        self._fetch_branches()
        self._refuse_moved(proposal)
        onto = self._tip()
        tree = self.repository.merge_tree(onto, proposal.head)
        change = change_between(self.repository, onto, tree)
        self._clear_way(onto, tree)
        check(Candidate(proposal, onto, tree, change))
        commit = self.repository.write_commit(
            tree, (onto, proposal.head), message, actor.who, time, actor.signer
        )
        self._move(f"refs/heads/{self.target}", commit, onto)
        notes = (*self._follow(onto, commit), *self._clean_up(proposal))
        return Merged(commit, tree, notes)

    def _clear_way(self, onto: str, tree: str) -> None:
        """Before a local merge, make sure that the work tree can follow the branch it is on."""
        place = self.repository.checked_out().get(f"refs/heads/{self.target}")
        if self.remote is not None or place is None:
            return
        if not self._is_here():
            raise _in_the_way(f"{self.target} is checked out in {place}")
        if self.repository.dirty_paths(untracked=False):
            raise _in_the_way(f"{self.target} is checked out and has uncommitted changes")
        try:
            self.repository.switch_files(onto, tree, rehearse=True)
        except GitError as error:
            raise _in_the_way(error.message) from error

    def _is_here(self) -> bool:
        return not self.repository.bare and self.repository.branch() == self.target

    def _follow(self, onto: str, commit: str) -> tuple[str, ...]:
        """Bring this clone's own target branch up to the merge, or say why it stays."""
        if self.remote is None:
            return self._follow_files(onto, commit)
        ref = f"refs/heads/{self.target}"
        mine = self.repository.refs(ref).get(ref)
        if mine is None or mine == commit:
            return ()
        by_hand = f"; bring it up by hand: git merge --ff-only {self.remote}/{self.target}"
        if not self.repository.is_ancestor(mine, commit):
            return (f"the local {self.target} has commits of its own and stays{by_hand}",)
        place = self.repository.checked_out().get(ref)
        if place is not None and not self._is_here():
            return (f"the local {self.target} is checked out in {place} and stays{by_hand}",)
        if place is not None and self.repository.dirty_paths(untracked=False):
            return (f"the local {self.target} has uncommitted changes and stays{by_hand}",)
        return self._advance(ref, mine, commit, checked_out=place is not None, by_hand=by_hand)

    def _advance(
        self, ref: str, mine: str, commit: str, *, checked_out: bool, by_hand: str
    ) -> tuple[str, ...]:
        try:
            if checked_out:
                self.repository.fast_forward(commit)
            else:
                self.repository.update_ref(ref, commit, mine)
        except GitError as error:
            return (f"the local {self.target} stays ({error.message}){by_hand}",)
        return ()

    def _follow_files(self, onto: str, commit: str) -> tuple[str, ...]:
        if not self._is_here():
            return ()
        try:
            self.repository.switch_files(onto, commit)
        except GitError as error:
            by_hand = f"bring them up by hand: git read-tree -m -u {onto} {commit}"
            return (f"the work tree still has the files of {onto} ({error.message}); {by_hand}",)
        return ()

    def _clean_up(self, proposal: Proposal) -> tuple[str, ...]:
        """Delete the merged branch; the merge stands whether or not that works."""
        try:
            self._refuse_checked_out(proposal.branch)
            self._move(f"refs/heads/{proposal.branch}", None, proposal.head)
        except (GitError, ForgeError) as error:
            return (f"the branch {proposal.branch} stays: {error.message}",)
        return ()

    # Where things are

    def _seen(self, branch: str) -> str:
        return f"refs/remotes/{self.remote}/{branch}" if self.remote else f"refs/heads/{branch}"

    def _head(self, branch: str) -> str | None:
        return self.repository.refs(self._seen(branch)).get(self._seen(branch))

    def _tip(self) -> str:
        tip = self._head(self.target)
        if tip is None:
            where = f"on {self.remote}" if self.remote else f"in {self.repository.path}"
            raise NoCommits(
                f"there is no branch {self.target} {where} yet",
                remedy=f"push it first: git push {self.remote or 'REMOTE'} {self.target}",
            )
        return tip

    def _listed(self) -> tuple[Proposal, ...]:
        prefix = self._seen("")
        others = {prefix + self.target, f"{prefix}HEAD"}
        heads = {ref: at for ref, at in self.repository.refs(prefix).items() if ref not in others}
        self.unreadable = ()
        if not heads:
            return ()
        tip = self._tip()
        found = (
            self._described(ref.removeprefix(prefix), head, tip)
            for ref, head in self._readable(heads).items()
        )
        return tuple(sorted((one for one in found if one), key=lambda one: (one.created, one.id)))

    def _readable(self, heads: Mapping[str, str]) -> dict[str, Commit]:
        """The commits of heads; one that cannot be read is noted and hides no other."""
        try:
            return dict(zip(heads, self.repository.commits(heads.values()), strict=True))
        except GitError:
            found, odd = {}, []
            for ref, at in heads.items():
                try:
                    found[ref] = self.repository.commit(at)
                except GitError as error:
                    branch = ref.removeprefix(self._seen(""))
                    odd.append(f"the branch {branch} is no proposal: {error.message}")
            self.unreadable = tuple(odd)
            return found

    def _described(self, branch: str, head: Commit, tip: str) -> Proposal | None:
        """The proposal that a branch is; None if it is merged already or has nothing to do here."""
        base = self.repository.merge_base(tip, head.id)
        if base is None or base == head.id:
            return None
        return Proposal(
            id=_id_of(branch),
            branch=branch,
            title=head.title,
            body=head.body,
            head=head.id,
            base=base,
            author=str(head.author),
            created=head.time,
        )

    # Moving refs

    def _move(self, ref: str, new: str | None, old: str | None) -> None:
        """Move a ref where it counts: on the remote if there is one, else here."""
        if self.remote is None:
            self.repository.update_ref(ref, new, old)
        else:
            self.repository.push(self.remote, [f"{new or ''}:{ref}"], {ref: old})

    def _fetch_branches(self) -> None:
        if self.remote is not None:
            heads = f"+refs/heads/*:refs/remotes/{self.remote}/*"
            self.repository.fetch(self.remote, [heads], prune=True)

    def _fetch_approvals(self) -> None:
        if self.remote is None:
            return
        statements = [f"+{PREFIX}*:{REMOTE_APPROVALS}*", emergencies.REFSPEC]
        self.repository.fetch(self.remote, statements, prune=True)
        emergencies.take_over(self.repository)
        # Nothing of our own is deleted or replaced: what somebody takes away there, or puts there
        # instead, is evidence here. Which of two is an approval is seen when they are verified.
        # Only names of the one shape are taken, because no two of them can be in each other's way.
        mine = self.repository.refs(PREFIX)
        beside = self.repository.refs(BESIDE)
        for there, commit in self.repository.refs(REMOTE_APPROVALS).items():
            ref = PREFIX + there.removeprefix(REMOTE_APPROVALS)
            if not is_approval_ref(ref) or mine.get(ref) == commit:
                continue
            place = ref if ref not in mine else beside_ref(ref, commit)
            if place not in beside:
                self.repository.update_ref(place, commit, None)

    def _refuse_moved(self, proposal: Proposal) -> None:
        head = self._head(proposal.branch)
        if head != proposal.head:
            now = f"is at {head}" if head else "is gone"
            raise ProposalMoved(
                f"{proposal.branch} {now}, it was at {proposal.head} when it was looked at",
                remedy=f"look again: ordain proposals show {proposal.id}",
            )

    def _refuse_checked_out(self, branch: str) -> None:
        place = self.repository.checked_out().get(f"refs/heads/{branch}")
        if self.remote is None and place is not None:
            raise WorkTreeInTheWay(
                f"it is checked out in {place}",
                remedy=f"leave it first: git switch {self.target}",
            )


def _in_the_way(reason: str) -> WorkTreeInTheWay:
    return WorkTreeInTheWay(
        f"the merge would tread on the work tree: {reason}",
        remedy="commit, stash or move away what is in the way, then merge again",
    )


def _chosen_remote(repository: Repository, wanted: str | None) -> str | None:
    names = sorted(repository.remotes())
    if wanted is None and "origin" in names:
        return "origin"
    if wanted is None and len(names) <= 1:
        return names[0] if names else None
    if wanted in names:
        return wanted
    missing = f"there is no remote {wanted!r}" if wanted else "none of the remotes is origin"
    raise ForgeError(
        f"{missing}; there are: {', '.join(names) or 'none'}",
        remedy="name the remote of the estate",
    )


def refuse_unfit(branch: str, head: Commit, title: str, body: str) -> None:
    name = branch.removeprefix(PROMOTE)
    if not branch.startswith(PROMOTE) or not name or "/" in name:
        raise ForgeError(
            f"{branch!r} is not the name of a proposal", remedy=f"use {PROMOTE}MODEL-NUMBER"
        )
    if (head.title, head.body) != (title.strip(), body.strip()):
        raise ForgeError(
            "on plain git the title and body of a proposal are its last commit's message",
            remedy="write the commit with this title and body",
        )


def _id_of(branch: str) -> str:
    """The name of a promotion without its prefix, any other branch as it is."""
    name = branch.removeprefix(PROMOTE)
    return branch if "/" in name else name


def chosen(identifier: str, found: Sequence[Proposal]) -> Proposal:
    """The one proposal that is meant; `UnknownProposal` or `ForgeError` if it is not one."""
    machine = [one for one in found if one.branch == identifier and one.branch != one.id]
    meant = machine or [one for one in found if identifier in {one.id, one.branch}]
    if not meant:
        raise unknown(identifier, [one.id for one in found])
    if len(meant) > 1:
        raise _ambiguous(identifier, [one.branch for one in meant])
    return meant[0]


def _ambiguous(identifier: str, branches: list[str]) -> ForgeError:
    return ForgeError(
        f"{identifier!r} names {len(branches)} proposals: {' and '.join(branches)}",
        remedy=f"name the machine's by its branch, {PROMOTE}{identifier}; rename the other one",
    )


def unknown(identifier: str, known: list[str]) -> UnknownProposal:
    near = difflib.get_close_matches(identifier, known, n=1)
    remedy = f"did you mean {near[0]}?" if near else "see ordain proposals list"
    opened = ", ".join(known) or "none"
    return UnknownProposal(
        f"there is no open proposal {identifier!r}; open: {opened}", remedy=remedy
    )
