"""The same recipe gives the same bytes, wherever, whenever and beside whatever it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.training.order import EVIDENCE, RESULT, Job, write_job
from ordain.specs.kinds.dataset import Column, Dataset
from ordain.specs.kinds.model import Model

pytestmark = [pytest.mark.training, pytest.mark.timeout(180)]

MakeTable = Callable[..., pa.Table]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]
Made = dict[str, bytes]

ROOT = Path(__file__).parents[3]

# What may differ between two machines and must not be seen in what they make.
SURROUNDINGS = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LANG": "C", "OMP_NUM_THREADS": "1"},
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"},
    {"PYTHONHASHSEED": "4294967295", "TZ": "America/Lima", "OPENBLAS_CORETYPE": "Prescott"},
)


@contextmanager
def busy() -> Iterator[None]:
    """A process that wants a whole core for as long as the body runs."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as child:
        try:
            yield
        finally:
            child.kill()


def train(directory: Path, home: Path, surroundings: dict[str, str]) -> Made:
    """Run the process of a job elsewhere, and read all that it has made."""
    home.mkdir()
    inherited = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    ran = subprocess.run(
        [sys.executable, "-m", "ordain.runtime.training", str(directory)],
        cwd=home,
        env=inherited | {"PYTHONPATH": str(ROOT), "HOME": str(home)} | surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    result = json.loads((directory / RESULT).read_bytes())
    artifact = load_artifact(ArtifactStore(directory / "store"), result["artifact"])
    files = {name: (directory / name).read_bytes() for name in (EVIDENCE, RESULT)}
    return {**artifact.members, **files, "digest": artifact.digest.encode()}


@pytest.mark.parametrize(
    "estimator",
    ["hist_gradient_boosting", "logistic_regression", "random_forest", "lightgbm", "xgboost"],
)
def test_three_processes_in_three_places_make_the_same_bytes(
    tmp_path: Path, model: MakeModel, dataset: MakeDataset, job: MakeJob, estimator: str
) -> None:
    made = []
    for turn, surroundings in enumerate(SURROUNDINGS):
        directory = tmp_path / f"run-{turn}"
        declared = model(estimator, acceptance={"fairness": [{}]})
        write_job(directory, job(declared, dataset(), store=directory / "store"))
        home = tmp_path / f"home-{turn}"
        if turn:
            made.append(train(directory, home, surroundings))
            continue
        with busy():
            made.append(train(directory, home, surroundings))
    assert made[0] == made[1] == made[2]
    members = {"model.onnx", "pipeline.skops", "plan.json", "parity.json"}
    assert members < made[0].keys()
    evidence = json.loads(made[0][EVIDENCE])
    assert evidence["split"].startswith("sha256:")


EVERYTHING = {
    "numeric": {"indicator": True, "outliers": {"clip": ["p01", "p99"]}},
    "categorical": {"encode": "target"},
    "dates": {"parts": ["month", "weekday", "days"]},
    "texts": {"terms": 6, "ngrams": [1, 2]},
    "interactions": [["income", "debts"]],
}


def test_three_processes_make_the_same_bytes_with_everything_declared(
    tmp_path: Path, lending: MakeTable, model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    table = lending()
    words = ["straße über", "a used car", "Ωmega car", "repay a loan", None]
    table = table.append_column("reason", pa.array([words[row % 5] for row in range(600)]))
    asked = pa.array(table["applied_on"].to_numpy()[::-1].copy())
    plain = dataset(table.append_column("asked_on", asked))
    more = {"asked_on": Column(type="date"), "reason": Column(type="text")}
    data = replace(plain, columns=plain.columns | more)
    chosen = {"select": {"method": "mutual_info", "keep": 10}}
    declared = model("logistic_regression", preprocessing=EVERYTHING, features=chosen)
    made = []
    for turn, surroundings in enumerate(SURROUNDINGS):
        directory = tmp_path / f"run-{turn}"
        write_job(directory, job(declared, data, store=directory / "store"))
        made.append(train(directory, tmp_path / f"home-{turn}", surroundings))
    assert made[0] == made[1] == made[2]
    ops = {column["op"] for column in json.loads(made[0]["plan.json"])["columns"]}
    assert {"target", "date", "text", "product", "number"} <= ops


def test_another_seed_makes_another_artifact_of_the_same_recipe_otherwise(
    tmp_path: Path, model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    """Equal bytes say something only where unequal ones are possible."""
    made = []
    for seed in (7, 8):
        directory = tmp_path / f"run-{seed}"
        training = {"estimator": "hist_gradient_boosting", "parameters": {"max_iter": 5}}
        declared = model(training=training | {"seed": seed})
        write_job(directory, job(declared, dataset(), store=directory / "store"))
        made.append(train(directory, tmp_path / f"home-{seed}", SURROUNDINGS[0]))
    assert made[0]["plan.json"] != made[1]["plan.json"]
    assert made[0]["pipeline.skops"] != made[1]["pipeline.skops"]
