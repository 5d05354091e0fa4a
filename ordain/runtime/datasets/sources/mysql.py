"""MySQL and MariaDB, through pymysql: rows as they come, in one transaction that can only read.

Everything is taken as the text that the server writes: its numbers read back to the same numbers,
and no converter of a library stands between. FLOAT is the exception, of which the server writes six
digits; it is widened to DOUBLE first. Text is ordered by its bytes in UTF-8, as PostgreSQL orders
it here; the collations of this family differ between versions, and most of them take
`a` and `A` for one value.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from ordain.runtime.datasets.sources.extras import needed
from ordain.runtime.datasets.sources.keys import in_order
from ordain.runtime.datasets.sources.queries import (
    PORTS,
    Address,
    address_of,
    check_address,
    connection_string,
    digest_of_query,
    read_query,
    require_order,
    without_values,
)
from ordain.runtime.datasets.sources.rows import MAXIMUM_BYTES, Rows, require
from ordain.runtime.errors import DataError, SourceError
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset

_CONNECT_SECONDS: Final = 15
# Values are Python objects for a moment, which take several times the bytes of their text.
_FIRST_ROWS, _MOST_ROWS = 1_024, 8_192
_FLOAT, _BIT, _GEOMETRY = 4, 16, 255
_TEXTS: Final = frozenset((15, *range(245, 246), *range(247, 255)))
_SESSION: Final = (
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION net_write_timeout = 3600",
    # The bytes of a long text that count when it is sorted; the rest would be no order at all.
    "SET SESSION max_sort_length = 65535",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
# Wrong names and missing rights: these messages name tables and columns, and no value of a row.
_OF_NAMES: Final = frozenset((1044, 1051, 1052, 1054, 1060, 1064, 1142, 1143, 1146, 1305))
_GONE: Final = frozenset((1053, 1927, 2006, 2013, 2055))
_NUMBERS: Final = ("connect_timeout", "read_timeout")
_FILES: Final = ("ssl_ca", "ssl_cert", "ssl_key", "unix_socket")
_LOCAL: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_STATEMENT: Final = "statement_timeout"


@contextmanager
def open_mysql(
    name: str, dataset: Dataset, root: Path, environ: Mapping[str, str]
) -> Iterator[Rows]:
    """The rows of a query.

    Raises:
        DataError: the query, its order or its columns are not what is declared.
        SourceError: the server cannot be reached, or refuses.
    """
    source = dataset.source
    query = read_query(source, root)
    require_order(name, source, dataset.columns)
    dsn = connection_string(name, source, environ)
    arguments, seconds = _arguments(name, source.dsn_from, dsn)
    check_address(name, source, dsn, _address)
    with _connected(name, source.dsn_from, arguments) as cursor:
        reading = _Reading(source.place, cursor)
        hints = reading.begin(seconds) | {"query": digest_of_query(query)}
        schema = reading.select(query, sorted(dataset.columns), source.order_by)
        pieces = in_order(source.place, source.order_by, reading.pieces(schema))
        yield Rows(schema, pieces, hints)


def _address(dsn: str) -> Address | None:
    """Where pymysql goes: a socket is on this machine, whatever host stands beside it."""
    found = address_of(dsn)
    if found is None or "unix_socket" not in dict(parse_qsl(urlsplit(dsn).query)):
        return found
    return found if found[0] in _LOCAL else ("", found[1], found[2])


def _arguments(name: str, variable: str, dsn: str) -> tuple[dict[str, Any], float]:
    """What pymysql is called with, and the limit of a statement in seconds (0 is none).

    Raises:
        SourceError: when this is no address of a MySQL; nothing of it is repeated.
    """
    try:
        parts = urlsplit(dsn)
        found: dict[str, Any] = {
            "host": parts.hostname or "localhost",
            "port": parts.port or PORTS["mysql"],
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "database": unquote(parts.path.strip("/")),
            "connect_timeout": _CONNECT_SECONDS,
        }
        settings = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        numbers = {key: int(settings.pop(key)) for key in _NUMBERS if key in settings}
        seconds = float(settings.pop(_STATEMENT, 0))
    except ValueError:
        raise _unusable(name, variable) from None
    files: dict[str, Any] = {key: settings.pop(key) for key in _FILES if key in settings}
    if parts.scheme not in {"mysql", "mariadb"} or settings:
        raise _unusable(name, variable)
    if "ssl_ca" in files:
        files |= {"ssl_verify_cert": True, "ssl_verify_identity": True}
    return found | numbers | files, seconds


def _unusable(name: str, variable: str) -> SourceError:
    known = ", ".join((*_FILES, *_NUMBERS, _STATEMENT))
    message = f"dataset {name}: {variable} holds no connection string of MySQL"
    remedy = f"write mysql://user:password@host:3306/database; after a `?` may stand {known}"
    return SourceError(message, remedy=remedy)


@contextmanager
def _connected(name: str, variable: str, arguments: dict[str, Any]) -> Iterator[Any]:
    with needed("mysql", "mysql"):
        import pymysql
        from pymysql.converters import encoders
        from pymysql.cursors import SSCursor
    try:
        # Without decoders, so that every value stays the text that it came as.
        connection = pymysql.connect(
            **arguments, charset="utf8mb4", conv=encoders, cursorclass=SSCursor, local_infile=False
        )
    except (pymysql.MySQLError, OSError, ValueError) as error:
        said = without_values(str(error.args[-1])) if error.args else type(error).__name__
        message = f"dataset {name}: no connection to MySQL by {variable}: {said}"
    else:
        cursor = connection.cursor()
        try:
            yield cursor
        finally:
            _abandon(cursor)
            cursor.close()
            connection.close()
        return
    raise SourceError(message, remedy=f"correct {variable}, or start the server")


def _abandon(cursor: Any) -> None:  # noqa: ANN401 - a pymysql cursor
    """Let go of the rows that nobody has read; closing a cursor would read every one of them."""
    result = getattr(cursor, "_result", None)
    if result is not None:
        result.unbuffered_active = False


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


class _Reading:
    """One transaction."""

    def __init__(self, place: str, cursor: Any) -> None:  # noqa: ANN401 - a pymysql cursor
        self._place = place
        self._cursor = cursor

    def begin(self, seconds: float) -> dict[str, str]:
        """Fix what is seen and how it is written; returns what the server says of it."""
        with self._told():
            version = self._ask("SELECT VERSION()")
            ours = "MariaDB" in version
            if seconds:
                limit = f"max_statement_time = {seconds:f}"
                other = f"max_execution_time = {seconds * 1000:.0f}"
                self._cursor.execute(f"SET SESSION {limit if ours else other}")
            for statement in _SESSION:
                self._cursor.execute(statement)
            position = "@@gtid_current_pos" if ours else "@@global.gtid_executed"
            snapshot = self._ask(f"SELECT {position}")
        hints = {"server": version if ours else f"MySQL {version}", "snapshot": snapshot}
        return {key: value for key, value in hints.items() if value}

    def _ask(self, statement: str) -> str:
        self._cursor.execute(statement)
        (row,) = self._cursor.fetchall()
        return str(row[0])

    def select(self, query: str, names: Sequence[str], order: Sequence[str]) -> Any:  # noqa: ANN401
        """Ask for these columns, ordered; the answer is read by `pieces`. All columns are text."""
        import pyarrow as pa

        inner = f"(\n{query}\n) AS q"
        with self._told():
            self._cursor.execute(f"SELECT * FROM {inner} LIMIT 0")  # noqa: S608 - read only
            described = [(column[0], column[1]) for column in self._cursor.description]
            self._cursor.fetchall()
        require(self._place, [name for name, _ in described], names)
        types = dict(described)
        columns = ", ".join(f"{_value(name, types[name])} AS {_quoted(name)}" for name in names)
        places = ", ".join(_term(name, types[name]) for name in order)
        with self._told():
            self._cursor.execute(
                f"SELECT {columns} FROM {inner} ORDER BY {places}"  # noqa: S608 - read only
            )
        for name in names:
            if types[name] in {_BIT, _GEOMETRY}:
                raise self._binary(name)
        return pa.schema([(name, pa.string()) for name in names])

    def pieces(self, schema: Any) -> Iterator[Any]:  # noqa: ANN401 - pa.Schema
        """The batches, until the end or one error."""
        import pyarrow as pa

        wanted = _FIRST_ROWS
        while True:
            with self._told():
                rows = self._cursor.fetchmany(wanted)
            if not rows:
                return
            columns = [
                self._column(name, values)
                for name, values in zip(schema.names, zip(*rows, strict=True), strict=True)
            ]
            batch = pa.RecordBatch.from_arrays(columns, schema=schema)
            yield batch
            fits = MAXIMUM_BYTES // 4 * len(rows) // max(batch.nbytes, 1)
            wanted = max(1, min(2 * wanted, fits, _MOST_ROWS))

    def _column(self, name: str, values: Sequence[Any]) -> Any:  # noqa: ANN401 - an Arrow array
        import pyarrow as pa

        # Arrow takes bytes for text where they happen to be UTF-8.
        if any(value.__class__ is bytes for value in values):
            raise self._binary(name)
        return pa.array(values, pa.string())

    def _binary(self, name: str) -> DataError:
        message = (
            f"{self._place}: column {name} is binary in MySQL, which no declared type can hold"
        )
        remedy = "cast it to a number, a date or text in the query"
        return DataError(message, remedy=remedy, location=Location(self._place))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the driver raises, as one error that repeats no value of a row."""
        import pymysql

        try:
            yield
        except (pymysql.MySQLError, OSError) as error:
            raise self._error(error) from None

    def _error(self, error: Exception) -> SourceError:
        number, at = error.args[0] if error.args else 0, Location(self._place)
        if number in _GONE or isinstance(error, OSError):
            message = f"{self._place}: the server went away while rows were read"
            return SourceError(message, remedy="try again when it is back", location=at)
        words = str(error.args[-1]) if error.args else "the driver could not read the answer"
        shown = " ".join(words.split()) if number in _OF_NAMES else without_values(words)
        message = f"{self._place}: MySQL refused the query: {shown}"
        return SourceError(message, remedy="correct the query, or ask for the right", location=at)


def _value(name: str, kind: int) -> str:
    column = f"q.{_quoted(name)}"
    return f"{column} + 0e0" if kind == _FLOAT else column


def _term(name: str, kind: int) -> str:
    """By what a column orders rows; missing values come first in this family."""
    column = f"q.{_quoted(name)}"
    return f"CAST(CONVERT({column} USING utf8mb4) AS BINARY)" if kind in _TEXTS else column
