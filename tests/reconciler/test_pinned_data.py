"""Whoever orders a training run has the pinned rows in the artifact store first."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.gating import read_side
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.reconciler.pinned_data import Readable, ensure_snapshot, reconciling_taker, signer_of
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.errors import DataError, SnapshotError
from ordain.specs.canonical import sha256

if TYPE_CHECKING:
    from ordain.reconciler.gating import Side
    from ordain.reconciler.source import Source
    from ordain.specs.documents import Document
    from tests.reconciler.conftest import Bench

pytestmark = pytest.mark.training

DATA = "data/biopsies.csv"
MISSING = "the snapshot of Dataset/biopsies is not in the artifact store"


class Order:
    """What ensuring needs, of the commit at the tip of main."""

    def __init__(self, bench: Bench) -> None:
        self.source: Source = bench.source()
        self.side: Side = read_side(self.source, self.source.head())
        self.dataset: Document = self.side.estate.documents["Dataset/biopsies"]
        self.snapshots = Snapshots(ArtifactStore(self.source.home.artifacts))
        self.taker = reconciling_taker(self.source, bench.now)
        self.told: list[str] = []

    def ensure(self) -> None:
        home = self.source.home
        place = Readable(self.side.tree, self.source.repository.path, home.root / "scratch")
        ensure_snapshot(
            self.dataset.name,
            self.dataset.spec,
            place,
            home.artifacts,
            taker=self.taker,
            tell=self.told.append,
        )

    def files(self) -> list[str]:
        root = self.source.home.root
        found = (path for path in root.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(root)) for path in found if path.parent.name != "keys")


def test_rows_come_from_the_commit_and_not_from_the_work_tree(bench: Bench) -> None:
    (bench.estate / DATA).write_text("another table\n1\n")
    order = Order(bench)
    order.ensure()
    kept = order.snapshots.find("biopsies", order.dataset.spec.digest)
    order.snapshots.prove("biopsies", kept)
    assert kept.snapshot.rows == 569
    assert order.told == ["taking the snapshot of Dataset/biopsies"]
    assert not any(name.startswith("scratch/") for name in order.files())


def test_the_reconciler_signs_what_it_takes(bench: Bench) -> None:
    order = Order(bench)
    order.ensure()
    kept = order.snapshots.find("biopsies", order.dataset.spec.digest)
    people = allowed_keys(organization_of(order.side.estate))
    assert kept.snapshot.taken_by == "reconciler"
    assert signer_of(kept, people, bench.now).person == "reconciler"
    other = replace(kept, snapshot=replace(kept.snapshot, taken_by="manager"))
    assert signer_of(other, people, bench.now).reason == (
        "the signature does not fit the signed content"
    )
    assert signer_of(replace(kept, signature=None), people, bench.now).reason == "it is unsigned"


def test_a_snapshot_that_is_there_is_not_taken_again(bench: Bench) -> None:
    first = Order(bench)
    first.ensure()
    bench.commit({DATA: None})
    second = Order(bench)
    assert DATA not in second.side.tree
    second.ensure()
    assert second.told == []


def test_a_source_that_cannot_be_read_is_a_snapshot_that_is_missing(bench: Bench) -> None:
    bench.commit({DATA: None})
    (bench.estate / DATA).unlink()
    order = Order(bench)
    before = order.files()
    with pytest.raises(SnapshotError) as caught:
        order.ensure()
    assert caught.value.message == f"{MISSING}: {DATA}: there is no such file"
    assert caught.value.remedy == "run `ordain pin biopsies` on this machine, or restore the store"
    assert order.files() == before


def test_other_rows_than_the_pinned_ones_are_not_kept(bench: Bench) -> None:
    path = "specs/datasets/biopsies.yaml"
    pinned = Order(bench).dataset.spec.digest
    wanted = sha256(b"what was approved")
    bench.commit(bench.edited(path, pinned, wanted))
    order = Order(bench)
    before = order.files()
    with pytest.raises(DataError) as caught:
        order.ensure()
    expected = f"dataset biopsies: {DATA} has the digest {pinned}, pinned is {wanted}"
    assert caught.value.message == expected
    assert order.files() == before


def test_a_file_that_git_does_not_have_is_known_by_its_content(bench: Bench) -> None:
    bench.commit({DATA: None})
    order = Order(bench)
    order.ensure()
    assert order.snapshots.find("biopsies", order.dataset.spec.digest).snapshot.rows == 569


def test_a_query_that_nobody_has_reviewed_is_not_asked(bench: Bench) -> None:
    """The rights on the server are the reconciler's, and the work tree is anybody's."""
    order = Order(bench)
    source = {"type": "postgres", "query": "rows.sql", "order_by": ("id",), "dsn_from": "RISK_DSN"}
    changed = replace(order.dataset.spec.source, uri="", **source)
    (bench.estate / "rows.sql").write_text("SELECT 1 AS id")
    order.dataset = replace(order.dataset, spec=replace(order.dataset.spec, source=changed))
    with pytest.raises(SnapshotError) as caught:
        order.ensure()
    assert caught.value.message == f"{MISSING}: rows.sql: the commit has no such file"


def test_a_pass_with_nothing_to_do_reads_no_data(bench: Bench) -> None:
    """What it would read is a pipe that nobody writes to, or no file at all."""
    order = Order(bench)
    bench.commit({DATA: None})
    (bench.estate / DATA).unlink()
    os.mkfifo(bench.estate / DATA)
    name = f"{order.dataset.spec.digest.removeprefix('sha256:')}.json"
    (order.snapshots.directory / name).mkdir(parents=True)
    version = bench.version()
    reconciler = bench.reconciler()
    bench.remember(reconciler.state, version)
    assert [type(one.stage).__name__ for one in reconciler.run().result.done] == [
        "Enrol",
        "Propose",
    ]
    again = reconciler.run()
    assert (again.result.done, again.exit_code) == ((), 0)
