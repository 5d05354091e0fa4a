"""What a job would learn from, read as the job itself reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.runtime.training.inputs import read_inputs
from ordain.runtime.training.pinned import pinned_rows

if TYPE_CHECKING:
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.order import Job


def inputs_of(job: Job) -> Data:
    with pinned_rows(job) as table:
        return read_inputs(job, table)
