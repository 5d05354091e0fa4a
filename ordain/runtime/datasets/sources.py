"""The bytes of a source as Arrow columns, nothing judged yet.

A path is confined to the root that it is relative to: absolute paths, `..` and links that lead out
are refused, because a Dataset is written by people who may not read every file of the machine that
trains. CSV is read as text on one thread, so that a row that does not fit can be named by its
number; types come later (`casting`).
"""

from __future__ import annotations

import csv
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ordain.runtime.errors import DataError
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.specs.kinds.dataset import Source

FILE_TYPES = ("csv", "parquet")
# A block is what is parsed at once, so a row must fit into one.
BLOCK = 2**20
ROWS = 65_536


def locate(source: Source, root: Path) -> Path:
    """The file of a source, proven to lie inside the root.

    Raises:
        DataError: when the source is no file, or its path is missing or leads out of the root.
    """
    if source.type not in FILE_TYPES:
        message = f"sources of the type {source.type} cannot be read yet"
        raise DataError(message, remedy="export the rows to a Parquet file and declare that")
    uri = PurePosixPath(source.uri)
    if not source.uri or uri.is_absolute() or ".." in uri.parts or "\0" in source.uri:
        message = f"the path {source.uri!r} does not lie inside the estate"
        raise DataError(message, remedy="write a path relative to the estate's root, without ..")
    try:
        return _inside(source.uri, root / uri, root)
    except OSError as error:
        raise _unreadable(source.uri, error) from error


def _inside(uri: str, path: Path, root: Path) -> Path:
    at = Location(uri)
    if not path.exists():
        remedy = "put the file there or correct source.uri"
        raise DataError(f"{uri}: there is no such file", remedy=remedy, location=at)
    if not path.resolve().is_relative_to(root.resolve()):
        message = f"{uri}: this link leads out of the estate"
        raise DataError(message, remedy="put the file itself into the estate", location=at)
    if not path.is_file():
        message = f"{uri}: this is no file"
        raise DataError(message, remedy="name one file in source.uri", location=at)
    return path.resolve()


def read_columns(source: Source, path: Path, names: Sequence[str]) -> Any:  # noqa: ANN401 - pa.Table
    """A `pyarrow.Table` with these columns in this order; other columns are left alone.

    Raises:
        DataError: when the file cannot be read or lacks a column.
    """
    read = _read_csv if source.type == "csv" else _read_parquet
    try:
        return read(source.uri, path, names)
    except OSError as error:
        raise _unreadable(source.uri, error) from error


def _unreadable(uri: str, error: OSError) -> DataError:
    message = f"{uri}: cannot be read: {error.strerror or error}"
    return DataError(
        message, remedy="mend the file or the right to read it", location=Location(uri)
    )


def _read_csv(uri: str, path: Path, names: Sequence[str]) -> Any:  # noqa: ANN401 - pa.Table
    import pyarrow as pa

    with csv_batches(uri, path, names) as (schema, batches):
        return pa.Table.from_batches(batches, schema).combine_chunks()


@contextmanager
def csv_batches(uri: str, path: Path, names: Sequence[str]) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The schema of these columns as text, and their rows in batches of bounded size.

    Raises:
        DataError: when the file cannot be read or lacks a column, here or at the batch.
    """
    import pyarrow as pa
    from pyarrow import csv as pacsv

    _require(uri, _header(uri, path), names)
    uneven: list[Any] = []

    def note(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow
        uneven.append(row)
        return "error"

    try:
        with pacsv.open_csv(
            path,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=BLOCK),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(names),
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        ) as reader:
            yield reader.schema, iter(reader)
    except pa.ArrowInvalid as error:
        raise _csv_error(uri, path, uneven) from error


def _header(uri: str, path: Path) -> list[str]:
    """The names in the first line.

    Raises:
        DataError: when there is none, or it is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), [])
    except UnicodeDecodeError as error:
        raise _encoding_error(uri, path) from error
    except csv.Error as error:
        message = f"{uri}: the first line is no CSV header: {error}"
        remedy = "write column names, separated by commas"
        raise DataError(message, remedy=remedy, location=Location(uri, 1, 1)) from error
    if not names:
        message = f"{uri}: the file is empty"
        remedy = "write a line of column names and at least one row"
        raise DataError(message, remedy=remedy, location=Location(uri))
    return names


def _csv_error(uri: str, path: Path, uneven: list[Any]) -> DataError:
    """Which of the ways to be no CSV it is; the values of the row are not repeated."""
    if not uneven:
        return _encoding_error(uri, path)
    row = uneven[0]
    message = (
        f"{uri}: row {row.number - 1} has {row.actual_columns} values, "
        f"the header has {row.expected_columns}"
    )
    remedy = "quote values that hold commas, or complete the row"
    return DataError(message, remedy=remedy, location=Location(uri))


def _encoding_error(uri: str, path: Path) -> DataError:
    line = 0
    with path.open("rb") as file:
        for line, data in enumerate(file, 1):  # noqa: B007 - the number outlives the loop
            try:
                data.decode()
            except UnicodeDecodeError:
                break
        else:
            message = f"{uri}: this is no CSV that can be read"
            remedy = "write comma-separated UTF-8 text with one header line"
            return DataError(message, remedy=remedy, location=Location(uri))
    message = f"{uri}: line {line} is not UTF-8 text"
    remedy = "save the file as UTF-8"
    return DataError(message, remedy=remedy, location=Location(uri, line, 1))


def _read_parquet(uri: str, path: Path, names: Sequence[str]) -> Any:  # noqa: ANN401 - pa.Table
    import pyarrow as pa

    with parquet_batches(uri, path, names) as (schema, batches):
        return pa.Table.from_batches(batches, schema)


@contextmanager
def parquet_batches(
    uri: str, path: Path, names: Sequence[str]
) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The schema of these columns and their rows in batches of bounded size.

    Raises:
        DataError: when the file cannot be read or lacks a column, here or at the batch.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            present = file.schema_arrow
            _require(uri, present.names, names)
            schema = pa.schema([present.field(name) for name in names])
            batches = file.iter_batches(batch_size=ROWS, columns=list(names), use_threads=False)
            yield schema, (batch.select(list(names)) for batch in batches)
    except pa.ArrowException as error:
        message = f"{uri}: this is no Parquet file that can be read"
        remedy = "write the file again, or correct source.type"
        raise DataError(message, remedy=remedy, location=Location(uri)) from error


def _require(uri: str, present: Sequence[str], names: Sequence[str]) -> None:
    """Every declared column must be there, once."""
    at = Location(uri)
    missing = [name for name in names if name not in present]
    if missing:
        listed = ", ".join(missing)
        message = f"{uri}: column{'s' * (len(missing) > 1)} {listed} not found"
        remedy = "add the data or take the declaration out of spec.columns"
        raise DataError(message, remedy=remedy, location=at)
    twice = [name for name in names if list(present).count(name) > 1]
    if twice:
        message = f"{uri}: column {twice[0]} stands in the header {present.count(twice[0])} times"
        raise DataError(message, remedy="keep one of them", location=at)
