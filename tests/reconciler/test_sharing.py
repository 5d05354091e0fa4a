"""Two commits beside each other are read once, and runs leave to the next one what bytes say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.gating import judge_commit, read_side
from ordain.reconciler.history import contributors_to_model
from ordain.reconciler.source import open_source

if TYPE_CHECKING:
    from ordain.reconciler.gating import Judged
    from ordain.reconciler.source import Source
    from tests.reconciler.conftest import Bench

MODEL = "Model/malignancy"


def _judged(bench: Bench, root: str, head: str, *, beside: bool) -> Judged:
    source = bench.source()
    base = read_side(source, root)
    side = read_side(source, head, base if beside else None)
    return judge_commit(source, base, side, bench.now)


def test_files_that_did_not_change_are_the_same_documents(bench: Bench) -> None:
    root, head = bench.head(), bench.owner("histology")
    source = bench.source()
    base = read_side(source, root)
    side = read_side(source, head, base)
    shared = {
        key for key, one in side.estate.documents.items() if base.estate.documents[key] is one
    }
    assert side.estate.documents.keys() - shared == {MODEL}
    assert side.estate.documents[MODEL].spec.owner == "histology"
    assert base.estate.documents[MODEL].spec.owner != "histology"


def test_a_moved_file_stands_in_its_new_place(bench: Bench) -> None:
    root = bench.head()
    text = bench.text("specs/models/malignancy.yaml").encode()
    files = {"specs/models/malignancy.yaml": None, "specs/moved.yaml": text}
    head = bench.commit(files)
    source = bench.source()
    side = read_side(source, head, read_side(source, root))
    assert side.estate.documents[MODEL].path == "specs/moved.yaml"
    assert side.estate.documents[MODEL].location.path == "specs/moved.yaml"


@pytest.mark.parametrize(
    "files",
    [
        {"specs/again.yaml": None},
        {"specs/broken.yaml": b"kind: [\n"},
        {"specs/organization.yaml": None},
        {"ordain.yaml": b"kind: Estate\n"},
    ],
    ids=["twice", "broken", "without people", "without settings"],
)
def test_a_verdict_is_the_same_either_way(bench: Bench, files: dict[str, bytes | None]) -> None:
    root = bench.head()
    if "specs/again.yaml" in files:
        files = {"specs/again.yaml": bench.text("specs/models/malignancy.yaml").encode()}
    head = bench.commit(files)
    apart, beside = (_judged(bench, root, head, beside=one) for one in (False, True))
    assert apart.blocked
    assert beside == apart


def _open(bench: Bench) -> Source:
    return open_source(bench.estate, bench.environ)


def test_a_pass_leaves_what_it_found_out_and_the_next_one_takes_it(bench: Bench) -> None:
    bench.owner("histology")
    good = bench.gate(None).good
    home = _open(bench).home
    assert home.values.is_file()
    assert home.signatures.is_file()
    assert home.values.stat().st_mode & 0o077 == 0
    with _open(bench).repository as repository:
        assert good is not None
        assert repository.signatures.of(good) == bench.signer("data-scientist").public


def test_nothing_is_remembered_where_that_is_not_wanted(bench: Bench) -> None:
    environ = {**bench.environ, "ORDAIN_NO_CACHE": "1"}
    source = open_source(bench.estate, environ)
    head = source.head()
    before = {path.name for path in source.home.root.iterdir()}
    read_side(source, head)
    source.remember()
    source.repository.close()
    assert {path.name for path in source.home.root.iterdir()} == before


def test_a_home_that_cannot_be_made_is_no_error(bench: Bench) -> None:
    (bench.root / "file").write_text("")
    source = open_source(bench.estate, {"ORDAIN_HOME": str(bench.root / "file" / "home")})
    read_side(source, source.head())
    source.remember()
    source.repository.close()
    assert not os.path.lexists(bench.root / "file" / "home")


def test_who_shaped_a_model_is_the_same_whatever_is_read_already(bench: Bench) -> None:
    text = bench.text("specs/models/malignancy.yaml")
    bench.owner("histology", by="manager")
    there = bench.text("specs/models/malignancy.yaml").encode()
    bench.commit({"specs/models/malignancy.yaml": None, "specs/moved.yaml": there}, by="cto")
    head = bench.commit({"specs/moved.yaml": text.encode()}, by="data-scientist")
    source = bench.source()
    side = read_side(source, head)
    repository, name = source.repository, "malignancy"
    apart = contributors_to_model(repository, side.estate, name, head)
    assert apart == {"data-scientist", "manager", "cto"}
    assert contributors_to_model(repository, side.estate, name, head, read=side.read) == apart
    # Only what has the same path and bytes is taken for read.
    assert ("specs/models/malignancy.yaml", side.tree.blob("specs/moved.yaml")) not in side.read
    assert ("specs/moved.yaml", side.tree.blob("specs/moved.yaml")) in side.read
