from __future__ import annotations

import errno
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.committer import GroupCommitter
from ordain.ledger.errors import LedgerClosed, LedgerDamaged, LedgerError, LedgerFull
from ordain.ledger.ledger import Ledger
from ordain.ledger.verification import verify

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from ordain.ledger.records import Event, Prediction


def only_segment(ledger: Ledger, chain: str) -> Path:
    (path,) = ledger.directory(chain).glob("*.jsonl")
    return path


@pytest.fixture
def written(ledger: Ledger, prediction: Callable[..., Prediction], now: datetime) -> Path:
    with ledger.writer("w", now=now) as writer:
        for number in range(5):
            writer.append(prediction(number))
    return only_segment(ledger, "predictions/w")


@pytest.mark.e2e
@pytest.mark.parametrize("acknowledged", [1, 250, 1200])
def test_a_killed_writer_loses_nothing_it_acknowledged(
    ledger: Ledger,
    child: Callable[..., subprocess.Popen[bytes]],
    now: datetime,
    acknowledged: int,
) -> None:
    with child("durable", ledger.root) as process:
        assert process.stdout is not None
        numbers = [int(process.stdout.readline()) for _ in range(acknowledged)]
        process.send_signal(signal.SIGKILL)
        # What was said between the last line read and the death was acknowledged as well; the
        # last line may be half a number.
        numbers += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]
    assert process.returncode == -signal.SIGKILL
    ledger.writer("w", now=now).close()
    directory = ledger.directory("predictions/w")
    whole = b"".join(path.read_bytes() for path in sorted(directory.glob("*.jsonl")))
    values = [json.loads(line)["value"] for line in whole.splitlines() if b'"event"' in line]
    recorded = [value["data"]["number"] for value in values]
    assert recorded[: len(numbers)] == numbers
    assert verify(ledger).ok


@pytest.mark.parametrize(
    "torn",
    [
        b"x",
        b'{"hash":"',
        b"\x00" * 4096,
        b'{"hash":"00\x00\x00\n\x00\x00\x00\x00',
        b'{"hash":"0", "half \n',
    ],
)
def test_a_torn_tail_is_set_aside_and_the_chain_says_so(
    ledger: Ledger,
    prediction: Callable[..., Prediction],
    written: Path,
    now: datetime,
    torn: bytes,
) -> None:
    with written.open("ab") as stream:
        stream.write(torn)
    with ledger.writer("w", now=now) as writer:
        assert writer.append(prediction(9)) == 7
    assert written.with_name(written.name + ".torn").read_bytes() == torn
    repaired = json.loads(written.read_bytes().splitlines()[6])
    assert repaired["type"] == "chain.repaired"
    assert repaired["value"]["bytes"] == len(torn)
    assert repaired["value"]["file"] == written.name + ".torn"
    report = verify(ledger)
    assert report.ok
    (note,) = report.findings
    assert (note.code, note.severity) == ("LED010", "note")
    assert note.message == f"a crash left {len(torn)} bytes, set aside in {written.name}.torn"
    assert str(note.location) == f"{written}:7:0"


@pytest.mark.parametrize("kept", [0, 1, 80])
def test_a_chain_whose_first_line_was_torn_begins_again(
    ledger: Ledger, prediction: Callable[..., Prediction], written: Path, now: datetime, kept: int
) -> None:
    os.truncate(written, kept)
    with ledger.writer("w", now=now) as writer:
        writer.append(prediction(9))
    assert [record.id for record in ledger.predictions()] == [prediction(9).id]
    assert verify(ledger).ok


def test_a_new_segment_that_was_torn_goes_on_from_the_one_before(
    tmp_path: Path, prediction: Callable[..., Prediction], now: datetime
) -> None:
    ledger = Ledger(tmp_path, segment_bytes=1)
    with ledger.writer("w", now=now) as writer:
        writer.append(prediction(1))
    last = max(ledger.directory("predictions/w").glob("*.jsonl"))
    os.truncate(last, 30)
    with ledger.writer("w", now=now) as writer:
        writer.append(prediction(2))
    assert [record.id for record in ledger.predictions()] == [prediction(2).id]
    assert verify(ledger).ok


