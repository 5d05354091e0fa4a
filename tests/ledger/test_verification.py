from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.chain import CONTROL, Anchor, Head, genesis, seal
from ordain.ledger.ledger import Ledger
from ordain.ledger.records import encode
from ordain.ledger.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from ordain.ledger.records import Event, Prediction
    from ordain.specs.findings import Finding

CHAIN = "predictions/w"


@pytest.fixture
def whole(tmp_path: Path, prediction: Callable[..., Prediction], now: datetime) -> Ledger:
    """A prediction chain of records 0 to 9 in one segment."""
    ledger = Ledger(tmp_path / "ledger")
    with ledger.writer("w", now=now) as writer:
        for number in range(1, 10):
            writer.append(prediction(number))
    return ledger


@pytest.fixture
def parted(tmp_path: Path, prediction: Callable[..., Prediction], now: datetime) -> Ledger:
    """A prediction chain in segments 0, 1, 3, 5, 7."""
    ledger = Ledger(tmp_path / "ledger", segment_bytes=1)
    with ledger.writer("w", now=now) as writer:
        for number in range(4):
            writer.append(prediction(number))
            writer.sync()
    return ledger


def segments(ledger: Ledger, chain: str = CHAIN) -> list[Path]:
    return sorted(ledger.directory(chain).glob("*.jsonl"))


def rewrite(path: Path, change: Callable[[list[bytes]], object]) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.write_bytes(b"".join(lines))


def found(ledger: Ledger, *anchors: Anchor) -> list[Finding]:
    return list(verify(ledger, anchors=anchors).findings)


def said(findings: list[Finding]) -> list[tuple[str, str, int]]:
    return [(f.code, f.message, f.location.line if f.location else -1) for f in findings]


def forge(path: Path, first: int, change: Callable[[bytes], bytes]) -> None:
    """Change record `first` and compute all later hashes again, as an insider would."""

    def change_lines(lines: list[bytes]) -> None:
        prev = genesis(CHAIN)
        for seq, line in enumerate(lines):
            body = line[line.index(b'"type"') :]
            prev, lines[seq] = seal(prev, seq, change(body) if seq == first else body)

    rewrite(path, change_lines)


def test_a_whole_ledger_has_nothing_to_report(whole: Ledger, event: Callable[..., Event]) -> None:
    whole.record(event(1))
    report = verify(whole)
    assert [(chain.name, chain.records) for chain in report.chains] == [(CONTROL, 2), (CHAIN, 10)]
    assert {chain.name: chain.head for chain in report.chains} == whole.heads()
    assert (report.ok, report.findings, report.records) == (True, (), 12)


def test_an_empty_ledger_has_nothing_to_report(tmp_path: Path) -> None:
    report = verify(Ledger(tmp_path / "never-made"))
    assert (report.ok, report.chains) == (True, ())


def test_a_changed_value_is_found_once_and_where(whole: Ledger) -> None:
    (path,) = segments(whole)
    rewrite(path, lambda lines: lines.__setitem__(4, lines[4].replace(b"accept", b"refuse")))
    findings = found(whole)
    assert said(findings) == [("LED001", "record 4 was changed: its bytes do not have its hash", 5)]
    assert findings[0].location is not None
    assert findings[0].location.path == str(path)


def test_a_changed_hash_is_found_once(whole: Ledger) -> None:
    (path,) = segments(whole)
    rewrite(
        path, lambda lines: lines.__setitem__(4, lines[4].replace(lines[4][9:73], b"0" * 64, 1))
    )
    assert [f.code for f in found(whole)] == ["LED001"]


def test_a_record_rewritten_with_its_own_hash_does_not_fit_the_next(whole: Ledger) -> None:
    def change(lines: list[bytes]) -> None:
        body = lines[4][lines[4].index(b'"type"') :].replace(b"accept", b"refuse")
        lines[4] = seal(lines[3][9:73], 4, body)[1]

    rewrite(segments(whole)[0], change)
    message = (
        "a second history: record 5 follows another record 4 than the one that stands before it"
    )
    assert said(found(whole)) == [("LED007", message, 6)]


def test_removed_records_are_named(whole: Ledger) -> None:
    rewrite(segments(whole)[0], lambda lines: lines.__delitem__(slice(3, 6)))
    assert said(found(whole)) == [("LED002", "records 3 to 5 removed before this line", 4)]


