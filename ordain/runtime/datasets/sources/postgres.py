"""PostgreSQL, through ADBC: Arrow from the wire on, in one transaction that can only read.

The query of the estate becomes a table of which the declared columns are selected in a fixed order:
text by its bytes and not by a collation, which a library of the system may change overnight, and
missing values first. The session is in UTC, so that a query that cuts days out of instants cuts the
same ones everywhere. Types that Arrow has no word for become the text that the server writes for
them where that is one text (numeric, uuid, json, enumerations); of others the query must say what
it means.
"""

from __future__ import annotations

import os
import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

from ordain.runtime.datasets.sources.extras import needed
from ordain.runtime.datasets.sources.keys import in_order
from ordain.runtime.datasets.sources.queries import (
    PORTS,
    Address,
    check_address,
    connection_string,
    digest_of_query,
    read_query,
    require_order,
    without_values,
)
from ordain.runtime.datasets.sources.rows import Rows, require
from ordain.runtime.errors import DataError, SourceError
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset

_BATCH: Final = 16_000_000
_CONNECT_SECONDS: Final = 15
_NUMBERS: Final = frozenset(("int2", "int4", "int8", "float4", "float8", "bool"))
_TIMES: Final = frozenset(("date", "timestamp", "timestamptz"))
_TEXTS: Final = frozenset(
    ("text", "varchar", "name", "bpchar", "char", "citext", "uuid", "json", "jsonb", "xml")
)
_SESSION: Final = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL client_encoding TO 'UTF8'",
    "SET LOCAL TimeZone TO 'UTC'",
    "SET LOCAL DateStyle TO 'ISO, YMD'",
    "SET LOCAL IntervalStyle TO 'postgres'",
    "SET LOCAL extra_float_digits TO 1",
)
_STATE: Final = (
    "SELECT txid_current_snapshot()::text, current_setting('server_version'), "
    "current_setting('transaction_read_only')"
)
# Part of what libpq reads, in the way that libpq reads it: credentials end at the first @, and no
# fragment ends anything. Several hosts and escapes are left out. Nothing here may be tried again
# in another way, because a second reading could name another server than the one that is called.
_ADDRESS: Final = re.compile(
    r"postgres(?:ql)?://(?:[^@/]*@)?+"
    r"(?P<host>[\w.%-]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]*))?"
    r"(?:/(?P<dbname>[^/?#\\\s]*))?(?:\?(?P<more>[^?#\\\s]*))?",
    re.ASCII,
)
_SETTING: Final = re.compile(r"\s*(\w+)\s*=\s*+('[^'\\]*'|[^\s'\\]*+)(?:\s+|$)", re.ASCII)
# What libpq takes where the connection string is silent.
_VARIABLES: Final = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
}
# What libpq says after it tried; before that, it repeats parts of the connection string.
_TRIED: Final = re.compile(r"(?:failed: |could not translate )([^\n]*)")
_SAID: Final = re.compile(r"(?:ERROR|FATAL): +([^\n]*)")
_GONE: Final = (
    "server closed the connection",
    "terminating connection",
    "SSL SYSCALL",
    "no connection",
)


