"""Fitted objects of every family that a Model can declare."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_classif, mutual_info_classif
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

from ordain.runtime.formats.archives import SCHEMA, read_archive, write_archive

Fit = Callable[[str], Any]

_SEED: dict[str, Any] = {"random_state": 7}
_FEW: dict[str, Any] = {"n_estimators": 3, "n_jobs": 1, **_SEED}
CLASSIFIERS: dict[str, Any] = {
    "logistic_regression": LogisticRegression(),
    "decision_tree": DecisionTreeClassifier(max_depth=4, **_SEED),
    "random_forest": RandomForestClassifier(max_depth=4, **_FEW),
    "extra_trees": ExtraTreesClassifier(max_depth=4, **_FEW),
    "hist_gradient_boosting": HistGradientBoostingClassifier(max_iter=4, **_SEED),
    "lightgbm": LGBMClassifier(verbose=-1, deterministic=True, **_FEW),
    "xgboost": XGBClassifier(**_FEW),
}
REGRESSORS: dict[str, Any] = {
    "linear_regression": LinearRegression(),
    "ridge": Ridge(),
    "lasso": Lasso(alpha=0.01),
    "elastic_net": ElasticNet(alpha=0.01),
    "poisson": PoissonRegressor(),
    "gamma": GammaRegressor(),
    "decision_tree": DecisionTreeRegressor(max_depth=4, **_SEED),
    "random_forest": RandomForestRegressor(max_depth=4, **_FEW),
    "extra_trees": ExtraTreesRegressor(max_depth=4, **_FEW),
    "hist_gradient_boosting": HistGradientBoostingRegressor(max_iter=4, **_SEED),
    "hist_gradient_boosting_poisson": HistGradientBoostingRegressor("poisson", max_iter=4, **_SEED),
    "hist_gradient_boosting_gamma": HistGradientBoostingRegressor("gamma", max_iter=4, **_SEED),
    "hist_gradient_boosting_absolute": HistGradientBoostingRegressor(
        "absolute_error", max_iter=4, **_SEED
    ),
    "hist_gradient_boosting_quantile": HistGradientBoostingRegressor(
        "quantile", quantile=0.9, max_iter=4, **_SEED
    ),
    "lightgbm": LGBMRegressor(verbose=-1, deterministic=True, **_FEW),
    "xgboost": XGBRegressor(**_FEW),
}
CLUSTERERS: dict[str, Any] = {
    "kmeans": KMeans(3, n_init=2, **_SEED),
    "gaussian_mixture": GaussianMixture(3, **_SEED),
    "gaussian_mixture_diag": GaussianMixture(3, covariance_type="diag", **_SEED),
}
COLUMNS = ("columns", "target_encoder", "texts", "selection", "selection_by_information")

FAMILIES = (
    *(f"{name}/2" for name in CLASSIFIERS),
    *(f"{name}/3" for name in CLASSIFIERS),
    *(f"{name}/value" for name in REGRESSORS),
    *(f"{name}/cluster" for name in CLUSTERERS),
    *(f"{name}/columns" for name in COLUMNS),
)


def rows(count: int = 240, seed: int = 1) -> Any:  # noqa: ANN401 - an array
    """Four numbers and a code; nothing is missing."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(size=(count, 4)), rng.integers(0, 6, count)])


def with_gaps(matrix: Any) -> Any:  # noqa: ANN401 - an array
    """The same rows with a tenth of the numbers gone."""
    gone = np.random.default_rng(2).random(matrix.shape) < 0.1
    gone[:, 4] = False
    return np.where(gone, np.nan, matrix)


def _fitted(kind: str) -> Any:  # noqa: ANN401 - any estimator
    name, _, task = kind.partition("/")
    matrix = rows()
    margin = matrix[:, 0] + matrix[:, 1] * matrix[:, 2]
    match task:
        case "2":
            return clone(CLASSIFIERS[name]).fit(matrix, (margin > 0).astype(int))
        case "3":
            return clone(CLASSIFIERS[name]).fit(matrix, np.digitize(margin, [-0.5, 0.5]))
        case "value":
            return clone(REGRESSORS[name]).fit(matrix, np.exp(margin / 4))
        case "cluster":
            return clone(CLUSTERERS[name]).fit(matrix)
        case _:
            return _columns(name, matrix, (margin > 0).astype(int))


def _columns(name: str, matrix: Any, outcome: Any) -> Any:  # noqa: ANN401 - arrays, transformers
    match name:
        case "target_encoder":
            folds = StratifiedKFold(3, shuffle=True, **_SEED)
            return TargetEncoder(cv=folds).fit(matrix[:, 4:], outcome)
        case "texts":
            return TfidfVectorizer(ngram_range=(1, 2)).fit(["a cat sat", "the dog sat", "cat dog"])
        case "selection":
            return SelectKBest(f_classif, k=2).fit(matrix, outcome)
        case "selection_by_information":
            score = partial(mutual_info_classif, random_state=7)
            return SelectKBest(score, k=2).fit(matrix, outcome)
        case _:
            return _encoder().fit(with_gaps(matrix))


def _encoder() -> ColumnTransformer:
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -1.0, "a_max": 1.0})
    levels = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=40, sparse_output=False
    )
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=40)
    impute = SimpleImputer()
    chain = Pipeline([("impute", impute), ("clip", clip), ("scale", StandardScaler())])
    constant = SimpleImputer(strategy="constant", fill_value=-1.0)
    return ColumnTransformer(
        [
            ("a", chain, [0]),
            ("b", MinMaxScaler(), [1]),
            ("c", RobustScaler(), [2]),
            ("c:missing", MissingIndicator(features="all"), [2]),
            ("d", "passthrough", [3]),
            ("e", Pipeline([("impute", constant), ("encode", levels)]), [4]),
            ("f", codes, [4]),
        ],
        sparse_threshold=0.0,
    )


@cache
def _kept(kind: str) -> Any:  # noqa: ANN401 - any estimator
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _fitted(kind)


@pytest.fixture
def fit() -> Fit:
    """`fit("kmeans/cluster")`: a fitted object, the same one on every call."""
    return _kept


@pytest.fixture
def fit_again() -> Fit:
    """The same, fitted anew."""

    def make(kind: str) -> Any:  # noqa: ANN401 - any estimator
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _fitted(kind)

    return make


@pytest.fixture
def matrix() -> Any:  # noqa: ANN401 - an array
    return rows(300, seed=9)


@pytest.fixture
def gaps() -> Any:  # noqa: ANN401 - an array
    return with_gaps(rows(300, seed=9))


@pytest.fixture
def rewrite() -> Callable[..., bytes]:
    """`rewrite(data, change, **members)`: a stored pipeline with a changed schema."""

    def make(
        data: bytes, change: Callable[[Any], Any] = lambda schema: schema, **members: bytes
    ) -> bytes:
        found = read_archive(data)
        schema = json.loads(found[SCHEMA])
        schema = change(schema) or schema
        renamed = {name.replace("_", "."): content for name, content in members.items()}
        return write_archive(found | renamed | {SCHEMA: json.dumps(schema).encode()})

    return make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `any_family` runs for all of them."""
    if "any_family" in metafunc.fixturenames:
        metafunc.parametrize("any_family", FAMILIES)
