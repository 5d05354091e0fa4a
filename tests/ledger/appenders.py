"""Processes that append to a ledger until they are told to stop, killed, or out of space."""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ordain.ledger.committer import GroupCommitter
from ordain.ledger.errors import LedgerFull
from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def event(number: int, subject: str = "load") -> Event:
    data = {"number": number, "text": "x" * 100}
    return Event(START + timedelta(seconds=number), "tests", "load.made", subject, data)


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def durable(root: str) -> None:
    """Append without end; say each number only when its record is durable."""
    with GroupCommitter(Ledger(Path(root), segment_bytes=50_000).writer("w", now=START)) as group:
        number = 0
        while True:
            tickets = [group.append(event(number + step)) for step in range(20)]
            for step, ticket in enumerate(tickets):
                ticket.result()
                say(number + step)
            number += 20


def control(root: str, subject: str, count: str) -> None:
    """Append control events, when standard input says so."""
    ledger = Ledger(Path(root))
    say("ready")
    sys.stdin.readline()
    for number in range(int(count)):
        ledger.record(event(number, subject))


def hold(root: str) -> None:
    """Hold the writer's chain until standard input closes."""
    with Ledger(Path(root)).writer("w", now=START):
        say("held")
        sys.stdin.read()


def full(root: str, limit: str) -> None:
    """Append under a limit of file size; say what was acknowledged and what was refused."""
    soft = int(limit)
    with Ledger(Path(root)).writer("w", now=START) as writer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))
        with GroupCommitter(writer) as group:
            tickets = [group.append(event(number)) for number in range(500)]
            for ticket in tickets:
                error = ticket.exception()
                say(f"refused {error}" if isinstance(error, LedgerFull) else ticket.result())
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            say(f"again {group.append(event(500)).result()}")


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {
        "durable": durable,
        "control": control,
        "hold": hold,
        "full": full,
    }
    commands[sys.argv[1]](*sys.argv[2:])
