"""What a host has answered, kept until somebody fetches.

Each commit that is refused is judged again with every one that comes after it, so that without a
memory the questions would grow with the square of what waits. Which proposal a merge was made of
does not change any more once the host has said it; that it names none, and what people have
reviewed, is asked anew after every fetch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ordain.vcs.host import HostState

if TYPE_CHECKING:
    from ordain.vcs.host import Host, HostProposal, HostReview


@dataclass(frozen=True, slots=True)
class Answers:
    """As much of a host as a change is judged by; each question is asked once."""

    host: Host
    _merges: dict[tuple[str, str], HostProposal | None] = field(default_factory=dict)
    _reviews: dict[tuple[int, str], tuple[HostReview, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As in an account of a Person."""
        return self.host.name

    def proposal(self, number: int) -> HostProposal:
        """See `Host`; never kept, because its newest commit is what is asked for."""
        return self.host.proposal(number)

    def proposal_of(self, commit: str, target: str) -> HostProposal | None:
        """See `Host`."""
        key = commit, target
        if key not in self._merges:
            self._merges[key] = self.host.proposal_of(commit, target)
        return self._merges[key]

    def reviews(self, proposal: HostProposal) -> tuple[HostReview, ...]:
        """See `Host`."""
        key = proposal.number, proposal.head
        if key not in self._reviews:
            self._reviews[key] = self.host.reviews(proposal)
        return self._reviews[key]

    def forget(self) -> None:
        """Forget what may be another answer by now."""
        self._reviews.clear()
        for key, found in [*self._merges.items()]:
            if found is None or (found.state, found.merged) != (HostState.MERGED, key[0]):
                del self._merges[key]
