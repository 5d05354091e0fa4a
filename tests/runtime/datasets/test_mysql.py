"""Rows of MySQL and MariaDB: the numbers that the server has, in one order, read only."""

from __future__ import annotations

import datetime as dt
import gc
from random import Random
from struct import unpack
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ordain.runtime.datasets.sources import open_rows
from ordain.runtime.errors import SourceError
from ordain.specs.canonical import sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mariadb import MariaDB

    from ordain.specs.kinds.dataset import Dataset

    Asked = Callable[..., Dataset]
    Read = Callable[..., list[dict[str, Any]]]
    Refused = Callable[..., str]

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def typed(mariadb: MariaDB) -> MariaDB:
    mariadb.run(
        "CREATE TABLE typed (x INT, truth TINYINT(1), big BIGINT, f FLOAT, n DECIMAL(10,2),"
        " t VARCHAR(20), e ENUM('a', 'b'), at DATETIME(6), day DATE, j JSON,"
        " raw BLOB, bits BIT(3), fixed BINARY(4))",
        "INSERT INTO typed VALUES (1, 1, 9007199254740993, 0.1, 1.5, 'é😀', 'b',"
        " '2024-06-30 12:00:00.25', '2024-06-30', '{}', 'x', b'101', 'x')",
        "SET SESSION sql_mode = ''",
        "INSERT INTO typed (x, day, t) VALUES (2, '0000-00-00', '')",
    )
    return mariadb


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("truth", "bool", True),
        ("truth", "int", 1),
        ("big", "int", 9007199254740993),
        ("f", "float", 0.10000000149011612),
        ("n", "float", 1.5),
        ("t", "text", "é😀"),
        ("e", "category", "b"),
        ("at", "date", dt.datetime(2024, 6, 30, 12, 0, 0, 250000)),  # noqa: DTZ001
        ("day", "date", dt.datetime(2024, 6, 30)),  # noqa: DTZ001
        ("j", "text", "{}"),
    ],
)
def test_a_type_becomes_the_declared_one(
    typed: MariaDB, asked: Asked, read: Read, name: str, kind: str, expected: object
) -> None:
    query = "SELECT * FROM typed WHERE x = 1"
    declared = asked("mysql", query, {"x": "int", name: kind})
    assert read(declared, RISK_DSN=typed.dsn) == [{"x": 1, name: expected}]


def test_empty_text_and_null_are_missing(typed: MariaDB, asked: Asked, read: Read) -> None:
    query = "SELECT * FROM typed WHERE x = 2"
    declared = asked("mysql", query, {"x": "int", "t": "text", "n": "float"})
    assert read(declared, RISK_DSN=typed.dsn) == [{"x": 2, "t": None, "n": None}]


def test_a_day_of_zeros_is_no_date(typed: MariaDB, asked: Asked, refused: Refused) -> None:
    declared = asked("mysql", "SELECT * FROM typed", {"x": "int", "day": "date"})
    expected = "RUN140: rows.sql: column day, row 2: '0000-00-00' is no date"
    assert refused(declared, RISK_DSN=typed.dsn) == expected


@pytest.mark.parametrize("name", ["raw", "bits", "fixed"])
def test_a_binary_column_is_refused(
    typed: MariaDB, asked: Asked, refused: Refused, name: str
) -> None:
    declared = asked("mysql", "SELECT * FROM typed", {"x": "int", name: "text"})
    assert refused(declared, RISK_DSN=typed.dsn) == (
        f"RUN140: rows.sql: column {name} is binary in MySQL, which no declared type can hold"
    )


def test_every_float_comes_back_as_the_same_float(
    mariadb: MariaDB, asked: Asked, read: Read
) -> None:
    random = Random(7)
    values = [unpack("<d", random.randbytes(8))[0] for _ in range(2_000)]
    values = [value for value in values if np.isfinite(value)]
    rows = ", ".join(f"({place}, '{value!r}')" for place, value in enumerate(values))
    mariadb.run(
        "CREATE TABLE floats (x INT, y DOUBLE)",
        f"INSERT INTO floats VALUES {rows}",  # noqa: S608 - our own numbers
    )
    declared = asked("mysql", "SELECT x, y FROM floats", {"x": "int", "y": "float"})
    assert [row["y"] for row in read(declared, RISK_DSN=mariadb.dsn)] == values


