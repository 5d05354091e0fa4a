"""How many requests one worker answers, by durability: `python bench/serving_smoke.py`.

The floor in the same run is the page /healthz of the same worker: HTTP without a prediction. The
load comes from this process over keep-alive connections, so client and server share the machine and
the ratio says more than the number.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ordain.runtime.artifacts import ArtifactStore, save_artifact
from ordain.runtime.scoring import RowPlan
from ordain.runtime.serving import client
from ordain.runtime.serving.worker import _loop_factory
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from ordain.runtime.serving.status import Status

NUMBERS, LEVELS, TREES, DEPTH = 20, ("a", "b", "c", "d"), 70, 5
SECONDS = 2.0


def number(name: str) -> dict[str, Any]:
    return {
        "op": "number",
        "input": name,
        "impute": None,
        "low": None,
        "high": None,
        "center": 0.0,
        "scale": 1.0,
    }


def declared(name: str, type_: str) -> dict[str, Any]:
    levels = list(LEVELS) if type_ == "category" else None
    return {
        "name": name,
        "type": type_,
        "missing": True,
        "range": None,
        "levels": levels,
        "unknown": "bucket",
    }


def tree(seed: int, width: int) -> dict[str, Any]:
    """A full tree whose splits are spread by a hash: no library, the same on every machine."""
    inner = 2**DEPTH - 1
    dice = [sha256(b"%d %d" % (seed, node)).digest() for node in range(2 * inner + 1)]
    return {
        "output": 0,
        "feature": [one[0] % width if node < inner else -1 for node, one in enumerate(dice)],
        "threshold": [one[1] / 256 for one in dice],
        "left": [2 * node + 1 if node < inner else -1 for node in range(len(dice))],
        "right": [2 * node + 2 if node < inner else -1 for node in range(len(dice))],
        "missing_left": [one[2] % 2 == 0 for one in dice],
        "value": [(one[3] - 128) / 2000 for one in dice],
    }


def plan() -> bytes:
    numbers = [f"n{place}" for place in range(NUMBERS)]
    texts = [f"c{place}" for place in range(8)]
    columns = [number(name) for name in numbers]
    columns += [
        {"op": "one_hot", "input": name, "levels": list(LEVELS), "rare": [], "missing_level": None}
        for name in texts
    ]
    sources = numbers + [name for name in texts for _ in LEVELS]
    return canonical_json(
        {
            "format": "ordain.plan/2",
            "task": "classification",
            "classes": [],
            "inputs": [declared(name, "float") for name in numbers]
            + [declared(name, "category") for name in texts],
            "columns": columns,
            "keep": None,
            "names": [f"{name}_{place}" for place, name in enumerate(sources)],
            "sources": [[source] for source in sources],
            "model": {
                "kind": "trees",
                "baselines": [0.0],
                "trees": [tree(seed, len(sources)) for seed in range(TREES)],
            },
            "link": "logit",
            "calibration": None,
            "decision": {"threshold": 0.5, "above": "refer", "below": "approve"},
        }
    )


def row() -> dict[str, Any]:
    numbers = {f"n{place}": (place * 37 % 100) / 100 for place in range(NUMBERS)}
    return numbers | {f"c{place}": LEVELS[place % 4] for place in range(8)}


def config(root: Path, digest: str, durability: str) -> dict[str, Any]:
    rules = [
        {
            "when": {"all": [{"field": "n0", "op": "gt", "value": limit}]},
            "to": [{"deployment": "main"}],
        }
        for limit in (5, 4, 3, 2, -1)
    ]
    route = {
        "name": "credit",
        "endpoint": "/v1/credit",
        "rules": rules,
        "default": {"deployment": "main"},
        "keys": "none",
    }
    return {
        "format": "ordain.server/1",
        "environment": "bench",
        "host": "127.0.0.1",
        "port": 0,
        "artifacts": str(root / "store"),
        "ledger": str(root / "ledger"),
        "durability": durability,
        "deployments": {"main": {"model": "m", "version": 1, "artifact": digest}},
        "routes": [route],
        "keys": [],
    }


async def caller(address: tuple[str, int], request: bytes, end: float, waits: list[float]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    while (start := time.perf_counter()) < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        waits.append(time.perf_counter() - start)
    writer.close()


async def load(address: tuple[str, int], request: bytes, callers: int) -> list[float]:
    waits: list[float] = []
    end = time.perf_counter() + SECONDS
    await asyncio.gather(*(caller(address, request, end, waits) for _ in range(callers)))
    return sorted(waits)


def measure(status: Status, request: bytes, callers: int) -> float:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        waits = runner.run(load((status.host, status.port), request, callers))
    rate = len(waits) / SECONDS
    p50, p99 = (waits[int(len(waits) * share)] * 1000 for share in (0.5, 0.99))
    print(f"    {callers:3} connections {rate:8.0f}/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
    return rate


def main() -> None:
    root = Path(tempfile.mkdtemp())
    made = plan()
    read = RowPlan.read(made)
    members = {
        "plan.json": made,
        "parity.json": canonical_json({"rows": [row()], "scores": [read.score(row())]}),
    }
    digest = save_artifact(ArtifactStore(root / "store"), "m", "sha256:" + "0" * 64, members).digest
    start = time.perf_counter()
    for _ in range(2000):
        read.score(row())
    print(f"score alone {(time.perf_counter() - start) / 2000 * 1e6:.0f} us")
    body = json.dumps(row()).encode()
    post = b"POST /v1/credit HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )
    get = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    rundir = root / "run"
    try:
        start = time.perf_counter()
        status = client.start(rundir, config(root, digest, "durable"))
        print(f"ready after {time.perf_counter() - start:.2f} s")
        print("healthz")
        floor = {callers: measure(status, get, callers) for callers in (1, 32)}
        for durability in ("durable", "bounded", "async"):
            status = client.replace(rundir, config(root, digest, durability))
            print(durability)
            for callers, least in floor.items():
                rate = measure(status, post, callers)
                print(f"        {rate / least:.2f} of healthz")
        (worker,) = [one for one in status.workers if one.ready][-1:]
        memory = Path(f"/proc/{worker.pid}/smaps_rollup").read_text().split("Pss:")[1].split()[0]
        print(f"worker {int(memory) // 1024} MiB (PSS)")
    finally:
        client.stop(rundir)


if __name__ == "__main__":
    main()
