"""Rows of objects: one version, downloaded once, and no secret in what is said of a failure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from plain_store import giving

from ordain.runtime.datasets.sources import open_rows
from ordain.runtime.errors import SourceError

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


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("az://risk/loans/a%20b.csv", "/risk/loans/a%20b.csv"),
        ("abfss://risk@bank.dfs.core.windows.net/loans.csv", "/risk/loans.csv"),
    ],
)
def test_an_object_of_azure_is_asked_for_by_its_address(
    declare: Declare, read: Read, monkeypatch: pytest.MonkeyPatch, uri: str, path: str
) -> None:
    with giving(b"x\n7\n") as store:
        environ = {
            "AZURE_ENDPOINT": store.url,
            "AZURE_ALLOW_HTTP": "true",
            "AZURE_SKIP_SIGNATURE": "true",
        }
        if uri.startswith("az:"):
            environ["AZURE_STORAGE_ACCOUNT_NAME"] = "bank"
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        assert read(declare(X, type="azure", uri=uri), **environ) == [{"x": 7}]
        assert store.asked == [path]


def test_an_object_of_google_is_asked_for_by_its_address(
    declare: Declare, read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with giving(b"x\n7\n") as store:
        account = {
            "gcs_base_url": store.url,
            "disable_oauth": True,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        }
        (tmp_path / "account.json").write_text(json.dumps(account))
        environ = {
            "GOOGLE_SERVICE_ACCOUNT": str(tmp_path / "account.json"),
            "GOOGLE_ALLOW_HTTP": "true",
        }
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        assert read(declare(X, type="gcs", uri="gs://risk/loans.csv"), **environ) == [{"x": 7}]
        assert [unquote(path) for path in store.asked] == ["/risk/loans.csv"]


def test_a_disk_that_is_full_says_where_space_is_needed(
    store: ObjectStore, declare: Declare, tmp_path: Path
) -> None:
    """The size limit of a process stands in for the disk: the same `write` fails half-way."""
    import resource
    import signal

    store.put("large.csv", b"x\n" + b"1\n" * 50_000)
    declared = declare(X, type="s3", uri="s3://risk/large.csv")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with (
            pytest.raises(SourceError) as caught,
            open_rows("loans", declared, tmp_path, store.environ),
        ):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.message == (
        "dataset loans: s3://risk/large.csv: the object cannot be kept while it is read: "
        "File too large"
    )
    assert caught.value.remedy == "free space in TMPDIR, or let it name a directory with more"


def test_an_account_that_nobody_named_is_asked_for(declare: Declare, refused: Refused) -> None:
    assert refused(declare(X, type="azure", uri="az://risk/t.csv")) == (
        "RUN141: dataset loans: the environment does not say how to reach az://risk/t.csv"
    )