def test_a_removed_first_record_is_found(whole: Ledger) -> None:
    rewrite(segments(whole)[0], lambda lines: lines.__delitem__(0))
    assert said(found(whole)) == [("LED002", "record 0 removed before this line", 1)]


def test_a_record_moved_down_is_found(whole: Ledger) -> None:
    rewrite(segments(whole)[0], lambda lines: lines.insert(7, lines.pop(4)))
    assert said(found(whole)) == [("LED004", "record 4 was moved: it stands after record 7", 8)]


def test_a_doubled_record_is_found(whole: Ledger) -> None:
    rewrite(segments(whole)[0], lambda lines: lines.insert(8, lines[4]))
    assert said(found(whole)) == [("LED003", "record 4 stands here a second time", 9)]


def test_another_record_of_the_same_number_is_a_fork(
    whole: Ledger, prediction: Callable[..., Prediction]
) -> None:
    def change(lines: list[bytes]) -> None:
        body = encode(prediction(99)).body
        lines.append(seal(lines[6][9:73], 7, body)[1])

    rewrite(segments(whole)[0], change)
    message = "a second history: this is another record 7 than the first one"
    assert said(found(whole)) == [("LED007", message, 11)]


def test_a_line_that_is_no_record_is_found(whole: Ledger) -> None:
    rewrite(segments(whole)[0], lambda lines: lines.insert(4, b"hello\n"))
    assert said(found(whole)) == [("LED008", "this line is not a record", 5)]


def test_a_record_made_unreadable_is_one_finding(whole: Ledger) -> None:
    rewrite(segments(whole)[0], lambda lines: lines.__setitem__(4, b"hello\n"))
    assert said(found(whole)) == [("LED008", "this line is not a record", 5)]


def test_two_damages_are_two_findings(whole: Ledger) -> None:
    def change(lines: list[bytes]) -> None:
        lines[2] = lines[2].replace(b"accept", b"refuse")
        del lines[6]

    rewrite(segments(whole)[0], change)
    assert [(code, line) for code, _, line in said(found(whole))] == [("LED001", 3), ("LED002", 7)]


def test_a_removed_segment_is_named(parted: Ledger) -> None:
    paths = segments(parted)
    paths[2].unlink()
    (finding,) = found(parted)
    message = "the segment with records 3 to 4 is missing before this one"
    assert (finding.code, finding.message) == ("LED011", message)
    assert finding.location is not None
    assert finding.location.path == str(paths[3])


def test_a_removed_first_segment_is_named(parted: Ledger) -> None:
    segments(parted)[0].unlink()
    (finding,) = found(parted)
    message = "the segment with record 0 is missing before this one"
    assert (finding.code, finding.message) == ("LED011", message)


def test_a_segment_that_begins_a_second_history_is_found(
    parted: Ledger, prediction: Callable[..., Prediction]
) -> None:
    before = segments(parted)[1].read_bytes().splitlines()[0]
    forked = parted.directory(CHAIN) / f"{2:020d}.jsonl"
    forked.write_bytes(seal(before[9:73], 2, encode(prediction(99)).body)[1])
    findings = found(parted)
    assert {finding.location.path for finding in findings if finding.location} == {str(forked)}
    begins = "this segment begins at record 2, but the chain already reached record 2"
    assert said(findings) == [
        ("LED007", f"a second history: {begins}", 0),
        ("LED007", "a second history: this is another record 2 than the first one", 1),
    ]


def test_a_forged_last_line_that_stops_after_its_type_does_not_stop_the_verifier(
    whole: Ledger,
) -> None:
    head = whole.heads()[CHAIN]
    with segments(whole)[0].open("ab") as stream:
        stream.write(seal(head.hash.encode(), head.seq + 1, b'"type":"')[1])
    assert [finding.code for finding in found(whole)] == ["LED009"]


def test_a_chain_copied_over_another_is_found(whole: Ledger, now: datetime) -> None:
    whole.writer("x", now=now).close()
    (target,) = segments(whole, "predictions/x")
    target.write_bytes(segments(whole)[0].read_bytes())
    assert said(found(whole)) == [
        ("LED014", "this is not the first record of chain predictions/x", 1)
    ]


def test_a_chain_of_another_format_is_not_called_good(whole: Ledger) -> None:
    forge(segments(whole)[0], 0, lambda body: body.replace(b'"format":1', b'"format":2'))
    assert said(found(whole)) == [
        ("LED014", "the first record does not open a chain of format 1", 1)
    ]


