"""One version of a Delta table, in the estate or in an object store.

The files of a version are a set; their rows come in the order of the files' names, which is fixed
for a version and for nothing else. Delta's own query engine was refused: it would be a third place
that decides on order and types.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ordain.runtime.datasets.sources.extras import needed
from ordain.runtime.datasets.sources.paths import inside
from ordain.runtime.datasets.sources.rows import MAXIMUM_ROWS, Rows, require
from ordain.runtime.errors import DataError, SourceError
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset, Source


@contextmanager
def open_delta(name: str, dataset: Dataset, root: Path) -> Iterator[Rows]:
    """The rows of a table.

    Raises:
        DataError: there is no such table in the estate, or it lacks a column.
        SourceError: the table or the version cannot be read.
    """
    import pyarrow as pa

    source, names = dataset.source, sorted(dataset.columns)
    table = _table(name, source, root)
    if "://" not in source.uri:
        _confine(source, table, root)
    rows = _dataset(name, source, table)
    require(source.uri, rows.schema.names, names)
    schema = pa.schema([rows.schema.field(column) for column in names])
    pieces = _pieces(name, source, rows, names)
    yield Rows(schema, pieces, {"deltaVersion": str(table.version())})


def _table(name: str, source: Source, root: Path) -> Any:  # noqa: ANN401 - a DeltaTable
    with needed("delta", "delta"):
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError
    remote = "://" in source.uri
    place = source.uri if remote else str(inside(source.uri, root, directory=True))
    if source.version and not source.version.isdecimal():
        message = f"{source.uri}: {source.version!r} is no version of a Delta table"
        remedy = "write a whole number in source.version, such as '12'"
        raise DataError(message, remedy=remedy, location=Location(source.uri))
    try:
        return DeltaTable(place, version=int(source.version) if source.version else None)
    except TableNotFoundError:
        reason = "there is no Delta table"
    except (DeltaError, OSError, ValueError):
        # What the library says may quote a signed address.
        version = f"version {source.version} of " if source.version else ""
        reason = f"{version}the Delta table cannot be read"
    raise _error(name, source, reason)


def _error(name: str, source: Source, reason: str) -> SourceError:
    message = f"dataset {name}: {source.uri}: {reason}"
    remedy = "correct source.uri and source.version, or the variables of the object store"
    return SourceError(message, remedy=remedy, location=Location(source.uri))


def _confine(source: Source, table: Any, root: Path) -> None:  # noqa: ANN401 - a DeltaTable
    """Refuse a table whose log names files outside of the estate, or links that lead out."""
    directory = inside(source.uri, root, directory=True)
    for file in table.file_uris():
        path = (directory / unquote(file.removeprefix("file://"))).resolve()
        if not path.is_relative_to(root.resolve()):
            message = f"{source.uri}: the table has files outside of the estate"
            remedy = "write the whole table into the estate"
            raise DataError(message, remedy=remedy, location=Location(source.uri))


def _dataset(name: str, source: Source, table: Any) -> Any:  # noqa: ANN401 - pyarrow.dataset
    from deltalake.exceptions import DeltaError

    try:
        return table.to_pyarrow_dataset()
    except DeltaError:
        reason = "the Delta table uses features that cannot be read, such as deletion vectors"
    raise _error(name, source, reason)


def _pieces(name: str, source: Source, rows: Any, names: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401
    import pyarrow as pa

    try:
        for fragment in sorted(rows.get_fragments(), key=lambda one: str(one.path)):
            yield from fragment.to_batches(
                schema=rows.schema,
                columns=list(names),
                batch_size=MAXIMUM_ROWS,
                batch_readahead=1,
                use_threads=False,
            )
    except (pa.ArrowException, OSError):
        reason = "a file of the Delta table is gone or broken"
    else:
        return
    raise _error(name, source, reason)
