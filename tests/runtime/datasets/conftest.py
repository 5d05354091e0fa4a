"""Datasets over every kind of source, in an estate of a temporary directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ordain.runtime.datasets.casting import cast_batches
from ordain.runtime.datasets.sources import open_rows
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset

NUMBER = {"x": {"type": "int"}}


@pytest.fixture
def declare() -> Callable[..., Dataset]:
    """`declare(columns, **source)`; columns as {name: type}."""

    def make(columns: Mapping[str, str], **source: object) -> Dataset:
        typed = {name: {"type": kind} for name, kind in columns.items()}
        spec = {"source": source, "columns": typed}
        dataset: Dataset = kind_validator("Dataset").validate_python(spec)
        return dataset

    return make


@pytest.fixture
def asked(tmp_path: Path, declare: Callable[..., Dataset]) -> Callable[..., Dataset]:
    """`asked("postgres", "SELECT …", columns)`: a dataset whose query stands in the estate."""

    def make(
        kind: str, query: str, columns: Mapping[str, str] | None = None, /, **source: object
    ) -> Dataset:
        (tmp_path / "rows.sql").write_text(query)
        columns = columns or {"x": "int"}
        given = {"query": "rows.sql", "dsnFrom": "RISK_DSN", "orderBy": [next(iter(columns))]}
        return declare(columns, type=kind, **{**given, **source})

    return make


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """`read(dataset, **environ)` are the rows, cast."""

    def rows_of(dataset: Dataset, **environ: str) -> list[dict[str, Any]]:
        with open_rows("loans", dataset, tmp_path, environ) as rows:
            batches = list(cast_batches(dataset, rows.batches()))
        return [row for batch in batches for row in batch.to_pylist()]

    return rows_of


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """`refused(dataset, **environ)` is what the error says, which always has a remedy."""
    from ordain.runtime.errors import DataError

    def message(dataset: Dataset, **environ: str) -> str:
        with (
            pytest.raises(DataError) as caught,
            open_rows("loans", dataset, tmp_path, environ) as rows,
        ):
            list(cast_batches(dataset, rows.batches()))
        assert caught.value.remedy
        return f"{caught.value.code}: {caught.value.message}"

    return message
