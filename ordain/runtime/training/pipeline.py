"""The scikit-learn pipeline that a Model declares: the columns, and the estimator over them."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import InvalidParameterError

from ordain.runtime.errors import TrainingError
from ordain.runtime.training.answering import Answers, answers_of
from ordain.runtime.training.columns import fit_columns, monotone, takes_missing
from ordain.runtime.training.directions import refuse_opposed
from ordain.runtime.training.estimators import (
    Estimator,
    estimator_of,
    link_of,
    make,
    objective_of,
)
from ordain.runtime.training.outcomes import refuse_outside
from ordain.specs.tasks import REGRESSION

if TYPE_CHECKING:
    from ordain.runtime.training.features import Floats, Frame, Indices
    from ordain.runtime.training.outcomes import Outcomes
    from ordain.specs.kinds.model import Model, Training

# Where in its own sources a library was: XGBoost says it before its messages, LightGBM after them.
_PLACE = re.compile(r"^\[\d\d:\d\d:\d\d\] \S+:\d+: | at \S+, line \d+ \.$")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What training has learnt: transformers and estimator, fitted, and what the numbers mean.

    `classes` are the names of more than two classes, or of clusters; `positive` is the name of the
    one of two outcomes whose probability is given, `negative` of the other. `calibrated`
    is the estimator with its calibration, where one is declared.
    """

    names: tuple[str, ...]
    columns: Any
    estimator: Any
    row: Estimator
    task: str
    classes: tuple[str, ...]
    link: str
    positive: str = ""
    calibrated: Any = None
    negative: str = ""

    @property
    def whole(self) -> Any:  # noqa: ANN401 - the library's
        """What answers: the estimator, or that with its calibration."""
        return self.estimator if self.calibrated is None else self.calibrated

    @property
    def trees(self) -> bool:
        """Whether the estimator splits on ranks, and takes missing values as they are."""
        return self.row.trees

    def takes_missing(self, name: str) -> bool:
        """Whether the pipeline has an answer where this feature is missing."""
        return takes_missing(self.columns, self.names.index(name), trees=self.trees)

    def answers(self, matrix: Floats) -> Answers:
        """What the pipeline says of each row of a `Frame` matrix."""
        encoded = np.asarray(self.columns.transform(matrix), dtype=np.float64)
        return answers_of(self.task, self.whole, encoded)

    def scores(self, matrix: Floats) -> Floats:
        """The output for each row of a `Frame` matrix: a probability, a value or a distance."""
        return self.answers(matrix).output


def refuse_undone(model: Model) -> Training:
    """The training block, once everything in it can be done; a search names its estimator later.

    Raises:
        TrainingError: for what the language can declare and this version cannot do.
    """
    training = model.training
    if training is None or (training.estimator is None and training.automl is None):
        message = "training: no estimator is declared"
        raise TrainingError(message, remedy="set training.estimator")
    if training.automl is None:
        estimator_of(model)
    return training


def fit(model: Model, frame: Frame, train: Indices, outcomes: Outcomes) -> Fitted:
    """Fit on the training rows alone.

    Raises:
        TrainingError: when the declaration does not fit the data or the library refuses it.
    """
    training = refuse_undone(model)
    row = estimator_of(model)
    matrix, learnt = frame.matrix[train], outcomes.values[train]
    known = None if row.makes_clusters else learnt
    columns, encoded = fit_columns(model, frame, matrix, known, trees=row.trees)
    signs = monotone(model, frame, columns, classes=len(outcomes.classes))
    estimator = make(row, training, outcomes, signs)
    if outcomes.task == REGRESSION:
        refuse_outside(objective_of(row, training), learnt)
    fit_estimator(row, estimator, encoded, learnt)
    refuse_opposed(model, frame, columns, estimator, classes=len(outcomes.classes))
    classes = _clusters(estimator) if row.makes_clusters else outcomes.classes
    link = link_of(row, training, outcomes)
    return Fitted(
        frame.names,
        columns,
        estimator,
        row,
        outcomes.task,
        classes,
        link,
        outcomes.positive,
        negative=outcomes.negative,
    )


def _clusters(estimator: Any) -> tuple[str, ...]:  # noqa: ANN401 - the library's
    """Names of clusters: they have none of their own."""
    settings = estimator.get_params()
    count = settings.get("n_clusters") or settings["n_components"]
    return tuple(f"cluster-{number}" for number in range(1, count + 1))


def fit_estimator(row: Estimator, estimator: Any, encoded: Floats, learnt: Any) -> None:  # noqa: ANN401
    """Fit, with what the library says against it as an error of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            estimator.fit(encoded) if row.makes_clusters else estimator.fit(encoded, learnt)
        except ConvergenceWarning as error:
            message = f"training: {row.name} did not converge"
            raise TrainingError(message, remedy=row.remedy) from error
        except row.problems() as error:
            raise refused_by(row, error) from error


def refused_by(row: Estimator, error: Exception) -> TrainingError:
    """What a library says against its parameters, or against the rows that it was given.

    Only the first line is kept, without the clock and the place in the sources.
    """
    said = _PLACE.sub("", (str(error).strip().splitlines() or [type(error).__name__])[0].strip())
    if isinstance(error, InvalidParameterError):
        return TrainingError(f"training.parameters: {said}", remedy="correct training.parameters")
    remedy = "look at the rows of the training part, or change training.parameters"
    return TrainingError(f"training: {row.name} cannot learn this: {said}", remedy=remedy)
