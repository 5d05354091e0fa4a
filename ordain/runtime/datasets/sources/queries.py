"""What a database is asked, and with which connection string.

The query stands in a file of the estate, so that it is reviewed; the connection string stands in an
environment variable and is never repeated, nor any part of it that could be a password. The server
enforces that nothing is written; one statement is asked for here only to say it in plain words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ordain.runtime.datasets.sources.paths import inside, unreadable
from ordain.runtime.errors import DataError, SourceError
from ordain.specs.canonical import sha256
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ordain.specs.kinds.dataset import Source

# What a semicolon may stand in without ending a statement: comments, strings, names.
_ASIDE: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|`[^`]*`|\$(\w*)\$.*?\$\1\$", re.DOTALL
)
# From the first quotation mark to the last one: a value may hold such marks itself.
_QUOTED: Final = re.compile(r"(?<!\w)(?:\".*\"|'.*')", re.DOTALL)

PORTS: Final = {"postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306}


def read_query(source: Source, root: Path) -> str:
    """The one statement in the file of a source, without the semicolon that ends it.

    Raises:
        DataError: when there is no such file, or it holds anything but one SELECT.
    """
    name = source.query or ""
    try:
        text = inside(name, root, field="source.query").read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(name, "this is not UTF-8 text", "save the file as UTF-8") from error
    except OSError as error:
        raise unreadable(name, error) from error
    query = text.strip().removesuffix(";")
    bare = _ASIDE.sub(" ", query).strip()
    if ";" in bare or "\0" in query:
        remedy = "keep one SELECT; the transaction around it is made for you"
        raise _refused(name, "the file holds more than one statement", remedy)
    if not re.match(r"(?i:select|with)\b", bare):
        remedy = "begin it with SELECT or WITH"
        raise _refused(name, "the file holds no query that selects rows", remedy)
    return query


def _refused(name: str, message: str, remedy: str) -> DataError:
    return DataError(f"{name}: {message}", remedy=remedy, location=Location(name))


def digest_of_query(query: str) -> str:
    """The hint by which an examiner finds the text of the query again."""
    return sha256(query.encode())


def require_order(name: str, source: Source, columns: Mapping[str, object]) -> None:
    """Refuse a database whose rows would come in any order.

    Raises:
        DataError: when `orderBy` is empty or names what is not declared.
    """
    if not source.order_by:
        message = f"dataset {name}: the rows of a database have no order of their own"
        remedy = "name the columns of a key in source.orderBy"
        raise DataError(message, remedy=remedy, location=Location(source.place))
    for column in source.order_by:
        if column not in columns:
            message = f"dataset {name}: source.orderBy names {column}, which is not declared"
            remedy = f"declare spec.columns.{column}"
            raise DataError(message, remedy=remedy, location=Location(source.place))


def connection_string(name: str, source: Source, environ: Mapping[str, str]) -> str:
    """What the variable of a source holds.

    Raises:
        SourceError: when no variable is named, or it is not set.
    """
    if not source.dsn_from:
        message = f"dataset {name}: no variable is named that holds the connection string"
        raise SourceError(message, remedy="name it in source.dsnFrom")
    if not environ.get(source.dsn_from):
        message = f"dataset {name}: the environment variable {source.dsn_from} is not set"
        raise SourceError(message, remedy=f"set {source.dsn_from} to the connection string")
    return environ[source.dsn_from]


Address = tuple[str, int, str]


def address_of(url: str) -> Address | None:
    """Host, port and database of an address; None where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.hostname or "", port, unquote(parts.path.strip("/")))


def check_address(
    name: str, source: Source, dsn: str, address: Callable[[str], Address | None]
) -> None:
    """Refuse a connection string that leads elsewhere than the address in the Dataset, if any.

    People review `source.uri`; whoever sets the variable must not be able to swap the server.

    Raises:
        SourceError: naming the variable and the declared address.
    """
    if not source.uri:
        return
    wanted, actual = address_of(source.uri), address(dsn)
    if wanted is None or actual is None or not _leads(wanted, actual):
        message = f"dataset {name}: {source.dsn_from} does not lead to {source.uri}"
        raise SourceError(message, remedy="correct the variable, or source.uri")


def _leads(wanted: Address, actual: Address) -> bool:
    return wanted[:2] == actual[:2] and wanted[2] in {"", actual[2]}


def without_values(text: str) -> str:
    """What a server says in one line, with everything in quotes left out: it may be of a person."""
    return " ".join(_QUOTED.sub("…", text).split())
