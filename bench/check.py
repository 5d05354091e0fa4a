"""The whole check beside a bare YAML loader and beside other tools, on the same files.

Ours is everything that `ordain check` does: read the files, parse them with marks, schema,
references, the baseline's policies. CSafeLoader does nothing but load, and is compared twice: work
against work in one process, where the libraries are imported already, and as whole processes.
yamllint and checkov run as they come, with the rules they come with, as processes. All is CPU time,
and every ratio says how many times faster ours is. The peers take minutes on 5,000 documents, so
there they run with `--full` only. At the end ten documents of 5,000 are edited between two checks,
and the second one has a cache.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench._estates import estate_of_models
from bench._floor import ROOT, compile_bytecode, show
from bench._peers import peer

SIZES = (1_000, 5_000)
FASTER_THAN_LOADING = 1.4
FASTER_THAN_PEERS = 20
MEBIBYTES = 200
WARM = 0.2
CHANGED = 10
COMMAND = (sys.executable, "-m", "ordain.cli", "check")
CHECK = (*COMMAND, "--no-cache")
LOAD = """
import sys, yaml
from pathlib import Path
for path in sorted(Path(sys.argv[1]).rglob("*.yaml")):
    list(yaml.load_all(path.read_bytes(), yaml.CSafeLoader))
"""
IN_TURNS = """
import gc, statistics, sys, time, yaml
from datetime import UTC, datetime
from pathlib import Path
from ordain.policies.gate import check
from ordain.specs.estates import load_estate
from ordain.specs.trees import WorkTree

def ours():
    tree = WorkTree(Path(sys.argv[1]))
    findings = check(load_estate(tree), datetime.now(UTC), tree=tree).findings
    assert not findings, findings[0]

def theirs():
    for path in sorted(Path(sys.argv[1]).rglob("*.yaml")):
        list(yaml.load_all(path.read_bytes(), yaml.CSafeLoader))

def taken(run):
    gc.collect()
    begun = time.process_time()
    run()
    return time.process_time() - begun

gc.set_threshold(1_000_000, 20, 20)  # As the command does.
print(statistics.median(taken(theirs) / taken(ours) for _ in range(5)))
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process took."""

    seconds: float
    mebibytes: float


def run(command: tuple[str, ...], estate: Path, accepted: tuple[int, ...] = (0,)) -> Spent:
    """Run a command in the estate; its own time and that of its children.

    Raises:
        RuntimeError: when it ends with a code that is not accepted.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        command, cwd=estate, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in accepted:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def against_loading(estate: Path, count: int) -> list[bool]:
    """Ours and CSafeLoader in turns, and the most memory that ours took."""
    load = (sys.executable, "-c", LOAD, ".")
    turns = [(run(load, estate).seconds, run(CHECK, estate)) for _ in range(5)]
    ratio = statistics.median(theirs / ours.seconds for theirs, ours in turns)
    most = max(ours.mebibytes for _, ours in turns)
    ours = statistics.median(ours.seconds for _, ours in turns)
    name = f"{count:,} documents: CSafeLoader alone takes"
    held = show(name, in_turns(estate), FASTER_THAN_LOADING, at_least=True)
    print(
        f"    as whole processes {ratio:.2f} x; {ours:.2f} s CPU, {count / ours:,.0f} documents/s"
    )
    return [held, show_memory(count, most)]


def in_turns(estate: Path) -> float:
    """How many times faster the work of ours is than that of CSafeLoader, in one process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = (sys.executable, "-c", IN_TURNS, str(estate))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def show_memory(count: int, most: float) -> bool:
    held = most <= MEBIBYTES
    name = f"{count:,} documents: peak memory"
    print(f"{name:<58} {most:7.0f} MiB (limit <= {MEBIBYTES})   {'ok' if held else 'MISSED'}")
    return held


def against_peers(estate: Path, count: int) -> list[bool]:
    """Other tools once each: what they take is far beyond the noise of a run."""
    ours = min(run(CHECK, estate).seconds for _ in range(3))
    checkov = ("--skip-download", "--compact", "--quiet", "-d", ".")
    commands = {
        "yamllint": (str(peer("yamllint")), "."),
        "checkov": (str(peer("checkov")), *checkov),
    }
    gator = shutil.which("gator")
    if gator:
        commands["gator"] = (gator, "test", "--filename", ".")
    held = []
    for name, command in commands.items():
        # They end with 1 where their rules find something.
        ratio = run(command, estate, (0, 1)).seconds / ours
        limit = FASTER_THAN_PEERS if name != "gator" else 1
        held.append(show(f"{count:,} documents: {name} takes", ratio, limit, at_least=True))
    return held


def warm(estate: Path) -> bool:
    """Checks after edits of ten Models, each beside a check of the same files without a cache."""
    run(COMMAND, estate)
    ratios = []
    for turn in range(5):
        for number in range(CHANGED):
            path = estate / f"specs/models/model-{100 * turn + number}.yaml"
            path.write_text(path.read_text().replace("rows: 200", f"rows: {201 + turn}"))
        ratios.append(run(COMMAND, estate).seconds / run(CHECK, estate).seconds)
    return show(
        f"{SIZES[-1]:,} documents, {CHANGED} changed: of a cold run",
        statistics.median(ratios),
        WARM,
    )


def main() -> int:
    compile_bytecode()
    held: list[bool] = []
    os.environ.pop("ORDAIN_NO_CACHE", None)
    for count in SIZES:
        with TemporaryDirectory() as name:
            estate = Path(name) / "estate"
            os.environ["ORDAIN_HOME"] = str(Path(name) / "home")
            estate_of_models(estate, count)
            held += against_loading(estate, count)
            if count == SIZES[0] or "--full" in sys.argv:
                held += against_peers(estate, count)
            if count == SIZES[-1]:
                held.append(warm(estate))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
