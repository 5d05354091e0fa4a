"""A snapshot is the rows that were pinned, whole and unchanged, or it is refused."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.reading import (
    digest_of,
    find_pinned,
    prove_content,
    read_pinned,
    rows_of,
)
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.runtime.errors import ArtifactError, DataError, SnapshotError
from ordain.runtime.memory import Machine
from ordain.specs.canonical import canonical_json, sha256
from tests.runtime.snapshots.conftest import NOW, TAKER, files, keep, pinned, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.datasets.snapshots import Kept
    from tests.runtime.snapshots.conftest import MakeOrigin

pytestmark = pytest.mark.training

ROOT = Path(__file__).parents[3]
MISSING = "the snapshot of Dataset/loans is not in the artifact store"


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def refused(origin: Origin, snapshots: Snapshots, kept: Kept) -> SnapshotError:
    declared = pinned(origin, kept)
    with pytest.raises(SnapshotError) as caught:
        read_pinned("loans", declared, snapshots, find_pinned("loans", declared, snapshots))
    assert caught.value.remedy
    return caught.value


def test_what_was_pinned_comes_back(origin: MakeOrigin, snapshots: Snapshots) -> None:
    loans = origin()
    kept = keep(loans, snapshots)
    declared = pinned(loans, kept)
    found = read_pinned("loans", declared, snapshots, find_pinned("loans", declared, snapshots))
    table = sample()
    assert found.column_names == sorted(table.column_names)
    for name in ("amount", "number", "purpose", "paid"):
        assert found[name].to_pylist() == table[name].to_pylist()
    assert kept.snapshot.digest == digest_of(loans.dataset, loans.root)


def test_the_manifest_is_the_documented_one(origin: MakeOrigin, snapshots: Snapshots) -> None:
    kept = keep(origin(sample(10).select(["number", "paid"])), snapshots)
    blob = snapshots.store.path(kept.snapshot.blob)
    assert json.loads(kept.snapshot.to_json()) == {
        "format": "ordain.snapshot/1",
        "dataset": "loans",
        "digest": kept.snapshot.digest,
        "rows": 10,
        "columns": [["number", "int64"], ["paid", "bool"]],
        "blob": sha256(blob.read_bytes()),
        "size": blob.stat().st_size,
        "memory": 86,
        "query": None,
        "source": {"type": "csv", "uri": "loans.csv", "hints": {}},
        "taken_at": "2026-01-02T03:04:05+00:00",
        "taken_by": "data-scientist",
        "tool": "0.1.0",
    }
    name = kept.snapshot.digest.removeprefix("sha256:")
    assert json.loads((snapshots.directory / f"{name}.json").read_bytes()) == {
        "format": "ordain.snapshot-index/1",
        "manifest": sha256(kept.snapshot.to_json()),
        "signature": None,
    }


def test_a_password_in_an_address_is_not_kept(origin: MakeOrigin, snapshots: Snapshots) -> None:
    loans = origin()
    with drafted(loans, snapshots) as draft:
        source = replace(loans.dataset.source, uri="s3://reader:secret@store/loans.parquet")
        elsewhere = replace(loans, dataset=replace(loans.dataset, source=source))
        hints = {"location": "https://store/loans?signature=abc"}
        kept = replace(draft, origin=elsewhere, hints=hints).keep(snapshots, TAKER)
    assert kept.snapshot.source == {
        "type": "csv",
        "uri": "s3://reader:******@store/loans.parquet",
        "hints": {"location": "https://store/loans?signature=***"},
    }


def test_the_bytes_do_not_depend_on_the_source(origin: MakeOrigin, tmp_path: Path) -> None:
    table = sample(3_000)
    ways: list[dict[str, Any]] = [
        {"kind": "csv"},
        {"kind": "parquet"},
        {"kind": "parquet", "row_group_size": 77, "compression": "none"},
    ]
    stores = [Snapshots(ArtifactStore(tmp_path / str(place))) for place in range(len(ways))]
    kept = [keep(origin(table, **way), store) for way, store in zip(ways, stores, strict=True)]
    assert len({one.snapshot.blob for one in kept}) == 1


def test_two_snapshots_of_one_content_are_one(origin: MakeOrigin, snapshots: Snapshots) -> None:
    first = keep(origin(), snapshots)
    before = files(snapshots)
    later = Taker("manager", NOW.replace(year=2027), "0.2.0")
    assert keep(origin(kind="parquet"), snapshots, later) == first
    assert files(snapshots) == before
    assert len(before) == 3


def test_a_signature_takes_the_place_of_none(origin: MakeOrigin, snapshots: Snapshots) -> None:
    keep(origin(), snapshots)
    signing = replace(TAKER, by="manager", sign=lambda data: f"signed {sha256(data)}")
    kept = keep(origin(), snapshots, signing)
    assert kept.signature == f"signed {sha256(kept.snapshot.to_json())}"
    assert (kept.snapshot.taken_by, keep(origin(), snapshots)) == ("manager", kept)
    assert snapshots.find("loans", kept.snapshot.digest) == kept


def test_a_snapshot_that_is_missing_is_named(origin: MakeOrigin, snapshots: Snapshots) -> None:
    declared = replace(origin().dataset, digest=sha256(b"other rows"))
    with pytest.raises(SnapshotError) as caught:
        find_pinned("loans", declared, snapshots)
    assert caught.value.message == MISSING
    assert caught.value.remedy == "run `ordain pin loans` on this machine, or restore the store"


def test_data_that_are_not_pinned_have_no_snapshot(
    origin: MakeOrigin, snapshots: Snapshots
) -> None:
    with pytest.raises(SnapshotError) as caught:
        find_pinned("loans", origin().dataset, snapshots)
    assert caught.value.message == f"{MISSING}: its content is not pinned yet"


def test_a_changed_byte_is_refused(origin: MakeOrigin, snapshots: Snapshots) -> None:
    loans = origin()
    kept = keep(loans, snapshots)
    path = snapshots.store.path(kept.snapshot.blob)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    overwrite(path, bytes(data))
    assert refused(loans, snapshots, kept).message == (
        f"the snapshot of Dataset/loans was changed: the bytes under {kept.snapshot.blob} "
        f"are {sha256(bytes(data))}"
    )


def test_a_file_that_is_gone_is_missing(origin: MakeOrigin, snapshots: Snapshots) -> None:
    loans = origin()
    kept = keep(loans, snapshots)
    snapshots.store.path(kept.snapshot.blob).unlink()
    assert refused(loans, snapshots, kept).message == MISSING
    assert keep(loans, snapshots) == kept


def test_a_damaged_snapshot_is_taken_anew(origin: MakeOrigin, snapshots: Snapshots) -> None:
    loans = origin()
    kept = keep(loans, snapshots)
    overwrite(snapshots.store.path(kept.snapshot.blob), b"PAR1 and no more")
    keep(loans, snapshots)
    snapshots.prove("loans", kept)


def test_other_rows_under_the_pinned_digest_are_refused(
    origin: MakeOrigin, snapshots: Snapshots
) -> None:
    """Manifest and index are forged together; the content is still not the pinned one."""
    loans = origin()
    other = keep(loans, snapshots)
    wanted = sha256(b"what was approved")
    snapshots.add(replace(other.snapshot, digest=wanted), None)
    forged = replace(other, snapshot=replace(other.snapshot, digest=wanted))
    message = (
        f"the snapshot of Dataset/loans holds the content {other.snapshot.digest}, "
        f"pinned is {wanted}"
    )
    assert refused(loans, snapshots, forged).message == message
    with pytest.raises(SnapshotError) as caught:
        prove_content("loans", snapshots, forged)
    assert caught.value.message == message


def test_a_column_that_was_declared_since_is_named(
    origin: MakeOrigin, snapshots: Snapshots
) -> None:
    kept = keep(origin(sample().drop_columns(["paid"])), snapshots)
    with pytest.raises(SnapshotError) as caught:
        find_pinned("loans", pinned(origin(), kept), snapshots)
    assert caught.value.message == "the snapshot of Dataset/loans has other columns: paid"


@pytest.mark.parametrize("entry", [b"", b"[]", b'{"format":"ordain.snapshot-index/2"}'])
def test_an_index_that_leads_nowhere_is_named(
    origin: MakeOrigin, snapshots: Snapshots, entry: bytes
) -> None:
    loans = origin()
    kept = keep(loans, snapshots)
    place = snapshots.directory / f"{kept.snapshot.digest.removeprefix('sha256:')}.json"
    overwrite(place, entry)
    message = f"{place}: this does not lead to the snapshot of {kept.snapshot.digest}"
    assert refused(loans, snapshots, kept).message == message
    assert keep(loans, snapshots) == kept


@pytest.mark.parametrize(
    "wrong",
    [{"blob": 5}, {"query": 5}, {"taken_by": None}, {"columns": [[1, 2]]}, {"rows": True}],
)
def test_a_manifest_of_other_types_is_refused(
    origin: MakeOrigin, snapshots: Snapshots, wrong: dict[str, Any]
) -> None:
    kept = keep(origin(), snapshots)
    raw = json.loads(kept.snapshot.to_json()) | wrong
    crafted = snapshots.store.put(canonical_json(raw))
    entry = {"format": "ordain.snapshot-index/1", "manifest": crafted, "signature": None}
    place = snapshots.directory / f"{kept.snapshot.digest.removeprefix('sha256:')}.json"
    overwrite(place, canonical_json(entry))
    with pytest.raises(SnapshotError, match="does not lead to the snapshot"):
        snapshots.get(kept.snapshot.digest)


def test_a_signature_that_is_no_text_is_refused(origin: MakeOrigin, snapshots: Snapshots) -> None:
    kept = keep(origin(), snapshots)
    place = snapshots.directory / f"{kept.snapshot.digest.removeprefix('sha256:')}.json"
    overwrite(place, canonical_json(json.loads(place.read_bytes()) | {"signature": 7}))
    with pytest.raises(SnapshotError, match="does not lead to the snapshot"):
        snapshots.get(kept.snapshot.digest)


def test_a_snapshot_is_lent_beside_a_pin_that_is_at_work(
    origin: MakeOrigin, snapshots: Snapshots, tmp_path: Path
) -> None:
    loans, other = origin(), Snapshots(ArtifactStore(tmp_path / "other"))
    kept = keep(loans, snapshots)
    with drafted(loans, other) as draft:
        assert snapshots.lend(kept.snapshot.digest, other)
        assert other.standing(kept.snapshot.digest) == kept
        assert draft.path.exists()
    assert not [name for name in files(other) if name.startswith(".new-")]


def test_the_manifest_of_other_content_is_refused(origin: MakeOrigin, snapshots: Snapshots) -> None:
    loans = origin()
    kept = keep(loans, snapshots)
    place = snapshots.directory / f"{kept.snapshot.digest.removeprefix('sha256:')}.json"
    other = snapshots.store.put(replace(kept.snapshot, digest=sha256(b"")).to_json())
    entry = {"format": "ordain.snapshot-index/1", "manifest": other, "signature": None}
    overwrite(place, canonical_json(entry))
    assert "does not lead to the snapshot" in refused(loans, snapshots, kept).message


def test_a_failure_leaves_no_file(origin: MakeOrigin, snapshots: Snapshots) -> None:
    loans = origin()
    (loans.root / "loans.csv").write_text("amount,number,purpose,paid,day\n1,x,car,true,\n")
    with pytest.raises(DataError), drafted(loans, snapshots):
        pass
    assert files(snapshots) == []


def test_a_draft_that_is_not_kept_is_gone(origin: MakeOrigin, snapshots: Snapshots) -> None:
    with drafted(origin(), snapshots) as draft:
        assert draft.path.is_file()
    assert files(snapshots) == []


def test_nothing_but_parquet_is_kept_as_a_file(tmp_path: Path, snapshots: Snapshots) -> None:
    (tmp_path / "model").write_bytes(b"\x80\x04pickled")
    with pytest.raises(ArtifactError) as caught:
        snapshots.store.put_file(tmp_path / "model")
    assert caught.value.message == "model: this is no Parquet file, and no other is kept"


class Short(Machine):
    """One that has no room for a table."""

    def _rooms(self) -> Iterator[object]:  # type: ignore[override]
        from ordain.runtime.memory import Room

        yield Room(1_000, "memory of the test")


def test_rows_are_judged_by_column_where_memory_is_short(
    origin: MakeOrigin, snapshots: Snapshots
) -> None:
    with drafted(origin(), snapshots) as draft:
        with rows_of(draft) as whole:
            assert isinstance(whole, pa.Table)
        with rows_of(draft, Short()) as columns:
            assert not isinstance(columns, pa.Table)
            assert (columns.num_rows, columns.column_names) == (100, whole.column_names)
            assert columns.schema == whole.schema
            assert columns["purpose"].to_pylist() == whole["purpose"].to_pylist()
            assert columns.select(["paid", "day"]).equals(whole.select(["paid", "day"]))


# ── processes ────────────────────────────────────────────────────────────────────────────────────

TAKE = """
import resource, signal, sys, time
from datetime import UTC, datetime
from pathlib import Path
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.runtime.errors import RunError
from ordain.specs.kinds import kind_validator

