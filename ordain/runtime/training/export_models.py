"""The fitted estimator as the `model` of a plan.

The trees are read from scikit-learn's private `_predictors`; `parity` proves on every run that they
were read rightly, so that a change of these internals stops training and is never served.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ordain.runtime.training.pipeline import Fitted

Plain = dict[str, Any]


def export_model(fitted: Fitted) -> Plain:
    """The estimator as numbers."""
    return _trees(fitted.estimator) if fitted.boosting else _linear(fitted.estimator)


def _linear(estimator: Any) -> Plain:  # noqa: ANN401 - sklearn's
    return {
        "kind": "linear",
        "coefficients": [float(value) for value in estimator.coef_[0]],
        "intercept": float(estimator.intercept_[0]),
    }


def _trees(estimator: Any) -> Plain:  # noqa: ANN401 - sklearn's
    return {
        "kind": "trees",
        "baseline": float(estimator._baseline_prediction.ravel()[0]),  # noqa: SLF001 - see above
        "trees": [_tree(stage[0].nodes) for stage in estimator._predictors],  # noqa: SLF001
    }


def _tree(nodes: Any) -> Plain:  # noqa: ANN401 - a structured array
    """Parallel arrays of one tree; what a leaf does not use is zero.

    A split that only parts missing from present values has an infinite threshold. The largest
    float says the same of every finite value, and JSON can say it.
    """
    leaf = nodes["is_leaf"].astype(bool)
    largest = sys.float_info.max
    threshold = np.minimum(nodes["num_threshold"], largest)
    return {
        "feature": np.where(leaf, -1, nodes["feature_idx"]).astype(int).tolist(),
        "threshold": np.where(leaf, 0.0, threshold).tolist(),
        "left": np.where(leaf, 0, nodes["left"]).astype(int).tolist(),
        "right": np.where(leaf, 0, nodes["right"]).astype(int).tolist(),
        "missing_left": (~leaf & nodes["missing_go_to_left"].astype(bool)).tolist(),
        "value": np.where(leaf, nodes["value"], 0.0).tolist(),
    }
