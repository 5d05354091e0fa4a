"""How long an answer waits for its record, with a real ledger and no server around it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.committer import GroupCommitter
from ordain.ledger.errors import LedgerClosed
from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Prediction
from ordain.runtime.serving import app
from ordain.runtime.serving.errors import RequestError
from ordain.runtime.serving.recorder import Recorder

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def prediction(number: int) -> Prediction:
    return Prediction(
        id=str(number),
        time=NOW,
        route="r",
        rule=None,
        draw=None,
        deployment="d",
        model="m",
        version="1",
        artifact="a",
        inputs={},
        output=0.5,
        decision=None,
        threshold=None,
        latency_us=1,
        key_id=None,
    )


def committer(root: Path) -> GroupCommitter:
    return GroupCommitter(Ledger(root).writer("w", now=NOW))


def test_durable_is_on_the_disk_before_the_answer(tmp_path: Path) -> None:
    with committer(tmp_path) as open_committer:
        recorder = Recorder(open_committer, "durable", lambda: None)
        kept = asyncio.run(recorder.keep([prediction(1), prediction(2)]))
        assert kept == [None, None]
        assert [one.id for one in Ledger(tmp_path).predictions()] == ["1", "2"]


def test_a_closed_chain_is_told_and_nothing_is_kept(tmp_path: Path) -> None:
    told: list[bool] = []
    closed = committer(tmp_path)
    recorder = Recorder(closed, "async", lambda: told.append(True))
    closed.close()
    (error,) = asyncio.run(recorder.keep([prediction(1)]))
    assert isinstance(error, LedgerClosed)
    assert told == [True]
    assert recorder.failure is error


def test_a_body_that_does_not_come_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "BODY_SECONDS", 0.01)

    async def receive() -> app.Message:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nothing ever comes")

    with pytest.raises(RequestError, match=r"the body did not come within 0\.01 s") as caught:
        asyncio.run(app._body_in_time(receive))
    assert caught.value.status == 408