def test_rows_are_ordered_by_bytes_with_missing_values_first(
    mariadb: MariaDB, asked: Asked, read: Read
) -> None:
    query = " UNION ALL ".join(
        f"SELECT {value} AS x" for value in ("'b'", "'a'", "'B'", "'é'", "NULL", "'a '")
    )
    found = [row["x"] for row in read(asked("mysql", query, {"x": "text"}), RISK_DSN=mariadb.dsn)]
    assert found == [None, "B", "a", "a ", "b", "é"]


def test_an_order_that_is_no_key_is_refused(
    mariadb: MariaDB, asked: Asked, refused: Refused
) -> None:
    query = "SELECT seq AS x FROM seq_1_to_9000 UNION ALL SELECT 8500"
    assert refused(asked("mysql", query), RISK_DSN=mariadb.dsn) == (
        "RUN140: rows.sql: rows 8500 and 8501 have the same x, so their order is not fixed"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 1 AS x; DROP TABLE y", "RUN140: rows.sql: the file holds more than one statement"),
        ("SELECT 1 AS y", "RUN140: rows.sql: column x not found"),
        (
            "SELECT x FROM nowhere",
            ("RUN141: rows.sql: MySQL refused the query: Table 'estate.nowhere' doesn't exist"),
        ),
        (
            "SELECT CAST(x AS INT) AS x FROM (SELECT EXTRACTVALUE('<a/>', '4711-secret[') AS x) q",
            "RUN141: rows.sql: MySQL refused the query: XPATH syntax error: …",
        ),
    ],
)
def test_a_query_that_gives_no_rows_says_why_and_repeats_no_value(
    mariadb: MariaDB, asked: Asked, refused: Refused, query: str, message: str
) -> None:
    assert refused(asked("mysql", query), RISK_DSN=mariadb.dsn) == message


def test_nothing_can_be_written(mariadb: MariaDB, asked: Asked, refused: Refused) -> None:
    mariadb.run(
        "CREATE TABLE touched (x INT)",
        "CREATE FUNCTION touch() RETURNS INT MODIFIES SQL DATA"
        " BEGIN INSERT INTO touched VALUES (1); RETURN 1; END",
    )
    assert refused(asked("mysql", "SELECT touch() AS x"), RISK_DSN=mariadb.dsn) == (
        "RUN141: rows.sql: MySQL refused the query: "
        "Cannot execute statement in a READ ONLY transaction"
    )


def test_rows_are_read_in_a_transaction_of_one_moment(
    mariadb: MariaDB, asked: Asked, read: Read
) -> None:
    """The transaction has its view of the rows before the query is sent."""
    query = (
        "SELECT trx_isolation_level AS x, trx_is_read_only AS y FROM information_schema.innodb_trx "
        "WHERE trx_mysql_thread_id = CONNECTION_ID()"
    )
    declared = asked("mysql", query, {"x": "text", "y": "int"})
    assert read(declared, RISK_DSN=mariadb.dsn) == [{"x": "REPEATABLE READ", "y": 1}]


def test_the_source_says_what_it_is_and_no_secret(
    mariadb: MariaDB, asked: Asked, tmp_path: Path
) -> None:
    declared = asked("mysql", "SELECT 1 AS x")
    with open_rows("loans", declared, tmp_path, {"RISK_DSN": mariadb.dsn}) as rows:
        hints = dict(rows.hints)
    assert "MariaDB" in hints.pop("server")
    assert hints == {"query": sha256(b"SELECT 1 AS x")}


def test_rows_that_nobody_wants_are_not_waited_for(
    mariadb: MariaDB, asked: Asked, tmp_path: Path
) -> None:
    declared = asked("mysql", "SELECT seq AS x FROM seq_1_to_3000000")
    with open_rows("loans", declared, tmp_path, {"RISK_DSN": mariadb.dsn}) as rows:
        assert next(rows.batches()).num_rows == 1_024
    # What pymysql leaves behind must not complain of a connection that is closed.
    gc.collect()


