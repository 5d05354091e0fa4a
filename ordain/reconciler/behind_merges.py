"""Who made what a host has committed.

A squash is signed by nobody of the Organization, and neither are the commits of a rebase. Who
shaped a model is therefore asked of the commits of the proposal behind them; otherwise a merge
button would make everybody independent of their own work.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.reconciler.history import makers
from ordain.reconciler.host_reviews import people_of
from ordain.reconciler.web_merges import adds_nothing, is_signed_by_platform, merge_in
from ordain.specs.people import UNKNOWN
from ordain.vcs.hosted import bring

if TYPE_CHECKING:
    from ordain.reconciler.testimony import Witness
    from ordain.reconciler.web_merges import WebMerge
    from ordain.vcs.git import Repository
    from ordain.vcs.objects import Commit

# No host rebases a proposal of more commits.
_LONGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class Branch:
    """The steps of a branch, oldest first, and the host that may explain them."""

    witness: Witness
    steps: tuple[str, ...]

    def makers_of(self, commit: Commit) -> frozenset[str] | None:
        """Who has made what stands in a commit that nobody known signed.

        None where the host does not explain the commit either.
        """
        if adds_nothing(self._repository, commit):
            return frozenset()
        merge = self._merge_around(self._place_of(commit.id), commit.id)
        return None if merge is None else self._behind(merge)

    @property
    def _repository(self) -> Repository:
        return self.witness.repository

    def _place_of(self, commit: str) -> int:
        """The place of a step, or of the first one that contains a commit of a side branch."""
        if commit in self.steps:
            return self.steps.index(commit)

        def has(step: str) -> int:
            return int(self._repository.is_ancestor(commit, step))

        return bisect_left(self.steps, 1, key=has)

    def _merge_around(self, place: int, commit: str) -> WebMerge | None:
        """The merge that brought a commit: the one at its place on the branch, or one after it.

        All commits of a rebase but the last are explained by the last one, and none of them is
        signed by a person of any list that the branch has ever had.
        """
        for end in range(place, min(len(self.steps), place + _LONGEST)):
            step = self._repository.commit(self.steps[end])
            if end > place and self._is_by_hand(step):
                return None
            proposal = self.witness.merged_as(step.id)
            if proposal is None:
                continue
            bring(self._repository, self.witness.remote, proposal)
            before = self.steps[max(0, end + 1 - _LONGEST) : end + 1]
            merge = merge_in(self._repository, self._repository.commits(before), proposal)
            found = merge is not None and commit in {*merge.steps, *merge.beside}
            return merge if found else None
        return None

    def _behind(self, merge: WebMerge) -> frozenset[str]:
        commits = self._repository.commits(merge.commits)
        people = people_of(self.witness, merge.proposal.author)
        for commit, names in zip(commits, self._makers(*merge.commits), strict=True):
            if UNKNOWN not in names or not adds_nothing(self._repository, commit):
                people |= names
        return people

    def _is_by_hand(self, commit: Commit) -> bool:
        """Whether a key that was ever listed has signed; a host may sign with one of its own."""
        if commit.signature is None or is_signed_by_platform(commit):
            return False
        (people,) = self._makers(commit.id)
        return UNKNOWN not in people

    def _makers(self, *commits: str) -> tuple[frozenset[str], ...]:
        return makers(self._repository, commits, self.witness.allowed, self.steps[-1])
