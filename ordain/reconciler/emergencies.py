"""Emergencies: what was done, whether it is in force, and until when somebody has to approve it.

The twenty-four hours are counted from when our own record first saw the statement. What a statement
says of its time is a claim of the one whose clock is measured by it. An emergency that nobody has
approved in time stays in force all the same: a route does not go back into production because
people were slow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ordain.compilers.serving import Measures
from ordain.specs.findings import Finding, Severity
from ordain.vcs.approvals import TIME
from ordain.vcs.emergencies import (
    END,
    ROLLBACK,
    STOP,
    Signed,
    Statement,
    branch_of,
)

if TYPE_CHECKING:
    from ordain.specs.documents import Document

LIMIT: Final = timedelta(hours=24)
TOLD: Final = 10
FOLDER: Final = "specs/emergencies/"
KINDS: Final = {
    STOP: "emergency.stopped",
    ROLLBACK: "emergency.rolled-back",
    END: "emergency.ended",
}
APPROVED: Final = "emergency.approved"
OVERDUE: Final = "emergency.overdue"
REFUSED: Final = "emergency.refused"
_CONTROLS: Final = ("HR-SOD", "SR262-CHANGE")


@dataclass(frozen=True, slots=True)
class Settled:
    """The commit that brought the document of an emergency to the branch, and when it passed."""

    commit: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """A statement that our own record has, and this clone has no more.

    It was verified when it was recorded. What it says holds as before: a clone that is made anew,
    or a ref that somebody deletes on the forge, must neither start a route nor stop one.
    """

    statement: Statement
    fingerprint: str
    ref: str
    commit: str

    @property
    def proof(self) -> str:
        """Where it stood."""
        return f"{self.ref}@{self.commit}"


@dataclass(frozen=True, slots=True)
class Emergency:
    """One that was ordered by who may.

    `seen` is when our record first had it, `recorded` whether that is written down yet.
    `obstacle` says why it has no effect on what the estate declares now, empty when it has.
    `routes` are those that a stop keeps stopped: whatever answers where the stopped one did.
    """

    signed: Signed | Recorded
    seen: datetime
    recorded: bool
    approved: Settled | None = None
    ended: Signed | Recorded | None = None
    obstacle: str = ""
    routes: tuple[str, ...] = ()

    @property
    def statement(self) -> Statement:
        """What was ordered."""
        return self.signed.statement

    @property
    def id(self) -> str:
        """Its name."""
        return self.statement.id

    @property
    def lost(self) -> tuple[Recorded, ...]:
        """What was ordered and ended by our own record, and is in this clone no more."""
        return tuple(one for one in (self.signed, self.ended) if isinstance(one, Recorded))

    @property
    def in_force(self) -> bool:
        """Whether it decides what is served: once merged, git does."""
        return self.approved is None and self.ended is None and not self.obstacle

    @property
    def deadline(self) -> datetime:
        """Until when somebody else has to have approved it."""
        return self.seen + LIMIT

    @property
    def late(self) -> timedelta:
        """How much later than the deadline it was approved; nothing when it was in time."""
        if self.approved is None:
            return timedelta()
        return max(self.approved.time - self.deadline, timedelta())

    def overdue(self, now: datetime) -> bool:
        """Whether it should have been approved by now; an ended one still has to be."""
        return self.approved is None and now > self.deadline

    def describe(self) -> str:
        """What was done, in words."""
        said = self.statement
        if said.action == STOP:
            return f"the route {said.name} was stopped by {said.person}"
        return f"{said.name} was rolled back to version {said.version} by {said.person}"

    def standing(self, now: datetime) -> str:
        """How it stands, in words."""
        ended = "" if self.ended is None else f"ended by {self.ended.statement.person}; "
        if self.approved is not None:
            late = f", {hours(self.late)} late" if self.late else ""
            return f"{ended}approved{late}"
        if self.overdue(now):
            return f"{ended}NOT APPROVED within 24 h, {hours(now - self.deadline)} over"
        return f"{ended}{hours(self.deadline - now)} left to approve it"

    def line(self, now: datetime) -> str:
        """The emergency in one line."""
        return f"{self.id}  {self.describe()} ({self.standing(now)})"

    def to_json(self, now: datetime) -> dict[str, Any]:
        """The emergency as data."""
        said = self.statement
        return {
            "id": self.id,
            "text": self.line(now),
            "action": said.action,
            "subject": said.subject,
            "version": said.version,
            "person": said.person,
            "reason": said.reason,
            "in_force": self.in_force,
            "seen": self.seen.isoformat(),
            "deadline": self.deadline.isoformat(),
            "overdue": self.overdue(now),
            "approved": None if self.approved is None else self.approved.commit,
            "late_hours": round(self.late / timedelta(hours=1), 1),
            "ended_by": None if self.ended is None else self.ended.statement.person,
            "branch": branch_of(self.id),
            "proof": self.signed.proof,
            "obstacle": self.obstacle,
        }


@dataclass(frozen=True, slots=True)
class RefusedStatement:
    """A statement without effect, and why; `id` is what its ref claims."""

    id: str
    reason: str
    proof: str


@dataclass(frozen=True, slots=True)
class Emergencies:
    """All of them, in the order in which they were seen, and the statements without effect."""

    all: tuple[Emergency, ...] = ()
    refused: tuple[RefusedStatement, ...] = ()
    ends: tuple[Emergency, ...] = field(default=(), repr=False)

    @property
    def waiting(self) -> tuple[Emergency, ...]:
        """Those that nobody has approved yet, in force or ended."""
        return tuple(one for one in self.all if one.approved is None)

    @property
    def told(self) -> tuple[RefusedStatement, ...]:
        """The statements without effect that are told one by one; anybody may push any number."""
        return self.refused[:TOLD]

    @property
    def measures(self) -> Measures:
        """What they change in what is served; of two on one thing the later counts."""
        live = [one for one in self.all if one.in_force]
        said = [one.statement for one in live]
        return Measures(
            {route: one.id for one in live for route in one.routes},
            {one.name: one.version for one in said if one.version is not None},
        )

    def findings(self, now: datetime) -> tuple[Finding, ...]:
        """What is wrong with them at a moment; the same words as long as it is the same."""
        overdue = (unapproved(one) for one in self.all if one.overdue(now))
        lost = (_lost(one, gone) for one in self.waiting for gone in one.lost)
        idle = (_idle(one) for one in self.waiting if one.obstacle and one.ended is None)
        more = (_more(len(self.refused) - TOLD),) if len(self.refused) > TOLD else ()
        return (*overdue, *lost, *idle, *map(_refused, self.told), *more)


NONE: Final = Emergencies()


def _more(number: int) -> Finding:
    return Finding(
        code="EMG003",
        severity=Severity.WARNING,
        message=f"{number} more statements have no effect",
        remedy="look at refs/ordain/emergencies/, delete there what is none, and ask who pushed it",
        controls=_CONTROLS,
    )


def told_by(document: Document) -> dict[str, Any]:
    """What the document of an emergency says was done, for `told_of`."""
    spec = document.spec
    return {
        "done": [spec.action, spec.route or spec.deployment, spec.version],
        "why": spec.reason,
        "ordered": [spec.requested_by, spec.requested_at],
        "ended": [spec.ended_by, spec.ended_at],
    }


def told_of(said: Statement, end: Statement | None = None) -> dict[str, Any]:
    """What the document of an order says, ended or not, as `ordain` writes it."""
    return {
        "done": [said.action, said.name, said.version],
        "why": said.reason,
        "ordered": [said.person, said.time.strftime(TIME)],
        "ended": [None, None] if end is None else [end.person, end.time.strftime(TIME)],
    }


def hours(span: timedelta) -> str:
    """A span in hours, or in minutes below one."""
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes / 60:.1f} h"  # noqa: PLR2004 - an hour


def unapproved(one: Emergency) -> Finding:
    """What is said of an emergency that nobody has approved in time."""
    return Finding(
        code="EMG001",
        severity=Severity.ERROR,
        message=f"{one.id}: {one.describe()}, and nobody else has approved it within 24 hours",
        evidence=(
            f"first seen = {one.seen:%Y-%m-%d %H:%M} UTC, by our own record",
            f"stated = {one.statement.time:%Y-%m-%d %H:%M} UTC",
            f"reason = {one.statement.reason}",
            f"proof = {one.signed.proof}",
        ),
        remedy=f"approve and merge {branch_of(one.id)}; it stays in force until then",
        controls=_CONTROLS,
    )


def late_approval(one: Emergency) -> Finding:
    """What is said of an emergency that was approved after its deadline."""
    return Finding(
        code="EMG002",
        severity=Severity.WARNING,
        message=f"{one.id}: {one.describe()}, and was approved {hours(one.late)} late",
        evidence=(f"proof = {one.signed.proof}",),
        remedy="say in the incident why nobody was asked in time",
        controls=_CONTROLS,
    )


def _idle(one: Emergency) -> Finding:
    return Finding(
        code="EMG006",
        severity=Severity.WARNING,
        message=f"{one.id} has no effect: {one.obstacle}",
        evidence=(f"proof = {one.signed.proof}",),
        remedy=f"see what is served: ordain status; end it: ordain emergencies end {one.id}",
        controls=_CONTROLS,
    )


def _lost(one: Emergency, gone: Recorded) -> Finding:
    return Finding(
        code="EMG008",
        severity=Severity.ERROR,
        message=f"the statement of {gone.statement.id} is gone from this clone; it holds as before",
        evidence=(f"proof = {gone.proof}, by our own record",),
        remedy=(
            f"bring back {gone.ref} from another clone (git fetch); where none has it, let"
            f" {one.statement.person} end {one.id}, and have that approved"
        ),
        controls=_CONTROLS,
    )


def _refused(one: RefusedStatement) -> Finding:
    return Finding(
        code="EMG003",
        severity=Severity.WARNING,
        message=f"the statement {one.id} has no effect: {one.reason}",
        evidence=(f"proof = {one.proof}",),
        remedy="find out who wrote it; a manager orders with: ordain stop, or ordain rollback",
        controls=_CONTROLS,
    )


def document_path(identifier: str) -> str:
    """Where the document of an emergency stands."""
    return f"{FOLDER}{identifier}.yaml"
