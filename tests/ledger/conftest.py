"""Records to append, and real processes that append them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ordain.ledger.ids import IdSource
from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event, Prediction

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

MakePrediction = Callable[..., Prediction]
MakeEvent = Callable[..., Event]
SpawnChild = Callable[..., "subprocess.Popen[bytes]"]


def moment(number: int) -> datetime:
    return START + timedelta(seconds=number)


@pytest.fixture
def now() -> datetime:
    return START


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def prediction() -> MakePrediction:
    """`prediction(7)` is the one made seven seconds after the start."""

    def make(number: int, **changes: object) -> Prediction:
        facts: dict[str, Any] = {
            "id": IdSource(lambda size: number.to_bytes(size, "big")).next(moment(number)),
            "time": moment(number),
            "route": "credit",
            "rule": "rules[0]",
            "draw": 0.25,
            "deployment": "credit-default",
            "model": "credit-default",
            "version": "v1",
            "artifact": "sha256:" + "a" * 64,
            "inputs": {"income": 2500.5, "purpose": "car", "years": number},
            "output": {"probability": 0.125},
            "decision": "accept",
            "threshold": 0.2,
            "latency_us": 120,
            "key_id": "branch-office",
        }
        return Prediction(**{**facts, **changes})

    return make


@pytest.fixture
def event() -> MakeEvent:
    """`event(7)` is the one recorded seven seconds after the start."""

    def make(number: int, kind: str = "stage.started", **changes: object) -> Event:
        facts: dict[str, Any] = {
            "time": moment(number),
            "actor": "reconciler",
            "kind": kind,
            "subject": "Model/credit-default",
            "data": {"number": number},
        }
        return Event(**{**facts, **changes})

    return make


@pytest.fixture
def child() -> SpawnChild:
    """`child("durable", root)` runs one command of `appenders.py` in a process of its own."""
    script = Path(__file__).with_name("appenders.py")

    def spawn(*arguments: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(script), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    return spawn
