"""What a newcomer waits for: the first green reconcile, and the whole demonstration.

    python bench/first_minutes.py

CPU seconds count children and everything they started. The serving processes outlive the command
that starts them and are not in the sum; they answer a thousand requests.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CPU_LIMIT = 60.0
FIRST_LIMIT = 20.0


def run(arguments: list[str], directory: Path, home: Path) -> tuple[float, float]:
    """(wall, CPU) seconds of one command of ordain."""
    environment = {**os.environ, "ORDAIN_HOME": str(home)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "ordain.cli", *arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def main() -> None:
    """Print each figure beside its limit."""
    root = Path(tempfile.mkdtemp(prefix="ordain-bench-"))
    try:
        init = run(["init", str(root / "bank"), "--port", "0"], root, root / "home")
        first = run(["reconcile", "--once"], root / "bank", root / "home")
        demo = run(["demo", "--no-keep"], root, root / "unused")
    finally:
        shutil.rmtree(root)
    seconds = init[0] + first[0]
    print(f"init and first green reconcile  {seconds:6.1f} s wall  (limit {FIRST_LIMIT:.0f})")
    print(f"                                {init[1] + first[1]:6.1f} s CPU")
    print(f"ordain demo                     {demo[1]:6.1f} s CPU   (limit {CPU_LIMIT:.0f})")
    print(f"                                {demo[0]:6.1f} s wall")
    sys.exit(0 if seconds <= FIRST_LIMIT and demo[1] <= CPU_LIMIT else 1)


if __name__ == "__main__":
    main()
