"""What a job learns from: the table, its frame and its parts, read and refused in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.reading import read_dataset
from ordain.runtime.errors import TrainingError
from ordain.runtime.training.features import Frame, learnt_columns, make_frame
from ordain.runtime.training.outcomes import Outcomes, read_outcomes, refuse_unlearnable
from ordain.runtime.training.splits import Parts, split_rows
from ordain.specs.tasks import BINARY, REGRESSION

if TYPE_CHECKING:
    from ordain.runtime.training.features import Indices
    from ordain.runtime.training.order import Job


@dataclass(frozen=True, slots=True)
class Data:
    """The table, what of it is learnt from, and how it is divided."""

    table: Any
    frame: Frame
    outcomes: Outcomes
    parts: Parts

    @property
    def held_out(self) -> Indices:
        """What the model has not seen: the test part first, then the validation part."""
        return np.concatenate([self.parts.test, self.parts.validation])


def read_inputs(job: Job) -> Data:
    table = read_dataset(job.dataset, job.data, job.data_root)
    names = learnt_columns(job.spec.features, job.data)
    outcomes = read_outcomes(job.spec.task, job.data, table)
    _refuse_threshold(job, outcomes)
    parts = split_rows(job.spec.split, job.data, table, job.recipe.seed)
    refuse_unlearnable(outcomes, parts.train)
    ranking = _ranking(job, outcomes, parts)
    return Data(table, make_frame(names, job.data, table, ranking), outcomes, parts)


def _refuse_threshold(job: Job, outcomes: Outcomes) -> None:
    """A threshold parts two outcomes; what follows from more of them is the class itself."""
    if job.spec.decision is not None and outcomes.task != BINARY:
        given = f"{len(outcomes.classes)} outcomes" if outcomes.classes else f"a {outcomes.task}"
        message = f"decision: a threshold decides between two outcomes, and this is {given}"
        raise TrainingError(message, remedy="take out decision")


def _ranking(job: Job, outcomes: Outcomes, parts: Parts) -> tuple[Indices, Any] | None:
    """What levels are ranked by, where they are."""
    if job.spec.preprocessing.categorical.encode != "ordinal_by_target":
        return None
    if outcomes.task not in {BINARY, REGRESSION}:
        message = "preprocessing.categorical.encode: ordinal_by_target ranks by one outcome"
        raise TrainingError(message, remedy="use one_hot or ordinal")
    return parts.train, outcomes.values
