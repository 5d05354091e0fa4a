"""Rows of a Delta table: of one version, in the order of its files."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from ordain.runtime.datasets.sources import open_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from object_store import ObjectStore

    from ordain.specs.kinds.dataset import Dataset

    Declare = Callable[..., Dataset]
    Read = Callable[..., list[dict[str, Any]]]
    Refused = Callable[..., str]

pytestmark = pytest.mark.training

X = {"x": "int"}


def write(place: str, values: list[int], by: str | None = None) -> None:
    from deltalake import write_deltalake

    table = pa.table({"y": ["a"] * len(values), "x": values})
    write_deltalake(place, table, mode="append", partition_by=by)


def test_a_version_is_what_it_was(tmp_path: Path, declare: Declare, read: Read) -> None:
    write(str(tmp_path / "loans"), [2, 1])
    write(str(tmp_path / "loans"), [3])
    assert read(declare(X, type="delta", uri="loans", version="0")) == [{"x": 2}, {"x": 1}]
    newest = declare(X, type="delta", uri="loans")
    assert sorted(row["x"] for row in read(newest)) == [1, 2, 3]
    with open_rows("loans", newest, tmp_path, {}) as rows:
        assert rows.hints == {"deltaVersion": "1"}
        assert rows.schema == pa.schema({"x": pa.int64()})


def test_a_version_has_one_order_wherever_the_table_lies(
    tmp_path: Path, declare: Declare, read: Read
) -> None:
    for value in range(8):
        write(str(tmp_path / "here"), [value], by="y")
    shutil.copytree(tmp_path / "here", tmp_path / "there" / "copy")
    declared = [
        declare({**X, "y": "text"}, type="delta", uri=uri) for uri in ("here", "there/copy")
    ]
    here, there = (read(one) for one in declared)
    assert here == there
    assert {row["y"] for row in here} == {"a"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"uri": "nowhere"}, "RUN140: nowhere: there is no such directory"),
        ({"uri": "../loans"}, "RUN140: the path '../loans' does not lie inside the estate"),
        ({"uri": "empty"}, "RUN141: dataset loans: empty: there is no Delta table"),
        (
            {"uri": "loans", "version": "9"},
            "RUN141: dataset loans: loans: version 9 of the Delta table cannot be read",
        ),
        (
            {"uri": "loans", "version": "newest"},
            "RUN140: loans: 'newest' is no version of a Delta table",
        ),
    ],
)
def test_what_is_no_table_is_named(
    tmp_path: Path, declare: Declare, refused: Refused, source: dict[str, str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    write(str(tmp_path / "loans"), [1])
    assert refused(declare(X, type="delta", **source)) == message


def test_a_file_that_is_gone_is_one_error(
    tmp_path: Path, declare: Declare, refused: Refused
) -> None:
    write(str(tmp_path / "loans"), [1])
    (file,) = (tmp_path / "loans").glob("*.parquet")
    file.unlink()
    expected = "RUN141: dataset loans: loans: a file of the Delta table is gone or broken"
    assert refused(declare(X, type="delta", uri="loans")) == expected


@pytest.mark.parametrize("way", ["link", "log"])
def test_a_table_cannot_reach_out_of_the_estate(
    tmp_path: Path,
    declare: Declare,
    refused: Refused,
    way: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    write(str(tmp_path / "loans"), [1])
    (file,) = (tmp_path / "loans").glob("*.parquet")
    outside = tmp_path_factory.mktemp("outside") / "secret.parquet"
    file.rename(outside)
    if way == "link":
        file.symlink_to(outside)
    else:
        (log,) = (tmp_path / "loans" / "_delta_log").glob("*.json")
        actions = [json.loads(line) for line in log.read_text().splitlines()]
        for action in actions:
            if "add" in action:
                action["add"]["path"] = f"../../{outside.parent.name}/{outside.name}"
        log.write_text("\n".join(map(json.dumps, actions)))
    expected = "RUN140: loans: the table has files outside of the estate"
    assert refused(declare(X, type="delta", uri="loans")) == expected


@pytest.mark.contract
def test_a_table_in_an_object_store_is_read_there(
    objects: ObjectStore, declare: Declare, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in objects.environ.items():
        monkeypatch.setenv(name, value)
    write("s3://risk/table", [5, 4])
    assert read(declare(X, type="delta", uri="s3://risk/table")) == [{"x": 5}, {"x": 4}]
