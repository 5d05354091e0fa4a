"""What is known of emergencies from before: by our own record, or by nobody."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ordain.ledger.errors import LedgerError
from ordain.policies.emergencies import MANAGER
from ordain.reconciler.emergencies import KINDS, Emergency, Recorded, Settled, told_by, told_of
from ordain.vcs.emergencies import Statement, emergency_ref

if TYPE_CHECKING:
    from ordain.ledger.ledger import Ledger
    from ordain.ledger.records import Event
    from ordain.reconciler.state import StateStore
    from ordain.specs.documents import Document
    from ordain.vcs.emergencies import Signed


class Stranger:
    """Whoever has neither our record nor our state: nothing was ever seen."""

    def seen(self, _one: Signed) -> datetime | None:
        return None

    def settled(self, _said: Statement, _end: Statement | None) -> Settled | None:
        return None

    def recorded(self, _estate: str) -> tuple[Emergency, ...]:
        return ()

    def has_passed(self, _commit: str) -> bool:
        return False


class Memory:
    """What our own record and the state store know of emergencies.

    The record is the truth and the state store the shortcut: what it does not know is looked for in
    the record, once for each object of this class.
    """

    def __init__(self, state: StateStore, ledger: Ledger, now: datetime) -> None:
        self.now = now
        self._state = state
        self._ledger = ledger
        self._events: dict[tuple[str, str], Event] | None = None

    def seen(self, one: Signed) -> datetime | None:
        """When a statement was first seen and found good; None if it never was."""
        found = self._find(KINDS[one.statement.action], one.commit)
        if found is None or found[1].get("key") != one.fingerprint:
            return None
        return found[0]

    def settled(self, said: Statement, end: Statement | None) -> Settled | None:
        """When the document of an order, ended or not, has passed the gate."""
        text = self._state.get(f"emergency-document:{said.id}")
        found: dict[str, Any] = {"told": None} if text is None else json.loads(text)
        if found["told"] not in (told_of(said), told_of(said, end)):
            return None
        return Settled(found["commit"], datetime.fromisoformat(found["time"]))

    def recorded(self, estate: str) -> tuple[Emergency, ...]:
        """Every order and every end that was ever found good, by our own record alone."""
        orders = {kind: action for action, kind in KINDS.items()}
        return tuple(
            _recorded(orders[kind], event, estate)
            for (kind, _), event in self._known().items()
            if kind in orders
        )

    def has_passed(self, commit: str) -> bool:
        """Whether a commit has passed the gate, by our own record."""
        with suppress(LedgerError):
            return any(True for _ in self._ledger.events(kind="gate.passed", subject=commit))
        return False

    def told(self, kind: str, about: str) -> bool:
        """Whether an event of a kind was recorded about a commit, or about an emergency."""
        return self._find(kind, about) is not None

    def keep(self, kind: str, about: str, time: datetime, data: dict[str, Any]) -> None:
        """Remember an event that was just recorded."""
        text = json.dumps({"time": time.isoformat(), "data": data}, sort_keys=True)
        self._state.put(f"{kind}:{about}", text)

    def passed(self, document: Document, commit: str, time: datetime) -> None:
        """Remember that a change with the document of an emergency has passed the gate."""
        said = {"commit": commit, "time": time.isoformat(), "told": told_by(document)}
        self._state.put(f"emergency-document:{document.name}", json.dumps(said))

    def _find(self, kind: str, about: str) -> tuple[datetime, dict[str, Any]] | None:
        text = self._state.get(f"{kind}:{about}")
        if text is not None:
            found = json.loads(text)
            return datetime.fromisoformat(found["time"]), found["data"]
        event = self._known().get((kind, about))
        return None if event is None else (event.time, dict(event.data))

    def _known(self) -> dict[tuple[str, str], Event]:
        if self._events is None:
            self._events = self._read()
        return self._events

    def _read(self) -> dict[tuple[str, str], Event]:
        """The events of emergencies by kind and what they are about.

        A record that cannot be read says nothing, and whoever knows nothing asks for keys and roles
        again. Damage is told by every pass; it must not keep a route from being stopped.
        """
        found: dict[tuple[str, str], Event] = {}
        with suppress(LedgerError):
            for event in self._ledger.events(kind="emergency"):
                about = str(event.data.get("about", ""))
                found.setdefault((event.kind, about), event)
        return found


def _recorded(action: str, event: Event, estate: str) -> Emergency:
    """An order as it was written down when it was found good (see `emergency_events`)."""
    data = event.data
    said = Statement(
        action=action,
        name=event.subject.partition("/")[2],
        version=int(data["version"]) if "version" in data else None,
        reason=data["reason"],
        person=event.actor,
        role=MANAGER,
        time=datetime.fromisoformat(data["stated"]),
        estate=estate,
        revision=data["revision"],
        proposal=data["proposal"],
    )
    ref = emergency_ref(said.id, data["about"])
    return Emergency(Recorded(said, data["key"], ref, data["about"]), event.time, recorded=True)
