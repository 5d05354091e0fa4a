"""The doors of the room: what a source holds now, and what was pinned.

Training goes through `read_pinned` alone: its rows are those of a snapshot, whose bytes and whose
content are both proven before anything is learnt from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ordain.runtime.datasets.digests import check_digest, logical_digest
from ordain.runtime.datasets.expectations import check_expectations
from ordain.runtime.datasets.schemas import declared_schema
from ordain.runtime.datasets.snapshots import missing
from ordain.runtime.datasets.taking import Origin, digest_of_source
from ordain.runtime.errors import SnapshotError

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.runtime.datasets.snapshots import Kept, Snapshots
    from ordain.specs.kinds.dataset import Dataset


def read_table(dataset: Dataset, root: Path) -> Any:  # noqa: ANN401 - pa.Table
    """The declared columns of a source, cast and sorted by name, as a `pyarrow.Table`.

    Raises:
        DataError: when the file cannot be read, lacks a column or holds a value of a wrong type.
    """
    import pyarrow as pa

    from ordain.runtime.datasets.casting import cast_table
    from ordain.runtime.datasets.stream import open_rows

    with open_rows("", dataset, root, {}) as rows:
        table = pa.Table.from_batches(rows.batches(), rows.schema)
    return cast_table(dataset, table)


def digest_of(dataset: Dataset, root: Path) -> str:
    """The logical digest of what the source holds now; this is what `ordain pin` writes.

    Raises:
        DataError: as `read_table`.
    """
    return digest_of_source(Origin("", dataset, root, {}))


def read_dataset(name: str, dataset: Dataset, root: Path) -> Any:  # noqa: ANN401 - pa.Table
    """The table of a source, proven to be the pinned one and to hold what is declared.

    Raises:
        DataError: as `read_table`, or when the digest or an expectation is not met.
    """
    table = read_table(dataset, root)
    check_digest(name, dataset, logical_digest(table))
    check_expectations(dataset, table)
    return table


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


def read_snapshot(name: str, path: Path) -> Any:  # noqa: ANN401 - pa.Table
    """All rows of a snapshot's file, each column in one piece.

    Raises:
        SnapshotError: when it cannot be read.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            return file.read(use_threads=False).combine_chunks()
    except (OSError, pa.ArrowException) as error:
        message = f"the snapshot of Dataset/{name} cannot be read: {error}"
        raise SnapshotError(message, remedy="restore the store") from error
