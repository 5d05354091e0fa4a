"""Copies of one table are one table, whatever keeps them: equal values, and one digest."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from ordain.runtime.datasets.reading import digest_of, read_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mariadb import MariaDB
    from object_store import ObjectStore
    from postgres import Postgres

    from ordain.specs.kinds.dataset import Dataset

    Asked = Callable[..., Dataset]
    Declare = Callable[..., Dataset]

pytestmark = pytest.mark.contract

COLUMNS: Final = {
    "key": "id",
    "amount": "float",
    "rate": "float",
    "count": "int",
    "flag": "bool",
    "town": "category",
    "note": "text",
    "day": "date",
    "at": "date",
}
DAY: Final = dt.date(1969, 12, 31)
AT: Final = dt.datetime(2024, 2, 29, 23, 59, 59, 999999)  # noqa: DTZ001
NOTHING: Final = (None,) * 8
VALUES: Final = (
    ("A", -0.0, 0.1, 2**63 - 1, True, "Zürich", "a, \"b\"\nc; 'd' \\", DAY, AT),
    ("B", 1e-300, 1 / 3, -(2**63), False, "NA", " ", dt.date(1, 1, 1), None),
    ("a", *NOTHING),
    ("é", 5e300, -1.5, 9007199254740993, None, "", "日本 😀", dt.date(9999, 12, 31), None),
    ("😀", 123456789.123, 0.0, 0, True, "a", "", None, dt.datetime(1900, 1, 1)),  # noqa: DTZ001
)


@pytest.fixture
def table() -> pa.Table:
    types = [
        pa.string(),
        pa.float64(),
        pa.float64(),
        pa.int64(),
        pa.bool_(),
        pa.string(),
        pa.string(),
        pa.date32(),
        pa.timestamp("us"),
    ]
    columns = zip(*VALUES, strict=True)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    return pa.table(arrays, names=list(COLUMNS))


@pytest.fixture
def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out, row_group_size=2)
    return out.getvalue()


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, float):
        return f"'{value!r}'"
    return "'" + str(value).replace("'", "''") + "'"


def inserted(escape: str) -> str:
    """The rows, in another order than that of the key."""
    rows = (", ".join(literal(value) for value in row) for row in reversed(VALUES))
    return ", ".join(f"({row})" for row in rows).replace("\\", escape)


def on_postgres(postgres: Postgres, asked: Asked) -> Dataset:
    postgres.run(
        'CREATE TABLE copies ("key" text PRIMARY KEY, amount float8, rate numeric, "count" int8,'
        ' flag bool, town varchar(20), note text, "day" date, "at" timestamp)',
        f"INSERT INTO copies VALUES {inserted(chr(92))}",  # noqa: S608 - our own values
    )
    return asked("postgres", "SELECT * FROM copies", COLUMNS)


def on_mariadb(mariadb: MariaDB, asked: Asked) -> Dataset:
    mariadb.run(
        "CREATE TABLE copies (`key` VARCHAR(9) COLLATE utf8mb4_bin PRIMARY KEY, amount DOUBLE,"
        " rate DOUBLE, `count` BIGINT, flag TINYINT(1), town VARCHAR(20), note TEXT, `day` DATE,"
        " `at` DATETIME(6)) CHARACTER SET utf8mb4",
        f"INSERT INTO copies VALUES {inserted(chr(92) * 2)}",  # noqa: S608 - our own values
    )
    return asked("mysql", "SELECT * FROM copies", COLUMNS)


def test_every_source_gives_the_same_table(  # noqa: PLR0913 - one fixture for each source
    tmp_path: Path,
    table: pa.Table,
    parquet: bytes,
    postgres: Postgres,
    mariadb: MariaDB,
    objects: ObjectStore,
    asked: Asked,
    declare: Declare,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from deltalake import write_deltalake

    for name, value in objects.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RISK_DSN", postgres.dsn)
    (tmp_path / "t.parquet").write_bytes(parquet)
    pyarrow.csv.write_csv(table, tmp_path / "t.csv")
    objects.put("copies.parquet", parquet)
    objects.put("copies.csv", (tmp_path / "t.csv").read_bytes())
    write_deltalake(str(tmp_path / "delta"), table)
    copies = [
        declare(COLUMNS, type="csv", uri="t.csv"),
        declare(COLUMNS, type="s3", uri="s3://risk/copies.parquet"),
        declare(COLUMNS, type="s3", uri="s3://risk/copies.csv"),
        declare(COLUMNS, type="delta", uri="delta"),
        on_postgres(postgres, asked),
    ]
    original = declare(COLUMNS, type="parquet", uri="t.parquet")
    expected, digest = read_table(original, tmp_path), digest_of(original, tmp_path)
    assert expected["town"].to_pylist() == ["Zürich", "NA", None, None, "a"]
    for copy in copies:
        assert read_table(copy, tmp_path).equals(expected), copy.source
        assert digest_of(copy, tmp_path) == digest, copy.source
    copy = on_mariadb(mariadb, asked)
    monkeypatch.setenv("RISK_DSN", mariadb.dsn)
    assert read_table(copy, tmp_path).equals(expected)
    assert digest_of(copy, tmp_path) == digest
