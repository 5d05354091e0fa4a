"""A small lending table with everything that training must cope with, and jobs over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.runtime.environment import installed, render_lock
from ordain.runtime.training.order import Job
from ordain.specs.canonical import sha256
from ordain.specs.kinds import kind_validator
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model
from ordain.specs.plain import material_digest
from ordain.specs.recipes import Recipe
from ordain.specs.tasks import estimators_named

if TYPE_CHECKING:
    from pathlib import Path

MakeTable = Callable[..., pa.Table]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COLUMNS: dict[str, Any] = {
    "applicant_id": {"type": "id", "role": "entity"},
    "applied_on": {"type": "date"},
    "income": {"type": "float", "range": [0.0, 1_000_000.0], "missing": "10%"},
    "age": {"type": "int", "role": "protected"},
    "debts": {"type": "int"},
    "employed": {"type": "bool"},
    "purpose": {"type": "category", "rare": 15, "missing": "10%"},
    "sex": {"type": "category", "role": "protected", "reference": "male"},
    "days_past_due": {"type": "int"},
    "defaulted": {"type": "int"},
}


def lending_table(rows: int = 600, seed: int = 1) -> pa.Table:
    """Outcomes follow income, debts and purpose; sex and age have nothing to do with them."""
    rng = np.random.default_rng(seed)
    income = np.round(rng.lognormal(8.0, 0.5, rows), 2)
    debts = rng.poisson(2.0, rows)
    purposes = ["car", "home", "study", "boat", "plane"]
    purpose = rng.choice(purposes, rows, p=[0.5, 0.3, 0.17, 0.02, 0.01])
    margin = -1.2 - 0.9 * (np.log(income) - 8.0) + 0.45 * (debts - 2) + 0.8 * (purpose == "study")
    defaulted = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.int64)
    day = np.sort(rng.integers(0, 720, rows)).astype("timedelta64[D]")
    return pa.table(
        {
            "applicant_id": [f"A{number:05}" for number in range(rows)],
            "applied_on": pa.array(np.datetime64("2023-01-01") + day, pa.date32()),
            "income": pa.array(income, mask=rng.random(rows) < 0.05),
            "age": rng.integers(18, 80, rows),
            "debts": debts,
            "employed": rng.random(rows) < 0.8,
            "purpose": pa.array(purpose, mask=rng.random(rows) < 0.04),
            "sex": rng.choice(["female", "male"], rows),
            "days_past_due": defaulted * 90,
            "defaulted": defaulted,
            "undeclared": np.arange(rows),
        }
    )


@pytest.fixture
def lending() -> MakeTable:
    return lending_table


@pytest.fixture
def dataset(tmp_path: Path) -> MakeDataset:
    """`dataset(table, income={...}, leaks=[...])` writes the table and declares it, unpinned.

    A keyword that names a column changes its declaration; any other is a field of the Dataset.
    """

    def make(table: pa.Table | None = None, kind: str = "parquet", **changed: Any) -> Dataset:  # noqa: ANN401
        table = lending_table() if table is None else table
        uri = f"data/applications.{kind}"
        (tmp_path / "data").mkdir(exist_ok=True)
        if kind == "csv":
            pyarrow.csv.write_csv(table, tmp_path / uri)
        else:
            pyarrow.parquet.write_table(table, tmp_path / uri)
        columns = {name: column | changed.pop(name, {}) for name, column in COLUMNS.items()}
        spec = {
            "source": {"type": kind, "uri": uri},
            "columns": {name: column for name, column in columns.items() if column["type"]},
            "entity": "applicant_id",
            "time": "applied_on",
            "target": {"column": "defaulted", "positive": 1, "favourable": 0},
            "leaks": ["days_past_due"],
        }
        declared: Dataset = kind_validator("Dataset").validate_python(spec | changed)
        return declared

    return make


@pytest.fixture
def model() -> MakeModel:
    """`model("logistic_regression", acceptance={...})`."""

    def make(estimator: str = "hist_gradient_boosting", **changed: Any) -> Model:  # noqa: ANN401
        parameters = {"max_iter": 15} if estimator == "hist_gradient_boosting" else {}
        spec = {
            "purpose": "Probability that an applicant defaults within 12 months",
            "tier": 1,
            "owner": "credit-risk",
            "task": "classification",
            "dataset": "applications",
            "training": {"estimator": estimator, "parameters": parameters},
            "decision": {"threshold": 0.35, "above": "decline", "below": "approve"},
        }
        declared: Model = kind_validator("Model").validate_python(spec | changed)
        return declared

    return make


def pin(data: Dataset, root: Path, store: Path) -> Dataset:
    """The Dataset with the digest of what its source holds, whose snapshot is in the store."""
    snapshots = Snapshots(ArtifactStore(store))
    with drafted(Origin("applications", data, root, {}), snapshots) as draft:
        kept = draft.keep(snapshots, Taker("data-scientist", NOW, "0.1.0"))
    return replace(data, digest=kept.snapshot.digest)


@pytest.fixture
def job(tmp_path: Path) -> MakeJob:
    """`job(model, dataset)` pins the data as they are and orders the training.

    `root` is where the data are. A Dataset that has a digest is taken as pinned: its snapshot is in
    the store already, or it is not.
    """

    def make(
        model: Model,
        data: Dataset,
        root: Path = tmp_path,
        **changed: Any,  # noqa: ANN401
    ) -> Job:
        environment = render_lock(installed(estimators_named([model])))
        pinned = data if data.digest else pin(data, root, changed.get("store", tmp_path / "store"))
        recipe = Recipe(
            model="credit-default",
            spec=material_digest(model),
            dataset=material_digest(pinned),
            data=pinned.digest or sha256(b""),
            environment=sha256(environment),
            seed=model.training.seed if model.training else 0,
            threads=1,
        )
        order: dict[str, Any] = {
            "model": "credit-default",
            "spec": model,
            "dataset": "applications",
            "data": pinned,
            "recipe": recipe,
            "environment": environment.decode(),
            "store": tmp_path / "store",
            "champion": None,
            "tool": "0.1.0",
        }
        return Job(**order | changed)

    return make
