"""Trained artifacts to validate, and orders over the rows that they learnt from and over others.

Training takes a second, so that each artifact is made once for all tests; nothing that a test does
changes it, because stores keep blobs by digest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.runtime.environment import installed, render_lock
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import Job
from ordain.runtime.validation.order import ValidationOrder
from ordain.runtime.validation.run import validate
from ordain.specs.canonical import sha256
from ordain.specs.kinds import kind_validator
from ordain.specs.plain import material_digest
from ordain.specs.recipes import Recipe
from ordain.specs.tasks import estimators_named

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model
    from ordain.specs.validations import Check, ValidationReport

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COLUMNS: dict[str, Any] = {
    "applied_on": {"type": "date"},
    "income": {"type": "float", "range": [0.0, 1_000_000.0], "missing": "10%"},
    "age": {"type": "int", "role": "protected"},
    "debts": {"type": "int"},
    "purpose": {"type": "category", "unknown": "refuse", "levels": ["car", "home", "study"]},
    "sex": {"type": "category", "role": "protected", "reference": "male"},
    "defaulted": {"type": "int"},
}
MODEL: dict[str, Any] = {
    "purpose": "Probability that an applicant defaults within 12 months",
    "tier": 1,
    "owner": "credit-risk",
    "task": "classification",
    "dataset": "applications",
    "training": {"estimator": "hist_gradient_boosting", "parameters": {"max_iter": 15}},
    "decision": {"threshold": 0.35, "above": "decline", "below": "approve"},
}


def lending_table(rows: int = 900, seed: int = 1) -> pa.Table:
    """Outcomes follow income, debts and purpose; sex and age have nothing to do with them."""
    rng = np.random.default_rng(seed)
    income = np.round(rng.lognormal(8.0, 0.5, rows), 2)
    debts = rng.poisson(2.0, rows)
    purpose = rng.choice(["car", "home", "study"], rows, p=[0.5, 0.3, 0.2])
    margin = -1.0 - 1.2 * (np.log(income) - 8.0) + 0.5 * (debts - 2) + 0.8 * (purpose == "study")
    day = np.sort(rng.integers(0, 720, rows)).astype("timedelta64[D]")
    return pa.table(
        {
            "applied_on": pa.array(np.datetime64("2023-01-01") + day, pa.date32()),
            "income": pa.array(income, mask=rng.random(rows) < 0.05),
            "age": rng.integers(18, 80, rows),
            "debts": debts,
            "purpose": pa.array(purpose),
            "sex": rng.choice(["female", "male"], rows),
            "defaulted": (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.int64),
        }
    )


def declared_dataset(**changed: Any) -> Dataset:  # noqa: ANN401
    """A Dataset over the table; a keyword that names a column changes or (None) removes it."""
    columns = {
        name: column | (changed.pop(name, {}) or {})
        for name, column in COLUMNS.items()
        if changed.get(name, {}) is not None
    }
    spec = {
        "source": {"type": "parquet", "uri": "data/applications.parquet"},
        "columns": columns,
        "time": "applied_on",
        "target": {"column": "defaulted", "positive": 1, "favourable": 0},
    }
    gone = [name for name, value in changed.items() if value is None]
    for name in gone:
        spec.pop(name, None)
        changed.pop(name)
    found: Dataset = kind_validator("Dataset").validate_python(spec | changed)
    return found


def declared_model(**changed: Any) -> Model:  # noqa: ANN401
    found: Model = kind_validator("Model").validate_python(MODEL | changed)
    return found


@dataclass(frozen=True)
class Shop:
    """A store with trained artifacts in it."""

    root: Path

    @property
    def store(self) -> Path:
        return self.root / "store"

    def pin(self, table: pa.Table, data: Dataset) -> Dataset:
        """The Dataset with the digest of the table, whose snapshot is in the store."""
        path = self.root / data.source.place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        pyarrow.parquet.write_table(table, path)
        snapshots = Snapshots(ArtifactStore(self.store))
        with drafted(Origin("applications", data, self.root, {}), snapshots) as draft:
            kept = draft.keep(snapshots, Taker("data-scientist", NOW, "0.1.0"))
        return replace(data, digest=kept.snapshot.digest)

    def train(self, model: Model, data: Dataset, **changed: Any) -> ValidationOrder:  # noqa: ANN401
        """Train on pinned rows, and order the validation of what came of it on its test part."""
        assert model.training is not None
        environment = render_lock(installed(estimators_named([model])))
        recipe = Recipe(
            model="credit-default",
            spec=material_digest(model),
            dataset=material_digest(data),
            data=data.digest or "",
            environment=sha256(environment),
            seed=model.training.seed,
            threads=1,
        )
        job = Job(
            model="credit-default",
            spec=model,
            dataset="applications",
            data=data,
            recipe=recipe,
            environment=environment.decode(),
            store=self.store,
            champion=None,
            tool="0.1.0",
        )
        outcome = run_job(job, lambda _stage, _fraction: None)
        order = ValidationOrder(
            model="credit-default",
            spec=model,
            artifact=outcome.artifact,
            dataset="applications",
            data=data,
            part="test",
            split=outcome.evidence.split,
            champion=None,
            edge_cases=None,
            reasons=None,
            environment=environment.decode(),
            store=self.store,
            seed=model.training.seed,
            tool="0.1.0",
        )
        return replace(order, **changed)

    def later(self, order: ValidationOrder, table: pa.Table, **changed: Any) -> ValidationOrder:  # noqa: ANN401
        """The same artifact on all rows of another table."""
        data = self.pin(table, declared_dataset(**changed))
        return replace(order, data=data, part="", split=None)


def measure(order: ValidationOrder) -> ValidationReport:
    return validate(order, lambda _stage, _fraction: None)


def find(report: ValidationReport, section: str, name: str = "", subject: str = "") -> list[Check]:
    """The checks of a section, by name and subject where these are given."""
    return [
        one
        for one in report.checks
        if one.section == section
        and (not name or one.name == name)
        and (not subject or one.subject == subject)
    ]
