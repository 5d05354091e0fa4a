"""One pass over one chain, and what it says of each thing that does not hold.

| code | what is found |
|---|---|
| LED001 | a record was changed: its bytes do not have its hash |
| LED002 | records were removed |
| LED003 | a record stands there twice |
| LED004 | records were moved |
| LED005 | a chain is cut off before a record that was anchored |
| LED006 | a chain that was anchored is missing |
| LED007 | a second history: a fork, or records rewritten together with their hashes |
| LED008 | a line is not a record |
| LED009 | an unfinished last line (warning: a writer at work, or killed) |
| LED010 | a torn tail was repaired (note) |
| LED011 | a segment is missing |
| LED012 | a segment cannot be read |
| LED013 | an anchor event cannot be understood |
| LED014 | a chain does not begin with its own first record |
| LED015 | more findings than are worth printing |

The walk is one hash and one comparison a line. Only a line that fails the comparison, opens a
chain, or is anchored is looked at more closely. What each class of damage needs to be found is in
`chain`. After damage the walk goes on from what the line says of itself, so that one change is one
finding and a second change further down is not hidden by the first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ordain.ledger.chain import (
    ANCHORED,
    CONTROL,
    COVERED,
    FORMAT,
    START,
    Anchor,
    Head,
    genesis,
    parse,
)
from ordain.ledger.segments import READ_BYTES, complete_lines, list_segments
from ordain.specs.findings import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ordain.ledger.chain import Parts
    from ordain.ledger.segments import Segment

MAX_FINDINGS = 100  # per chain; more would only repeat that the file is ruined

_ANCHORED = b'"kind":"%b"' % ANCHORED.encode()
_TYPED = START + b'"type":"'
_OWN = b"c"  # chain.opened and chain.repaired are the only types with this first letter
_ANY = b""  # in place of a hash: whatever the next record says of the one before it


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What one chain holds: how many records, its last, and what is wrong with it."""

    name: str
    records: int
    head: Head | None
    findings: tuple[Finding, ...]


def missing_chain(name: str, where: Location, last: int) -> Finding:
    """The finding for a chain of which nothing is left although record `last` was anchored."""
    message = f"chain {name} is missing; it was anchored at record {last}"
    return _error("LED006", message, where)


def _error(code: str, message: str, location: Location | None) -> Finding:
    return Finding(code, Severity.ERROR, message, location, remedy=_REMEDIES.get(code, _COMPARE))


_COMPARE = "compare with the copy in the artifact store and find out who could write this file"
_REMEDIES = {"LED012": "make the file readable and verify again"}


@dataclass(slots=True)
class _Gap:
    """Records that have not been seen yet, first to last, and where they should have stood."""

    first: int
    last: int
    where: Location
    segment: bool


