"""What kinds of output there are, which estimator gives which, and what each is measured by.

The language, training and policies ask the same questions: can this estimator do this task, and is
this metric one of it? The answers stand here, below all three, so that a document which passes the
check is never refused by training for such a reason. Two classes and more than two are one task in
the language, because which of them it is, is a fact of the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.specs.kinds.model import Model

BINARY: Final = "binary"
CLASSIFICATION: Final = "classification"
REGRESSION: Final = "regression"
CLUSTERING: Final = "clustering"
TASKS: Final = (CLASSIFICATION, REGRESSION, CLUSTERING)

_BOTH: Final = (CLASSIFICATION, REGRESSION)
ESTIMATORS: Final[dict[str, tuple[str, ...]]] = {
    "logistic_regression": (CLASSIFICATION,),
    "linear_regression": (REGRESSION,),
    "ridge": (REGRESSION,),
    "lasso": (REGRESSION,),
    "elastic_net": (REGRESSION,),
    "poisson": (REGRESSION,),
    "gamma": (REGRESSION,),
    "decision_tree": _BOTH,
    "random_forest": _BOTH,
    "extra_trees": _BOTH,
    "hist_gradient_boosting": _BOTH,
    "kmeans": (CLUSTERING,),
    "gaussian_mixture": (CLUSTERING,),
    "lightgbm": _BOTH,
    "xgboost": _BOTH,
}
# Those that can hold the output to a direction (`preprocessing.numeric.monotone`).
DIRECTED: Final = frozenset(
    {
        "decision_tree",
        "random_forest",
        "extra_trees",
        "hist_gradient_boosting",
        "lightgbm",
        "xgboost",
    }
)
# The distribution that an extra installs, where an estimator is not one of scikit-learn.
LIBRARIES: Final = {"lightgbm": ("lightgbm",), "xgboost": ("xgboost-cpu", "xgboost")}
# What proposes the trials of a search is an extra as well, of the name of its field.
SEARCH: Final = "automl"
EXTRAS: Final = {**LIBRARIES, SEARCH: ("optuna",)}

# The first of each is what a reader looks at first.
METRICS: Final[dict[str, tuple[str, ...]]] = {
    CLASSIFICATION: (
        "roc_auc",
        "log_loss",
        "brier",
        "accuracy",
        "ece",
        "balanced_accuracy",
        "macro_f1",
    ),
    REGRESSION: ("rmse", "mae", "r2"),
    CLUSTERING: ("silhouette", "davies_bouldin", "stability"),
}


def estimators_of(task: str) -> tuple[str, ...]:
    """The estimators that can do a task, in the order of the table."""
    return tuple(name for name, tasks in ESTIMATORS.items() if task in tasks)


def directed_of(task: str) -> tuple[str, ...]:
    """The estimators of a task that can hold the output to a direction."""
    return tuple(name for name in estimators_of(task) if name in DIRECTED)


def estimators_named(models: Iterable[Model]) -> frozenset[str]:
    """What these models are trained by: estimators, those of searches too, and `automl` itself."""
    trainings = [model.training for model in models if model.training is not None]
    found = {one.estimator for one in trainings if one.estimator}
    searches = [one.automl for one in trainings if one.automl is not None]
    names = {name for one in searches for name in one.families}
    # What proposes the trials decides on the artifact as much as what is fitted.
    return frozenset(found | (names & LIBRARIES.keys()) | ({SEARCH} if searches else set()))
