"""A source is a stream: bounded batches, absolute rows in errors, and nothing that moves."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from ordain.runtime.datasets import sources
from ordain.runtime.datasets.casting import cast_batches, declared_schema
from ordain.runtime.datasets.sources import files, open_rows
from ordain.runtime.errors import DataError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset

    Declare = Callable[..., Dataset]
    Read = Callable[..., list[dict[str, Any]]]
    Refused = Callable[..., str]

pytestmark = pytest.mark.training

ROWS = 150_000


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A CSV of several batches; the value of a row is its number."""
    path = tmp_path / "long.csv"
    path.write_text("y,x\n" + "".join(f"é,{row}\n" for row in range(1, ROWS + 1)))
    return path


def test_a_table_comes_in_batches_of_bounded_size(
    tmp_path: Path, long: Path, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK", 100_000)
    declared = declare({"x": "int", "y": "text"}, type="csv", uri=long.name)
    with open_rows("loans", declared, tmp_path, {}) as rows:
        assert rows.schema == pa.schema({"x": pa.string(), "y": pa.string()})
        batches = list(rows.batches())
    assert len(batches) > 10
    assert max(batch.num_rows for batch in batches) <= 65_536
    cast = pa.Table.from_batches(cast_batches(declared, batches))
    assert cast.schema == declared_schema(declared)
    assert cast["x"].to_pylist() == list(range(1, ROWS + 1))


def test_parquet_with_wide_rows_comes_in_smaller_batches(tmp_path: Path, declare: Declare) -> None:
    wide = pa.table({"x": ["é" * 50_000 + str(row) for row in range(700)]})
    pyarrow.parquet.write_table(wide, tmp_path / "t.parquet", use_dictionary=False)
    declared = declare({"x": "text"}, type="parquet", uri="t.parquet")
    with open_rows("loans", declared, tmp_path, {}) as rows:
        sizes = [batch.nbytes for batch in rows.batches()]
    assert max(sizes) < 80_000_000
    assert len(sizes) > 1


def test_an_error_counts_rows_from_the_beginning(
    long: Path, declare: Declare, refused: Refused
) -> None:
    declared = declare({"x": "int"}, type="csv", uri=long.name)
    with long.open("a") as file:
        file.write("é,many\n")
    expected = f"RUN140: long.csv: column x, row {ROWS + 1}: 'many' is no int"
    assert refused(declared) == expected
    with long.open("a") as file:
        file.write("é\n")
    long.write_text(long.read_text().replace("many", "0"))
    expected = f"RUN140: long.csv: row {ROWS + 2} has 1 values, the header has 2"
    assert refused(declared) == expected


def test_a_line_that_is_not_utf_8_is_named_far_into_the_file(
    long: Path, declare: Declare, refused: Refused
) -> None:
    with long.open("ab") as file:
        file.write(b"\xe9,1\n")
    declared = declare({"y": "text"}, type="csv", uri=long.name)
    assert refused(declared) == f"RUN140: long.csv: line {ROWS + 2} is not UTF-8 text"


def test_a_quotation_mark_that_is_never_closed_is_told(
    tmp_path: Path, declare: Declare, refused: Refused
) -> None:
    message = "RUN140: t.csv: a quotation mark is never closed, or a row is longer than 1 MB"
    for rows in (0, 1_000_000, 2_000_000):
        (tmp_path / "t.csv").write_text('x,y\n1,"a\n' + "2,b\n" * rows)
        assert refused(declare({"x": "int"}, type="csv", uri="t.csv")) == message


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_the_last_row_is_the_last_row_of_the_file(
    tmp_path: Path, declare: Declare, read: Read, end: str
) -> None:
    (tmp_path / "t.csv").write_bytes(f"x\n1\n2{end}".encode())
    assert read(declare({"x": "int"}, type="csv", uri="t.csv")) == [{"x": 1}, {"x": 2}]


def test_a_file_larger_than_what_may_be_held_is_read(
    tmp_path: Path, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peak of Arrow's own memory is that of some blocks, and not of the file."""
    monkeypatch.setattr(files, "BLOCK", 200_000)
    path = tmp_path / "t.csv"
    with path.open("w") as file:
        file.write("x,y\n")
        for _ in range(600):
            file.write(("1," + "é" * 50 + "\n") * 2_000)
    declared = declare({"x": "int", "y": "text"}, type="csv", uri="t.csv")
    held, most = pa.total_allocated_bytes(), 0
    with open_rows("loans", declared, tmp_path, {}) as rows:
        for batch in cast_batches(declared, rows.batches()):
            most = max(most, pa.total_allocated_bytes() - held)
            del batch
    assert most < path.stat().st_size // 4


@pytest.mark.parametrize("change", ["append", "replace", "remove"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, long: Path, declare: Declare, change: str
) -> None:
    declared = declare({"x": "int"}, type="csv", uri=long.name)
    with open_rows("loans", declared, tmp_path, {}) as rows:
        batches = rows.batches()
        next(batches)
        if change == "append":
            os.utime(long, ns=(0, 0))
        elif change == "replace":
            (tmp_path / "other").write_text("x\n1\n")
            (tmp_path / "other").replace(long)
        else:
            long.unlink()
        with pytest.raises(DataError) as caught:
            list(batches)
    assert caught.value.message in {
        "long.csv: the file was changed while it was read",
        "long.csv: cannot be read: No such file or directory",
    }


def test_an_error_of_the_reader_is_not_taken_for_one_of_the_source(
    tmp_path: Path, long: Path, declare: Declare
) -> None:
    declared = declare({"x": "int"}, type="csv", uri=long.name)
    full = OSError(28, "No space left on device")
    try:
        with open_rows("loans", declared, tmp_path, {}) as rows:
            next(rows.batches())
            raise full
    except OSError as error:
        raised = error
    assert raised is full


@pytest.mark.parametrize(
    ("kind", "uri", "module", "extra"),
    [
        ("postgres", "", "adbc_driver_postgresql", "postgres"),
        ("mysql", "", "pymysql", "mysql"),
        ("s3", "s3://risk/t.csv", "obstore", "objects"),
        ("delta", "s3://risk/t", "deltalake", "delta"),
    ],
)
def test_a_library_that_is_not_installed_is_an_extra(
    tmp_path: Path,
    declare: Declare,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    uri: str,
    module: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "q.sql").write_text("SELECT 1 AS x")
    asked = {} if uri else {"query": "q.sql", "orderBy": ["x"], "dsnFrom": "RISK_DSN"}
    declared = declare({"x": "int"}, type=kind, uri=uri, **asked)
    environ = {"RISK_DSN": "mysql://reader@127.0.0.1/risk"}
    with pytest.raises(SourceError) as caught, sources.open_rows("l", declared, tmp_path, environ):
        pass
    assert caught.value.message == f"reading {kind} needs the extra {extra}"
    assert caught.value.remedy == f"install ordain[{extra}]"
