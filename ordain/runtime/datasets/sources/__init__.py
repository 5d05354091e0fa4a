"""The rows of a source as a stream of Arrow batches, nothing judged yet.

A table may be larger than memory, so nobody holds all of it: `open_rows` gives batches of bounded
size, and whoever pins them casts, digests and writes one after the other. What a batch holds is
raw: CSV and MySQL give text, the others their own types; `casting` brings all of them to the
declared ones, so that copies of one table are equal.

Each source is one module, and loads its library when it is opened. A framework of connectors was
refused: what matters about each of these is how it is kept still while it is read (one transaction,
one version, one download, one checksum), and that is different in all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.runtime.datasets.sources.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset

__all__ = ["Rows", "open_rows"]


def open_rows(
    name: str, dataset: Dataset, root: Path, environ: Mapping[str, str]
) -> AbstractContextManager[Rows]:
    """The declared columns of a dataset, to be read once, inside of `with`.

    `root` is what paths are relative to and confined to; connection strings come from `environ`,
    while libraries of object stores read the environment of the process themselves.

    Raises:
        DataError: the source has no such columns, or holds what is no table.
        SourceError: it cannot be reached, or breaks off; also while batches are read.
    """
    match dataset.source.type:
        case "csv" | "parquet":
            from ordain.runtime.datasets.sources.files import open_file

            return open_file(dataset, root)
        case "postgres":
            from ordain.runtime.datasets.sources.postgres import open_postgres

            return open_postgres(name, dataset, root, environ)
        case "mysql":
            from ordain.runtime.datasets.sources.mysql import open_mysql

            return open_mysql(name, dataset, root, environ)
        case "s3" | "azure" | "gcs":
            from ordain.runtime.datasets.sources.objects import open_object

            return open_object(name, dataset, environ)
        case "delta":
            from ordain.runtime.datasets.sources.delta import open_delta

            return open_delta(name, dataset, root)
        case "dvc":
            from ordain.runtime.datasets.sources.dvc import open_dvc

            return open_dvc(dataset, root)
