"""What is written down of emergencies, each of it once.

Whoever orders and the reconciler both write, at the same time if it so happens, so each looks again
while holding a lock of its own. A process that is killed between a statement and its event leaves
the statement, and the next pass writes what is missing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ordain.ledger.records import Event
from ordain.reconciler.emergencies import (
    APPROVED,
    KINDS,
    OVERDUE,
    REFUSED,
    late_approval,
)
from ordain.reconciler.errors import Busy
from ordain.reconciler.gating import read_side
from ordain.reconciler.turns import turn
from ordain.specs.people import RECONCILER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.emergencies import Emergencies, Emergency
    from ordain.reconciler.emergency_memory import Memory
    from ordain.reconciler.gating import Judged
    from ordain.reconciler.home import Home
    from ordain.reconciler.source import Source
    from ordain.specs.findings import Finding


def record_emergencies(
    found: Emergencies,
    memory: Memory,
    ledger: Ledger,
    home: Home,
    now: datetime,
    *,
    patience: float,
) -> tuple[Finding, ...]:
    """Write down what is new about them; returns what was approved too late.

    Raises:
        LedgerError: the record cannot be written.
        StateDamaged: the lock cannot be made.
        Busy: another process has held it for as many seconds as `patience`.
    """
    if not (found.all or found.refused):
        return ()
    late = []
    path = home.root / "emergencies.lock"
    with turn(path, patience) as held:
        if not held:
            message = f"another process has written for {patience:g} s ({path})"
            raise Busy(message, remedy="end it, or wait for it")
        for one in (*found.all, *found.ends):
            if not one.recorded:
                _order(one, memory, ledger, now)
        for one in found.all:
            if one.overdue(now):
                data = {"about": one.id, "deadline": one.deadline.isoformat()}
                _once(OVERDUE, one.statement.subject, data, memory, ledger, now)
            if _approval(one, memory, ledger, now) and one.late:
                late.append(late_approval(one))
        for refused in found.told:
            data = {"about": refused.proof, "reason": refused.reason}
            _once(REFUSED, f"Emergency/{refused.id}", data, memory, ledger, now)
    return tuple(late)


def _order(one: Emergency, memory: Memory, ledger: Ledger, now: datetime) -> None:
    said = one.statement
    data = {
        "about": one.signed.commit,
        "id": one.id,
        "reason": said.reason,
        "key": one.signed.fingerprint,
        "stated": said.time.isoformat(),
        "revision": said.revision,
        "proposal": said.proposal,
        "proof": one.signed.proof,
    }
    if said.version is not None:
        data["version"] = str(said.version)
    kind = KINDS[said.action]
    _once(kind, said.subject, data, memory, ledger, now, actor=said.person)


def _approval(one: Emergency, memory: Memory, ledger: Ledger, now: datetime) -> bool:
    if one.approved is None:
        return False
    data = {
        "about": one.id,
        "commit": one.approved.commit,
        "passed": one.approved.time.isoformat(),
        "late_hours": round(one.late / timedelta(hours=1), 1),
    }
    return _once(APPROVED, one.statement.subject, data, memory, ledger, now)


def _once(
    kind: str,
    subject: str,
    data: dict[str, Any],
    memory: Memory,
    ledger: Ledger,
    now: datetime,
    *,
    actor: str = RECONCILER,
) -> bool:
    """Record an event unless it is recorded; says whether it was not."""
    about = data["about"]
    if memory.told(kind, about):
        return False
    ledger.record(Event(now, actor, kind, subject, data))
    memory.keep(kind, about, now, data)
    return True


def remember_documents(
    source: Source,
    judged: Iterable[Judged],
    memory: Memory,
    ledger: Ledger,
    passed: Mapping[str, datetime],
) -> None:
    """Remember which documents of emergencies have passed the gate, and when.

    The time is our own record's: of the merge, where it was made here, or of the verdict.
    """
    for one in judged:
        brought = [key for key in one.facts.added if key.startswith("BreakGlass/")]
        if not brought:
            continue
        events = ledger.events(kind="proposal.merged")
        merged = {event.data["commit"]: event.time for event in events}
        time = merged.get(one.revision) or passed.get(one.revision) or memory.now
        estate = read_side(source, one.revision).estate
        for key in brought:
            memory.passed(estate.documents[key], one.revision, time)