def test_a_server_that_goes_away_is_one_error(
    mariadb: MariaDB, asked: Asked, tmp_path: Path
) -> None:
    query = "SELECT seq AS x, REPEAT('y', 500) AS y FROM seq_1_to_40000"
    declared = asked("mysql", query, {"x": "int", "y": "text"})
    with open_rows("loans", declared, tmp_path, {"RISK_DSN": mariadb.dsn}) as rows:
        batches = rows.batches()
        next(batches)
        mariadb.run(
            "BEGIN NOT ATOMIC DECLARE one INT; SELECT id INTO one FROM"
            " information_schema.processlist WHERE info LIKE '%seq_1_to_40000%'"
            " AND id <> CONNECTION_ID() LIMIT 1; KILL one; END"
        )
        with pytest.raises(SourceError) as caught:
            list(batches)
    assert caught.value.message == "rows.sql: the server went away while rows were read"


def test_the_limit_of_a_statement_is_in_the_connection_string(
    mariadb: MariaDB, asked: Asked, refused: Refused
) -> None:
    dsn = f"{mariadb.dsn}?statement_timeout=0.02"
    query = "SELECT COUNT(*) AS x FROM seq_1_to_100000000 AS a JOIN seq_1_to_1000 AS b"
    assert refused(asked("mysql", query), RISK_DSN=dsn) == (
        "RUN141: rows.sql: MySQL refused the query: "
        "Query execution was interrupted (max_statement_time exceeded)"
    )


@pytest.mark.parametrize(
    "dsn",
    [
        "hunter2",
        "postgres://owner:hunter2@127.0.0.1/estate",
        "mysql://owner:hunter2@127.0.0.1:hunter2/estate",
        "mysql://owner:hunter2@127.0.0.1/estate?password=hunter2",
        "mysql://owner:hunter2@127.0.0.1/estate?connect_timeout=hunter2",
        "mysql://owner:hunter2@[127.0.0.1/estate",
    ],
)
def test_a_connection_string_of_another_form_is_not_repeated(
    asked: Asked, refused: Refused, dsn: str
) -> None:
    assert refused(asked("mysql", "SELECT 1 AS x"), RISK_DSN=dsn) == (
        "RUN141: dataset loans: RISK_DSN holds no connection string of MySQL"
    )


def test_a_server_that_does_not_answer_is_told_without_the_password(
    mariadb: MariaDB, asked: Asked, refused: Refused
) -> None:
    begin = "RUN141: dataset loans: no connection to MySQL by RISK_DSN:"
    declared = asked("mysql", "SELECT 1 AS x")
    assert refused(declared, RISK_DSN="mysql://owner:hunter2@127.0.0.1:1/estate") == (
        f"{begin} Can't connect to MySQL server on … ([Errno 111] Connection refused)"
    )
    dsn = mariadb.dsn.replace("battery", "hunter2")
    assert refused(declared, RISK_DSN=dsn) == (
        f"{begin} Access denied for user … (using password: YES)"
    )


def test_the_address_in_the_dataset_holds_the_variable_to_it(
    mariadb: MariaDB, asked: Asked, refused: Refused, read: Read
) -> None:
    elsewhere = asked("mysql", "SELECT 1 AS x", uri="mysql://warehouse.example.org/estate")
    assert refused(elsewhere, RISK_DSN=mariadb.dsn) == (
        "RUN141: dataset loans: RISK_DSN does not lead to mysql://warehouse.example.org/estate"
    )
    here = asked("mysql", "SELECT 1 AS x", uri=f"mysql://127.0.0.1:{mariadb.port}/estate")
    assert read(here, RISK_DSN=mariadb.dsn) == [{"x": 1}]


def test_a_socket_leads_to_this_machine_whatever_host_stands_beside_it(
    mariadb: MariaDB, asked: Asked, read: Read, refused: Refused
) -> None:
    asks = asked("mysql", "SELECT @@socket AS x", {"x": "text"})
    (row,) = read(asks, RISK_DSN=mariadb.dsn)
    dsn = f"{mariadb.dsn}?unix_socket={row['x']}"
    elsewhere = asked("mysql", "SELECT 1 AS x", uri="mysql://warehouse.example.org/estate")
    away = dsn.replace(f"127.0.0.1:{mariadb.port}", "warehouse.example.org")
    assert refused(elsewhere, RISK_DSN=away) == (
        "RUN141: dataset loans: RISK_DSN does not lead to mysql://warehouse.example.org/estate"
    )
    here = asked("mysql", "SELECT 1 AS x", uri=f"mysql://127.0.0.1:{mariadb.port}/estate")
    assert read(here, RISK_DSN=dsn) == [{"x": 1}]
