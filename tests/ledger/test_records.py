from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.errors import LedgerRecordError
from ordain.ledger.records import rfc3339
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.ledger.ledger import Ledger
    from ordain.ledger.records import Event, Prediction


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


def lines(ledger: Ledger, chain: str) -> list[bytes]:
    paths = sorted(ledger.directory(chain).glob("*.jsonl"))
    return [line for path in paths for line in path.read_bytes().splitlines(keepends=True)]


def test_a_line_is_the_canonical_json_of_its_own_value(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    inputs = {"zug": 1e-07, "größe": 1e16, "語": [None, True, {"b": 1, "a": "\u2028\n"}], "a": 0.1}
    with ledger.writer("w", now=now) as writer:
        writer.append(prediction(1, inputs=inputs))
    for line in lines(ledger, "predictions/w"):
        assert canonical_json(json.loads(line)) + b"\n" == line


def test_the_hash_covers_every_byte_after_itself(
    ledger: Ledger, event: Callable[..., Event]
) -> None:
    ledger.record(event(1), event(2))
    prev = sha256(b"ordain.ledger/1\ncontrol").hexdigest()
    for seq, line in enumerate(lines(ledger, "control")):
        record = json.loads(line)
        assert list(record) == ["hash", "prev", "seq", "type", "value"]
        assert (record["prev"], record["seq"]) == (prev, seq)
        covered = line[line.index(b'"prev"') :]
        prev = record["hash"]
        assert sha256(covered).hexdigest() == prev


def test_a_chain_opens_with_its_format_name_writer_and_time(ledger: Ledger, now: datetime) -> None:
    ledger.writer("serve-1", now=now).close()
    (line,) = lines(ledger, "predictions/serve-1")
    assert json.loads(line)["type"] == "chain.opened"
    assert json.loads(line)["value"] == {
        "chain": "predictions/serve-1",
        "format": 1,
        "time": "2026-03-02T09:30:00.000000Z",
        "writer": "serve-1",
    }


def test_records_come_back_as_they_were_given(
    ledger: Ledger,
    prediction: Callable[..., Prediction],
    event: Callable[..., Event],
    now: datetime,
) -> None:
    made = [prediction(1), prediction(2, rule=None, draw=None, threshold=None, output=[0.5, None])]
    with ledger.writer("w", now=now) as writer:
        assert [writer.append(record) for record in made] == [1, 2]
    ledger.record(event(3))
    assert list(ledger.predictions()) == made
    assert list(ledger.events()) == [event(3)]


def test_a_time_is_written_in_utc_with_microseconds() -> None:
    zone = timezone(timedelta(hours=-3, minutes=-30))
    moment = datetime(2026, 3, 1, 22, 0, 0, 5, tzinfo=zone)
    assert rfc3339(moment) == "2026-03-02T01:30:00.000005Z"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "Out of range float values are not JSON compliant"),
        (float("inf"), "Out of range float values are not JSON compliant"),
        (b"bytes", "Object of type bytes is not JSON serializable"),
        ("\ud800", "surrogates not allowed"),
        (nested(100_000), "maximum recursion depth exceeded"),
    ],
)
def test_a_value_without_json_is_refused_and_leaves_the_chain_as_it_was(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime, value: object, why: str
) -> None:
    with ledger.writer("w", now=now) as writer:
        with pytest.raises(LedgerRecordError, match=why):
            writer.append(prediction(1, output=value))
        assert writer.append(prediction(2)) == 1
    assert [record.id for record in ledger.predictions()] == [prediction(2).id]


def test_a_naive_time_is_refused(
    ledger: Ledger, event: Callable[..., Event], now: datetime
) -> None:
    with pytest.raises(LedgerRecordError, match="the time 2026-03-02T09:30:00 has no time zone"):
        ledger.record(event(1, time=now.replace(tzinfo=None)))


@pytest.mark.parametrize("kind", ["refused", "Gate.refused", "gate.", "gate refused", ""])
def test_a_kind_is_dotted_words(ledger: Ledger, event: Callable[..., Event], kind: str) -> None:
    with pytest.raises(LedgerRecordError, match="is not dotted lower-case words"):
        ledger.record(event(1, kind))
    assert ledger.chains() == []
