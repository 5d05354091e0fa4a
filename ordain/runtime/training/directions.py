"""Directions of the Dataset (`monotone` of a column) in models that cannot be held to one.

Trees and boosting are given directions before they learn. A linear model has one sign for each
number, which is learnt: it keeps a direction or it does not, and one look at the fitted numbers
tells. What a number is made of by curves or products has no one sign, and is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ordain.runtime.errors import TrainingError
from ordain.runtime.training.columns import kept_of, width_of
from ordain.specs.preprocessing import LINEAR
from ordain.specs.searches import directions
from ordain.specs.tasks import CLUSTERING

if TYPE_CHECKING:
    from ordain.runtime.training.features import Frame
    from ordain.specs.kinds.model import Model

_SIGNS: Final = {"increasing": 1.0, "decreasing": -1.0}


def refuse_opposed(
    model: Model,
    frame: Frame,
    columns: Any,  # noqa: ANN401 - sklearn's Pipeline
    estimator: Any,  # noqa: ANN401 - the library's
    *,
    classes: int,
) -> None:
    """Refuse a linear model that has learnt another direction than the Dataset declares.

    Raises:
        TrainingError: naming the feature.
    """
    named = None if model.training is None else model.training.estimator
    declared = directions(model, dict(zip(frame.names, frame.columns, strict=True)))
    if not declared or named not in LINEAR or model.task == CLUSTERING:
        return
    remedy = "train an estimator that takes directions, or correct the Dataset"
    mixed = {name for pair in model.preprocessing.interactions for name in pair}
    encode, kept = columns.named_steps["encode"], kept_of(columns)
    learnt = np.ravel(estimator.coef_)
    for name, direction in declared.items():
        piece = encode.output_indices_[str(frame.names.index(name))]
        wide = width_of(encode, str(frame.names.index(name))) != 1
        if classes or wide or name in mixed:
            message = f"feature {name} is declared {direction}, which {named} cannot show here"
            raise TrainingError(message, remedy=remedy)
        place = piece.start if kept is None else _place(kept, piece.start)
        if place is not None and learnt[place] * _SIGNS[direction] < 0.0:
            message = f"feature {name} is declared {direction}, and {named} has learnt the opposite"
            raise TrainingError(message, remedy=remedy)


def _place(kept: list[int], column: int) -> int | None:
    """Where an encoded column stands after selection; None where it was not kept."""
    return kept.index(column) if column in kept else None
