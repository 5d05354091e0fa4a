"""Rows of objects: one version, downloaded once, and no secret in what is said of a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

pytestmark = pytest.mark.contract

X = {"x": "int"}


@pytest.fixture
def store(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    for name, value in objects.environ.items():
        monkeypatch.setenv(name, value)
    return objects


def test_the_newest_object_is_read_unless_a_version_is_named(
    store: ObjectStore, declare: Declare, read: Read, tmp_path: Path
) -> None:
    first = store.put("loans/a b.csv", b"x\n1\n")
    second = store.put("loans/a b.csv", b"x\n2\n")
    newest = declare(X, type="s3", uri="s3://risk/loans/a%20b.csv")
    assert read(newest, **store.environ) == [{"x": 2}]
    older = declare(X, type="s3", uri="s3://risk/loans/a%20b.csv", version=first)
    assert read(older, **store.environ) == [{"x": 1}]
    with open_rows("loans", newest, tmp_path, store.environ) as rows:
        assert rows.hints["versionId"] == second
        assert set(rows.hints) == {"etag", "versionId"}


def test_the_format_may_be_declared(store: ObjectStore, declare: Declare, read: Read) -> None:
    store.put("export", b"x\n7\n")
    declared = declare(X, type="s3", uri="s3://risk/export", format="csv")
    assert read(declared, **store.environ) == [{"x": 7}]


def test_errors_of_the_content_name_the_address(
    store: ObjectStore, declare: Declare, refused: Refused
) -> None:
    store.put("broken.csv", b"x,y\n1,2\n3\n")
    declared = declare(X, type="s3", uri="s3://risk/broken.csv")
    expected = "RUN140: s3://risk/broken.csv: row 2 has 1 values, the header has 2"
    assert refused(declared, **store.environ) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"uri": "s3://risk/none.csv"},
            "RUN141: dataset loans: s3://risk/none.csv: there is no such object",
        ),
        (
            {"uri": "s3://nowhere/t.csv"},
            "RUN141: dataset loans: s3://nowhere/t.csv: there is no such object",
        ),
        (
            {"uri": "s3://risk/t"},
            "RUN140: s3://risk/t: the name does not say whether this is CSV or Parquet",
        ),
        ({"uri": "s3://risk"}, "RUN140: s3://risk: this is no address of an object"),
        (
            {"uri": "s3://risk/t.csv?a"},
            "RUN140: s3://risk/t.csv?a: this is no address of an object",
        ),
        ({"uri": "gs://risk/t.csv"}, "RUN140: gs://risk/t.csv: this is no address of an object"),
    ],
)
def test_an_object_that_is_not_there_is_named(
    store: ObjectStore,
    declare: Declare,
    refused: Refused,
    source: dict[str, str],
    message: str,
) -> None:
    assert refused(declare(X, type="s3", **source), **store.environ) == message


def test_a_store_that_does_not_answer_is_one_error(
    store: ObjectStore, declare: Declare, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    declared = declare(X, type="s3", uri="s3://risk/t.csv")
    assert refused(declared, **store.environ) == (
        "RUN141: dataset loans: s3://risk/t.csv: the store does not answer, or broke off"
    )


def test_an_account_that_nobody_named_is_asked_for(declare: Declare, refused: Refused) -> None:
    assert refused(declare(X, type="azure", uri="az://risk/t.csv")) == (
        "RUN141: dataset loans: the environment does not say how to reach az://risk/t.csv"
    )
