from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.committer import GroupCommitter
from ordain.ledger.errors import LedgerBusy, LedgerClosed, LedgerError, LedgerOverloaded
from ordain.ledger.ledger import Ledger
from ordain.ledger.verification import verify

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from ordain.ledger.records import Event, Prediction


def test_a_flushed_record_can_be_read_before_it_is_synced(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    with ledger.writer("w", now=now) as writer:
        writer.append(prediction(1))
        assert list(ledger.predictions()) == []
        writer.flush()
        assert list(ledger.predictions()) == [prediction(1)]
        assert writer.durable.seq == 0
        writer.sync()
        assert writer.durable.seq == 1


def test_a_chain_goes_on_where_it_ended(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    for number in range(3):
        with ledger.writer("w", now=now) as writer:
            assert writer.append(prediction(number)) == number + 1
    assert [record.id for record in ledger.predictions()] == [prediction(n).id for n in range(3)]
    assert verify(ledger).ok


def test_segments_are_named_by_their_first_record_and_state_the_span_before(
    tmp_path: Path, prediction: Callable[..., Prediction], now: datetime
) -> None:
    ledger = Ledger(tmp_path, segment_bytes=2000)
    with ledger.writer("w", now=now) as writer:
        for number in (2, 1, 3, 4, 5, 6, 7):
            writer.append(prediction(number))
            writer.sync()
    paths = sorted(ledger.directory("predictions/w").glob("*.jsonl"))
    assert [path.name for path in paths] == [f"{first:020d}.jsonl" for first in (0, 4, 8)]
    opening = json.loads(paths[1].read_bytes().splitlines()[0])
    assert opening["type"] == "segment.opened"
    assert opening["value"] == {
        "since": "2026-03-02T09:30:01.000000Z",
        "until": "2026-03-02T09:30:03.000000Z",
    }
    report = verify(ledger)
    assert (report.findings, report.records) == ((), 10)


def test_the_span_of_a_segment_that_another_process_began_is_not_claimed(
    tmp_path: Path, prediction: Callable[..., Prediction], now: datetime
) -> None:
    ledger = Ledger(tmp_path, segment_bytes=2000)
    for number in range(6):
        with ledger.writer("w", now=now) as writer:
            writer.append(prediction(number))
    last = max(ledger.directory("predictions/w").glob("*.jsonl"))
    assert json.loads(last.read_bytes().splitlines()[0])["value"] == {"since": None, "until": None}


def test_two_processes_cannot_write_one_chain(
    ledger: Ledger, child: Callable[..., subprocess.Popen[bytes]], now: datetime
) -> None:
    with child("hold", ledger.root) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        said = f"chain predictions/w is being written by process {holder.pid}"
        with pytest.raises(LedgerBusy, match=said) as caught:
            ledger.writer("w", now=now)
        assert caught.value.remedy == "give each serving process a writer name of its own"
        ledger.writer("other", now=now).close()
        holder.communicate(b"")
    ledger.writer("w", now=now).close()


@pytest.mark.e2e
def test_processes_take_turns_on_the_control_chain(
    ledger: Ledger, child: Callable[..., subprocess.Popen[bytes]]
) -> None:
    children = [child("control", ledger.root, f"process-{n}", 10) for n in range(8)]
    for process in children:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in children:
        _, errors = process.communicate(b"go\n")
        assert (process.returncode, errors) == (0, b"")
    report = verify(ledger)
    assert (report.findings, report.records) == ((), 81)
    for number in range(8):
        of_one = [event.data["number"] for event in ledger.events(subject=f"process-{number}")]
        assert of_one == list(range(10))


def test_one_batch_of_events_is_one_turn(ledger: Ledger, event: Callable[..., Event]) -> None:
    head = ledger.record(event(1), event(2))
    assert head == ledger.heads()["control"]
    assert head.seq == 2


def test_threads_share_a_commit_and_each_learns_its_own_place(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    with (
        GroupCommitter(ledger.writer("w", now=now)) as group,
        ThreadPoolExecutor(8) as threads,
    ):
        seqs = list(threads.map(lambda n: group.append(prediction(n)).result(), range(400)))
    assert sorted(seqs) == list(range(1, 401))
    by_place = sorted(range(400), key=seqs.__getitem__)
    assert [record.inputs["years"] for record in ledger.predictions()] == by_place
    assert verify(ledger).findings == ()


def test_a_ticket_cannot_be_cancelled(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    with GroupCommitter(ledger.writer("w", now=now)) as group:
        ticket = group.append(prediction(1))
        assert not ticket.cancel()
        assert ticket.result() == 1


def test_closing_commits_what_waits_and_refuses_the_rest(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    group = GroupCommitter(ledger.writer("w", now=now))
    tickets = [group.append(prediction(number)) for number in range(100)]
    group.close()
    assert [ticket.result(timeout=0) for ticket in tickets] == list(range(1, 101))
    with pytest.raises(LedgerClosed, match="the committer of chain predictions/w is closed"):
        group.append(prediction(101))


def test_a_full_backlog_refuses_instead_of_waiting(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    with GroupCommitter(ledger.writer("w", now=now), backlog=0) as group:
        said = "0 records wait for the disk of chain predictions/w"
        with pytest.raises(LedgerOverloaded, match=said):
            group.append(prediction(1))


def test_a_closed_writer_says_so(
    ledger: Ledger, prediction: Callable[..., Prediction], now: datetime
) -> None:
    writer = ledger.writer("w", now=now)
    writer.close()
    writer.close()
    with pytest.raises(LedgerClosed, match="the writer of chain predictions/w is closed"):
        writer.append(prediction(1))


@pytest.mark.parametrize("name", ["", "../control", "a/b", "Upper", ".hidden", "x" * 65])
def test_a_name_that_is_no_directory_of_its_own_is_refused(
    ledger: Ledger, now: datetime, name: str
) -> None:
    with pytest.raises(LedgerError, match=re.escape(f"{name!r} cannot name a writer")):
        ledger.writer(name, now=now)


def test_a_ledger_that_cannot_be_made_says_where(tmp_path: Path, now: datetime) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LedgerError, match="file: File exists"):
        Ledger(tmp_path / "file").writer("w", now=now)
