"""Twenty processes train each family of estimators; every one has to make the same bytes.

Each run is a process of its own with another PYTHONHASHSEED, time zone, language and working
directory, half of them beside a process that wants a whole core. The last family declares every
part of preprocessing. Compared are the digest of the artifact (plan,
stored pipeline, ONNX form, profile, parity rows), the evidence with its metrics and the digest of
the split. With arguments only the named estimators are run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from ordain.runtime.training.order import Job
    from ordain.specs.kinds.dataset import Dataset

ROOT = Path(__file__).resolve().parent.parent
RUNS = 20
ROWS = 2_000
ZONES = ("UTC", "Asia/Kathmandu", "America/Lima")
LANGUAGES = ("C", "C.UTF-8", "POSIX", "tr_TR.UTF-8")
WORDS = ("straße über", "a used car", "Ωmega car", "İstanbul loan", None)
EVERYTHING: dict[str, Any] = {
    "preprocessing": {
        "numeric": {"indicator": True, "outliers": {"clip": ["p01", "p99"]}},
        "categorical": {"encode": "target"},
        "dates": {"parts": ["month", "weekday", "days"]},
        "texts": {"terms": 20, "ngrams": [1, 2]},
        "interactions": [["income", "debts"]],
    },
    "features": {"select": {"method": "mutual_info", "keep": 12}},
}
FEW = {"n_estimators": 20, "max_depth": 6}


class Family(NamedTuple):
    """What is trained; `more` are further fields of the Model."""

    estimator: str
    task: str
    target: str
    parameters: dict[str, Any]
    more: dict[str, Any] = {}  # noqa: RUF012 - never changed


_ROWS: tuple[tuple[Any, ...], ...] = (
    ("logistic_regression", "classification", "defaulted", {}),
    ("logistic_regression", "classification", "grade", {}),
    ("linear_regression", "regression", "amount", {}),
    ("ridge", "regression", "amount", {}),
    ("lasso", "regression", "amount", {"alpha": 0.01}),
    ("elastic_net", "regression", "amount", {"alpha": 0.01}),
    ("poisson", "regression", "amount", {}),
    ("gamma", "regression", "amount", {}),
    ("decision_tree", "classification", "defaulted", {"max_depth": 6}),
    ("decision_tree", "regression", "amount", {"max_depth": 6}),
    ("random_forest", "classification", "grade", FEW),
    ("random_forest", "regression", "amount", FEW),
    ("extra_trees", "classification", "defaulted", FEW),
    ("extra_trees", "regression", "amount", FEW),
    ("hist_gradient_boosting", "classification", "defaulted", {"max_iter": 20}),
    ("hist_gradient_boosting", "classification", "grade", {"max_iter": 20}),
    ("hist_gradient_boosting", "regression", "amount", {"max_iter": 20}),
    ("kmeans", "clustering", "", {"n_clusters": 4}),
    ("gaussian_mixture", "clustering", "", {"n_components": 3}),
    ("lightgbm", "classification", "defaulted", {"n_estimators": 20}),
    ("lightgbm", "regression", "amount", {"n_estimators": 20}),
    ("xgboost", "classification", "grade", {"n_estimators": 20}),
    ("xgboost", "regression", "amount", {"n_estimators": 20}),
    ("logistic_regression", "classification", "defaulted", {}, EVERYTHING),
)
FAMILIES = tuple(Family(*row) for row in _ROWS)


def write_table(path: Path) -> None:
    """Applications with three outcomes, gaps and a category with rare levels."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(11)
    income = np.round(rng.lognormal(8.0, 0.5, ROWS), 2)
    debts = rng.poisson(2.0, ROWS)
    purpose = rng.choice(["car", "home", "study", "boat"], ROWS, p=[0.5, 0.3, 0.18, 0.02])
    margin = -1.0 - 0.9 * (np.log(income) - 8.0) + 0.4 * (debts - 2) + 0.8 * (purpose == "study")
    columns = {
        "applicant_id": [f"A{number:06}" for number in range(ROWS)],
        "income": pa.array(income, mask=rng.random(ROWS) < 0.05),
        "debts": debts,
        "purpose": pa.array(purpose, mask=rng.random(ROWS) < 0.04),
        "defaulted": (rng.random(ROWS) < 1 / (1 + np.exp(-margin))).astype(np.int64),
        "grade": np.array(["a", "b", "c"])[np.digitize(margin + rng.normal(size=ROWS), [-2, 0])],
        "amount": np.round(np.exp(margin / 3 + rng.normal(scale=0.2, size=ROWS)) * 100, 2),
    }
    day = np.datetime64("2024-01-01") + rng.integers(0, 700, ROWS)
    columns |= {"asked_on": day.astype("datetime64[us]")}
    columns |= {"reason": pa.array([WORDS[place] for place in rng.integers(0, 5, ROWS)])}
    pq.write_table(pa.table(columns), path)


