"""The rows of a source as a stream of Arrow batches, so that a table may be larger than memory.

One door for all kinds of sources: what reads rows knows neither files nor servers.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ordain.runtime.datasets.casting import cast_table
from ordain.runtime.datasets.sources import csv_batches, locate, parquet_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset


class Rows(Protocol):
    """An opened source: the declared columns, sorted by name, not yet cast.

    `hints` is what the source says of itself, such as the version of an object; never a secret.
    """

    @property
    def schema(self) -> Any:  # noqa: ANN401 - pa.Schema
        """Names and types as the source has them."""

    @property
    def hints(self) -> Mapping[str, str]:
        """What the source says of itself."""

    def batches(self) -> Iterator[Any]:
        """The rows in their order, as `pyarrow.RecordBatch`es of bounded size."""


@dataclass(frozen=True, slots=True)
class _FileRows:
    schema: Any
    read: Callable[[], Iterator[Any]]
    hints: Mapping[str, str] = field(default_factory=dict)

    def batches(self) -> Iterator[Any]:
        return self.read()


@contextmanager
def open_rows(
    name: str,  # noqa: ARG001 - servers say whose rows they read
    dataset: Dataset,
    root: Path,
    environ: Mapping[str, str],  # noqa: ARG001 - servers are named there
) -> Iterator[Rows]:
    """The rows of a Dataset, whose paths are relative to `root`.

    Raises:
        DataError: when the source cannot be read or lacks a column.
    """
    path = locate(dataset.source, root)
    names = sorted(dataset.columns)
    read = csv_batches if dataset.source.type == "csv" else parquet_batches
    with read(dataset.source.uri, path, names) as (schema, batches):
        yield _FileRows(schema, lambda: batches)


def cast_batches(dataset: Dataset, batches: Iterable[Any]) -> Iterator[Any]:
    """Every batch in the declared types.

    Raises:
        DataError: naming the first value that does not fit.
    """
    import pyarrow as pa

    schema = declared_schema(dataset)
    for batch in batches:
        columns = cast_table(dataset, pa.Table.from_batches([batch])).combine_chunks()
        yield pa.concat_batches(
            columns.to_batches() or [pa.RecordBatch.from_pylist([], schema=schema)]
        )


def declared_schema(dataset: Dataset) -> Any:  # noqa: ANN401 - pa.Schema
    """The types that `casting` gives, known before any row is read."""
    import pyarrow as pa

    types = {
        "float": pa.float64(),
        "int": pa.int64(),
        "bool": pa.bool_(),
        "date": pa.timestamp("us"),
    }
    columns = sorted(dataset.columns.items())
    return pa.schema(
        [(name, types.get(column.type, pa.large_string())) for name, column in columns]
    )
