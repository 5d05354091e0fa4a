"""The logical digest of a table: MB/s, and the time it takes as a multiple of plain SHA-256.

The table is that of a lender: numbers, whole numbers, dates, truth values, categories and ids, some
missing, in the batches in which `ordain pin` reads them. Plain SHA-256 goes over as many bytes in
one piece, which is the least that any digest of content can take. Both are CPU time, that of all
threads together, the median of several runs in turns: a busy machine adds noise and no bias. On an
idle machine with several cores the wall time is less, because columns are hashed on threads.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pyarrow as pa

from bench._floor import show
from ordain.runtime.datasets.digests import THREADS, TableHasher

ROWS = 1_000_000
GROUP = 65_536
RUNS = 7
FASTEST = 500.0


def table() -> pa.Table:
    rng = np.random.default_rng(7)
    missing = rng.random(ROWS) < 0.05
    columns: dict[str, Any] = {f"n{place}": rng.normal(size=ROWS) for place in range(12)}
    columns |= {f"m{place}": pa.array(rng.normal(size=ROWS), mask=missing) for place in range(4)}
    columns |= {f"i{place}": rng.integers(0, 10_000, ROWS) for place in range(4)}
    columns["on"] = pa.array(rng.integers(0, 10**15, ROWS), pa.timestamp("us"))
    columns["paid"] = pa.array(rng.random(ROWS) < 0.5)
    levels = rng.choice(["car", "home", "study", "a small business"], ROWS)
    columns["purpose"] = pa.array(levels, pa.large_string(), mask=missing)
    columns["id"] = pa.array([f"A{number:09}" for number in range(ROWS)], pa.large_string())
    return pa.table(columns)


def hashed(batches: list[Any], executor: ThreadPoolExecutor) -> str:
    hasher = TableHasher(batches[0].schema, executor)
    for batch in batches:
        hasher.update(batch)
    return hasher.digest()


def main() -> int:
    found = table()
    batches = found.to_batches(max_chunksize=GROUP)
    plain = b"\x5a" * found.nbytes
    ours, theirs, wall = [], [], []
    with ThreadPoolExecutor(THREADS) as executor:
        for _ in range(RUNS):
            started, used = time.perf_counter(), time.process_time()
            hashed(batches, executor)
            ours.append(time.process_time() - used)
            wall.append(time.perf_counter() - started)
            used = time.process_time()
            hashlib.sha256(plain).digest()
            theirs.append(time.process_time() - used)
    size = found.nbytes / 10**6
    speed = size / statistics.median(ours)
    held = speed >= FASTEST
    print(f"{size:,.0f} MB: {speed:,.0f} MB/s of CPU, {size / min(wall):,.0f} MB/s at best")
    print(f"at least {FASTEST:,.0f} MB/s of CPU: {'ok' if held else 'MISSED'}")
    ratio = statistics.median(ours) / statistics.median(theirs)
    return 0 if show("logical digest, times plain SHA-256", ratio, 3.0) and held else 1


if __name__ == "__main__":
    sys.exit(main())
