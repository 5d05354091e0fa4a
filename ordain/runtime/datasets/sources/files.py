"""CSV and Parquet, read in pieces.

CSV is read as text on one thread, so that a row that does not fit can be named by its number; types
come later (`casting`). A file that changes while it is read would give rows of two tables, so its
identity is compared at the end.
"""

from __future__ import annotations

import csv
import io
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.datasets.sources.paths import inside, unreadable
from ordain.runtime.datasets.sources.rows import Rows, require, rows_of
from ordain.runtime.errors import DataError, SourceError
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from ordain.specs.kinds.dataset import Dataset, Source

# Several blocks are in memory at once, and a row must fit into one.
BLOCK: Final = 1 << 20
END: Final = "\x1aordain: here the table ends\x1a"
FORMATS: Final = ("csv", "parquet")


def open_file(dataset: Dataset, root: Path) -> AbstractContextManager[Rows]:
    """The rows of a file in the estate.

    Raises:
        DataError: when there is no such file, or it is not what it should be.
    """
    source = dataset.source
    return read_file(source.uri, inside(source.uri, root), source.type, sorted(dataset.columns))


def format_of(source: Source, name: str) -> str:
    """The declared format, or what the end of the name says.

    Raises:
        DataError: when neither says it.
    """
    if source.format is not None:
        return source.format
    suffix = PurePosixPath(name).suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        message = f"{source.place}: the name does not say whether this is CSV or Parquet"
        raise DataError(message, remedy="write source.format", location=Location(source.place))
    return suffix


@contextmanager
def read_file(
    place: str,
    path: Path,
    kind: str,
    names: Sequence[str],
    hints: Mapping[str, str] | None = None,
) -> Iterator[Rows]:
    """The rows of a file that may be read; `place` is what errors call it.

    Raises:
        DataError: when it is not what it should be.
    """
    opened = _open_csv if kind == "csv" else _open_parquet
    try:
        before = _identity(path)
        handle, schema, pieces = opened(place, path, names)
    except OSError as error:
        raise unreadable(place, error) from error
    with handle:
        yield Rows(schema, _unchanged(place, path, before, pieces), hints or {})


