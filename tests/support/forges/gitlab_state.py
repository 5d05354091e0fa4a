"""What a stub of GitLab remembers: plain records, changed by tests and by requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from forges.people import Person

State = Literal["opened", "closed", "locked", "merged"]


def stamp(time: datetime) -> str:
    """A time as GitLab writes it: UTC, thousandths, a Z."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}Z"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for.

    `scope` is `api` or `read_api`, `level` the role of the account in the project (30 developer,
    40 maintainer); without one there is no such project.
    """

    person: Person
    scope: str = "api"
    level: int | None = 40
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """It names no commit: what was approved follows from the versions and the time alone."""

    person: Person
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """The merge request after one push."""

    id: int
    head: str
    base: str
    start: str
    created: datetime


@dataclass(slots=True)
class Note:
    id: int
    person: Person
    body: str
    system: bool
    created: datetime
    updated: datetime


@dataclass(slots=True)
class CommitStatus:
    id: int
    sha: str
    status: str
    name: str
    ref: str | None
    description: str | None
    target_url: str | None
    person: Person
    at: datetime


@dataclass(slots=True)
class MergeRequest:
    """`sha` follows the source branch while it is open, and each move of it is a new version.

    `status` is the `detailed_merge_status` where it is not what the branches say (`not_approved`,
    `ci_must_pass`, …); `checking` is how many more answers leave it at `checking`.
    """

    iid: int
    author: Person
    title: str
    description: str | None
    source: str
    target: str
    sha: str
    created: datetime
    updated: datetime
    state: State = "opened"
    merged: datetime | None = None
    merged_by: Person | None = None
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    squash: bool = False
    closed: datetime | None = None
    closed_by: Person | None = None
    status: str | None = None
    checking: int = 0
    versions: list[Version] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def draft(self) -> bool:
        """The title says so, nothing else."""
        return self.title.lower().startswith(("draft:", "[draft]", "(draft)"))