@contextmanager
def open_postgres(
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
    check_address(name, source, dsn, _address)
    with (
        closing(_connect(name, source.dsn_from, dsn)) as connection,
        closing(connection.cursor()) as cursor,
    ):
        reading = _Reading(source.place, cursor)
        hints = reading.begin() | {"query": digest_of_query(query)}
        reader = reading.select(query, sorted(dataset.columns), source.order_by)
        with closing(reader):
            pieces = in_order(source.place, source.order_by, reading.pieces(reader))
            yield Rows(reader.schema, pieces, hints)


def _connect(name: str, variable: str, dsn: str) -> Any:  # noqa: ANN401 - an ADBC connection
    with needed("postgres", "postgres"):
        import adbc_driver_manager
        from adbc_driver_postgresql import dbapi
    try:
        return dbapi.connect(_patient(dsn))
    except adbc_driver_manager.Error as error:
        tried = _TRIED.search(str(error))
        said = without_values(tried[1]) if tried else "the connection string cannot be used"
    message = f"dataset {name}: no connection to PostgreSQL by {variable}: {said}"
    raise SourceError(message, remedy=f"correct {variable}, or start the server")


def _patient(dsn: str) -> str:
    """The connection string, with a limit for connecting where it has none."""
    if "connect_timeout" in dsn:
        return dsn
    if not _is_address(dsn):
        return f"{dsn} connect_timeout={_CONNECT_SECONDS}"
    return f"{dsn}{'&' if '?' in dsn else '?'}connect_timeout={_CONNECT_SECONDS}"


def _is_address(dsn: str) -> bool:
    return dsn.startswith(("postgres://", "postgresql://"))


def _address(dsn: str) -> Address | None:
    """Where libpq goes with a connection string and its own variables; None where we cannot tell.

    A service is a file of settings on that machine, so what names one is never told.
    """
    found = _of_address(dsn) if _is_address(dsn) else _of_settings(dsn)
    if found is None:
        return None
    environ = {key: os.environ[name] for key, name in _VARIABLES.items() if name in os.environ}
    found = environ | found
    port = found.get("port") or str(PORTS["postgres"])
    # A numeric address beside the name is where the connection really goes.
    host = found.get("hostaddr") or found.get("host", "")
    if "service" in found or not port.isdigit():
        return None
    return host.lower(), int(port), found.get("dbname", "")


def _of_address(dsn: str) -> dict[str, str] | None:
    match = _ADDRESS.fullmatch(dsn)
    if match is None:
        return None
    parts = ("host", "port", "dbname")
    found = {key: unquote(match[key].strip("[]")) for key in parts if match[key]}
    return found | dict(parse_qsl(match["more"] or "", keep_blank_values=True))


def _of_settings(dsn: str) -> dict[str, str] | None:
    found, place = {}, 0
    while place < len(dsn):
        match = _SETTING.match(dsn, place)
        if match is None:
            return None
        found[match[1]] = match[2].strip("'")
        place = match.end()
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _Reading:
    """One transaction."""

    def __init__(self, place: str, cursor: Any) -> None:  # noqa: ANN401 - an ADBC cursor
        self._place = place
        self._cursor = cursor

    def begin(self) -> dict[str, str]:
        """Fix what is seen and how it is written; returns what the server says of it."""
        with self._told():
            for statement in _SESSION:
                self._cursor.execute(statement)
            self._cursor.execute(_STATE)
            snapshot, version, read_only = self._cursor.fetchone()
        if read_only != "on":
            message = f"{self._place}: the transaction could write, so nothing is read in it"
            raise SourceError(message, remedy="report this with the version of the server")
        return {"server": f"PostgreSQL {version}", "snapshot": snapshot}

    def select(self, query: str, names: Sequence[str], order: Sequence[str]) -> Any:  # noqa: ANN401
        """A reader of these columns, typed and ordered."""
        inner = f"(\n{query}\n) AS q"
        with self._told():
            self._cursor.execute(f"SELECT * FROM {inner} LIMIT 0")  # noqa: S608 - read only
            schema = self._cursor.fetch_arrow_table().schema
        require(self._place, schema.names, names)
        types = {name: self._type(schema.field(name)) for name in names}
        columns = ", ".join(f"{_value(name, types[name])} AS {_quoted(name)}" for name in names)
        places = ", ".join(term for name in order for term in _terms(name, types[name]))
        statement = f"SELECT {columns} FROM {inner} ORDER BY {places}"  # noqa: S608 - read only
        with self._told():
            options = {"adbc.postgresql.batch_size_hint_bytes": str(_BATCH)}
            self._cursor.adbc_statement.set_options(**options)
            self._cursor.execute(statement)
            return self._cursor.fetch_record_batch()

    def _type(self, field: Any) -> str:  # noqa: ANN401 - pa.Field
        """The kind of a column that is read; see the sets above."""
        import pyarrow as pa

        name: str = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
        if name in _NUMBERS or name in _TIMES or name == "numeric":
            return name
        # The values of an enumeration come as text, under the name of its own type.
        if name in _TEXTS or pa.types.is_string(field.type):
            return "text"
        message = (
            f"{self._place}: column {field.name} is of the type {name or field.type} in "
            "PostgreSQL, which no declared type can hold"
        )
        remedy = "cast it to a number, a date or text in the query"
        raise DataError(message, remedy=remedy, location=Location(self._place))

    def pieces(self, reader: Any) -> Iterator[Any]:  # noqa: ANN401 - pa.RecordBatchReader
        """The batches, until the end or one error."""
        with self._told():
            yield from reader

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the driver raises, as one error that repeats no value of a row."""
        import adbc_driver_manager
        import pyarrow as pa

        try:
            yield
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            raise self._error(error) from None

    def _error(self, error: Exception) -> SourceError:
        text, at = str(error), Location(self._place)
        if any(words in text for words in _GONE):
            message = f"{self._place}: the server went away while rows were read"
            return SourceError(message, remedy="try again when it is back", location=at)
        said = _SAID.search(text)
        words = said[1] if said else "the driver could not read the answer"
        state = getattr(error, "sqlstate", None) or ""
        # Errors of syntax and rights name tables and columns; all others may hold values.
        shown = words if state.startswith("42") else without_values(words)
        message = f"{self._place}: PostgreSQL refused the query: {shown}"
        return SourceError(message, remedy="correct the query, or ask for the right", location=at)


def _value(name: str, kind: str) -> str:
    column = f"q.{_quoted(name)}"
    match kind:
        case "float4":
            return f"{column}::float8"
        case "text" | "numeric":
            return f"{column}::text"
        case _:
            return column


def _terms(name: str, kind: str) -> tuple[str, ...]:
    """By what a column orders rows; 1.0 and 1.00 are equal, and ordered by how they are written."""
    column = f"q.{_quoted(name)}"
    text = f'{column}::text COLLATE "C" ASC NULLS FIRST'
    match kind:
        case "text":
            return (text,)
        case "numeric":
            return (f"{column} ASC NULLS FIRST", text)
        case _:
            return (f"{column} ASC NULLS FIRST",)
