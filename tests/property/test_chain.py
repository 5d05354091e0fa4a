"""Whatever is done to the bytes of a sealed chain, verifying finds it."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.ledger.chain import Anchor
from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event
from ordain.ledger.verification import verify
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.property

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RECORDS = 12

numbers = st.integers(0, RECORDS - 1)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=8,
)


class Chain:
    """A ledger with one sealed chain in several segments, and the anchor of its head."""

    def __init__(self, root: Path, name: str) -> None:
        self.ledger = Ledger(root, segment_bytes=800)
        moments = [START + timedelta(seconds=number) for number in range(RECORDS)]
        events = [Event(moment, "tests", "load.made", "x", {"at": "y"}) for moment in moments]
        if name == "control":
            for event in events:
                self.ledger.record(event)
        else:
            with self.ledger.writer(name.rpartition("/")[2], now=START) as writer:
                for event in events:
                    writer.append(event)
                    writer.sync()
        head = self.ledger.heads()[name]
        self.anchor = Anchor(name, head.seq, head.hash)
        self.paths = sorted(root.glob(f"{name}/*.jsonl"))
        self.lines = [path.read_bytes().splitlines(keepends=True) for path in self.paths]
        self.places = [(f, n) for f, lines in enumerate(self.lines) for n in range(len(lines))]

    def verified(self, *changed: list[bytes]) -> bool:
        """Whether the files with these lines are called whole, against the anchor."""
        for path, lines in zip(self.paths, changed, strict=True):
            path.write_bytes(b"".join(lines))
        return not verify(self.ledger, anchors=[self.anchor]).findings

    def copy(self) -> list[list[bytes]]:
        return [list(lines) for lines in self.lines]


# The walk reads the control chain line by line and the others in its hot loop.
@pytest.fixture(scope="module", params=["control", "predictions/w"])
def chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    with tempfile.TemporaryDirectory() as root:
        yield Chain(Path(root), request.param)


def test_the_chain_as_written_is_whole(chain: Chain) -> None:
    assert len(chain.paths) >= 3
    assert len(chain.places) >= RECORDS
    assert chain.verified(*chain.copy())


@given(place=numbers, offset=st.integers(0), byte=st.integers(1, 255))
def test_any_changed_byte_is_found(chain: Chain, place: int, offset: int, byte: int) -> None:
    changed, (file, number) = chain.copy(), chain.places[place]
    line = bytearray(changed[file][number])
    line[offset % len(line)] ^= byte
    changed[file][number] = bytes(line)
    assert not chain.verified(*changed)


@given(place=numbers, offset=st.integers(0), inserted=st.binary(min_size=1, max_size=20))
def test_any_inserted_bytes_are_found(
    chain: Chain, place: int, offset: int, inserted: bytes
) -> None:
    changed, (file, number) = chain.copy(), chain.places[place]
    line = changed[file][number]
    at = offset % (len(line) + 1)
    changed[file][number] = line[:at] + inserted + line[at:]
    assert not chain.verified(*changed)


@given(place=numbers, offset=st.integers(0), size=st.integers(1, 2000))
def test_any_removed_bytes_are_found(chain: Chain, place: int, offset: int, size: int) -> None:
    file, number = chain.places[place]
    changed = chain.copy()
    whole = b"".join(changed[file])
    at = sum(map(len, changed[file][:number])) + offset % len(changed[file][number])
    changed[file] = [whole[:at] + whole[at + size :]]
    assert not chain.verified(*changed)


@given(place=numbers)
def test_any_removed_record_is_found(chain: Chain, place: int) -> None:
    changed, (file, number) = chain.copy(), chain.places[place]
    del changed[file][number]
    assert not chain.verified(*changed)


@given(one=numbers, other=numbers)
def test_any_doubled_record_is_found(chain: Chain, one: int, other: int) -> None:
    changed, (file, number) = chain.copy(), chain.places[one]
    to_file, to_number = chain.places[other]
    changed[to_file].insert(to_number, chain.lines[file][number])
    assert not chain.verified(*changed)


@given(one=numbers, other=numbers)
def test_any_two_records_that_change_places_are_found(chain: Chain, one: int, other: int) -> None:
    if one == other:
        return
    changed = chain.copy()
    (file, number), (to_file, to_number) = chain.places[one], chain.places[other]
    changed[file][number] = chain.lines[to_file][to_number]
    changed[to_file][to_number] = chain.lines[file][number]
    assert not chain.verified(*changed)


@given(kept=st.integers(0))
def test_any_cut_below_the_anchor_is_found(chain: Chain, kept: int) -> None:
    whole = b"".join(line for lines in chain.lines for line in lines)
    left = kept % len(whole)
    changed = []
    for lines in chain.lines:
        file = b"".join(lines)
        changed.append([file[:left]])
        left = max(0, left - len(file))
    assert not chain.verified(*changed)


@given(value=json_values)
def test_any_json_value_comes_back_as_it_was_given(value: object) -> None:
    with tempfile.TemporaryDirectory() as root:
        ledger = Ledger(Path(root))
        ledger.record(Event(START, "tests", "value.given", "x", {"value": value}))
        (back,) = ledger.events()
        assert canonical_json(back.data) == canonical_json({"value": value})
        assert verify(ledger).findings == ()