def dataset(target: str, more: dict[str, Any]) -> Dataset:
    from ordain.specs.kinds import kind_validator

    outcomes = {"defaulted": "int", "grade": "category", "amount": "float"}
    columns: dict[str, Any] = {
        "applicant_id": {"type": "id", "role": "entity"},
        "income": {"type": "float", "missing": "10%"},
        "debts": {"type": "int"},
        "purpose": {"type": "category", "rare": 30, "missing": "10%"},
    }
    if more:
        columns |= {"asked_on": {"type": "date"}, "reason": {"type": "text"}}
    spec: dict[str, Any] = {
        "source": {"type": "parquet", "uri": "applications.parquet"},
        "entity": "applicant_id",
        "columns": columns,
    }
    if target:
        columns[target] = {"type": outcomes[target]}
        spec["target"] = {"column": target}
    declared: Dataset = kind_validator("Dataset").validate_python(spec)
    return declared


def order(root: Path, store: Path, family: Family) -> Job:
    """The order for one family, and its rows in the store."""
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.runtime.datasets.snapshots import Snapshots
    from ordain.runtime.datasets.taking import Origin, Taker, drafted
    from ordain.runtime.environment import installed, render_lock
    from ordain.runtime.training.order import Job
    from ordain.specs.canonical import sha256
    from ordain.specs.kinds import kind_validator
    from ordain.specs.recipes import recipe_of
    from ordain.specs.tasks import estimators_named

    estimator, task, target, parameters, more = family
    spec = {
        "purpose": "To be made again",
        "tier": 3,
        "owner": "risk",
        "task": task,
        "dataset": "applications",
        "training": {"estimator": estimator, "parameters": parameters},
        **more,
    }
    model = kind_validator("Model").validate_python(spec)
    declared = dataset(target, more)
    snapshots = Snapshots(ArtifactStore(store))
    with drafted(Origin("applications", declared, root, {}), snapshots) as draft:
        data = replace(declared, digest=draft.digest)
        draft.keep(snapshots, Taker("bench", datetime(2026, 11, 20, tzinfo=UTC), "bench"))
    environment = render_lock(installed(estimators_named([model])))
    recipe = recipe_of("credit", model, data, sha256(environment))
    assert recipe is not None
    return Job(
        model="credit",
        spec=model,
        dataset="applications",
        data=data,
        recipe=recipe,
        environment=environment.decode(),
        store=store,
        champion=None,
        tool="bench",
    )


def run(job: Job, directory: Path, turn: int) -> tuple[str, str, str]:
    """Digests of artifact, evidence and split of one process."""
    from ordain.runtime.training.order import RESULT, write_job

    write_job(directory, job)
    surroundings = {
        "PYTHONHASHSEED": str(turn),
        "TZ": ZONES[turn % len(ZONES)],
        "LC_ALL": LANGUAGES[turn % len(LANGUAGES)],
    }
    ran = subprocess.run(
        [sys.executable, "-m", "ordain.runtime.training", str(directory)],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise SystemExit(ran.stderr or ran.stdout)
    result = json.loads((directory / RESULT).read_bytes())
    return result["artifact"], result["evidence"], result["split"]


def measure(root: Path, family: Family) -> bool:
    """Run one family and print how many of its runs are equal; whether all are."""
    name = (
        f"{family.estimator} ({family.target or 'no target'}{', everything' * bool(family.more)})"
    )
    found: Counter[tuple[str, str, str]] = Counter()
    begun = time.monotonic()
    for turn in range(RUNS):
        directory = root / f"{name.replace(' ', '-')}-{turn}"
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if turn % 2 else None
        try:
            found[run(order(root, directory / "store", family), directory, turn)] += 1
        finally:
            if busy is not None:
                busy.kill()
                busy.wait()
    equal = max(found.values())
    seconds = (time.monotonic() - begun) / RUNS
    print(f"{name:42} {equal} of {RUNS} equal, {seconds:.1f} s a run")
    return equal == RUNS


def main() -> None:
    wanted = set(sys.argv[1:])
    with TemporaryDirectory() as place:
        root = Path(place)
        write_table(root / "applications.parquet")
        chosen = [family for family in FAMILIES if not wanted or family.estimator in wanted]
        good = [measure(root, family) for family in chosen]
    if not all(good):
        raise SystemExit("not every run made the same bytes")


if __name__ == "__main__":
    main()