def take(root, spec, progress=None):
    dataset = kind_validator("Dataset").validate_python(spec)
    snapshots = Snapshots(ArtifactStore(root / "store"))
    with drafted(Origin("loans", dataset, root, {}), snapshots, progress) as draft:
        return draft.keep(snapshots, Taker("", datetime(2026, 1, 1, tzinfo=UTC), "0"))

root, spec = Path(sys.argv[1]), {
    "source": {"type": "csv", "uri": "loans.csv"},
    "columns": {"amount": {"type": "float"}, "number": {"type": "int"}},
}
"""

FULL = """
import pyarrow.csv, pyarrow.parquet
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    take(root, spec)
except RunError as error:
    print(error.message)
"""

STUCK = """
def progress(rows):
    print(rows, flush=True)
    signal.pause()

take(root, spec, progress)
"""


def started(program: str, root: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ARROW_DEFAULT_MEMORY_POOL": "system"}
    return subprocess.Popen(
        [sys.executable, "-c", TAKE + program, str(root)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_full_disk_leaves_nothing_half_written(origin: MakeOrigin, snapshots: Snapshots) -> None:
    """The size limit of a process stands in for the disk: the same `write` fails half-way."""
    loans = origin(sample(5_000).select(["amount", "number"]))
    with started(FULL, loans.root) as child:
        told, errors = child.communicate()
    place = snapshots.directory
    assert (told, errors) == (f"{place}: the snapshot cannot be written: File too large\n", "")
    assert files(snapshots) == []


def test_what_a_killed_process_left_is_removed_by_the_next(
    origin: MakeOrigin, snapshots: Snapshots
) -> None:
    loans = origin(sample().select(["amount", "number"]))
    with started(STUCK, loans.root) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "100\n"
        (left,) = files(snapshots)
        assert left.startswith(".new-")
        # One that is still at work is left alone.
        kept = keep(loans, snapshots)
        assert len(files(snapshots)) == 4
        child.send_signal(signal.SIGKILL)
    assert left in files(snapshots)
    assert keep(loans, snapshots) == kept
    assert len(files(snapshots)) == 3


LARGE = """
spec["columns"] = {"amount": {"type": "float"}, "note": {"type": "text"}}
take(root / "small", spec)  # What libraries load, and the threads that they start, count for all.
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + BUDGET
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(take(root, spec).snapshot.rows)
"""
MEGABYTE = 2**20


@pytest.mark.e2e
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_table_that_is_larger_than_memory_is_pinned(tmp_path: Path) -> None:
    block = b"".join(b"%d.25,%0200d\n" % (number, number) for number in range(5_000))
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "loans.csv").write_bytes(b"amount,note\n" + 20 * block)
    budget, times = 100 * MEGABYTE, 300
    with (tmp_path / "loans.csv").open("wb") as file:
        file.write(b"amount,note\n")
        file.writelines(itertools.repeat(block, times))
    assert (tmp_path / "loans.csv").stat().st_size > 2.9 * budget
    with started(LARGE.replace("BUDGET", str(budget)), tmp_path) as child:
        told, errors = child.communicate()
    assert (told, errors) == (f"{5_000 * times}\n", "")
