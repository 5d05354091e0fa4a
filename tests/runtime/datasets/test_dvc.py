"""Rows behind a DVC pointer: the bytes that it names, from wherever they are, or none."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from ordain.runtime.datasets.sources import open_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset

    Declare = Callable[..., Dataset]
    Read = Callable[..., list[dict[str, Any]]]
    Refused = Callable[..., str]

pytestmark = pytest.mark.training

CONTENT = b"x\n1\n"
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


@pytest.fixture
def pointed(tmp_path: Path, declare: Declare) -> Dataset:
    (tmp_path / "data").mkdir()
    pointer = f"outs:\n- md5: {MD5}\n  size: 4\n  hash: md5\n  path: loans.csv\n"
    (tmp_path / "data" / "loans.csv.dvc").write_text(pointer)
    return declare({"x": "int"}, type="dvc", uri="data/loans.csv.dvc")


@pytest.mark.parametrize(
    "place",
    [
        "data/loans.csv",
        f".dvc/cache/files/md5/{MD5[:2]}/{MD5[2:]}",
        f".dvc/cache/{MD5[:2]}/{MD5[2:]}",
    ],
)
def test_the_content_is_read_where_it_is(
    tmp_path: Path, pointed: Dataset, read: Read, place: str
) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(CONTENT)
    assert read(pointed) == [{"x": 1}]
    with open_rows("loans", pointed, tmp_path, {}) as rows:
        assert rows.hints == {"md5": MD5}


def test_a_work_tree_that_was_changed_does_not_hide_the_cache(
    tmp_path: Path, pointed: Dataset, read: Read
) -> None:
    (tmp_path / "data" / "loans.csv").write_bytes(b"x\n2\n")
    cached = tmp_path / ".dvc" / "cache" / "files" / "md5" / MD5[:2] / MD5[2:]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CONTENT)
    assert read(pointed) == [{"x": 1}]


@pytest.mark.parametrize(("content", "state"), [(b"x\n2\n", "was changed"), (None, "is not here")])
def test_other_content_is_never_read(
    tmp_path: Path, pointed: Dataset, refused: Refused, content: bytes | None, state: str
) -> None:
    if content is not None:
        (tmp_path / "data" / "loans.csv").write_bytes(content)
    assert refused(pointed) == (
        f"RUN141: data/loans.csv.dvc: data/loans.csv with the MD5 {MD5} {state}"
    )


@pytest.mark.parametrize(
    ("pointer", "message"),
    [
        ("", "this is no DVC pointer to one file"),
        ("outs: [", "this is no DVC pointer to one file"),
        ("outs: []", "this is no DVC pointer to one file"),
        ("outs: [{md5: 1, path: a.csv}]", "this is no DVC pointer to one file"),
        (
            "outs: [{md5: d41d8cd98f00b204e9800998ecf8427e.dir, path: a}]",
            "the pointer names a directory, or no MD5",
        ),
    ],
)
def test_what_is_no_pointer_is_refused(
    tmp_path: Path, declare: Declare, refused: Refused, pointer: str, message: str
) -> None:
    (tmp_path / "a.dvc").write_text(pointer)
    assert refused(declare({"x": "int"}, type="dvc", uri="a.dvc")) == f"RUN140: a.dvc: {message}"


def test_a_pointer_is_confined_to_the_estate(
    tmp_path: Path, declare: Declare, refused: Refused
) -> None:
    root = tmp_path.parent
    (root / "outside.csv").write_bytes(CONTENT)
    (tmp_path / "a.dvc").write_text(f"outs: [{{md5: {MD5}, path: ../outside.csv}}]")
    expected = "RUN140: the path '../outside.csv' does not lie inside the estate"
    assert refused(declare({"x": "int"}, type="dvc", uri="a.dvc")) == expected
