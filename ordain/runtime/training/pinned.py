"""The rows of a job: those of the snapshot, proven before they are learnt from and once more after.

A store that somebody writes to during a run is no evidence of what the run has read. The second
proof costs one more pass over a file and turns such a run into an error.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.reading import find_pinned, read_pinned
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.training.capacity import check_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.training.order import Job


@contextmanager
def pinned_rows(job: Job) -> Iterator[Any]:
    """The table that a job learns from; what leaves the block without an error was learnt from it.

    Raises:
        SnapshotError: when the snapshot is missing or not what was pinned, before or after.
        DataError: when an expectation is not met.
        TrainingError: when the rows need more memory than there is.
    """
    snapshots = Snapshots(ArtifactStore(job.store))
    kept = find_pinned(job.dataset, job.data, snapshots)
    check_memory(job.model, job.spec, job.data, kept.snapshot)
    yield read_pinned(job.dataset, job.data, snapshots, kept)
    snapshots.prove(job.dataset, kept)
