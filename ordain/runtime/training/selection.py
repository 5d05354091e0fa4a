"""Which encoded columns stay: scores of scikit-learn, fitted on the training part alone.

scikit-learn's SelectKBest keeps the later of two columns with equal scores. Here the earlier one
stays, which is what a reader expects of an order, and the scores are its own.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_selection import (
    f_classif,
    f_regression,
    mutual_info_classif,
    mutual_info_regression,
)

from ordain.runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ordain.runtime.training.features import Floats
    from ordain.specs.kinds.model import Model, Selection


def keep_columns(
    model: Model, encoded: Floats, outcomes: NDArray[Any] | None, discrete: Sequence[bool]
) -> list[int] | None:
    """Places of the columns that stay, ascending; None where no selection is declared.

    `discrete` marks columns of codes and indicators, for which mutual information counts and does
    not estimate.

    Raises:
        TrainingError: when more columns are to be kept than there are, or they cannot be ranked.
    """
    declared = model.features.select
    if declared is None:
        return None
    width = encoded.shape[1]
    if declared.keep > width:
        message = f"features.select.keep: {declared.keep} columns are to be kept of {width}"
        raise TrainingError(message, remedy=f"set features.select.keep to {width} or less")
    scores = _scores(model, declared, encoded, outcomes, np.array(discrete))
    ranked = np.argsort(np.where(np.isnan(scores), np.inf, -scores), kind="stable")
    return sorted(int(place) for place in ranked[: declared.keep])


def _scores(
    model: Model,
    declared: Selection,
    encoded: Floats,
    outcomes: NDArray[Any] | None,
    discrete: NDArray[np.bool_],
) -> Floats:
    if declared.method == "variance" or outcomes is None:
        return np.asarray(np.nanvar(encoded, axis=0), dtype=np.float64)
    if np.isnan(encoded).any():
        message = f"features.select: {declared.method} cannot rank columns with missing values"
        remedy = "set preprocessing.numeric.impute, and categorical.encode to one_hot or target"
        raise TrainingError(message, remedy=remedy)
    classes = model.task == "classification"
    if declared.method == "anova":
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", UserWarning)  # A constant column is ranked last.
            found = (f_classif if classes else f_regression)(encoded, outcomes)[0]
    else:
        score = mutual_info_classif if classes else mutual_info_regression
        seed = 0 if model.training is None else model.training.seed
        found = score(encoded, outcomes, discrete_features=discrete, random_state=seed)
    return np.asarray(found, dtype=np.float64)
