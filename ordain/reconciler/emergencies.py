"""Which emergencies there are, which are in force, and which still wait for an approval.

A statement has an effect when it is signed by a manager of the last good commit. That is asked
once, when our own record first sees it; from then on it is in force until the change that it
proposes has passed the gate, or a manager has ended it. A key that expires at midnight, or a
manager who leaves, must not put a stopped route back into production.

The twenty-four hours are counted from that moment as well. What a statement says of its time is a
claim of the one whose clock is measured by it; refused is only what is dated ahead.

Whether a change has brought the document of an emergency to git is remembered when that change
passes the gate, and can be found again by judging the history. A commit that was refused settles
nothing, however it is reverted afterwards.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ordain.compilers.serving import Measures
from ordain.ledger.errors import LedgerError
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.specs.findings import Finding, Severity
from ordain.vcs.emergencies import (
    END,
    ROLLBACK,
    STOP,
    Signed,
    Statement,
    Unsound,
    branch_of,
    dated_ahead,
    read_statements,
)
from ordain.vcs.errors import GitError
from ordain.vcs.keys import holder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.gating import Side
    from ordain.reconciler.source import Source
    from ordain.reconciler.state import StateStore
    from ordain.specs.documents import Document, LoadedEstate

LIMIT: Final = timedelta(hours=24)
MANAGER: Final = "manager"
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
class Emergency:
    """One that was ordered by who may.

    `seen` is when our record first had it, `recorded` whether that is written down yet.
    `obstacle` says why it has no effect on what the estate declares now, empty when it has.
    """

    signed: Signed
    seen: datetime
    recorded: bool
    approved: Settled | None = None
    ended: Signed | None = None
    obstacle: str = ""

    @property
    def statement(self) -> Statement:
        """What was ordered."""
        return self.signed.statement

    @property
    def id(self) -> str:
        """Its name."""
        return self.statement.id

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
    def measures(self) -> Measures:
        """What they change in what is served; of two on one thing the later counts."""
        live = [one.statement for one in self.all if one.in_force]
        return Measures(
            {said.name: said.id for said in live if said.action == STOP},
            {said.name: said.version for said in live if said.version is not None},
        )

    def findings(self, now: datetime) -> tuple[Finding, ...]:
        """What is wrong with them at a moment; the same words as long as it is the same."""
        overdue = (_overdue(one) for one in self.all if one.overdue(now))
        idle = (_idle(one) for one in self.waiting if one.obstacle and one.ended is None)
        return (*overdue, *idle, *map(_refused, self.refused))


NONE: Final = Emergencies()


def hours(span: timedelta) -> str:
    """A span in hours, or in minutes below one."""
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes / 60:.1f} h"  # noqa: PLR2004 - an hour


def _overdue(one: Emergency) -> Finding:
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


def _refused(one: RefusedStatement) -> Finding:
    return Finding(
        code="EMG003",
        severity=Severity.WARNING,
        message=f"the statement {one.id} has no effect: {one.reason}",
        evidence=(f"proof = {one.proof}",),
        remedy="find out who wrote it; a manager orders with: ordain stop, or ordain rollback",
        controls=_CONTROLS,
    )


# Reading


def read_emergencies(source: Source, side: Side, memory: Memory, now: datetime) -> Emergencies:
    """Every emergency as it stands; `side` is the last good commit. Writes nothing.

    Raises:
        GitError: the repository cannot be read.
        SpecError: that commit does not say who its people are.
    """
    found = list(read_statements(source.repository))
    if not found:
        return NONE
    court = _Court(source, side, memory, now)
    heard = [court.hear(one) for one in found]
    refused = [one for one in heard if isinstance(one, RefusedStatement)]
    valid = sorted(
        (one for one in heard if isinstance(one, Emergency)),
        key=lambda one: (one.seen, one.signed.ref),
    )
    first: dict[str, Emergency] = {}
    again = [one for one in valid if first.setdefault(one.id, one) is not one]
    refused += (RefusedStatement(one.id, "it was given before", one.signed.proof) for one in again)
    acts = [one for one in first.values() if one.statement.action != END]
    ends = [one for one in first.values() if one.statement.action == END]
    return Emergencies(tuple(_with_ends(acts, ends, memory, side)), tuple(refused), tuple(ends))


def _with_ends(
    acts: Iterable[Emergency], ends: Iterable[Emergency], memory: Memory, side: Side
) -> Iterator[Emergency]:
    """Each with its end and its approval, and with what keeps it from having an effect."""
    ended: dict[str, Signed] = {}
    for one in ends:
        ended.setdefault(one.statement.name, one.signed)
    for one in acts:
        yield Emergency(
            one.signed,
            one.seen,
            one.recorded,
            _settled(one.statement, side, memory),
            ended.get(one.id),
            obstacle_to(one.statement, side.estate),
        )


@dataclass(frozen=True, slots=True)
class _Court:
    """Asks of every statement whether it counts."""

    source: Source
    side: Side
    memory: Memory
    now: datetime

    def hear(self, one: Signed | Unsound) -> Emergency | RefusedStatement:
        if isinstance(one, Unsound):
            name = one.ref.removeprefix("refs/ordain/emergencies/").partition("/")[0]
            return RefusedStatement(name, one.reason, one.proof)
        if one.statement.estate != self.source.root_commit:
            return RefusedStatement(one.statement.id, "it is of another estate", one.proof)
        known = self.memory.seen(one)
        if known is not None:
            return Emergency(one, known, recorded=True)
        reason = self._refusal(one)
        if reason:
            return RefusedStatement(one.statement.id, reason, one.proof)
        return Emergency(one, self.now, recorded=False)

    def _refusal(self, one: Signed) -> str:
        """Why a statement that we see for the first time has no effect; empty when it has."""
        said = one.statement
        if dated_ahead(said, self.now):
            return f"it is dated in the future ({said.time:%Y-%m-%d %H:%M} UTC)"
        organization = organization_of(self.side.estate)
        owner = holder(one.key, allowed_keys(organization), self.now)
        if owner.person != said.person:
            return owner.reason or f"it is signed by {owner.person}, not by {said.person}"
        roles = {person.name: person.roles for person in organization.people}
        if said.role != MANAGER or MANAGER not in roles.get(said.person, ()):
            return f"{said.person} is no manager"
        if not self._knows(said.revision):
            return f"it was given on {said.revision[:12]}, which is not of this history"
        return ""

    def _knows(self, revision: str) -> bool:
        repository = self.source.repository
        try:
            return any(
                repository.is_ancestor(revision, tip)
                for tip in (self.side.revision, self.source.head())
            )
        except GitError:
            return False


def obstacle_to(said: Statement, estate: LoadedEstate) -> str:
    """Why an order means nothing in an estate; empty when it does."""
    if said.action == STOP:
        known = estate.get("Route", said.name) is not None
        return "" if known else f"there is no Route {said.name} any more"
    deployment = estate.get("Deployment", said.name)
    if deployment is None:
        return f"there is no Deployment {said.name} any more"
    if not estate.versions(deployment.spec.model, said.version or 0):
        return f"there is no version {said.version} of {deployment.spec.model}"
    return ""


# What has passed the gate


def document_path(identifier: str) -> str:
    """Where the document of an emergency stands."""
    return f"{FOLDER}{identifier}.yaml"


def records(document: Document | None, said: Statement) -> bool:
    """Whether a document is the trace of an order."""
    if document is None:
        return False
    spec = document.spec
    done = (spec.action, spec.route or spec.deployment, spec.version, spec.requested_by)
    return bool(done == (said.action, said.name, said.version, said.person))


def _settled(said: Statement, side: Side, memory: Memory) -> Settled | None:
    found = memory.settled(said)
    if found is None and records(side.estate.get("BreakGlass", said.id), said):
        # It is in a commit that has passed, and nobody remembers when: as late as it can be.
        return Settled(side.revision, memory.now)
    return found


class Memory:
    """What our own record and the state store know of emergencies.

    The record is the truth and the state store the shortcut: what it does not know is looked for in
    the record, once for each object of this class.
    """

    def __init__(self, state: StateStore, ledger: Ledger, now: datetime) -> None:
        self.now = now
        self._state = state
        self._ledger = ledger
        self._events: dict[tuple[str, str], tuple[datetime, dict[str, Any]]] | None = None

    def seen(self, one: Signed) -> datetime | None:
        """When a statement was first seen and found good; None if it never was."""
        found = self._find(KINDS[one.statement.action], one.commit)
        if found is None or found[1].get("key") != one.key.fingerprint:
            return None
        return found[0]

    def settled(self, said: Statement) -> Settled | None:
        """When the document of an order has passed the gate."""
        text = self._state.get(f"emergency-document:{said.id}")
        found: dict[str, Any] = {"done": None} if text is None else json.loads(text)
        if found["done"] != [said.action, said.name, said.version, said.person]:
            return None
        return Settled(found["commit"], datetime.fromisoformat(found["time"]))

    def told(self, kind: str, about: str) -> bool:
        """Whether an event of a kind was recorded about a commit, or about an emergency."""
        return self._find(kind, about) is not None

    def keep(self, kind: str, about: str, time: datetime, data: dict[str, Any]) -> None:
        """Remember an event that was just recorded."""
        text = json.dumps({"time": time.isoformat(), "data": data}, sort_keys=True)
        self._state.put(f"{kind}:{about}", text)

    def passed(self, document: Document, commit: str, time: datetime) -> None:
        """Remember that a change with the document of an emergency has passed the gate."""
        spec = document.spec
        done = [spec.action, spec.route or spec.deployment, spec.version, spec.requested_by]
        said = {"commit": commit, "time": time.isoformat(), "done": done}
        self._state.put(f"emergency-document:{document.name}", json.dumps(said))

    def _find(self, kind: str, about: str) -> tuple[datetime, dict[str, Any]] | None:
        text = self._state.get(f"{kind}:{about}")
        if text is not None:
            found = json.loads(text)
            return datetime.fromisoformat(found["time"]), found["data"]
        if self._events is None:
            self._events = self._recorded()
        return self._events.get((kind, about))

    def _recorded(self) -> dict[tuple[str, str], tuple[datetime, dict[str, Any]]]:
        """The events of emergencies by kind and what they are about.

        A record that cannot be read says nothing, and whoever knows nothing asks for keys and roles
        again. Damage is told by every pass; it must not keep a route from being stopped.
        """
        found: dict[tuple[str, str], tuple[datetime, dict[str, Any]]] = {}
        with suppress(LedgerError):
            for event in self._ledger.events(kind="emergency"):
                about = str(event.data.get("about", ""))
                found.setdefault((event.kind, about), (event.time, dict(event.data)))
        return found
