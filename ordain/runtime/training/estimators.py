"""The estimators by the name that a Model declares: what makes them, and what may be set.

Each row says which class of which library is fitted for which task, with which settings, and in
which form a plan holds the result. What is not in a row cannot be set: the job itself decides on
seed, threads and the order of columns, and a parameter that would make a model that a plan cannot
say is unknown here. Parameters are the scalars of a YAML document, so that nothing that can be
called ever reaches a library; where text is taken, it is one of the library's own words.

Settings differ from the library's own where its own are not repeatable or not bounded: early
stopping, which draws a part of its own from the rows, is off unless declared; forests stop at a
number of leaves, because fully grown ones of 20,000 rows fill tens of megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.errors import TrainingError
from ordain.specs.tasks import CLASSIFICATION, CLUSTERING, ESTIMATORS, REGRESSION, estimators_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.runtime.training.outcomes import Outcomes
    from ordain.specs.kinds.model import Model, Training

# What the job sets itself, or what would make the model something that a plan cannot say.
RESERVED: Final = frozenset(
    {
        "categorical_features",
        "copy_X",
        "copy_x",
        "interaction_cst",
        "means_init",
        "monotonic_cst",
        "multi_class",
        "n_jobs",
        "oob_score",
        "precisions_init",
        "precompute",
        "random_state",
        "scoring",
        "verbose",
        "verbose_interval",
        "warm_start",
        "weights_init",
    }
)
LEAVES: Final = 500
_SEEDED: Final = "random_state"
_MORE: Final = "raise training.parameters.max_iter, or {}"


@dataclass(frozen=True, slots=True)
class Estimator:
    """One row of the registry.

    `makes` names the class by task; `form` is what a plan makes of it; `parameters` are what may
    be set, by default all that the class has but `RESERVED`; `monotone` is the parameter that takes
    directions; `words` limits what a parameter may say, by task.
    """

    name: str
    makes: Mapping[str, str]
    form: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    parameters: frozenset[str] | None = None
    monotone: str | None = None
    words: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    remedy: str = _MORE.format("scale the features")

    @property
    def trees(self) -> bool:
        """Whether it splits on ranks: it takes missing values as they are and needs no scaling."""
        return self.form in {"boosting", "forest", "lightgbm", "xgboost"}

    @property
    def makes_clusters(self) -> bool:
        """Whether it learns from no outcome."""
        return CLUSTERING in self.makes

    def problems(self) -> tuple[type[Exception], ...]:
        """What the library raises for settings that it cannot use."""
        if self.form != "lightgbm":
            return (ValueError,)
        found: type[Exception] = import_module("lightgbm.basic").LightGBMError
        return ValueError, found


_LINEAR: Final = "sklearn.linear_model:"
_FOREST: Final = {"max_leaf_nodes": LEAVES}
_BOOSTED: Final = frozenset(
    {
        "colsample_bytree",
        "learning_rate",
        "max_depth",
        "n_estimators",
        "objective",
        "reg_alpha",
        "reg_lambda",
        "subsample",
    }
)
_LIGHTGBM: Final = frozenset(
    {
        "class_weight",
        "min_child_samples",
        "min_child_weight",
        "min_split_gain",
        "num_leaves",
        "subsample_for_bin",
        "subsample_freq",
    }
)
_XGBOOST: Final = frozenset(
    {
        "colsample_bylevel",
        "colsample_bynode",
        "gamma",
        "grow_policy",
        "max_bin",
        "max_delta_step",
        "max_leaves",
        "min_child_weight",
        "scale_pos_weight",
    }
)


def _forest(name: str, stem: str, module: str) -> Estimator:
    makes = {
        CLASSIFICATION: f"sklearn.{module}:{stem}Classifier",
        REGRESSION: f"sklearn.{module}:{stem}Regressor",
    }
    return Estimator(name, makes, "forest", settings=_FOREST, monotone="monotonic_cst")


def _regressor(name: str, stem: str, form: str = "linear", **more: Any) -> Estimator:  # noqa: ANN401
    return Estimator(name, {REGRESSION: f"{_LINEAR}{stem}"}, form, **more)


# The objectives of each library that a plan can say, with the link that each of them has.
_LIGHTGBM_WORDS: Final = {
    CLASSIFICATION: {"objective": {"binary": "logit", "multiclass": "softmax"}},
    REGRESSION: {
        "objective": {
            "regression": "identity",
            "regression_l1": "identity",
            "huber": "identity",
            "fair": "identity",
            "quantile": "identity",
            "mape": "identity",
            "poisson": "log",
            "gamma": "log",
            "tweedie": "log",
        }
    },
}
_XGBOOST_WORDS: Final = {
    CLASSIFICATION: {"objective": {"binary:logistic": "logit", "multi:softprob": "softmax"}},
    REGRESSION: {
        "objective": {
            "reg:squarederror": "identity",
            "reg:absoluteerror": "identity",
            "reg:pseudohubererror": "identity",
            "count:poisson": "log",
            "reg:gamma": "log",
            "reg:tweedie": "log",
        }
    },
}
_HISTOGRAM_WORDS: Final = {
    CLASSIFICATION: {"loss": {"log_loss": "logit"}},
    REGRESSION: {
        "loss": {
            "squared_error": "identity",
            "absolute_error": "identity",
            "quantile": "identity",
            "gamma": "log",
            "poisson": "log",
        }
    },
}

REGISTRY: Final[dict[str, Estimator]] = {
    row.name: row
    for row in (
        Estimator(
            "logistic_regression",
            {CLASSIFICATION: f"{_LINEAR}LogisticRegression"},
            "linear",
            settings={"max_iter": 1000},
            remedy=_MORE.format("lower C"),
        ),
        _regressor("linear_regression", "LinearRegression"),
        _regressor("ridge", "Ridge"),
        _regressor("lasso", "Lasso", settings={"max_iter": 10_000}),
        _regressor("elastic_net", "ElasticNet", settings={"max_iter": 10_000}),
        _regressor("poisson", "PoissonRegressor", "log_linear", settings={"max_iter": 1000}),
        _regressor("gamma", "GammaRegressor", "log_linear", settings={"max_iter": 1000}),
        _forest("decision_tree", "DecisionTree", "tree"),
        _forest("random_forest", "RandomForest", "ensemble"),
        _forest("extra_trees", "ExtraTrees", "ensemble"),
        Estimator(
            "hist_gradient_boosting",
            {
                CLASSIFICATION: "sklearn.ensemble:HistGradientBoostingClassifier",
                REGRESSION: "sklearn.ensemble:HistGradientBoostingRegressor",
            },
            "boosting",
            settings={"early_stopping": False},
            monotone="monotonic_cst",
            words=_HISTOGRAM_WORDS,
        ),
        Estimator(
            "kmeans",
            {CLUSTERING: "sklearn.cluster:KMeans"},
            "centres",
            settings={"n_init": 10},
            remedy="lower training.parameters.n_clusters, or raise max_iter",
        ),
        Estimator(
            "gaussian_mixture",
            {CLUSTERING: "sklearn.mixture:GaussianMixture"},
            "mixture",
            settings={"n_components": 2, "max_iter": 500},
            remedy=_MORE.format("lower n_components"),
        ),
        Estimator(
            "lightgbm",
            {CLASSIFICATION: "lightgbm:LGBMClassifier", REGRESSION: "lightgbm:LGBMRegressor"},
            "lightgbm",
            settings={
                "n_jobs": 1,
                "deterministic": True,
                "force_row_wise": True,
                "verbosity": -1,
            },
            parameters=_BOOSTED | _LIGHTGBM,
            monotone="monotone_constraints",
            words=_LIGHTGBM_WORDS,
        ),
        Estimator(
            "xgboost",
            {CLASSIFICATION: "xgboost:XGBClassifier", REGRESSION: "xgboost:XGBRegressor"},
            "xgboost",
            settings={"n_jobs": 1, "tree_method": "hist", "booster": "gbtree", "verbosity": 0},
            parameters=_BOOSTED | _XGBOOST,
            monotone="monotone_constraints",
            words=_XGBOOST_WORDS,
        ),
    )
}


def estimator_of(model: Model) -> Estimator:
    """The row of the estimator that a Model declares.

    Raises:
        TrainingError: when none is declared, or it cannot do the task.
    """
    name = model.training.estimator if model.training is not None else None
    if name is None:
        message = "training: no estimator is declared"
        raise TrainingError(message, remedy="set training.estimator")
    if model.task not in ESTIMATORS[name]:
        message = f"training.estimator: {name} does no {model.task}"
        raise TrainingError(message, remedy=f"use one of {', '.join(estimators_of(model.task))}")
    return REGISTRY[name]


def make(row: Estimator, training: Training, outcomes: Outcomes, monotone: list[int] | None) -> Any:  # noqa: ANN401 - the library's
    """The estimator, set and not fitted yet.

    Raises:
        TrainingError: for a parameter that cannot be set, and for a library that is not there.
    """
    kind = _load(row, row.makes[outcomes.declared])
    known = kind().get_params().keys()
    allowed = row.parameters or known - RESERVED
    for name, value in training.parameters.items():
        if name not in allowed:
            message = f"training.parameters: {training.estimator} has no parameter {name}"
            raise TrainingError(message, remedy=f"use one of {', '.join(sorted(allowed))}")
        _refuse_word(row, outcomes.declared, name, value)
    settings: dict[str, Any] = _seeded(known, training.seed)
    settings |= {**_bounded(row, outcomes), **training.parameters}
    if monotone is not None and row.monotone is not None:
        settings[row.monotone] = monotone if "cst" in row.monotone else tuple(monotone)
    return kind(**settings)


def link_of(row: Estimator, training: Training, outcomes: Outcomes) -> str:
    """What the margins of a fitted estimator mean."""
    if row.form in {"centres", "mixture"}:
        return "none" if row.form == "centres" else "softmax"
    if row.form == "forest":
        return "identity"
    if outcomes.declared == CLASSIFICATION:
        return "softmax" if outcomes.classes else "logit"
    if row.form == "log_linear":
        return "log"
    words = next(iter(row.words.get(REGRESSION, {}).values()), {})
    return words.get(objective_of(row, training), "identity")


def objective_of(row: Estimator, training: Training) -> str:
    """What a regression is fitted by: the loss or objective that is declared, else its name."""
    parameter = next(iter(row.words.get(REGRESSION, {})), "")
    return str(training.parameters.get(parameter, row.name))


def _load(row: Estimator, path: str) -> Any:  # noqa: ANN401 - the library's class
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except ImportError as error:
        message = f"training.estimator: {row.name} is not installed"
        raise TrainingError(message, remedy=f"install ordain[{row.name}]") from error


def _seeded(known: Any, seed: int) -> dict[str, Any]:  # noqa: ANN401 - names
    return {_SEEDED: seed} if _SEEDED in known else {}


def _bounded(row: Estimator, outcomes: Outcomes) -> dict[str, Any]:
    """The settings; of many classes each has its own trees, which share the leaves."""
    settings = dict(row.settings)
    if row.form == "forest":
        settings["max_leaf_nodes"] = max(2, LEAVES * 2 // max(2, len(outcomes.classes)))
    return settings


def _refuse_word(row: Estimator, task: str, name: str, value: object) -> None:
    words = row.words.get(task, {}).get(name)
    if words is not None and value not in words:
        message = f"training.parameters: {name} of {row.name} cannot be {value!r} in a {task}"
        raise TrainingError(message, remedy=f"use one of {', '.join(words)}")