class Walk:
    """One pass over one chain."""

    def __init__(self, chain: str, directory: Path, anchors: Iterable[Anchor]) -> None:
        self.anchors: list[Anchor] = []  # found in this chain
        self._chain = chain
        self._directory = directory
        self._anchored: dict[int, set[str]] = {}
        for anchor in anchors:
            if anchor.chain == chain:
                self._anchored.setdefault(anchor.seq, set()).add(anchor.hash)
        self._findings: list[Finding] = []
        self._suppressed = 0
        self._records = 0
        self._seq = -1
        self._hash = genesis(chain)
        self._where = Location(str(directory))
        self._gaps: list[_Gap] = []
        self._again: dict[int, list[tuple[bytes, Location]]] = {}
        self._blurred = 0  # unreadable lines since the last good one; they may be the missing ones
        self._rewritten = False

    def report(self) -> ChainReport:
        """Walk the chain from its first record to its last."""
        segments = list_segments(self._directory)
        for segment in segments:
            self._enter(segment)
            try:
                self._read(segment.path, last=segment is segments[-1])
            except OSError as error:
                self._unreadable(segment, error)
        self._judge_repeats(segments)
        self._judge_gaps()
        self._judge_end()
        if self._suppressed:
            self._findings.append(
                _error("LED015", f"{self._suppressed} more findings in this chain", self._where)
            )
        head = Head(self._seq, self._hash.decode()) if self._records and self._hash else None
        return ChainReport(self._chain, self._records, head, tuple(self._findings))

    def _enter(self, segment: Segment) -> None:
        """Hold the name of a segment against the record that must come next."""
        expected, where = self._seq + 1, Location(str(segment.path))
        if segment.first > expected:
            self._gaps.append(_Gap(expected, segment.first - 1, where, segment=True))
            self._seq, self._hash = segment.first - 1, _ANY
        elif segment.first < expected:
            self._report(
                "LED007",
                f"a second history: this segment begins at record {segment.first},"
                f" but the chain already reached record {self._seq}",
                where,
            )

    def _read(self, path: Path, *, last: bool) -> None:
        """The hot loop: one hash, one comparison; what is unusual goes to `_look`."""
        control = self._chain == CONTROL
        anchored, seq, prev = self._anchored, self._seq + 1, self._hash
        with path.open("rb", buffering=READ_BYTES) as stream:
            for number, line in enumerate(stream, 1):
                digest = sha256(line[COVERED:]).hexdigest().encode()
                start = _TYPED % (digest, prev, seq)
                if (
                    line.startswith(start)
                    and not line.startswith(_OWN, len(start))
                    and line.endswith(b"}\n")
                    and seq not in anchored
                    and not control
                ):
                    prev = digest
                    seq += 1
                    continue
                self._pass(seq, prev)
                self._look(line, Location(str(path), number), last=last)
                seq, prev = self._seq + 1, self._hash
        self._pass(seq, prev)

    def _pass(self, seq: int, digest: bytes) -> None:
        """Take over what the hot loop has walked through."""
        if seq - 1 != self._seq:
            self._records += seq - 1 - self._seq
            self._seq, self._hash, self._blurred = seq - 1, digest, 0

    def _look(self, line: bytes, where: Location, *, last: bool) -> None:
        self._where = where
        parts = parse(line)
        if last and not line.endswith(b"\n"):
            self._unfinished(line, where)
        elif parts is None:
            self._blurred += 1
            self._report("LED008", "this line is not a record", where)
        elif not parts.sound:
            self._changed(parts, where)
        elif parts.seq > self._seq:
            self._advance(parts, line, where)
        else:
            self._earlier(parts, where)

    def _unfinished(self, line: bytes, where: Location) -> None:
        self._findings.append(
            Finding(
                "LED009",
                Severity.WARNING,
                f"the last line is unfinished ({len(line)} bytes):"
                " a writer is at work, or was killed",
                where,
                remedy="nothing acknowledged is in it; the next writer sets it aside",
            )
        )

    def _changed(self, parts: Parts, where: Location) -> None:
        self._report(
            "LED001", f"record {parts.seq} was changed: its bytes do not have its hash", where
        )
        if parts.seq == self._seq + 1:
            self._records += 1
            self._seq, self._hash, self._blurred = parts.seq, _ANY, 0
        else:
            self._blurred += 1

    def _advance(self, parts: Parts, line: bytes, where: Location) -> None:
        """A sound record at or after the place that comes next."""
        expected = self._seq + 1
        if parts.seq > expected:
            if parts.seq - expected > self._blurred:
                self._gaps.append(_Gap(expected, parts.seq - 1, where, segment=False))
        elif self._hash not in (_ANY, parts.prev):
            self._unlinked(parts, where)
        if parts.seq == 0:
            self._check_opening(parts, line, where)
        self._seq, self._hash, self._blurred = parts.seq, parts.hash, 0
        self._records += 1
        self._check_anchor(parts, where)
        if parts.type == "chain.repaired":
            self._repaired(line, where)
        elif self._chain == CONTROL and _ANCHORED in line:
            self._collect(line, where)

    def _unlinked(self, parts: Parts, where: Location) -> None:
        if parts.seq == 0:
            self._report("LED014", f"this is not the first record of chain {self._chain}", where)
            return
        self._report(
            "LED007",
            f"a second history: record {parts.seq} follows another record {self._seq}"
            " than the one that stands before it",
            where,
        )

    def _check_opening(self, parts: Parts, line: bytes, where: Location) -> None:
        if parts.type != "chain.opened" or _value(line).get("format") != FORMAT:
            self._report(
                "LED014", f"the first record does not open a chain of format {FORMAT}", where
            )

    def _check_anchor(self, parts: Parts, where: Location) -> None:
        wanted = self._anchored.get(parts.seq)
        # Every later anchor of a rewritten chain disagrees too; the first says where it began.
        if wanted and wanted != {parts.hash.decode()} and not self._rewritten:
            self._rewritten = True
            self._report(
                "LED007",
                f"record {parts.seq} is not the one that was anchored:"
                " it, or something before it, was rewritten",
                where,
            )

    def _repaired(self, line: bytes, where: Location) -> None:
        value = _value(line)
        message = f"a crash left {value.get('bytes')} bytes, set aside in {value.get('file')}"
        self._findings.append(Finding("LED010", Severity.NOTE, message, where))

    def _collect(self, line: bytes, where: Location) -> None:
        value = _value(line)
        if value.get("kind") != ANCHORED:
            return
        try:
            for chain, head in value["data"]["heads"].items():
                self.anchors.append(Anchor(str(chain), int(head["seq"]), str(head["hash"])))
        except (KeyError, TypeError, ValueError, AttributeError):
            self._report("LED013", "this anchor event names no heads", where)

    def _earlier(self, parts: Parts, where: Location) -> None:
        """A sound record that should have stood before: moved, doubled, or of a second history."""
        for gap in self._gaps:
            if gap.first <= parts.seq <= gap.last:
                self._report(
                    "LED004",
                    f"record {parts.seq} was moved: it stands after record {self._seq}",
                    where,
                )
                self._fill(gap, parts.seq)
                return
        if sum(map(len, self._again.values())) < MAX_FINDINGS:
            self._again.setdefault(parts.seq, []).append((parts.hash, where))
        else:
            self._suppressed += 1

    def _fill(self, gap: _Gap, seq: int) -> None:
        self._gaps.remove(gap)
        if gap.first < seq:
            self._gaps.append(_Gap(gap.first, seq - 1, gap.where, gap.segment))
        if seq < gap.last:
            self._gaps.append(_Gap(seq + 1, gap.last, gap.where, gap.segment))

    def _judge_repeats(self, segments: list[Segment]) -> None:
        """Read again to tell a doubled record from one of a second history."""
        if not self._again:
            return
        first: dict[int, bytes] = {}
        for segment in segments:
            for _, line in complete_lines(segment.path):
                parts = parse(line)
                if parts is not None and parts.sound and parts.seq in self._again:
                    first.setdefault(parts.seq, parts.hash)
        for seq, seen in self._again.items():
            for digest, where in seen:
                if first.get(seq) == digest:
                    self._report("LED003", f"record {seq} stands here a second time", where)
                else:
                    message = f"a second history: this is another record {seq} than the first one"
                    self._report("LED007", message, where)

    def _judge_gaps(self) -> None:
        for gap in sorted(self._gaps, key=lambda gap: gap.first):
            missing = _range(gap.first, gap.last)
            if gap.segment:
                message = f"the segment with {missing} is missing before this one"
                self._report("LED011", message, gap.where)
            else:
                self._report("LED002", f"{missing} removed before this line", gap.where)

    def _judge_end(self) -> None:
        last = max(self._anchored, default=-1)
        if last < 0 or last <= self._seq:
            return
        if self._seq < 0:
            self._findings.append(missing_chain(self._chain, self._where, last))
        else:
            self._report(
                "LED005",
                f"chain {self._chain} is cut off: it ends with record {self._seq},"
                f" but record {last} was anchored",
                self._where,
            )

    def _unreadable(self, segment: Segment, error: OSError) -> None:
        self._report("LED012", f"cannot be read: {error.strerror}", Location(str(segment.path)))
        self._hash = _ANY

    def _report(self, code: str, message: str, where: Location) -> None:
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(_error(code, message, where))
        else:
            self._suppressed += 1


def _value(line: bytes) -> dict[str, Any]:
    """The value of a sound record; empty when whoever forged it made it something else."""
    try:
        value = json.loads(line)["value"]
    except (ValueError, KeyError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _range(first: int, last: int) -> str:
    return f"record {first}" if first == last else f"records {first} to {last}"
