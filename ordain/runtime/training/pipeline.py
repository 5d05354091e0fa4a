"""The scikit-learn pipeline that a Model declares: the columns, and the estimator over them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from ordain.runtime.errors import TrainingError
from ordain.runtime.training.columns import fit_columns, monotone, takes_missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ordain.runtime.training.features import Floats, Frame
    from ordain.specs.kinds.model import Model, Training

ESTIMATORS: dict[str, type[Any]] = {
    "logistic_regression": LogisticRegression,
    "hist_gradient_boosting": HistGradientBoostingClassifier,
}
# What the job sets itself, or what would make the model something that a plan cannot say.
RESERVED = frozenset(
    {
        "categorical_features",
        "interaction_cst",
        "monotonic_cst",
        "multi_class",
        "n_jobs",
        "random_state",
        "verbose",
        "warm_start",
    }
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What training has learnt: transformers and estimator of scikit-learn, fitted."""

    names: tuple[str, ...]
    columns: Any
    estimator: Any
    boosting: bool

    def takes_missing(self, name: str) -> bool:
        """Whether the pipeline has an answer where this feature is missing."""
        return takes_missing(self.columns, self.names.index(name), boosting=self.boosting)

    def scores(self, matrix: Floats) -> Floats:
        """The probability of the positive outcome for each row of a `Frame` matrix."""
        found: Floats = self.estimator.predict_proba(self.columns.transform(matrix))[:, 1]
        return found


def refuse_undone(model: Model) -> Training:
    """The training block, once everything in it can really be done.

    Raises:
        TrainingError: for what the language can declare and this version cannot do.
    """
    training = model.training
    if model.task != "classification":
        raise _undone(f"task: {model.task}", "set task: classification")
    if training is None or (training.estimator is None and training.automl is None):
        message = "training: no estimator is declared"
        raise TrainingError(message, remedy="set training.estimator")
    if training.automl is not None:
        raise _undone("training.automl", "name one training.estimator")
    if training.calibrate is not None:
        raise _undone("training.calibrate", "take it out")
    return training


def _undone(what: str, remedy: str) -> TrainingError:
    return TrainingError(f"{what} cannot be trained by this version", remedy=remedy)


def fit(
    model: Model, frame: Frame, train: NDArray[np.int64], positive: NDArray[np.int64]
) -> Fitted:
    """Fit on the training rows alone.

    Raises:
        TrainingError: when the declaration does not fit the data or scikit-learn refuses it.
    """
    training = refuse_undone(model)
    boosting = training.estimator == "hist_gradient_boosting"
    matrix = frame.matrix[train]
    columns, encoded = fit_columns(model, frame, matrix, positive[train], boosting=boosting)
    estimator = _estimator(training, monotone(model, frame, columns, boosting=boosting))
    _fit_estimator(estimator, encoded, positive[train])
    return Fitted(frame.names, columns, estimator, boosting)


def _estimator(training: Training, monotone: list[int] | None) -> Any:  # noqa: ANN401 - sklearn's
    kind = ESTIMATORS[training.estimator or ""]
    known = kind().get_params().keys() - RESERVED
    for name in training.parameters:
        if name not in known:
            message = f"training.parameters: {training.estimator} has no parameter {name}"
            raise TrainingError(message, remedy=f"use one of {', '.join(sorted(known))}")
    settings: dict[str, Any] = {"random_state": training.seed, **training.parameters}
    if kind is LogisticRegression:
        settings = {"max_iter": 1000, **settings}
    if monotone is not None:
        settings["monotonic_cst"] = monotone
    return kind(**settings)


def _fit_estimator(estimator: Any, encoded: Floats, positive: NDArray[np.int64]) -> None:  # noqa: ANN401
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            estimator.fit(encoded, positive)
        except ConvergenceWarning as error:
            message = "training: logistic_regression did not converge"
            remedy = "raise training.parameters.max_iter, or lower C"
            raise TrainingError(message, remedy=remedy) from error
        except ValueError as error:
            message = f"training.parameters: {error}"
            raise TrainingError(message, remedy="correct training.parameters") from error
