"""The doors of the room: what a source holds now, and what was pinned.

Training goes through `read_pinned` alone: its rows are those of a snapshot, whose bytes and whose
content are both proven before anything is learnt from them.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ordain.runtime.datasets.casting import cast_batches, declared_schema
from ordain.runtime.datasets.digests import TableHasher, logical_digest
from ordain.runtime.datasets.expectations import check_expectations
from ordain.runtime.datasets.snapshots import missing
from ordain.runtime.datasets.sources import open_rows
from ordain.runtime.datasets.taking import Origin, digest_of_source
from ordain.runtime.errors import SnapshotError
from ordain.runtime.memory import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ordain.runtime.datasets.snapshots import Kept, Snapshots
    from ordain.runtime.datasets.taking import Draft
    from ordain.specs.kinds.dataset import Dataset


def read_table(dataset: Dataset, root: Path, environ: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
    """The declared columns of a source, cast and sorted by name, as a `pyarrow.Table`.

    Raises:
        DataError: when the source cannot be read, lacks a column or holds a value of a wrong type.
    """
    import pyarrow as pa

    environ = os.environ if environ is None else environ
    with open_rows(dataset.source.place, dataset, root, environ) as rows:
        batches = list(cast_batches(dataset, rows.batches()))
    return pa.Table.from_batches(batches, declared_schema(dataset)).combine_chunks()


def digest_of(dataset: Dataset, root: Path, name: str = "") -> str:
    """The logical digest of what the source holds now, as `ordain pin` would write it.

    Errors call the Dataset by its name, or by its address where none is given.

    Raises:
        DataError: as `read_table`.
    """
    return digest_of_source(Origin(name or dataset.source.place, dataset, root, os.environ))


def find_pinned(name: str, dataset: Dataset, snapshots: Snapshots) -> Kept:
    """The snapshot that a Dataset pins, of exactly the columns that it declares.

    Raises:
        SnapshotError: when it pins none, the store has none, or its columns are others.
    """
    if dataset.digest is None:
        raise missing(name, "its content is not pinned yet")
    kept = snapshots.find(name, dataset.digest)
    declared = tuple((field.name, str(field.type)) for field in declared_schema(dataset))
    if kept.snapshot.columns != declared:
        other = sorted({one for one, _ in set(kept.snapshot.columns) ^ set(declared)})
        message = f"the snapshot of Dataset/{name} has other columns: {', '.join(other)}"
        remedy = f"run `ordain pin {name}` after a change of spec.columns"
        raise SnapshotError(message, remedy=remedy)
    return kept


def read_pinned(name: str, dataset: Dataset, snapshots: Snapshots, kept: Kept) -> Any:  # noqa: ANN401 - pa.Table
    """The rows of a snapshot, its bytes and its content proven, and what is declared met.

    Raises:
        SnapshotError: when the file is missing or was changed, or holds other rows.
        DataError: when an expectation is not met.
    """
    snapshots.prove(name, kept)
    table = read_snapshot(name, snapshots.store.path(kept.snapshot.blob))
    actual = logical_digest(table)
    if actual != dataset.digest:
        message = (
            f"the snapshot of Dataset/{name} holds the content {actual}, pinned is {dataset.digest}"
        )
        raise SnapshotError(message, remedy=f"run `ordain pin {name}`, or restore the store")
    check_expectations(dataset, table)
    return table


def prove_content(name: str, snapshots: Snapshots, kept: Kept) -> None:
    """Compute the logical digest of a snapshot's file, group by group, and compare it.

    Raises:
        SnapshotError: when the file cannot be read, or holds other rows.
    """
    digest = kept.snapshot.digest
    with _opened(name, snapshots.store.path(kept.snapshot.blob)) as file:
        hasher = TableHasher(file.schema_arrow)
        for batch in file.iter_batches(use_threads=False):
            hasher.update(batch)
        actual = hasher.digest()
    if actual != digest:
        message = f"the snapshot of Dataset/{name} holds the content {actual}, pinned is {digest}"
        raise SnapshotError(message, remedy=f"run `ordain pin {name}`, or restore the store")


class Columns:
    """A snapshot's file as a table of which a column is in memory only while it is looked at.

    It answers what expectations ask of a `pyarrow.Table`.
    """

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - pq.ParquetFile
        self._file = file
        self.schema = file.schema_arrow
        self.column_names: list[str] = self.schema.names
        self.num_rows: int = file.metadata.num_rows

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - pa.ChunkedArray
        return self.select([name])[name]

    def select(self, names: list[str]) -> Any:  # noqa: ANN401 - pa.Table
        """These columns as a `pyarrow.Table`."""
        found = self._file.read(columns=names, use_threads=False)
        return found.select(names).combine_chunks()


@contextmanager
def rows_of(draft: Draft, machine: Machine | None = None) -> Iterator[Any]:
    """The rows of a draft to be judged: a `pyarrow.Table`, or `Columns` where memory is short."""
    room = (machine or Machine()).room()
    with _opened(draft.origin.name, draft.path) as file:
        # Twice, because putting a column in one piece takes another one of it.
        short = room is not None and 2 * draft.memory > room.size // 2
        yield Columns(file) if short else file.read(use_threads=False).combine_chunks()


def read_snapshot(name: str, path: Path) -> Any:  # noqa: ANN401 - pa.Table
    """All rows of a snapshot's file, each column in one piece.

    Raises:
        SnapshotError: when it cannot be read.
    """
    with _opened(name, path) as file:
        return file.read(use_threads=False).combine_chunks()


@contextmanager
def _opened(name: str, path: Path) -> Iterator[Any]:
    """A snapshot's file, mapped into memory and not read."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        message = f"the snapshot of Dataset/{name} cannot be read: {error}"
        raise SnapshotError(message, remedy="restore the store") from error
