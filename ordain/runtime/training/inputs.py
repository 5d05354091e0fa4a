"""What a job learns from: the table, its frame and its parts, made and refused in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.labels import labels_of
from ordain.runtime.errors import TrainingError
from ordain.runtime.training.features import Frame, learnt_columns, make_frame
from ordain.runtime.training.leaks import refuse_leaks
from ordain.runtime.training.maturity import check_trend
from ordain.runtime.training.outcomes import Outcomes, read_outcomes, refuse_unlearnable
from ordain.runtime.training.soundness import refuse_few
from ordain.runtime.training.splits import Parts, split_rows
from ordain.specs.tasks import BINARY, CLUSTERING, REGRESSION

if TYPE_CHECKING:
    from ordain.runtime.training.features import Indices
    from ordain.runtime.training.order import Job


@dataclass(frozen=True, slots=True)
class Data:
    """The table, what of it is learnt from, and how it is divided.

    `trend` is what has to be said of the outcomes of the newest rows, if anything.
    """

    table: Any
    frame: Frame
    outcomes: Outcomes
    parts: Parts
    trend: str = ""

    @property
    def held_out(self) -> Indices:
        """What the model has not seen: the test part first, then the validation part.

        Cases without an outcome are among them, as they are among those that are served.
        """
        return np.concatenate([self.parts.population(part) for part in ("test", "validation")])


def read_inputs(job: Job, table: Any) -> Data:  # noqa: ANN401 - pa.Table
    names = learnt_columns(job.spec.features, job.data)
    labels = labels_of(job.data, table)
    outcomes = read_outcomes(job.spec.task, job.data, table, labels.known)
    _refuse_threshold(job, outcomes)
    parts = split_rows(job.spec.split, job.data, table, job.recipe.seed, labels)
    refuse_few(parts)
    refuse_unlearnable(outcomes, parts.train)
    frame = make_frame(names, job.data, table, _ranking(job, outcomes, parts))
    learnt = None if outcomes.task == CLUSTERING else outcomes.values
    regression = outcomes.task == REGRESSION
    refuse_leaks(job.data, names, table, learnt, parts.train, regression=regression)
    trend = check_trend(job.data, table, outcomes.values, labels)
    return Data(table, frame, outcomes, parts, trend)


def reframed(job: Job, data: Data) -> Data:
    """The data as another Model of the same rows sees them: other features, other ranks."""
    ranking = _ranking(job, data.outcomes, data.parts)
    names = learnt_columns(job.spec.features, job.data)
    return replace(data, frame=make_frame(names, job.data, data.table, ranking))


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
