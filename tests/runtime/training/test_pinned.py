"""A job learns from the snapshot that was pinned, the same before and after, or it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.errors import SnapshotError, TrainingError
from ordain.runtime.memory import Machine, Room
from ordain.runtime.training.capacity import check_memory, needed_memory
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import Job
from ordain.specs.canonical import sha256
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

if TYPE_CHECKING:
    from ordain.runtime.datasets.snapshots import Snapshot

pytestmark = pytest.mark.training

MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]


def snapshot_of(order: Job) -> Snapshot:
    assert order.data.digest is not None
    return Snapshots(ArtifactStore(order.store)).find(order.dataset, order.data.digest).snapshot


def change(order: Job) -> str:
    """Change one byte of the snapshot; returns the digest of what is there then."""
    path = ArtifactStore(order.store).path(snapshot_of(order).blob)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    return sha256(bytes(data))


def message(order: Job, now: str) -> str:
    blob = snapshot_of(order).blob
    return f"the snapshot of Dataset/applications was changed: the bytes under {blob} are {now}"


def test_a_snapshot_that_was_changed_is_not_learnt_from(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    told: list[str] = []
    now = change(order)
    with pytest.raises(SnapshotError) as caught:
        run_job(order, lambda stage, _fraction: told.append(stage))
    assert caught.value.message == message(order, now)
    assert told == ["reading"]


def test_a_snapshot_that_changes_during_the_run_fails_the_run(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model("logistic_regression"), dataset())
    found: list[str] = []

    def progress(stage: str, fraction: float) -> None:
        if stage == "evaluating" and fraction:
            found.append(change(order))

    with pytest.raises(SnapshotError) as caught:
        run_job(order, progress)
    assert caught.value.message == message(order, found[0])


class Small(Machine):
    """A machine with 100 kB."""

    def room(self) -> Room:
        return Room(100_000, "memory of the test")


def test_what_does_not_fit_into_memory_is_refused_before_it_is_read(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    snapshot = snapshot_of(order)
    with pytest.raises(TrainingError) as caught:
        check_memory(order.model, order.spec, order.data, snapshot, Small())
    assert caught.value.message == (
        "model credit-default: training on 600 rows needs about 0 MB of memory, "
        "and 0 MB may be used (memory of the test)"
    )
    assert (
        caught.value.remedy == "give the process more memory, or learn from fewer rows or columns"
    )


def test_the_estimate_grows_with_rows_and_encoded_columns(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    snapshot = snapshot_of(order)
    # Three numbers, and a category whose levels nobody has declared.
    assert needed_memory(order.spec, order.data, snapshot) == (
        2 * snapshot.memory + 3 * 8 * 600 * (3 + 8)
    )
    known = dataset(purpose={"levels": ["car", "home"]})
    assert needed_memory(order.spec, known, snapshot) == (
        2 * snapshot.memory + 3 * 8 * 600 * (3 + 3)
    )
    ordinal = model(preprocessing={"categorical": {"encode": "ordinal"}})
    assert needed_memory(ordinal, order.data, snapshot) == 2 * snapshot.memory + 3 * 8 * 600 * 4
    declared = {
        "categorical": {"encode": "ordinal"},
        "numeric": {"indicator": True},
        "dates": {"parts": ["year", "month", "weekday"]},
        "texts": {"terms": 40},
        "interactions": [["income", "debts"]],
    }
    # Two numbers with their indicators, a truth value, 40 terms, three parts of a day, a product.
    wide = dataset(purpose={"type": "text"}, applied_on={"type": "date"}, time=None)
    assert needed_memory(model(preprocessing=declared), wide, snapshot) == (
        2 * snapshot.memory + 3 * 8 * 600 * (2 * 2 + 1 + 40 + 3 + 1)
    )


def test_a_job_that_would_be_killed_does_not_begin(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    snapshots = Snapshots(ArtifactStore(order.store))
    huge = replace(snapshot_of(order), memory=10**18)
    snapshots.add(huge, lambda _data: "a signature, so that it takes the place of the other")
    with pytest.raises(TrainingError) as caught:
        run_job(order, lambda _stage, _fraction: None)
    assert caught.value.message.startswith(
        "model credit-default: training on 600 rows needs about 2000000000.0 GB of memory, and "
    )