def _identity(path: Path) -> tuple[int, int, int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _unchanged(place: str, path: Path, before: Any, pieces: Iterator[Any]) -> Iterator[Any]:  # noqa: ANN401
    try:
        yield from pieces
        after = _identity(path)
    except OSError as error:
        raise unreadable(place, error) from error
    if after != before:
        message = f"{place}: the file was changed while it was read"
        remedy = "wait until nobody writes it, and try again"
        raise SourceError(message, remedy=remedy, location=Location(place))


def _open_csv(place: str, path: Path, names: Sequence[str]) -> tuple[Any, Any, Iterator[Any]]:
    import pyarrow as pa
    from pyarrow import csv as pacsv

    header = _header(place, path)
    if len(header) == 1 and ";" in header[0] and header[0] not in names:
        message = f"{place}: values are separated by semicolons, not by commas"
        remedy = "write comma-separated UTF-8 text with one header line"
        raise DataError(message, remedy=remedy, location=Location(place, 1, 1))
    require(place, header, names)
    uneven: list[Any] = []

    def note(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow
        uneven.append(row)
        return "error"

    file = _Ended(path, len(header))
    try:
        reader = pacsv.open_csv(
            file,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=BLOCK),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(names),
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        file.close()
        raise _csv_error(place, path, uneven, error) from error
    return file, reader.schema, _csv_pieces(place, path, reader, uneven)


def _csv_pieces(place: str, path: Path, reader: Any, uneven: list[Any]) -> Iterator[Any]:  # noqa: ANN401
    import pyarrow as pa

    held = None
    try:
        for batch in reader:
            if held is not None:
                yield held
            held = batch
    except pa.ArrowInvalid as error:
        raise _csv_error(place, path, uneven, error) from error
    if held is not None:
        last = held.slice(held.num_rows - 1).to_pylist()
        if not last or set(last[0].values()) != {END}:
            raise _endless(place)
        yield held.slice(0, held.num_rows - 1)


class _Ended(io.RawIOBase):
    """A CSV and one more row of a known content.

    A quotation mark that is never closed makes one value of all rows that follow, and Arrow takes
    the end of the file for its end. Then this row is part of that value, and not the last one.
    """

    def __init__(self, path: Path, columns: int) -> None:
        self._file = path.open("rb")
        self._end = ("\n" + ",".join([END] * columns) + "\n").encode()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if data := self._file.read(size):
            return data
        size = len(self._end) if size < 0 else size
        data, self._end = self._end[:size], self._end[size:]
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


def _header(place: str, path: Path) -> list[str]:
    """The names in the first line.

    Raises:
        DataError: when there is none, or it is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), [])
    except UnicodeDecodeError as error:
        raise _encoding_error(place, path) from error
    except csv.Error as error:
        message = f"{place}: the first line is no CSV header: {error}"
        remedy = "write column names, separated by commas"
        raise DataError(message, remedy=remedy, location=Location(place, 1, 1)) from error
    if not names:
        message = f"{place}: the file is empty"
        remedy = "write a line of column names and at least one row"
        raise DataError(message, remedy=remedy, location=Location(place))
    return names


def _csv_error(place: str, path: Path, uneven: list[Any], error: Exception) -> DataError:
    """Which of the ways to be no CSV it is; the values of the row are not repeated."""
    if "straddl" in str(error):
        return _endless(place)
    if not uneven:
        return _encoding_error(place, path)
    row = uneven[0]
    message = (
        f"{place}: row {row.number - 1} has {row.actual_columns} values, "
        f"the header has {row.expected_columns}"
    )
    remedy = "quote values that hold commas, or complete the row"
    return DataError(message, remedy=remedy, location=Location(place))


def _endless(place: str) -> DataError:
    limit = f"{BLOCK >> 20} MB"
    message = f"{place}: a quotation mark is never closed, or a row is longer than {limit}"
    remedy = "close the quotation mark; keep texts of that size out of the table"
    return DataError(message, remedy=remedy, location=Location(place))


def _encoding_error(place: str, path: Path) -> DataError:
    line = 0
    with path.open("rb") as file:
        for line, data in enumerate(file, 1):  # noqa: B007 - the number outlives the loop
            try:
                data.decode()
            except UnicodeDecodeError:
                break
        else:
            message = f"{place}: this is no CSV that can be read"
            remedy = "write comma-separated UTF-8 text with one header line"
            return DataError(message, remedy=remedy, location=Location(place))
    message = f"{place}: line {line} is not UTF-8 text"
    remedy = "save the file as UTF-8"
    return DataError(message, remedy=remedy, location=Location(place, line, 1))


def _open_parquet(place: str, path: Path, names: Sequence[str]) -> tuple[Any, Any, Iterator[Any]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
    except pa.ArrowException as error:
        raise _parquet_error(place) from error
    with closed_on_error(file):
        require(place, file.schema_arrow.names, names)
        schema = pa.schema([file.schema_arrow.field(name) for name in names])
    return file, schema, _parquet_pieces(place, file, names)


@contextmanager
def closed_on_error(handle: Any) -> Iterator[None]:  # noqa: ANN401 - anything that closes
    """Close the handle when what follows fails; afterwards it is for somebody else to close."""
    try:
        yield
    except BaseException:
        handle.close()
        raise


def _parquet_pieces(place: str, file: Any, names: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401
    import pyarrow as pa

    size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups))
    step = rows_of(size, file.metadata.num_rows)
    try:
        for batch in file.iter_batches(step, columns=list(names), use_threads=False):
            yield batch.select(list(names))
    except pa.ArrowException as error:
        raise _parquet_error(place) from error


def _parquet_error(place: str) -> DataError:
    message = f"{place}: this is no Parquet file that can be read"
    remedy = "write the file again, or correct source.type"
    return DataError(message, remedy=remedy, location=Location(place))
