"""What a run has cost: processor time, memory, and time on the wall.

It is measured by the process itself, because only that one lives to its end whoever has started it
or adopted it. None of it goes into the artifact or the evidence: the same recipe gives the same
bytes on a slow day.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import TYPE_CHECKING

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.training.order import RESOURCES
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "ordain.resources/1"
# Linux counts memory in kibibytes; macOS in bytes.
_UNIT = 1 if sys.platform == "darwin" else 1024


class Meter:
    """Counts from the moment that it is made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def tell(self, stage: str, fraction: float) -> None:
        """Write one line of progress to standard output."""
        said = {
            "stage": stage,
            "fraction": fraction,
            "elapsed": self._elapsed(),
            "rss": _peak_bytes(),
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

    def write(self, directory: Path, *, rows: int | None) -> None:
        """Write `resources.json`; `rows` is how many were read, None where nobody knows.

        Raises:
            OSError: it cannot be written.
        """
        used = resource.getrusage(resource.RUSAGE_SELF)
        cost = {
            "format": FORMAT,
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 3),
            "wall_seconds": self._elapsed(),
            "peak_rss_bytes": _peak_bytes(),
            "rows": rows,
            "blas": _kernels(),
        }
        write_atomically(directory / RESOURCES, canonical_json(cost))

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._start, 3)


def _kernels() -> list[str]:
    """The loops of linear algebra that were really taken; none where no library was loaded."""
    if "numpy" not in sys.modules:
        return []
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    found = {str(one["architecture"]) for one in threadpool_info() if "architecture" in one}
    return sorted(found)


def _peak_bytes() -> int:
    """The most memory that this process has held.

    Linux counts that of whoever started the process as well where `getrusage` is asked, because
    the count outlives `exec`; its own status does not.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - asked at every stage
            held = next(line for line in status if line.startswith("VmHWM:"))
        return int(held.split()[1]) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
