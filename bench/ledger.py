"""What the chain costs over writing and reading the same bytes without it.

Two ratios, each against a plain floor in the same run, because records a second say more about the
machine than about the code:

    append    durable, 1,000 records a sync    floor: json.dumps and write, one fdatasync each 1,000
    verify    the whole chain                  floor: SHA-256 of the same lines, already in memory

    python bench/ledger.py [RECORDS]
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ordain.ledger.ids import IdSource
from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Prediction
from ordain.ledger.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 1000
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def predictions(count: int) -> list[Prediction]:
    """Requests of 20 numbers with two decimals and 8 categories, as a credit application has."""
    chance = random.Random(7)
    ids = IdSource(chance.randbytes)
    made = []
    for number in range(count):
        moment = START + timedelta(milliseconds=number)
        inputs: dict[str, float | str] = {
            f"number_{i}": round(chance.gauss(1000, 300), 2) for i in range(20)
        }
        inputs.update({f"category_{i}": chance.choice(("low", "middle", "high")) for i in range(8)})
        made.append(
            Prediction(
                id=ids.next(moment),
                time=moment,
                route="credit",
                rule="rules[0]",
                draw=round(chance.random(), 6),
                deployment="credit-default",
                model="credit-default",
                version="v1",
                artifact="sha256:" + "a" * 64,
                inputs=inputs,
                output={"probability": chance.random()},
                decision="accept",
                threshold=0.2,
                latency_us=120,
                key_id="branch-office",
            )
        )
    return made


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor and of wall clock."""
    processor, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - processor, time.perf_counter() - wall


def append_plain(path: Path, records: list[dict[str, object]]) -> None:
    with path.open("wb") as stream:
        for begin in range(0, len(records), BATCH):
            for record in records[begin : begin + BATCH]:
                stream.write(json.dumps(record).encode() + b"\n")
            stream.flush()
            os.fdatasync(stream.fileno())


def append_chained(ledger: Ledger, records: list[Prediction]) -> None:
    with ledger.writer("bench", now=START) as writer:
        for begin in range(0, len(records), BATCH):
            for record in records[begin : begin + BATCH]:
                writer.append(record)
            writer.sync()


def hash_lines(lines: list[bytes]) -> None:
    for line in lines:
        sha256(line).digest()


def show(name: str, count: int, spent: tuple[float, float], floor: tuple[float, float]) -> None:
    rates = f"{count / spent[0]:>12,.0f}/s of processor {count / spent[1]:>12,.0f}/s of wall clock"
    print(f"{name:<8}{rates}   {spent[0] / floor[0]:.2f} x its floor")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    records = predictions(count)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        ledger = Ledger(root / "ledger")
        chained = timed(lambda: append_chained(ledger, records))
        paths = sorted(ledger.directory("predictions/bench").glob("*.jsonl"))
        lines = [line for path in paths for line in path.read_bytes().splitlines(keepends=True)]
        values = [json.loads(line)["value"] for line in lines if b'"type":"prediction"' in line]
        plain = timed(lambda: append_plain(root / "plain.jsonl", values))
        verified = timed(lambda: verify(ledger))
        hashed = timed(lambda: hash_lines(lines))
        assert verify(ledger).findings == ()
        found = timed(lambda: ledger.prediction(records[count // 2].id))
    print(
        f"{count:,} records of {sum(map(len, lines)) // len(lines)} bytes in {len(paths)} segments"
    )
    show("append", count, chained, plain)
    show("verify", count, verified, hashed)
    print(f"lookup  {found[1] * 1000:>12.1f} ms by id")


if __name__ == "__main__":
    main()
