"""What a search (`training.automl`) tries for each task, and what of it can be wrong without data.

A family is an estimator together with the way in which the columns are prepared for it, so that
`logistic_spline` and `logistic_regression` are one estimator and two families. The check of
documents and training ask here, so that a search which passes the check is never refused later for
such a reason.

Where there is an outcome, the plain linear candidate is tried in every search, also where no family
names it and where curves are named: on few rows curves learn noise and little is better than lines,
and on many rows it says what the rest has to be worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.specs.tasks import CLASSIFICATION, CLUSTERING, DIRECTED, METRICS, REGRESSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.specs.kinds.dataset import Column
    from ordain.specs.kinds.model import AutoML, Model, Training

# By task, the simplest first: of two equal trials the one of the simpler family is chosen.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    CLASSIFICATION: (
        "logistic_regression",
        "logistic_spline",
        "hist_gradient_boosting",
        "lightgbm",
        "xgboost",
        "extra_trees",
    ),
    REGRESSION: (
        "ridge",
        "ridge_spline",
        "hist_gradient_boosting",
        "lightgbm",
        "xgboost",
        "extra_trees",
    ),
    CLUSTERING: ("kmeans", "gaussian_mixture"),
}
_ESTIMATORS: Final = {"logistic_spline": "logistic_regression", "ridge_spline": "ridge"}
LINEAR: Final = {CLASSIFICATION: "logistic_regression", REGRESSION: "ridge"}
SPLINES: Final = frozenset(_ESTIMATORS)
_DEFAULT_METRIC: Final = {CLASSIFICATION: "log_loss", REGRESSION: "rmse"}
K_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class SearchProblem:
    """`path` leads from `spec.training.automl` to the field."""

    code: str
    path: tuple[str | int, ...]
    message: str
    remedy: str


def estimator_of_family(family: str) -> str:
    """The estimator that a family is fitted by."""
    return _ESTIMATORS.get(family, family)


def families_of(
    model: Model, automl: AutoML, *, directed: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The families that are tried, the simplest first, and those that are left out.

    `directed` says that a feature has a direction, which only some estimators can be held to.
    """
    declared: set[str] = set(automl.families)
    wanted: list[str] = [name for name in FAMILIES[model.task] if name in declared]
    linear = LINEAR.get(model.task)
    if linear is not None and linear not in declared:
        wanted.insert(0, linear)
    if not directed:
        return tuple(wanted), ()
    kept = tuple(name for name in wanted if estimator_of_family(name) in DIRECTED)
    return kept, tuple(name for name in wanted if name not in kept)


def metric_of(model: Model, automl: AutoML) -> str:
    """The metric that ranks the trials; empty for a clustering."""
    return automl.metric or _DEFAULT_METRIC.get(model.task, "")


def training_of(model: Model) -> Training:
    """How a Model is trained.

    Raises:
        TypeError: for one that is not.
    """
    if model.training is None:
        raise TypeError(model)
    return model.training


def automl_of(model: Model) -> AutoML:
    """What a Model searches for.

    Raises:
        TypeError: for one that names an estimator.
    """
    automl = training_of(model).automl
    if automl is None:
        raise TypeError(model)
    return automl


def directions(model: Model, features: Mapping[str, Column]) -> dict[str, str]:
    """The direction of every feature that has one: that of the Model, else that of the Dataset."""
    schema = {
        name: column.monotone for name, column in features.items() if column.monotone is not None
    }
    return {**schema, **model.preprocessing.numeric.monotone}


def search_problems(model: Model) -> Iterator[SearchProblem]:
    """What keeps the search of a Model from being done, as far as the Model alone tells."""
    automl = None if model.training is None else model.training.automl
    if model.training is None or automl is None:
        return
    yield from _families(model.task, automl)
    yield from _metric(model.task, automl)
    yield from _unused(model.task, automl)
    if model.training.parameters:
        message = "`parameters` are those of an estimator, and a search chooses them"
        remedy = "take `parameters` out, or name one `estimator`"
        yield SearchProblem("SPEC153", ("..", "parameters"), message, remedy)


def _families(task: str, automl: AutoML) -> Iterator[SearchProblem]:
    for place, name in enumerate(automl.families):
        if name not in FAMILIES[task]:
            message = f"`{name}` does no {task}"
            remedy = f"use families of {', '.join(FAMILIES[task])}"
            yield SearchProblem("SPEC152", ("families", place), message, remedy)
        elif name in automl.families[:place]:
            message = f"`{name}` is named twice"
            yield SearchProblem("SPEC152", ("families", place), message, "name each family once")


def _metric(task: str, automl: AutoML) -> Iterator[SearchProblem]:
    if automl.metric is None:
        return
    if task == CLUSTERING:
        message = "a search for clusters is ranked by no metric: stability and a null test decide"
        yield SearchProblem("SPEC150", ("metric",), message, "take `metric` out")
    elif automl.metric not in METRICS[task]:
        message = f"`{automl.metric}` is no metric of a {task}"
        remedy = f"use one of {', '.join(METRICS[task])}"
        yield SearchProblem("SPEC150", ("metric",), message, remedy)


def _unused(task: str, automl: AutoML) -> Iterator[SearchProblem]:
    """Settings of what is not searched for, which somebody would read and nobody would follow."""
    if automl.k_max is not None and task != CLUSTERING:
        message = f"`kMax` counts clusters, and this is a {task}"
        yield SearchProblem("SPEC153", ("kMax",), message, "take `kMax` out")
    if automl.alternatives is not None and task != CLASSIFICATION:
        message = f"alternatives are compared by their decisions, and a {task} makes none"
        yield SearchProblem("SPEC153", ("alternatives",), message, "take `alternatives` out")
