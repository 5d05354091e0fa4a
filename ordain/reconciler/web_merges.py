"""What a merge button made, held against git.

A host says which proposal a commit of the branch is the merge of. That holds where the tree of the
commit is exactly what merging the proposal gives; whether it was merged, squashed or rebased, and
onto what, is then read from git and not from the host's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.reconciler.history import commits_between
from ordain.vcs.errors import MergeConflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.vcs.git import Repository
    from ordain.vcs.host import HostProposal
    from ordain.vcs.objects import Commit

_PAIR: Final = 2
_PLATFORM: Final = "-----BEGIN PGP"


@dataclass(frozen=True, slots=True)
class WebMerge:
    """A proposal as it stands on the branch after the host has merged it.

    `steps` are the commits of the branch that hold nothing but the proposal: one for a merge or a
    squash, several after a rebase. `beside` is what they bring besides the proposal: a commit that
    GitLab has squashed it into before the merge. `commits` are the proposal's own, oldest first.
    """

    proposal: HostProposal
    steps: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()


def merge_in(
    repository: Repository, line: Sequence[Commit], proposal: HostProposal
) -> WebMerge | None:
    """The steps at the end of a line that hold nothing but the proposal; None if they do not.

    A rebase leaves at most as many commits as the proposal has. The longest way whose end is
    the merge of the proposal with its beginning is the one, whatever lies between: what counts
    is the tree that is served.
    """
    step, head = line[-1], proposal.head
    if len(step.parents) not in {1, _PAIR}:
        return None
    most = len(commits_between(repository, step.parents[0], head))
    most = most if len(step.parents) == 1 else 1
    for length in range(min(most, len(line)), 0, -1):
        steps = line[-length:]
        onto = steps[0].parents[:1]
        if onto and _merges_to(repository, onto[0], head, step.tree):
            return _web_merge(repository, proposal, onto[0], tuple(one.id for one in steps))
    return None


def _web_merge(
    repository: Repository, proposal: HostProposal, onto: str, steps: tuple[str, ...]
) -> WebMerge:
    commits = commits_between(repository, onto, proposal.head)
    brought = commits_between(repository, onto, steps[-1])
    beside = tuple(one for one in brought if one not in {*steps, *commits})
    return WebMerge(proposal, steps, beside, commits)


def adds_nothing(repository: Repository, commit: Commit) -> bool:
    """Whether a commit merges two others and holds exactly what that gives."""
    if len(commit.parents) != _PAIR:
        return False
    return _merges_to(repository, *commit.parents, commit.tree)


def is_signed_by_platform(commit: Commit) -> bool:
    """Whether a commit is signed as a host signs; people sign with the SSH keys that are listed."""
    return commit.signature is not None and commit.signature.startswith(_PLATFORM)


def _merges_to(repository: Repository, onto: str, head: str, tree: str) -> bool:
    try:
        return repository.merge_tree(onto, head) == tree
    except MergeConflict:
        return False