def test_a_cut_tail_is_found_by_an_anchor(whole: Ledger) -> None:
    head = whole.heads()[CHAIN]
    rewrite(segments(whole)[0], lambda lines: lines.__delitem__(slice(8, None)))
    assert found(whole) == []
    message = "chain predictions/w is cut off: it ends with record 7, but record 9 was anchored"
    assert said(found(whole, Anchor(CHAIN, head.seq, head.hash)))[0][:2] == ("LED005", message)


def test_a_rewritten_chain_is_found_by_an_anchor(whole: Ledger) -> None:
    head = whole.heads()[CHAIN]
    forge(segments(whole)[0], 4, lambda body: body.replace(b"accept", b"refuse"))
    assert found(whole) == []
    message = "record 9 is not the one that was anchored: it, or something before it, was rewritten"
    assert said(found(whole, Anchor(CHAIN, head.seq, head.hash))) == [("LED007", message, 10)]


def test_an_anchor_that_holds_is_silent(whole: Ledger) -> None:
    head = whole.heads()[CHAIN]
    assert found(whole, Anchor(CHAIN, head.seq, head.hash)) == []


def test_anchors_in_the_control_chain_hold_the_prediction_chains(
    whole: Ledger, now: datetime, event: Callable[..., Event]
) -> None:
    heads = whole.anchor(time=now, actor="reconciler")
    assert heads == whole.heads()
    (anchored,) = whole.events(kind="ledger.anchored")
    head = heads[CHAIN]
    assert anchored.data == {"heads": {CHAIN: {"hash": head.hash, "seq": head.seq}}}
    whole.record(event(2))
    assert found(whole) == []
    rewrite(segments(whole)[0], lambda lines: lines.__delitem__(slice(8, None)))
    assert [finding.code for finding in found(whole)] == ["LED005"]


def test_a_spoiled_end_does_not_keep_the_rest_from_being_anchored(whole: Ledger) -> None:
    before = whole.heads()
    with segments(whole)[0].open("ab") as stream:
        stream.write(b"\x00\x00\n\x00")
    assert whole.heads() == before


@pytest.mark.parametrize("how", ["directory", "segments"])
def test_a_chain_removed_after_it_was_anchored_is_found(
    whole: Ledger, now: datetime, how: str
) -> None:
    whole.anchor(time=now, actor="reconciler")
    for path in whole.directory(CHAIN).iterdir():
        path.unlink()
    if how == "directory":
        whole.directory(CHAIN).rmdir()
    (finding,) = found(whole)
    assert finding.code == "LED006"
    assert finding.message == "chain predictions/w is missing; it was anchored at record 9"


def test_a_rewritten_control_chain_is_found_by_the_anchor_kept_elsewhere(
    whole: Ledger, now: datetime
) -> None:
    head: Head = whole.anchor(time=now, actor="reconciler")[CONTROL]
    (path,) = segments(whole, CONTROL)
    path.unlink()
    whole.anchor(time=now, actor="somebody-else")
    assert found(whole) == []
    (finding,) = found(whole, Anchor(CONTROL, head.seq, head.hash))
    assert finding.code == "LED007"


def test_an_anchor_event_without_heads_is_reported(
    whole: Ledger, event: Callable[..., Event]
) -> None:
    whole.record(event(1, "ledger.anchored", data={"heads": ["w"]}))
    assert [(f.code, f.message) for f in found(whole)] == [
        ("LED013", "this anchor event names no heads")
    ]


def test_a_segment_that_cannot_be_read_is_a_finding(whole: Ledger) -> None:
    (path,) = segments(whole)
    path.unlink()
    path.mkdir()
    (finding,) = found(whole)
    assert (finding.code, finding.message) == ("LED012", "cannot be read: Is a directory")


def test_a_ruined_file_does_not_flood_the_report(whole: Ledger) -> None:
    (path,) = segments(whole)
    path.write_bytes(b"hello\n" * 5000)
    findings = found(whole)
    assert len(findings) == 101
    assert (findings[-1].code, findings[-1].message) == (
        "LED015",
        "4900 more findings in this chain",
    )


def test_every_stored_line_is_json_with_the_five_keys(whole: Ledger) -> None:
    for line in segments(whole)[0].read_bytes().splitlines():
        assert set(json.loads(line)) == {"hash", "prev", "seq", "type", "value"}
