"""What may be tried of each family, where its search begins, and how a trial becomes a Model.

A family says which parameters are searched, over which range, and how columns are prepared for it:
linear ones get columns per level (and, with `_spline`, curves of each number), trees get codes
and missing values as they are. Only what the Model leaves at its default is prepared otherwise;
what it declares stays.

Ranges are those in which these estimators are good on tables of a thousand to a hundred thousand
rows; each begins at the settings of its library, so that no search ends below them. How many trees
boosting needs is not searched: it is read off the folds, which tell it for every number at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.kinds import kind_validator
from ordain.specs.kinds.model import Categorical, Numeric
from ordain.specs.plain import to_plain
from ordain.specs.searches import SPLINES, estimator_of_family
from ordain.specs.tasks import REGRESSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna

    from ordain.specs.kinds.model import Model

BOOSTING: Final = "hist_gradient_boosting"
SMALL: Final = 5_000  # Rows below which boosting begins with small trees as well.
# Leaves of a model, all trees together: more would not fit into an artifact.
MOST_LEAVES: Final = 40_000
MOST_TREES: Final = 1_000
_TREES: Final = frozenset({BOOSTING, "extra_trees", "lightgbm", "xgboost"})
_PREPARATION: Final = frozenset({"encode", "knots"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows say that the ranges depend on; `lowest` is the smallest outcome."""

    task: str
    rows: int
    classes: int
    categories: bool
    missing: bool
    lowest: float


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, by their logarithm where `log`."""

    low: float
    high: float
    first: float
    log: bool = True
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; the first of them is where the search begins."""

    options: tuple[str, ...]


Space = dict[str, Range | Choice]


def space_of(family: str, facts: Facts) -> Space:
    """What is searched of a family."""
    encodings: Space = {"encode": Choice(_encodings(family, facts))} if facts.categories else {}
    return {**_parameters(family, facts), **encodings}


def _encodings(family: str, facts: Facts) -> tuple[str, ...]:
    if family not in _TREES:
        return ("one_hot", "target")
    ranked = "target" if facts.classes > 2 else "ordinal_by_target"  # noqa: PLR2004 - two outcomes
    return (ranked, "one_hot")


_FIXED: Final[dict[str, Space]] = {
    "logistic_regression": {"C": Range(1e-3, 100.0, 1.0)},
    "logistic_spline": {
        "C": Range(1e-3, 10.0, 0.1),
        "knots": Range(3, 8, 5, log=False, whole=True),
    },
    "ridge": {"alpha": Range(1e-3, 1e3, 1.0)},
    "ridge_spline": {
        "alpha": Range(1e-3, 1e3, 1.0),
        "knots": Range(3, 10, 5, log=False, whole=True),
    },
    "extra_trees": {
        "min_samples_leaf": Range(1, 50, 1, whole=True),
        "max_features": Range(0.1, 1.0, 0.3, log=False),
    },
    "lightgbm": {
        "n_estimators": Range(50, 500, 100, whole=True),
        "learning_rate": Range(0.02, 0.2, 0.1),
        "num_leaves": Range(4, 64, 31, whole=True),
        "min_child_samples": Range(5, 200, 20, whole=True),
        "reg_lambda": Range(1e-3, 100.0, 1e-3),
        "colsample_bytree": Range(0.3, 1.0, 1.0, log=False),
    },
    "xgboost": {
        "n_estimators": Range(50, 500, 100, whole=True),
        "learning_rate": Range(0.02, 0.3, 0.1),
        "max_depth": Range(2, 8, 4, log=False, whole=True),
        "min_child_weight": Range(1.0, 100.0, 1.0),
        "reg_lambda": Range(1e-2, 100.0, 1.0),
        "colsample_bytree": Range(0.3, 1.0, 1.0, log=False),
        "subsample": Range(0.5, 1.0, 1.0, log=False),
    },
}
# What is the same in every trial of a family, and not left to the library.
_SET: Final = {"extra_trees": {"n_estimators": 100}}
# Half of the columns for each tree. On 32,000 rows of bank marketing, in folds of the training
# part, this lost 0.002 less log-loss than all columns, and than half of them for each split, which
# is all that boosting of scikit-learn can do; three seeds agreed. Small tables were not measured.
_SAMPLED: Final = {
    "n_estimators": 200,
    "learning_rate": 0.03,
    "num_leaves": 64,
    "reg_lambda": 10.0,
    "colsample_bytree": 0.5,
}


