"""Rows of PostgreSQL: typed, ordered, of one moment, and one clear error for everything else."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.datasets.sources import open_rows
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.runtime.errors import SourceError
from ordain.specs.canonical import sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from postgres import Postgres

    from ordain.specs.kinds.dataset import Dataset

    Asked = Callable[..., Dataset]
    Read = Callable[..., list[dict[str, Any]]]
    Refused = Callable[..., str]

pytestmark = pytest.mark.contract


@pytest.mark.parametrize(
    ("expression", "kind", "expected"),
    [
        ("7::smallint", "int", 7),
        ("9007199254740993::bigint", "int", 9007199254740993),
        ("0.1::real", "float", 0.10000000149011612),
        ("1.50::numeric(10,2)", "float", 1.5),
        ("3::numeric", "int", 3),
        ("9007199254740993::numeric", "int", 9007199254740993),
        ("'NaN'::numeric", "float", None),
        ("true", "bool", True),
        ("'é'::text", "text", "é"),
        ("''::text", "text", None),
        ("'ab'::char(5)", "category", "ab"),
        ("'2024-06-30'::date", "date", dt.datetime(2024, 6, 30)),  # noqa: DTZ001
        ("'2024-06-30 12:00+02'::timestamptz", "date", dt.datetime(2024, 6, 30, 10)),  # noqa: DTZ001
        (
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
            "id",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ),
        ("""'{"b": 1}'::jsonb""", "text", '{"b": 1}'),
        ("NULL::numeric", "float", None),
    ],
)
def test_a_type_becomes_the_declared_one(
    postgres: Postgres, asked: Asked, read: Read, expression: str, kind: str, expected: object
) -> None:
    declared = asked("postgres", f"SELECT 1 AS x, {expression} AS y", {"x": "int", "y": kind})
    assert read(declared, RISK_DSN=postgres.dsn) == [{"x": 1, "y": expected}]


def test_an_enumeration_is_its_label_and_a_domain_is_its_base(
    postgres: Postgres, asked: Asked, read: Read
) -> None:
    postgres.run(
        "CREATE TYPE mood AS ENUM ('sad', 'fine')", "CREATE DOMAIN share AS int CHECK (value >= 0)"
    )
    query = "SELECT 1 AS x, 'sad'::mood AS y, 5::share AS z"
    declared = asked("postgres", query, {"x": "int", "y": "category", "z": "int"})
    assert read(declared, RISK_DSN=postgres.dsn) == [{"x": 1, "y": "sad", "z": 5}]


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("ARRAY[1]", "_int4"),
        ("'x'::bytea", "bytea"),
        ("'1 day'::interval", "interval"),
        ("'12:00'::time", "time"),
        ("'5'::money", "money"),
    ],
)
def test_a_type_without_one_meaning_is_refused(
    postgres: Postgres, asked: Asked, refused: Refused, expression: str, named: str
) -> None:
    declared = asked("postgres", f"SELECT 1 AS x, {expression} AS y", {"x": "int", "y": "text"})
    assert refused(declared, RISK_DSN=postgres.dsn) == (
        f"RUN140: rows.sql: column y is of the type {named} in PostgreSQL, "
        "which no declared type can hold"
    )


def test_a_day_without_end_is_no_date(postgres: Postgres, asked: Asked, refused: Refused) -> None:
    query = "SELECT 1 AS x, 'infinity'::date AS y"
    message = refused(asked("postgres", query, {"x": "int", "y": "date"}), RISK_DSN=postgres.dsn)
    assert message.startswith("RUN140: rows.sql: column y, row 1: ")
    assert message.endswith(" is no date")


def test_rows_are_ordered_by_bytes_with_missing_values_first(
    postgres: Postgres, asked: Asked, read: Read
) -> None:
    query = "SELECT * FROM (VALUES ('b'), ('a'), ('B'), ('é'), (NULL), ('a ')) AS v (x)"
    declared = asked("postgres", query, {"x": "text"})
    found = [row["x"] for row in read(declared, RISK_DSN=postgres.dsn)]
    assert found == [None, "B", "a", "a ", "b", "é"]


def test_a_name_that_needs_quotes_is_quoted(postgres: Postgres, asked: Asked, read: Read) -> None:
    declared = asked("postgres", 'SELECT 1 AS "a ""b"" C";\n', {'a "b" C': "int"})
    assert read(declared, RISK_DSN=postgres.dsn) == [{'a "b" C': 1}]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("SELECT 1 AS x UNION ALL SELECT 1", 1),
        ("SELECT NULL::int AS x UNION ALL SELECT NULL", 1),
        ("SELECT i AS x FROM generate_series(1, 80000) AS i UNION ALL SELECT 70000", 70000),
    ],
)
def test_an_order_that_is_no_key_is_refused(
    postgres: Postgres, asked: Asked, refused: Refused, query: str, first: int
) -> None:
    assert refused(asked("postgres", query), RISK_DSN=postgres.dsn) == (
        f"RUN140: rows.sql: rows {first} and {first + 1} have the same x, "
        "so their order is not fixed"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 1 AS x; DROP TABLE y", "RUN140: rows.sql: the file holds more than one statement"),
        ("DELETE FROM y", "RUN140: rows.sql: the file holds no query that selects rows"),
        ("", "RUN140: rows.sql: the file holds no query that selects rows"),
        ("SELECT 1 AS y", "RUN140: rows.sql: column x not found"),
        ("SELECT 1 AS x, 2 AS x", "RUN140: rows.sql: column x stands in the header 2 times"),
        (
            "SELECT x FROM nowhere",
            'RUN141: rows.sql: PostgreSQL refused the query: relation "nowhere" does not exist',
        ),
        (
            "SELECT '4711-secret'::int AS x",
            (
                "RUN141: rows.sql: PostgreSQL refused the query: "
                "invalid input syntax for type integer: …"
            ),
        ),
        (
            "SELECT x::int FROM (VALUES ('1'), ('4711-secret')) AS v (x)",
            (
                "RUN141: rows.sql: PostgreSQL refused the query: "
                "invalid input syntax for type integer: …"
            ),
        ),
    ],
)
def test_a_query_that_gives_no_rows_says_why_and_repeats_no_value(
    postgres: Postgres, asked: Asked, refused: Refused, query: str, message: str
) -> None:
    assert refused(asked("postgres", query), RISK_DSN=postgres.dsn) == message


def test_a_semicolon_in_a_text_ends_nothing(postgres: Postgres, asked: Asked, read: Read) -> None:
    query = "-- today's rows; 'all\nSELECT 1 AS x, 'a;b' AS y /* ; */;"
    declared = asked("postgres", query, {"x": "int", "y": "text"})
    assert read(declared, RISK_DSN=postgres.dsn) == [{"x": 1, "y": "a;b"}]


def test_nothing_can_be_written(postgres: Postgres, asked: Asked, refused: Refused) -> None:
    postgres.run("CREATE SEQUENCE numbers")
    assert refused(asked("postgres", "SELECT nextval('numbers') AS x"), RISK_DSN=postgres.dsn) == (
        "RUN141: rows.sql: PostgreSQL refused the query: "
        "cannot execute nextval() in a read-only transaction"
    )


def test_rows_are_read_in_a_transaction_of_one_moment(
    postgres: Postgres, asked: Asked, read: Read
) -> None:
    query = "SELECT current_setting('transaction_isolation') AS x"
    declared = asked("postgres", query, {"x": "text"})
    assert read(declared, RISK_DSN=postgres.dsn) == [{"x": "repeatable read"}]


def test_a_manifest_has_the_digest_of_the_query_that_was_asked(
    postgres: Postgres, asked: Asked, tmp_path: Path
) -> None:
    """Of the text that was read, and not of what the file holds afterwards."""
    declared = asked("postgres", "SELECT 1 AS x;\n")
    snapshots = Snapshots(ArtifactStore(tmp_path / "store"))
    origin = Origin("loans", declared, tmp_path, {"RISK_DSN": postgres.dsn})
    with drafted(origin, snapshots) as draft:
        (tmp_path / "rows.sql").write_text("SELECT 2 AS x")
        taker = Taker("", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "0")
        kept = draft.keep(snapshots, taker)
    assert kept.snapshot.query == sha256(b"SELECT 1 AS x")
    assert kept.snapshot.source["hints"]["query"] == kept.snapshot.query


def test_the_source_says_what_it_is_and_no_secret(
    postgres: Postgres, asked: Asked, tmp_path: Path
) -> None:
    declared = asked("postgres", "SELECT 1 AS x")
    with open_rows("loans", declared, tmp_path, {"RISK_DSN": postgres.dsn}) as rows:
        hints = dict(rows.hints)
    assert hints.pop("server").startswith("PostgreSQL ")
    assert hints.pop("snapshot").count(":") == 2
    assert hints == {"query": sha256(b"SELECT 1 AS x")}


def test_a_server_that_goes_away_is_one_error(
    postgres: Postgres, asked: Asked, tmp_path: Path
) -> None:
    declared = asked("postgres", "SELECT i AS x FROM generate_series(1, 3000000) AS i")
    with open_rows("loans", declared, tmp_path, {"RISK_DSN": postgres.dsn}) as rows:
        batches = rows.batches()
        next(batches)
        postgres.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE '%3000000%' AND pid <> pg_backend_pid()"
        )
        with pytest.raises(SourceError) as caught:
            list(batches)
    assert caught.value.message == "rows.sql: the server went away while rows were read"


def test_the_limit_of_a_statement_is_in_the_connection_string(
    postgres: Postgres, asked: Asked, refused: Refused
) -> None:
    dsn = f"{postgres.dsn}?options=-c%20statement_timeout%3D20ms"
    assert refused(asked("postgres", "SELECT 1 AS x FROM pg_sleep(20)"), RISK_DSN=dsn) == (
        "RUN141: rows.sql: PostgreSQL refused the query: "
        "canceling statement due to statement timeout"
    )


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("hunter2", "the connection string cannot be used"),
        ("postgresql://owner:hun ter2@127.0.0.1/postgres", "the connection string cannot be used"),
        ("postgresql://owner:hunter2@127.0.0.1:1/postgres", "Connection refused"),
        ("host=127.0.0.1 port=1 password=hunter2", "Connection refused"),
    ],
)
def test_a_connection_string_that_leads_nowhere_is_not_repeated(
    asked: Asked, refused: Refused, dsn: str, said: str
) -> None:
    assert refused(asked("postgres", "SELECT 1 AS x"), RISK_DSN=dsn) == (
        f"RUN141: dataset loans: no connection to PostgreSQL by RISK_DSN: {said}"
    )


def test_a_wrong_password_is_told_without_it(
    postgres: Postgres, asked: Asked, refused: Refused
) -> None:
    dsn = postgres.dsn.replace("correct%20horse", "hunter2")
    assert refused(asked("postgres", "SELECT 1 AS x"), RISK_DSN=dsn) == (
        "RUN141: dataset loans: no connection to PostgreSQL by RISK_DSN: "
        "FATAL: password authentication failed for user …"
    )


def test_a_variable_that_is_not_set_is_named(asked: Asked, refused: Refused) -> None:
    assert refused(asked("postgres", "SELECT 1 AS x")) == (
        "RUN141: dataset loans: the environment variable RISK_DSN is not set"
    )


@pytest.mark.parametrize("form", ["{dsn}", "host=127.0.0.1 port={port} dbname=postgres"])
def test_the_address_in_the_dataset_holds_the_variable_to_it(
    postgres: Postgres, asked: Asked, refused: Refused, form: str
) -> None:
    dsn = form.format(dsn=postgres.dsn, port=postgres.port)
    for elsewhere in ("postgres://warehouse.example.org/postgres", "postgres://127.0.0.1:1"):
        declared = asked("postgres", "SELECT 1 AS x", uri=elsewhere)
        assert refused(declared, RISK_DSN=dsn) == (
            f"RUN141: dataset loans: RISK_DSN does not lead to {elsewhere}"
        )


def test_an_address_that_fits_is_read(postgres: Postgres, asked: Asked, read: Read) -> None:
    declared = asked("postgres", "SELECT 1 AS x", uri=f"postgres://127.0.0.1:{postgres.port}")
    assert read(declared, RISK_DSN=postgres.dsn) == [{"x": 1}]


@pytest.mark.parametrize(
    "dsn",
    [
        "{owner}@good.example.org:{port}/postgres?application_name=x#&host=127.0.0.1",
        "{owner}@good.example.org:{port}/postgres?host=127.0.0.1",
        "{owner}@good.example.org:{port}/postgres?%68ost=127.0.0.1",
        "{owner}@good.example.org:{port}/postgres?host=",
        "{owner}@good.example.org:{port}/postgres?hostaddr=127.0.0.1",
        "{owner}@good.example.org,127.0.0.1:{port}/postgres",
        "{owner}@good.example.org:{port}/postgres?service=elsewhere",
        "postgresql://good.example.org:{port}?user=owner@127.0.0.1:{port}/postgres",
        "postgresql://good.example.org?user=owner@127.0.0.1,127.0.0.1:{port}/postgres",
        "host=127.0.0.1 port={port} dbname=postgres application_name=a\\ host=good.example.org",
        "host=127.0.0.1 port={port} dbname=postgres user= host='good.example.org'",
        "hostaddr=127.0.0.1 host=good.example.org port={port} dbname=postgres",
        "service=elsewhere host=good.example.org port={port} dbname=postgres",
        "host=good.example.org port={port} dbname=postgres 127.0.0.1",
    ],
)
def test_no_spelling_leads_past_the_address_in_the_dataset(
    postgres: Postgres, asked: Asked, refused: Refused, dsn: str
) -> None:
    uri = f"postgres://good.example.org:{postgres.port}/postgres"
    owner = "postgresql://owner:correct%20horse"
    declared = asked("postgres", "SELECT 1 AS x", uri=uri)
    assert refused(declared, RISK_DSN=dsn.format(owner=owner, port=postgres.port)) == (
        f"RUN141: dataset loans: RISK_DSN does not lead to {uri}"
    )


@pytest.mark.parametrize(
    ("variable", "value", "dsn"),
    [
        ("PGHOSTADDR", "127.0.0.1", "postgresql://good.example.org:{port}/postgres"),
        ("PGHOST", "127.0.0.1", "port={port} dbname=postgres"),
        ("PGPORT", "1", "postgresql://good.example.org/postgres"),
        ("PGDATABASE", "other", "host=good.example.org port={port}"),
        ("PGSERVICE", "elsewhere", "host=good.example.org port={port} dbname=postgres"),
    ],
)
def test_variables_of_the_client_lead_past_it_neither(
    postgres: Postgres,
    asked: Asked,
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    dsn: str,
) -> None:
    port = 5432 if variable == "PGPORT" else postgres.port
    uri = f"postgres://good.example.org:{port}/postgres"
    monkeypatch.setenv(variable, value)
    declared = asked("postgres", "SELECT 1 AS x", uri=uri)
    assert refused(declared, RISK_DSN=dsn.format(port=port)) == (
        f"RUN141: dataset loans: RISK_DSN does not lead to {uri}"
    )


@pytest.mark.parametrize(
    "dsn",
    [
        "host=127.0.0.1 port={port} user=owner password='correct horse' dbname=postgres",
        "postgresql://owner@127.0.0.1:{port}/postgres?password=correct%20horse",
        "postgresql://owner:correct%20horse@127.0.0.1/postgres?port={port}",
        "postgresql://owner:correct%20horse@/postgres?host=127.0.0.1&port={port}",
    ],
)
def test_every_spelling_of_the_address_is_read(
    postgres: Postgres, asked: Asked, read: Read, dsn: str
) -> None:
    uri = f"postgres://127.0.0.1:{postgres.port}/postgres"
    declared = asked("postgres", "SELECT 1 AS x", uri=uri)
    assert read(declared, RISK_DSN=dsn.format(port=postgres.port)) == [{"x": 1}]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([], "RUN140: dataset loans: the rows of a database have no order of their own"),
        (["y"], "RUN140: dataset loans: source.orderBy names y, which is not declared"),
    ],
)
def test_an_order_is_needed(asked: Asked, refused: Refused, order: list[str], message: str) -> None:
    assert refused(asked("postgres", "SELECT 1 AS x", orderBy=order)) == message


def test_a_query_is_confined_to_the_estate(asked: Asked, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "link.sql").symlink_to("/etc/hostname")
    declared = asked("postgres", "SELECT 1 AS x", query="link.sql")
    assert refused(declared) == "RUN140: link.sql: this link leads out of the estate"
