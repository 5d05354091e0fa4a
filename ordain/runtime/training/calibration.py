"""A probability that is as often true as it says, learnt on the validation part.

Both ways are scikit-learn's, fitted on the margins that an estimator gives to rows which it has not
learnt from. `sigmoid` is a logistic regression on the margin, with the targets of Platt (1999,
"Probabilistic outputs for support vector machines", section 2.2), which no outcome makes certain.
`isotonic` is a rising function (Zadrozny and Elkan 2002). Its values stay between 1/(n+2) and
1-1/(n+2), the rule of succession for n rows: a share of 0 in some hundred rows is no proof that it
never happens, and a single such case later would cost an infinite log loss.

`CalibratedClassifierCV` was refused. It takes the probability where an estimator has no
`decision_function`, which bends the curve of LightGBM and XGBoost twice, cuts the rows into folds
that change nothing once an estimator is frozen, and stores private classes.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from ordain.runtime.errors import TrainingError
from ordain.specs.tasks import BINARY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordain.runtime.training.features import Floats, Frame, Indices
    from ordain.runtime.training.outcomes import Outcomes
    from ordain.runtime.training.pipeline import Fitted
    from ordain.specs.kinds.model import Model

Plain = dict[str, Any]

# Rows of the rarer outcome, and of both. A sigmoid has two parameters, and each needs some ten to
# twenty cases of the rarer outcome (Peduzzi et al. 1996). A step function has as many as it finds,
# and below a thousand rows it follows noise (Niculescu-Mizil and Caruana 2005).
FEWEST = {"sigmoid": (50, 100), "isotonic": (100, 1_000)}
# Margins of steps are multiples of this: a log-odds, or a probability where an estimator adds that
# up. Two that differ in the last digit would otherwise make a line so steep that a rounding error
# of a library in single precision is seen in the probability; between points it is a line anyway.
LOG_ODDS, PROBABILITY = 2.0**-4, 2.0**-7
_WHERE = "training.calibrate"
_MARGINS: dict[str, dict[str, bool]] = {
    "LGBMClassifier": {"raw_score": True},
    "XGBClassifier": {"output_margin": True},
}


class Calibrated(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """An estimator of two outcomes that is fitted already, and the calibration of its margin."""

    def __init__(self, estimator: Any, method: str) -> None:  # noqa: ANN401 - the library's
        self.estimator = estimator
        self.method = method

    def fit(self, encoded: Floats, outcomes: NDArray[Any]) -> Calibrated:
        """Learn the calibration; the estimator stays as it is."""
        margins = margins_of(self.estimator, encoded)
        self.classes_ = np.array([0, 1])
        if self.method == "sigmoid":
            self.calibrator_ = _fit_sigmoid(margins, np.asarray(outcomes))
        else:
            step = grid_of(self.estimator)
            self.calibrator_ = _fit_isotonic(np.round(margins / step) * step, np.asarray(outcomes))
        return self

    def predict_proba(self, encoded: Floats) -> Floats:
        """The share of each outcome, rows by two."""
        margins = margins_of(self.estimator, encoded)
        if self.method == "sigmoid":
            found: Floats = self.calibrator_.predict_proba(margins.reshape(-1, 1))
            return found
        shares = self.calibrator_.predict(margins)
        return np.column_stack([1.0 - shares, shares])

    def predict(self, encoded: Floats) -> NDArray[np.int64]:
        """The outcome that is as likely as not, or more."""
        return (self.predict_proba(encoded)[:, 1] >= 0.5).astype(np.int64)  # noqa: PLR2004 - a half

    def to_plain(self) -> Plain:
        """As the entry `calibration` of a plan."""
        found = self.calibrator_
        if self.method == "sigmoid":
            slope, intercept = float(found.coef_[0, 0]), float(found.intercept_[0])
            return {"method": "sigmoid", "slope": slope, "intercept": intercept}
        points = {"x": found.X_thresholds_.tolist(), "y": found.y_thresholds_.tolist()}
        return {"method": "isotonic", **points}

    @property
    def rises(self) -> bool:
        """Whether a greater margin ever gives a greater probability, and none a smaller one."""
        plain = self.to_plain()
        if self.method == "sigmoid":
            return bool(plain["slope"] > 0.0)
        return bool(plain["y"][0] < plain["y"][-1])


def margins_of(estimator: Any, encoded: Floats) -> Floats:  # noqa: ANN401 - the library's
    """What a plan of this estimator adds up for each row.

    The two boosting libraries give it by parameters of their own; a forest adds up the probability
    itself.
    """
    name = type(estimator).__name__
    if name in _MARGINS:
        found = estimator.predict(encoded, **_MARGINS[name])
    elif hasattr(estimator, "decision_function"):
        found = estimator.decision_function(encoded)
    else:
        found = estimator.predict_proba(encoded)[:, 1]
    return np.asarray(found, dtype=np.float64)


def grid_of(estimator: Any) -> float:  # noqa: ANN401 - the library's
    """What margins of this estimator are rounded to before steps are looked for."""
    in_log_odds = type(estimator).__name__ in _MARGINS or hasattr(estimator, "decision_function")
    return LOG_ODDS if in_log_odds else PROBABILITY


def refuse_uncalibrated(model: Model, outcomes: Outcomes, validation: Indices) -> None:
    """What can be seen before anything is fitted.

    Raises:
        TrainingError: when there is no probability of two outcomes, or too few rows to learn from.
    """
    method = None if model.training is None else model.training.calibrate
    if method is None:
        return
    if outcomes.task != BINARY:
        message = f"{_WHERE}: a {outcomes.task} gives no probability that could be calibrated"
        if outcomes.classes:
            message = f"{_WHERE} is of two outcomes, and there are {len(outcomes.classes)} classes"
        raise TrainingError(message, remedy="take it out, or group the classes into two")
    fewest, total = FEWEST[method]
    counts = np.bincount(outcomes.values[validation].astype(np.int64), minlength=2)
    if counts.min() < fewest or counts.sum() < total:
        message = (
            f"{_WHERE}: {method} takes {total:,} rows of the validation part, {fewest} of each "
            f"outcome, and it has {counts.sum():,}, {counts.min():,} of the rarer one"
        )
        other = "write sigmoid, " if method == "isotonic" else ""
        raise TrainingError(message, remedy=f"{other}widen split.validation, or take it out")


def calibrated(
    model: Model, fitted: Fitted, frame: Frame, validation: Indices, outcomes: Outcomes
) -> Fitted:
    """The same, with the declared calibration learnt on these rows; without one as it is.

    Raises:
        TrainingError: when it is not to be learnt from them.
    """
    method = None if model.training is None else model.training.calibrate
    if method is None:
        return fitted
    encoded = np.asarray(fitted.columns.transform(frame.matrix[validation]), dtype=np.float64)
    made = Calibrated(fitted.estimator, method)
    known = outcomes.values[validation]
    if np.ptp(margins_of(fitted.estimator, encoded)) == 0.0 or not made.fit(encoded, known).rises:
        message = (
            f"{_WHERE}: in the validation part the outcome is not seen more often where the model "
            "gives it a higher probability"
        )
        raise TrainingError(message, remedy="take it out, and look at what the model has learnt")
    return replace(fitted, calibrated=made)


def _fit_sigmoid(margins: Floats, outcomes: NDArray[Any]) -> Any:  # noqa: ANN401 - sklearn's
    """Platt's targets are shares: each row is there twice, once with either outcome, by share."""
    positive = outcomes == 1
    high = (positive.sum() + 1.0) / (positive.sum() + 2.0)
    low = 1.0 / ((~positive).sum() + 2.0)
    targets = np.where(positive, high, low)
    twice = np.concatenate([margins, margins]).reshape(-1, 1)
    sides = np.repeat([1, 0], len(margins))
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(twice, sides, sample_weight=np.concatenate([targets, 1.0 - targets]))
        except ConvergenceWarning as error:
            message = f"{_WHERE}: sigmoid finds no curve through these margins"
            raise TrainingError(message, remedy="write isotonic, or take it out") from error
    return model


def _fit_isotonic(margins: Floats, outcomes: NDArray[Any]) -> Any:  # noqa: ANN401 - sklearn's
    least = 1.0 / (len(outcomes) + 2.0)
    model = IsotonicRegression(y_min=least, y_max=1.0 - least, out_of_bounds="clip")
    return model.fit(margins, outcomes.astype(np.float64))
