r"""The line, the hash and what they prove.

A record is one line of canonical JSON (the five keys are in sorted order):

    {"hash":"<64 hex>","prev":"<64 hex>","seq":12,"type":"prediction","value":{…}}\n

`hash` is the SHA-256 of every byte of the line after the hash field, that is from `"prev"` to the
newline, both included. The hash is therefore over bytes that stand in the file: verifying is one
hash and one comparison a line, without parsing JSON and without any question of how a parser and a
writer might disagree. `prev` is the `hash` of the line before. The first line's `prev` is the
SHA-256 of `ordain.ledger/1`, a newline and the chain's name, so that a chain cannot be passed off
as another; its type is `chain.opened` and its value states format, chain, writer and time.

A line is the canonical JSON of its own value, so a segment sealed into typed columns (Parquet) can
give back each line byte by byte, and the chain goes on through it.

Types: `event`, `prediction`, and the ledger's own: `chain.opened` (first line), `segment.opened`
(first line of each further file; states the time span of the file before, which lets a reader skip
it), `chain.repaired` (a crash left a torn tail; states how many bytes were set aside, where, and
their digest).

What is found by reading one chain alone: a changed, inserted, removed, moved or doubled record
anywhere but at the end; a removed segment; a chain renamed or copied over another.

What is found only against an anchor (sequence number and hash of a head, kept elsewhere): a chain
cut off at the end, a chain removed as a whole, a chain rewritten from some record on by somebody
who computed all later hashes again. The control chain holds anchors of the prediction chains
(`ledger.anchored`), so hiding a prediction means rewriting the control chain too; the heads of the
control chain go to git, outside the reach of whoever holds the disk. What was written after the
last anchor in git can be rewritten unseen: the interval of anchoring is the length of that window.

What is not found: a record that was false when it was written, and one that never was.

Refused: one hash per batch (a Merkle tree proves single records without the rest, but needs the
whole batch to tell which one changed, and saves only a few percent here, where encoding JSON is the
cost); a keyed MAC (the writer's machine would hold the key, so it would stop nobody who matters).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

FORMAT = 1
CONTROL = "control"
PREDICTIONS = "predictions"
ANCHORED = "ledger.anchored"

COVERED = len(b'{"hash":"') + 64 + len(b'",')  # the offset at which the hash begins to cover
LINK = b'"prev":"%b","seq":%d,'
START = b'{"hash":"%b","prev":"%b","seq":%d,'
_SEALED = b'{"hash":"%b",%b'
_PARTS = re.compile(
    rb'\{"hash":"([0-9a-f]{64})","prev":"([0-9a-f]{64})","seq":(0|[1-9][0-9]{0,18}),"type":"([a-z.]+)",'
)


@dataclass(frozen=True, slots=True)
class Head:
    """A place in a chain: a record's sequence number and its hash (64 hex digits)."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that somebody kept elsewhere; the chain must still hold it."""

    chain: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What a line says of itself; `sound` is whether its hash is that of its bytes."""

    hash: bytes
    prev: bytes
    seq: int
    type: str
    sound: bool


def genesis(chain: str) -> bytes:
    """The `prev` of a chain's first line, as 64 hex digits."""
    return sha256(b"ordain.ledger/%d\n%b" % (FORMAT, chain.encode())).hexdigest().encode()


def seal(prev: bytes, seq: int, body: bytes) -> tuple[bytes, bytes]:
    """The hash (64 hex digits) and the line of the record that follows `prev`."""
    covered = LINK % (prev, seq) + body
    digest = sha256(covered).hexdigest().encode()
    return digest, _SEALED % (digest, covered)


def parse(line: bytes) -> Parts | None:
    """What a line says of itself, or None when it does not begin like a record."""
    found = _PARTS.match(line)
    if found is None:
        return None
    digest, prev, seq, type_ = found.groups()
    sound = sha256(line[COVERED:]).hexdigest().encode() == digest and line.endswith(b"}\n")
    return Parts(digest, prev, int(seq), type_.decode(), sound)