def _parameters(family: str, facts: Facts) -> Space:
    if family != BOOSTING:
        return _FIXED[family]
    small = facts.rows < SMALL
    losses: Space = {}
    if facts.task == REGRESSION and facts.lowest > 0.0:
        losses = {"loss": Choice(("squared_error", "gamma", "poisson"))}
    return {
        "learning_rate": Range(0.04, 0.25, 0.1),
        "max_leaf_nodes": Range(3 if small else 6, 32 if small else 96, 31, whole=True),
        "min_samples_leaf": Range(4, 200, 20, whole=True),
        "l2_regularization": Range(1e-3, 300.0, 1e-3),
        "max_features": Range(0.2, 1.0, 1.0, log=False),
        **losses,
    }


def first_values(family: str, facts: Facts) -> list[dict[str, Any]]:
    """Where the search of a family begins: its defaults, for some careful starts too.

    Where there are categories, one of them has a column for each level: codes by mean outcome hide
    levels whose effect depends on other features.
    """
    space = space_of(family, facts)
    start = {
        name: one.options[0] if isinstance(one, Choice) else _number(one, one.first)
        for name, one in space.items()
    }
    if family == "lightgbm" and facts.rows >= SMALL:
        return [start, {**start, **_SAMPLED}]
    if family != BOOSTING:
        return [start]
    leaves = 6 if facts.rows < SMALL else 24
    careful = {"learning_rate": 0.06, "max_leaf_nodes": leaves, "l2_regularization": 10.0}
    starts = [start, {**start, **careful, "max_features": 0.5}]
    if facts.categories:
        starts.append({**start, **careful, "max_features": 0.3, "encode": "one_hot"})
    return starts


def drawn(proposed: optuna.Trial, family: str, facts: Facts) -> dict[str, Any]:
    """The values that the sampler proposes, short enough to be written by hand."""
    found: dict[str, Any] = {}
    for name, one in space_of(family, facts).items():
        known = f"{family}.{name}"
        if isinstance(one, Choice):
            found[name] = proposed.suggest_categorical(known, one.options)
        elif one.whole:
            found[name] = proposed.suggest_int(known, int(one.low), int(one.high), log=one.log)
        else:
            value = proposed.suggest_float(known, one.low, one.high, log=one.log)
            found[name] = _number(one, value)
    return found


def _number(one: Range, value: float) -> float | int:
    """Four digits say as much as the sampler knows."""
    return int(value) if one.whole else min(max(float(f"{value:.4g}"), one.low), one.high)


def changes_of(
    model: Model, family: str, values: Mapping[str, Any], facts: Facts
) -> dict[str, Any]:
    """What a trial changes in the Model, under the names of YAML."""
    parameters = {name: value for name, value in values.items() if name not in _PREPARATION}
    parameters |= _SET.get(family, {})
    training = {"estimator": estimator_of_family(family), "parameters": parameters}
    numeric, categorical = model.preprocessing.numeric, model.preprocessing.categorical
    prepared: dict[str, Any] = {}
    if "encode" in values and categorical.encode == Categorical().encode:
        prepared["categorical"] = {"encode": values["encode"]}
    if family in _TREES and numeric.impute == Numeric().impute and facts.missing:
        prepared["numeric"] = {"impute": "none"}
    if family in _TREES and numeric.splines is not None:
        prepared["numeric"] = {**prepared.get("numeric", {}), "splines": None}
    if family in SPLINES:
        prepared["numeric"] = {"splines": {"knots": values["knots"]}}
    if family in _TREES and model.preprocessing.interactions:
        prepared["interactions"] = []
    return {"training": training, **({"preprocessing": prepared} if prepared else {})}


def spec_of(model: Model, changes: Mapping[str, Any]) -> Model:
    """The Model that a trial is: the declared one with its changes, and no search."""
    plain = to_plain(model)
    training = {name: value for name, value in plain["training"].items() if name != "automl"}
    changed = merged({**plain, "training": training}, changes)
    found: Model = kind_validator("Model").validate_python(changed)
    return found


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings with changes laid over them."""
    laid = dict(base)
    for name, value in changes.items():
        inner = laid.get(name)
        if isinstance(inner, dict) and isinstance(value, dict):
            laid[name] = merged(inner, value)
        else:
            laid[name] = value
    return laid


def most_trees(leaves: int, classes: int) -> int:
    """How many trees of so many leaves an artifact has room for; each class has its own."""
    return max(1, min(MOST_TREES, MOST_LEAVES // (leaves * max(1, classes))))
