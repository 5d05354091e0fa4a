"""What a host said when a commit passed the gate, kept in our own record and heard again.

A history is judged again when the state store was lost or trust was moved. By then an account may
be deleted, a review dismissed, the forge another one; what was right when it was merged must not be
refused for that. So the record of a commit that passed holds the answers of the host, raw, and the
same code that judged them then judges them again: the merge is held against git, and the accounts
against the Organization of its base.

Only what our own chained record says is heard in the place of the host. For everything that it does
not say the host itself is asked.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ordain.vcs.host import HostAccount, HostProposal, HostReview, HostState, ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ordain.ledger.records import Event
    from ordain.reconciler.answers import Answers
    from ordain.reconciler.testimony import Testimony


@dataclass(frozen=True, slots=True)
class Heard:
    """The answers about one commit."""

    proposals: tuple[HostProposal, ...]
    reviews: tuple[tuple[int, HostReview], ...]


@dataclass(frozen=True, slots=True)
class Recollection:
    """Answers by the commit they were given about, and whom to ask for all others."""

    name: str
    heard: Mapping[str, Heard]
    opened: Callable[[], Answers]

    def proposal(self, number: int) -> HostProposal:
        """One by its number, from the host."""
        return self.opened().proposal(number)

    def proposal_of(self, commit: str, target: str) -> HostProposal | None:
        """The proposal that the record or else the host names for a merge."""
        for one in self.heard.values():
            for proposal in one.proposals:
                if proposal.merged == commit and proposal.target == target:
                    return proposal
        return self.opened().proposal_of(commit, target)

    def reviews(self, proposal: HostProposal) -> tuple[HostReview, ...]:
        """The reviews as they were when the merge passed, or as the host has them."""
        found = self.heard.get(proposal.merged)
        if found is None or not proposal.merged:
            return self.opened().reviews(proposal)
        return tuple(review for number, review in found.reviews if number == proposal.number)


def to_record(told: Testimony | None) -> dict[str, Any]:
    """What a record keeps of a testimony; nothing where nobody was asked."""
    if told is None:
        return {}
    proposals = [{**asdict(one), "title": "", "body": ""} for one in told.proposals]
    reviews = [{**asdict(one), "number": proposal.number} for proposal, one in told.reviews]
    return {"heard": {"proposals": _plain(proposals), "reviews": _plain(reviews)}}


def recollected(passed: Iterable[Event]) -> dict[str, Heard]:
    """The answers in our record, by commit; the first time that a commit passed is the one.

    A record whose fields are not those of this version says nothing, so that the host is asked.
    """
    found: dict[str, Heard] = {}
    for event in passed:
        data = event.data.get("heard")
        if data is not None and event.subject not in found:
            with suppress(KeyError, TypeError, ValueError):
                found[event.subject] = _heard(data)
    return found


def _heard(data: Mapping[str, Any]) -> Heard:
    proposals = tuple(map(_proposal, data["proposals"]))
    return Heard(proposals, tuple((one["number"], _review(one)) for one in data["reviews"]))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a dataclass
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value


def _proposal(data: Mapping[str, Any]) -> HostProposal:
    return HostProposal(
        number=data["number"],
        title="",
        body="",
        branch=data["branch"],
        target=data["target"],
        head=data["head"],
        ref=data["ref"],
        state=HostState(data["state"]),
        author=_account(data["author"]),
        created=datetime.fromisoformat(data["created"]),
        merged=data["merged"],
        merged_by=_account(data["merged_by"]),
        fork=data["fork"],
        url=data["url"],
    )


def _review(data: Mapping[str, Any]) -> HostReview:
    return HostReview(
        account=_account(data["account"]),
        state=ReviewState(data["state"]),
        commit=data["commit"],
        time=datetime.fromisoformat(data["time"]),
        proof=data["proof"],
        base=data["base"],
    )


def _account(data: Mapping[str, Any] | None) -> HostAccount | None:
    if data is None:
        return None
    return HostAccount(login=data["login"], id=data["id"], machine=data["machine"])
