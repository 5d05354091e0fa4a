"""What an unchanged model costs in the daemon, and one unchanged stage under `dvc repro`.

The daemon's pass is measured in its own process, warm, over 1,000 models of which ten serve: all
CPU, that of git included, divided by the models. No data and no snapshot is there at all, so a pass
that wanted to read one would fail. Beside it stands `dvc repro` of one stage with one dependency
that has not changed, in an environment of its own; `--alone` leaves it out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench._floor import compile_bytecode, cpu, show
from bench._peers import peer
from bench.noop_reconcile import MODELS, found

LIMIT = 0.005
RUNS = 5
PASSES = 5
STAGE = (
    "stages:\n  copy:\n    cmd: cp data.csv out.csv\n    deps: [data.csv]\n    outs: [out.csv]\n"
)


def spent() -> float:
    """CPU seconds of this process and of those that it has started and waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def ours(root: Path) -> float:
    """CPU seconds of an unchanged model, in a pass of a warm daemon."""
    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.drivers import LocalDriver
    from ordain.reconciler.passes import Reconciler
    from ordain.reconciler.source import open_source
    from ordain.reconciler.state import StateStore
    from ordain.runtime.serving import client

    os.environ["ORDAIN_HOME"] = str(root / "home")
    home = found(root / "estate")
    assert not (home.artifacts / "snapshots").exists()
    source = open_source(root / "estate", os.environ)
    state = StateStore(home.state)
    told: list[str] = []

    def clock() -> datetime:
        return datetime.now(tz=UTC)

    reconciler = Reconciler(
        source,
        state,
        Ledger(home.ledger),
        LocalDriver(home, clock),
        clock,
        told.append,
    )
    try:
        for _ in range(2):
            reconciler.run()
        before, started = spent(), time.perf_counter()
        for _ in range(PASSES):
            report = reconciler.run()
            assert report.planned is not None
            assert not report.planned.plan.stages, report.planned.plan.stages[:3]
        used, wall = spent() - before, time.perf_counter() - started
    finally:
        state.close()
        source.repository.close()
        for server in home.root.glob("run/*"):
            client.stop(server)
    assert not any("snapshot" in line for line in told), told
    each = used / PASSES / MODELS
    print(f"one pass over {MODELS:,} models: {used / PASSES:.2f} s CPU, {wall / PASSES:.2f} s")
    print(f"one unchanged model: {each * 1000:.2f} ms CPU")
    return each


def theirs(root: Path) -> float:
    """CPU seconds of `dvc repro` where nothing has changed."""
    program = str(peer("dvc"))
    root.mkdir()
    (root / "data.csv").write_text("x\n1\n" * 10_000)
    (root / "dvc.yaml").write_text(STAGE)
    os.environ["DVC_NO_ANALYTICS"] = "1"
    for command in (("git", "init", "-q"), (program, "init", "-q"), (program, "repro", "-q")):
        subprocess.run(command, cwd=root, check=True)
    seconds = cpu((program, "repro"), runs=RUNS, directory=root)
    print(f"dvc repro of one unchanged stage: {seconds:.2f} s CPU")
    return seconds


def main() -> int:
    compile_bytecode()
    with TemporaryDirectory() as name:
        each = ours(Path(name))
        held = show("an unchanged model, CPU", each * 1000, LIMIT * 1000, unit="ms")
        if "--alone" not in sys.argv:
            stage = theirs(Path(name) / "dvc")
            held &= show("dvc repro, times ours", stage / each, 100, at_least=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
