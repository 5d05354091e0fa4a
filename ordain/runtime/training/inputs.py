"""What a job learns from: the table, its frame and its parts, made and refused in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import TrainingError
from ordain.runtime.training import evaluation
from ordain.runtime.training.features import Frame, learnt_columns, make_frame, outcomes
from ordain.runtime.training.splits import Parts, split_rows

if TYPE_CHECKING:
    from ordain.runtime.training.features import Indices
    from ordain.runtime.training.order import Job


@dataclass(frozen=True, slots=True)
class Data:
    """The table, what of it is learnt from, and how it is divided."""

    table: Any
    frame: Frame
    positive: Indices
    parts: Parts

    @property
    def held_out(self) -> Indices:
        """What the model has not seen: the test part first, then the validation part."""
        return np.concatenate([self.parts.test, self.parts.validation])


def read_inputs(job: Job, table: Any) -> Data:  # noqa: ANN401 - pa.Table
    names = learnt_columns(job.spec.features, job.data)
    positive = outcomes(job.data, table)
    parts = split_rows(job.spec.split, job.data, table, job.recipe.seed)
    ranked = job.spec.preprocessing.categorical.encode == "ordinal_by_target"
    frame = make_frame(names, job.data, table, (parts.train, positive) if ranked else None)
    if len(np.unique(positive[parts.train])) < evaluation.OUTCOMES:
        message = "split: all rows of the training part have the same outcome"
        raise TrainingError(message, remedy="widen split.train")
    return Data(table, frame, positive, parts)
