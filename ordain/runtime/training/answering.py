"""What a fitted estimator says of encoded rows, in the numbers that a plan gives for one.

The estimator is asked by its own methods, with one exception: the distance to a centre is computed
from the differences, because the library's own way (squares and a product) loses half of the
digits near the centre, where most rows are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.specs.tasks import BINARY, CLUSTERING, REGRESSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers for many rows, as `scoring.Scored` has them for one.

    `output` is of the shape (rows,), `scores` (rows, classes) with no column where there is one
    output only, and `chosen` the place of the class or cluster of each row, empty where none is
    chosen.
    """

    output: Floats
    scores: Floats
    chosen: Indices

    def at(self, positions: Indices) -> Answers:
        """The answers for these rows."""
        chosen = self.chosen[positions] if len(self.chosen) else self.chosen
        return Answers(self.output[positions], self.scores[positions], chosen)


def single(output: Floats) -> Answers:
    """Answers of one number each."""
    return Answers(output, np.empty((len(output), 0)), np.empty(0, dtype=np.int64))


def chosen_of(scores: Floats) -> Answers:
    """Answers that choose the class of the greatest probability, of equals the first."""
    chosen = np.argmax(scores, axis=1)
    return Answers(scores[np.arange(len(scores)), chosen], scores, chosen)


def answers_of(task: str, estimator: Any, encoded: Floats) -> Answers:  # noqa: ANN401 - the library's
    """Ask an estimator for its answers to encoded rows."""
    if task == REGRESSION:
        with np.errstate(over="ignore"):  # A value beyond the floats is infinite on both sides.
            return single(np.asarray(estimator.predict(encoded), dtype=np.float64))
    if task == CLUSTERING and hasattr(estimator, "cluster_centers_"):
        return _nearest(estimator, encoded)
    scores = np.asarray(estimator.predict_proba(encoded), dtype=np.float64)
    return single(scores[:, 1]) if task == BINARY else chosen_of(scores)


def _nearest(estimator: Any, encoded: Floats) -> Answers:  # noqa: ANN401 - sklearn's KMeans
    chosen = np.asarray(estimator.predict(encoded), dtype=np.int64)
    gaps = encoded - estimator.cluster_centers_[chosen]
    distances = np.sqrt(np.sum(gaps * gaps, axis=1))
    return Answers(distances, np.empty((len(encoded), 0)), chosen)
