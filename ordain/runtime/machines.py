"""What of a machine can decide the last digit of a number: its processor.

Libraries for numbers choose their loops by what a processor can do, and two of these may round a
sum differently. Everything else that decides a result is pinned (packages, threads, seed, order of
rows), and so are the loops of linear algebra (`training.order`). The loops of NumPy itself are not,
nor is the processor, so it is written down, and named when a version comes out otherwise than it
did. No host name, address or time is among the facts.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")
# Flags that Linux shows, by level of the x86-64 psABI; each level has those below it as well.
_LEVELS: Final = (
    ("v2", {"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"}),
    ("v3", {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}),
    ("v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)


def processor(cpuinfo: Path = CPUINFO) -> dict[str, str]:
    """The architecture, the name of the processor, and, of x86-64, its level; what is known."""
    found = {"architecture": platform.machine()}
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return found
    lines = [line.partition(":") for line in text.partition("\n\n")[0].splitlines()]
    said = {name.strip(): value.strip() for name, _, value in lines}
    if "model name" in said:
        found["processor"] = " ".join(said["model name"].split())
    if found["architecture"] == "x86_64" and "flags" in said:
        found["level"] = f"x86-64{_level(set(said['flags'].split()))}"
    return found


def _level(flags: set[str]) -> str:
    reached = ""
    for name, needed in _LEVELS:
        if not needed <= flags:
            break
        reached = f"-{name}"
    return reached
