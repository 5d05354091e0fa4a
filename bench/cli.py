"""What a command costs before it does anything: CPU as a multiple of `python -c pass`.

Each command is a process of its own, run in the estate that it judges; `check` gets one of 200
documents that are all in order, so that every policy is asked and nothing is printed about any.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench._estates import ordinary_estate
from bench._floor import compile_bytecode, show, times_the_floor

ORDAIN = (sys.executable, "-m", "ordain.cli")
DOCUMENTS = 200
RUNS = 15


def main() -> int:
    compile_bytecode()
    with TemporaryDirectory() as name:
        estate = Path(name)
        ordinary_estate(estate, DOCUMENTS)
        measured = [
            ("ordain --version", ("--version",), 6),
            ("ordain --help", ("--help",), 10),
            (f"ordain check, {DOCUMENTS} documents", ("check",), 25),
        ]
        held = [
            show(title, times_the_floor((*ORDAIN, *arguments), runs=RUNS, directory=estate), limit)
            for title, arguments, limit in measured
        ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
