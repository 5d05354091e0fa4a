"""The fitted estimator as the `model` of a plan.

The trees of histogram boosting are read from scikit-learn's private `_predictors`; `parity` proves
on every run that all of them were read rightly, so that a change of such internals stops training
and is never served. What the two boosting libraries keep in files of their own is read in
`export_boosters`.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.training import export_boosters
from ordain.runtime.training.export_trees import pruned, single_bound, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.runtime.training.pipeline import Fitted

Plain = dict[str, Any]


def export_model(fitted: Fitted) -> Plain:
    """The estimator as numbers."""
    if fitted.row.form == "forest":
        return _forest(fitted.estimator, fitted.task, len(fitted.classes) or 1)
    return _FORMS[fitted.row.form](fitted.estimator)


def _linear(estimator: Any) -> Plain:  # noqa: ANN401 - sklearn's
    return {
        "kind": "linear",
        "coefficients": np.atleast_2d(estimator.coef_).tolist(),
        "intercepts": np.atleast_1d(estimator.intercept_).astype(float).tolist(),
    }


def _boosting(estimator: Any) -> Plain:  # noqa: ANN401 - sklearn's
    return {
        "kind": "trees",
        "baselines": np.ravel(estimator._baseline_prediction).tolist(),  # noqa: SLF001 - see above
        "trees": [
            _histogram(predictor.nodes, output)
            for stage in estimator._predictors  # noqa: SLF001 - see above
            for output, predictor in enumerate(stage)
        ],
    }


def _histogram(nodes: Any, output: int) -> Plain:  # noqa: ANN401 - a structured array
    """A split that only parts missing from present values has an infinite threshold.

    The largest float says the same of every finite value, and JSON can say it.
    """
    leaf = nodes["is_leaf"].astype(bool)
    threshold = np.minimum(nodes["num_threshold"], sys.float_info.max)
    missing = nodes["missing_go_to_left"].astype(bool)
    arrays = (nodes["feature_idx"], threshold, nodes["left"], nodes["right"], missing)
    return tree_of(leaf, arrays, nodes["value"], output)


def _forest(estimator: Any, task: str, outputs: int) -> Plain:  # noqa: ANN401 - sklearn's
    """Each leaf holds its share of the mean over the trees, so that a sum is the answer."""
    members = getattr(estimator, "estimators_", None) or [estimator]
    return {
        "kind": "trees",
        "baselines": [0.0] * outputs,
        "trees": [
            _grown(member.tree_, value, output, len(members))
            for member in members
            for output, value in enumerate(_values(member.tree_, task))
        ],
    }


def _values(tree: Any, task: str) -> Any:  # noqa: ANN401 - arrays of the nodes, one per output
    """The value or probability of every node, for each output of the plan."""
    found = tree.value[:, 0, :]
    if task == "binary":
        return (found[:, 1] / found.sum(axis=1),)
    if task == "classification":
        return tuple((found / found.sum(axis=1, keepdims=True)).T)
    return (found[:, 0],)


def _grown(tree: Any, value: Any, output: int, members: int) -> Plain:  # noqa: ANN401 - sklearn's
    leaf = tree.children_left < 0
    threshold = single_bound(tree.threshold)
    missing = tree.missing_go_to_left.astype(bool)
    arrays = (tree.feature, threshold, tree.children_left, tree.children_right, missing)
    return pruned(tree_of(leaf, arrays, value / members, output))


def _mixture(estimator: Any) -> Plain:  # noqa: ANN401 - sklearn's
    """Factors and offsets; `models.MixtureModel` says what they are."""
    means, weights = estimator.means_, estimator.weights_
    count, width = means.shape
    factors = np.asarray(estimator.precisions_cholesky_)
    diagonal = estimator.covariance_type in {"diag", "spherical"}
    if estimator.covariance_type == "spherical":
        factors = np.repeat(factors[:, None], width, axis=1)
    if estimator.covariance_type == "tied":
        factors = np.repeat(factors[None], count, axis=0)
    scales = factors if diagonal else np.diagonal(factors, axis1=1, axis2=2)
    offsets = np.log(weights) + np.sum(np.log(scales), axis=1) - 0.5 * width * math.log(2 * math.pi)
    return {
        "kind": "mixture",
        "means": means.tolist(),
        "factors": [[row.tolist()] if diagonal else row.tolist() for row in factors],
        "offsets": offsets.tolist(),
        "diagonal": diagonal,
    }


def _centres(estimator: Any) -> Plain:  # noqa: ANN401 - sklearn's
    return {"kind": "centres", "centres": estimator.cluster_centers_.tolist()}


_FORMS: dict[str, Callable[[Any], Plain]] = {
    "linear": _linear,
    "log_linear": _linear,
    "boosting": _boosting,
    "lightgbm": export_boosters.lightgbm,
    "xgboost": export_boosters.xgboost,
    "centres": _centres,
    "mixture": _mixture,
}