def test_a_torn_control_chain_is_repaired_by_the_next_event(
    ledger: Ledger, event: Callable[..., Event]
) -> None:
    ledger.record(event(1))
    with only_segment(ledger, "control").open("ab") as stream:
        stream.write(b'{"hash":"01')
    ledger.record(event(2))
    assert list(ledger.events()) == [event(1), event(2)]
    report = verify(ledger)
    assert [finding.code for finding in report.findings] == ["LED010"]


def test_a_changed_record_is_not_repaired_away(
    ledger: Ledger, written: Path, now: datetime
) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    lines[5] = lines[5].replace(b"accept", b"refuse")
    written.write_bytes(b"".join(lines))
    said = f"{written}:6: a complete line does not follow from the record before it"
    with pytest.raises(LedgerDamaged) as caught:
        ledger.writer("w", now=now)
    assert caught.value.message == said
    assert caught.value.location is not None
    assert caught.value.location.line == 6
    assert b"".join(lines) == written.read_bytes()


def test_a_removed_segment_is_not_written_over(
    tmp_path: Path, prediction: Callable[..., Prediction], now: datetime
) -> None:
    ledger = Ledger(tmp_path, segment_bytes=1)
    with ledger.writer("w", now=now) as writer:
        for number in range(3):
            writer.append(prediction(number))
            writer.sync()
    paths = sorted(ledger.directory("predictions/w").glob("*.jsonl"))
    paths[-2].unlink()
    with pytest.raises(LedgerDamaged, match="the segment before it does not end with record"):
        ledger.writer("w", now=now)


def test_an_unfinished_line_is_a_warning_and_no_reader_sees_it(
    ledger: Ledger, written: Path
) -> None:
    with written.open("ab") as stream:
        stream.write(b'{"hash"')
    assert len(list(ledger.predictions())) == 5
    assert ledger.heads()["predictions/w"].seq == 5
    report = verify(ledger)
    assert report.ok
    assert [(f.code, f.severity) for f in report.findings] == [("LED009", "warning")]


def test_a_full_disk_refuses_clearly_keeps_what_fitted_and_goes_on_when_there_is_room(
    ledger: Ledger, child: Callable[..., subprocess.Popen[bytes]]
) -> None:
    output, errors = child("full", ledger.root, 20_000).communicate()
    assert errors == b""
    lines = output.decode().splitlines()
    refused = [line for line in lines if line.startswith("refused")]
    acknowledged = [int(line) for line in lines if line.isdigit()]
    path = only_segment(ledger, "predictions/w")
    assert set(refused) == {f"refused {path}: File too large"}
    assert 10 < len(acknowledged) < 60
    assert acknowledged == list(range(1, len(acknowledged) + 1))
    assert lines[-1] == f"again {len(acknowledged) + 1}"
    report = verify(ledger)
    assert (report.findings, report.records) == ((), len(acknowledged) + 2)


def test_a_failed_sync_closes_the_writer_and_cuts_back_to_what_was_durable(
    ledger: Ledger,
    prediction: Callable[..., Prediction],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    writer = ledger.writer("w", now=now)
    writer.append(prediction(1))
    writer.sync()
    writer.append(prediction(2))
    # The one thing here that cannot be had for real without a failing disk.
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        with pytest.raises(LedgerError, match="Input/output error"):
            writer.sync()
    with pytest.raises(LedgerClosed):
        writer.append(prediction(3))
    assert list(ledger.predictions()) == [prediction(1)]
    with ledger.writer("w", now=now) as again:
        assert again.append(prediction(4)) == 2


def test_a_failed_sync_fails_every_ticket_of_the_batch(
    ledger: Ledger,
    prediction: Callable[..., Prediction],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with GroupCommitter(ledger.writer("w", now=now)) as group:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", full)
            error = group.append(prediction(1)).exception()
        assert isinstance(error, LedgerFull)
        assert isinstance(group.append(prediction(2)).exception(), LedgerClosed)
    assert verify(ledger).records == 1
