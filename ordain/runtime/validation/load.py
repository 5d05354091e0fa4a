"""What an answer costs here and now: a record of this machine, which decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.runtime.scoring import RowPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.runtime.validation.scene import Scene

ROWS, WARM = 2_000, 100
_MILLI = 1_000.0


def profile(scene: Scene, clock: Callable[[], float]) -> dict[str, float]:
    """Milliseconds of one row (median, 99th percentile), rows a second, bytes, time to load."""
    artifact = scene.served.artifact
    sizes = {"bytes": float(sum(map(len, artifact.members.values())))}
    begun = clock()
    RowPlan.read(artifact.member("plan.json"))
    sizes["load_ms"] = _MILLI * (clock() - begun)
    rows = scene.raw[:ROWS]
    if not rows:
        return sizes
    for row in rows[:WARM]:
        scene.served.ask(row)
    times = []
    for row in rows:
        begun = clock()
        scene.served.ask(row)
        times.append(clock() - begun)
    times.sort()
    whole = sum(times)
    sizes["p50_ms"] = _MILLI * times[len(times) // 2]
    sizes["p99_ms"] = _MILLI * times[min(len(times) - 1, len(times) * 99 // 100)]
    sizes["rows_per_second"] = len(times) / whole if whole > 0 else 0.0
    return sizes
