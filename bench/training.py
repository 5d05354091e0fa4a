"""What a training job takes: peak memory and size of the artifact, at 50,000 rows and 28 columns.

The job is the process that the reconciler starts, with its libraries, and its order names a
snapshot in the store, as it always does. Peak memory is the largest resident set of that process as
the system counts it. The rows are drawn with a seed: numbers, whole numbers and categories, with
missing values among them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from bench._floor import ROOT, show
from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.runtime.environment import installed, render_lock
from ordain.runtime.training.order import Job, numeric_environment, write_job
from ordain.specs.canonical import sha256
from ordain.specs.kinds import kind_validator
from ordain.specs.recipes import recipe_of

ROWS = 50_000
NUMBERS, WHOLE, CATEGORIES = 18, 6, 4
MEMORY, ARTIFACT = 500, 10
MODEL = {
    "purpose": "Probability that an applicant defaults within 12 months",
    "tier": 1,
    "owner": "credit-risk",
    "task": "classification",
    "dataset": "applications",
    "training": {"estimator": "hist_gradient_boosting"},
    "decision": {"threshold": 0.35, "above": "decline", "below": "approve"},
}


def write_data(root: Path) -> dict[str, Any]:
    """The table as a Parquet file; returns how its columns are declared."""
    rng = np.random.default_rng(11)
    drawn = rng.normal(size=(ROWS, NUMBERS))
    columns: dict[str, Any] = {
        f"number_{place}": pa.array(drawn[:, place], mask=rng.random(ROWS) < 0.03)
        for place in range(NUMBERS)
    }
    columns |= {f"count_{place}": rng.poisson(3.0, ROWS) for place in range(WHOLE)}
    for place in range(CATEGORIES):
        columns[f"level_{place}"] = rng.choice([f"level {name}" for name in "abcdefgh"], ROWS)
    margin = drawn[:, :6].sum(axis=1) * 0.5 + 0.3 * (columns["count_0"] - 3) - 1.5
    columns["defaulted"] = (rng.random(ROWS) < 1 / (1 + np.exp(-margin))).astype(np.int64)
    parquet.write_table(pa.table(columns), root / "applications.parquet")
    kinds = {"number": "float", "count": "int", "level": "category", "defaulted": "int"}
    return {name: {"type": kinds[name.partition("_")[0]]} for name in columns}


def order(root: Path) -> Job:
    spec = {
        "source": {"type": "parquet", "uri": "applications.parquet"},
        "columns": write_data(root),
        "target": {"column": "defaulted", "positive": 1, "favourable": 0},
    }
    data = kind_validator("Dataset").validate_python(spec)
    model = kind_validator("Model").validate_python(MODEL)
    snapshots = Snapshots(ArtifactStore(root / "store"))
    with drafted(Origin("applications", data, root, {}), snapshots) as draft:
        kept = draft.keep(snapshots, Taker("", datetime(2026, 1, 1, tzinfo=UTC), "0"))
    data = replace(data, digest=kept.snapshot.digest)
    lock = render_lock(installed())
    recipe = recipe_of("credit-default", model, data, sha256(lock))
    assert recipe is not None
    return Job(
        model="credit-default",
        spec=model,
        dataset="applications",
        data=data,
        recipe=recipe,
        environment=lock.decode(),
        store=root / "store",
        champion=None,
        tool="0",
    )


def run(directory: Path) -> tuple[float, float]:
    """Peak memory in MB and CPU seconds of a job.

    Raises:
        RuntimeError: when it fails.
    """
    command = (sys.executable, "-m", "ordain.runtime.training", str(directory))
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | numeric_environment(1)
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError((directory / "result.json").read_text())
    return usage.ru_maxrss * 1024 / 10**6, usage.ru_utime + usage.ru_stime


def main() -> int:
    with TemporaryDirectory() as name:
        root = Path(name)
        write_job(root / "job", order(root))
        memory, seconds = run(root / "job")
        result = json.loads((root / "job" / "result.json").read_bytes())
        artifact = load_artifact(ArtifactStore(root / "store"), result["artifact"])
        size = sum(map(len, artifact.members.values())) / 10**6
        print(f"{ROWS:,} rows, {NUMBERS + WHOLE + CATEGORIES} columns: {seconds:.1f} s CPU")
        held = show("peak memory", memory, MEMORY, unit="MB")
        held &= show("artifact", size, ARTIFACT, unit="MB")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
