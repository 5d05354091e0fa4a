from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.errors import LedgerDamaged
from ordain.ledger.ids import IdSource
from ordain.ledger.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from ordain.ledger.records import Event, Prediction


@pytest.fixture
def parted(tmp_path: Path, prediction: Callable[..., Prediction], now: datetime) -> Ledger:
    """Predictions 0 to 19, three to a segment."""
    ledger = Ledger(tmp_path / "ledger", segment_bytes=2000)
    with ledger.writer("w", now=now) as writer:
        for number in range(20):
            writer.append(prediction(number, route="credit" if number % 2 else "clinic"))
            writer.sync()
    return ledger


def spoil(ledger: Ledger, numbers: slice) -> None:
    """Ruin all lines of some segments but the first, so that reading them would raise."""
    for path in sorted(ledger.directory("predictions/w").glob("*.jsonl"))[numbers]:
        first = path.read_bytes().split(b"\n")[0]
        path.write_bytes(first + b'\n"credit" spoiled\n')


def years(predictions: object) -> list[int]:
    return [record.inputs["years"] for record in predictions]  # type: ignore[attr-defined]


def test_a_window_holds_its_beginning_and_not_its_end(
    parted: Ledger, prediction: Callable[..., Prediction]
) -> None:
    window = parted.predictions(since=prediction(5).time, until=prediction(8).time)
    assert years(window) == [5, 6, 7]


def test_a_window_reads_only_the_segments_it_touches(
    parted: Ledger, prediction: Callable[..., Prediction]
) -> None:
    spoil(parted, slice(2, -1))
    assert years(parted.predictions(until=prediction(3).time)) == [0, 1, 2]
    with pytest.raises(LedgerDamaged, match=":2: not a record"):
        list(parted.predictions())


def test_predictions_are_found_by_route_model_and_version(
    parted: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    with parted.writer("x", now=now) as writer:
        writer.append(prediction(30, model="other", version="v2", inputs={"years": 30}))
        # The name stands in the inputs of this one, where it is no version.
        writer.append(prediction(31, inputs={"years": 31, "version": "v2"}))
    assert years(parted.predictions(route="clinic")) == list(range(0, 20, 2))
    assert years(parted.predictions(model="other")) == [30]
    assert years(parted.predictions(version="v2")) == [30]
    assert years(parted.predictions(model="other", version="v1")) == []


def test_events_are_found_by_kind_first_words_and_subject(
    parted: Ledger, event: Callable[..., Event]
) -> None:
    refused = event(1, "gate.refused")
    passed = event(2, "gate.passed", subject='Model/"ä"')
    gateway = event(3, "gateway.opened")
    parted.record(refused, passed, gateway)
    assert list(parted.events(kind="gate.refused")) == [refused]
    assert list(parted.events(kind="gate")) == [refused, passed]
    assert list(parted.events(subject='Model/"ä"')) == [passed]
    assert list(parted.events(since=passed.time, until=gateway.time)) == [passed]


def test_a_prediction_is_found_by_its_id(
    parted: Ledger, prediction: Callable[..., Prediction]
) -> None:
    for number in (0, 7, 19):
        found = parted.prediction(prediction(number).id)
        assert found is not None
        assert found.inputs["years"] == number
    assert parted.prediction(prediction(99).id) is None
    assert parted.prediction("no-uuid") is None


def test_an_id_is_looked_for_in_the_segment_of_its_time_first(
    parted: Ledger, prediction: Callable[..., Prediction]
) -> None:
    wanted = prediction(4).id
    paths = sorted(parted.directory("predictions/w").glob("*.jsonl"))
    for path in paths[2:-1]:
        first = path.read_bytes().split(b"\n")[0]
        path.write_bytes(first + b'\n{"id":"' + wanted.encode() + b'" spoiled\n')
    found = parted.prediction(wanted)
    assert found is not None
    assert found.inputs["years"] == 4


def test_an_id_whose_clock_was_wrong_is_found_all_the_same(
    tmp_path: Path, prediction: Callable[..., Prediction], now: datetime
) -> None:
    ledger = Ledger(tmp_path, segment_bytes=2000)
    late = IdSource(bytes).next(prediction(5000).time)
    with ledger.writer("w", now=now) as writer:
        for number in range(12):
            identifier = late if number == 2 else prediction(number).id
            writer.append(prediction(number, id=identifier))
            writer.sync()
    found = ledger.prediction(late)
    assert found is not None
    assert found.inputs["years"] == 2


def test_an_id_inside_the_inputs_of_another_is_not_that_prediction(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    wanted = prediction(1)
    with ledger.writer("w", now=now) as writer:
        writer.append(wanted)
        writer.append(prediction(2, inputs={"id": wanted.id}))
    assert ledger.prediction(wanted.id) == wanted


def test_a_large_segment_is_searched_across_its_blocks(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    filler = "x" * 5000
    with ledger.writer("w", now=now) as writer:
        for number in range(600):
            writer.append(prediction(number, inputs={"years": number, "text": filler}))
    for number in range(0, 600, 13):
        found = ledger.prediction(prediction(number).id)
        assert found is not None
        assert found.inputs["years"] == number


def test_a_ledger_that_was_never_written_answers_with_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "never-made")
    assert list(ledger.events()) == []
    assert list(ledger.predictions()) == []
    assert ledger.prediction("no-uuid") is None
    assert ledger.heads() == {}
    assert not os.path.lexists(ledger.root)
