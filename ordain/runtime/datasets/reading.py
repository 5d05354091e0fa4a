"""The door of the room: a Dataset and a root in, a proven table out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ordain.runtime.datasets.casting import cast_batches, declared_schema
from ordain.runtime.datasets.digests import check_digest, logical_digest
from ordain.runtime.datasets.expectations import check_expectations
from ordain.runtime.datasets.sources import open_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset


def read_table(dataset: Dataset, root: Path, environ: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
    """The declared columns, cast and sorted by name, as a `pyarrow.Table`.

    Raises:
        DataError: when the source cannot be read, lacks a column or holds a value of a wrong type.
    """
    import pyarrow as pa

    environ = os.environ if environ is None else environ
    with open_rows(dataset.source.place, dataset, root, environ) as rows:
        batches = list(cast_batches(dataset, rows.batches()))
    return pa.Table.from_batches(batches, declared_schema(dataset)).combine_chunks()


def digest_of(dataset: Dataset, root: Path, environ: Mapping[str, str] | None = None) -> str:
    """The logical digest of what the source holds now; this is what `ordain pin` writes.

    Raises:
        DataError: as `read_table`.
    """
    return logical_digest(read_table(dataset, root, environ))


def read_dataset(name: str, dataset: Dataset, root: Path) -> Any:  # noqa: ANN401 - pa.Table
    """The table, proven to be the pinned one and to hold what is declared.

    Raises:
        DataError: as `read_table`, or when the digest or an expectation is not met.
    """
    table = read_table(dataset, root)
    check_digest(name, dataset, logical_digest(table))
    check_expectations(dataset, table)
    return table
