"""What everything is measured against: the CPU time of `python -c pass`.

A ratio to the floor says the same on every machine; seconds do not. The median of several children
is taken, each charged with its own user and system time, so that a busy machine adds noise and no
bias. Bytecode is compiled once before the first child: a cold start is not what a user pays daily.
"""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOOR = (sys.executable, "-c", "pass")


def compile_bytecode() -> None:
    """Compile the project and what it imports, where that has not been done."""
    compileall.compile_dir(ROOT / "ordain", quiet=2)
    for name in ("pydantic_core", "yaml", "typing_extensions", "click", "cel_expr_python"):
        for path in (Path(entry) / name for entry in sys.path if entry):
            if path.is_dir():
                compileall.compile_dir(path, quiet=2)
            elif path.with_suffix(".py").is_file():
                compileall.compile_file(path.with_suffix(".py"), quiet=2)


def cpu(command: tuple[str, ...], *, runs: int = 9, directory: Path = ROOT) -> float:
    """Median CPU seconds of a command's own process.

    Raises:
        RuntimeError: when the command fails.
    """
    return statistics.median(_once(command, directory) for _ in range(runs))


def _once(command: tuple[str, ...], directory: Path) -> float:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, cwd=directory, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def times_the_floor(command: tuple[str, ...], *, runs: int = 9, directory: Path = ROOT) -> float:
    """CPU of a command as a multiple of `python -c pass`, measured in turns."""
    return cpu(command, runs=runs, directory=directory) / cpu(FLOOR, runs=runs)


def show(name: str, ratio: float, limit: float, *, at_least: bool = False, unit: str = "x") -> bool:
    """Print one ratio, or a size in a unit, with its limit; True when it holds."""
    held = ratio >= limit if at_least else ratio <= limit
    sign = ">=" if at_least else "<="
    print(
        f"{name:<58} {ratio:7.2f} {unit}   (limit {sign} {limit:g})   {'ok' if held else 'MISSED'}"
    )
    return held
