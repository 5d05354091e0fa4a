"""Small tables with a Dataset each, and a store to keep them in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.snapshots import Kept, Snapshots
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset

MakeOrigin = Callable[..., Origin]

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TAKER = Taker("data-scientist", NOW, "0.1.0")
COLUMNS: dict[str, Any] = {
    "amount": {"type": "float"},
    "number": {"type": "int"},
    "purpose": {"type": "category"},
    "paid": {"type": "bool"},
    "day": {"type": "date"},
}


def sample(rows: int = 100) -> pa.Table:
    days = [datetime(2024, 1, 1 + number % 28, tzinfo=UTC).date() for number in range(rows)]
    return pa.table(
        {
            "amount": [None if number % 7 == 0 else number / 4 for number in range(rows)],
            "number": list(range(rows)),
            "purpose": [("car", "home", None)[number % 3] for number in range(rows)],
            "paid": [number % 2 == 0 for number in range(rows)],
            "day": days,
        }
    )


@pytest.fixture
def origin(tmp_path: Path) -> MakeOrigin:
    """`origin(table, "csv")` writes a table and declares it."""

    def make(table: pa.Table | None = None, kind: str = "csv", **options: Any) -> Origin:  # noqa: ANN401
        found = sample() if table is None else table
        uri = f"loans.{kind}"
        if kind == "csv":
            pyarrow.csv.write_csv(found, tmp_path / uri)
        else:
            pyarrow.parquet.write_table(found, tmp_path / uri, **options)
        columns = {name: COLUMNS[name] for name in found.column_names}
        spec = {"source": {"type": kind, "uri": uri}, "columns": columns}
        declared: Dataset = kind_validator("Dataset").validate_python(spec)
        return Origin("loans", declared, tmp_path, {})

    return make


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(ArtifactStore(tmp_path / "store"))


def keep(origin: Origin, snapshots: Snapshots, taker: Taker = TAKER) -> Kept:
    with drafted(origin, snapshots) as draft:
        return draft.keep(snapshots, taker)


def pinned(origin: Origin, kept: Kept) -> Dataset:
    return replace(origin.dataset, digest=kept.snapshot.digest)


def files(snapshots: Snapshots) -> list[str]:
    """The names of all files of the store."""
    return sorted(path.name for path in snapshots.store.root.rglob("*") if path.is_file())
