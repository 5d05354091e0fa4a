"""What a stub of GitHub remembers: plain records, changed by tests and by requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from forges.people import Person

ReviewState = Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]
MergeMethod = Literal["merge", "squash", "rebase"]


def stamp(time: datetime) -> str:
    """A time as GitHub writes it: UTC, whole seconds, a Z."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Review:
    id: int
    person: Person
    state: ReviewState
    commit_id: str | None
    at: datetime
    body: str = ""


@dataclass(slots=True)
class Comment:
    id: int
    person: Person
    body: str
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """What was done to a pull request; of a change of its base neither side is told."""

    id: int
    person: Person
    name: str
    at: datetime


@dataclass(slots=True)
class Status:
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    person: Person
    at: datetime


@dataclass(slots=True)
class CheckRun:
    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    at: datetime


@dataclass(slots=True)
class Ruleset:
    id: int
    name: str
    enforcement: str
    conditions: dict[str, Any]
    rules: list[dict[str, Any]]
    bypass_actors: list[dict[str, Any]]
    current_user_can_bypass: str


@dataclass(slots=True)
class Pull:
    """A pull request. `head_sha` and `base_sha` follow the branches while it is open and stand
    still afterwards; `seen` is the head that reviews were last compared with.

    `blocked` is the sentence with which a merge is refused (a rule of the branch, say);
    `computing` is how many more answers leave `mergeable` null.
    """

    number: int
    author: Person
    title: str
    body: str | None
    head: str
    base: str
    head_sha: str
    base_sha: str
    created: datetime
    updated: datetime
    draft: bool = False
    state: Literal["open", "closed"] = "open"
    closed: datetime | None = None
    merged: datetime | None = None
    merged_by: Person | None = None
    merge_commit_sha: str | None = None
    blocked: str | None = None
    computing: int = 0
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
