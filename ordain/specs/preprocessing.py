"""What a preprocessing may say, judged without data: by `ordain check`, and by training once more.

Training could be started on a commit that nobody has checked, so it asks as well; both ask here, so
that they cannot come to different answers. What only the data can tell (levels, terms, how many
classes there are) is left to training.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.specs.kinds.model import Categorical, Numeric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.specs.kinds.dataset import Column
    from ordain.specs.kinds.model import Model

    Columns = Mapping[str, Column]

LONGEST_TERM: Final = 5  # Words; longer runs hardly ever recur.
NUMBERS: Final = ("float", "int", "bool")
# Estimators that add up columns. Trees find products themselves, and clusters have no use for them.
LINEAR: Final = frozenset(
    {
        "elastic_net",
        "gamma",
        "lasso",
        "linear_regression",
        "logistic_regression",
        "poisson",
        "ridge",
    }
)
_QUANTILE: Final = re.compile(r"p([0-9]{1,2}(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` leads from `spec` to the field."""

    code: str
    path: tuple[str, ...]
    message: str
    remedy: str

    def __str__(self) -> str:
        """The message with its field, for a reader who does not see the document."""
        return f"{'.'.join(self.path)}: {self.message}"


def preprocessing_problems(model: Model, features: Columns) -> Iterator[Problem]:
    """What is wrong with `preprocessing` and `features.select`; `features` are those of the model.

    A direction (`monotone`) is judged elsewhere, together with the columns that it may name.
    """
    yield from _unused(model)
    yield from _outliers(model, features)
    yield from _dates(model, features)
    yield from _texts(model)
    yield from _products(model, features)
    yield from _splines(model, features)
    yield from _outcomes(model, features)


def splined(model: Model, features: Columns) -> tuple[str, ...]:
    """The features whose columns become curves, in the order of the features.

    The factors of a product are numbers that a person chose, and stay lines unless they are named.
    """
    declared = model.preprocessing.numeric.splines
    if declared is None:
        return ()
    factors = {name for pair in model.preprocessing.interactions for name in pair}
    if declared.features:
        return tuple(name for name in features if name in declared.features)
    return tuple(name for name in features if _is_number(features, name) and name not in factors)


def quantiles(declared: tuple[str, str]) -> tuple[float, float] | None:
    """Two quantiles such as p01 as shares; None where one is none."""
    matches = [_QUANTILE.fullmatch(text) for text in declared]
    low, high = (None if match is None else float(match[1]) / 100 for match in matches)
    return None if low is None or high is None else (low, high)


def _unused(model: Model) -> Iterator[Problem]:
    """Settings of what is not declared, which somebody would read and nobody would follow."""
    numeric, categorical = model.preprocessing.numeric, model.preprocessing.categorical
    if numeric.fill != Numeric().fill and numeric.impute != "constant":
        path = ("preprocessing", "numeric", "fill")
        message = f"{numeric.fill:g} fills nothing, for impute is {numeric.impute}"
        yield Problem("SPEC145", path, message, "write impute: constant, or take fill out")
    if categorical.folds != Categorical().folds and categorical.encode != "target":
        path = ("preprocessing", "categorical", "folds")
        message = f"{categorical.folds} folds are of nothing, for encode is {categorical.encode}"
        yield Problem("SPEC145", path, message, "write encode: target, or take folds out")


def _outliers(model: Model, features: Columns) -> Iterator[Problem]:
    outliers = model.preprocessing.numeric.outliers
    path = ("preprocessing", "numeric", "outliers")
    if outliers.clip is not None:
        shares, shown = quantiles(outliers.clip), list(outliers.clip)
        if shares is None:
            remedy = "write two quantiles such as [p01, p99]"
            yield Problem("SPEC145", (*path, "clip"), f"{shown} are no quantiles", remedy)
        elif shares[0] >= shares[1]:
            remedy = "write the lower quantile first"
            yield Problem("SPEC145", (*path, "clip"), f"{shown} keeps nothing", remedy)
    for name, (low, high) in outliers.limits.items():
        if not _is_number(features, name):
            yield _no_number((*path, "limits"), name)
        elif low >= high:
            message = f"{name} from {low:g} to {high:g} keeps nothing"
            yield Problem("SPEC145", (*path, "limits"), message, "write the lower limit first")


def _dates(model: Model, features: Columns) -> Iterator[Problem]:
    path, parts = ("preprocessing", "dates", "parts"), model.preprocessing.dates.parts
    if len(set(parts)) < len(parts):
        message = f"{list(parts)} names a part twice"
        yield Problem("SPEC145", path, message, "name each part once")
    for name, column in features.items() if not parts else ():
        if column.type == "date":
            message = f"{name} is a date, and no part of a date is declared"
            remedy = f"write parts such as [month, days], or add {name} to features.exclude"
            yield Problem("SPEC146", path, message, remedy)


def _texts(model: Model) -> Iterator[Problem]:
    fewest, most = model.preprocessing.texts.ngrams
    if not 1 <= fewest <= most <= LONGEST_TERM:
        path = ("preprocessing", "texts", "ngrams")
        message = f"{[fewest, most]} is no range of 1 to {LONGEST_TERM} words"
        remedy = "write the fewest and the most words of a term, such as [1, 2]"
        yield Problem("SPEC145", path, message, remedy)


def _products(model: Model, features: Columns) -> Iterator[Problem]:
    pairs = model.preprocessing.interactions
    path = ("preprocessing", "interactions")
    estimator = None if model.training is None else model.training.estimator
    if pairs and estimator is not None and estimator not in LINEAR:
        message = f"products of features are for linear models, and this is {estimator}"
        remedy = "take them out: trees find interactions themselves"
        yield Problem("SPEC147", path, message, remedy)
    for name in dict.fromkeys(name for pair in pairs for name in pair):
        if not _is_number(features, name):
            yield _no_number(path, name)
    if any(first == second for first, second in pairs):
        yield Problem("SPEC145", path, "a pair names one feature twice", "name two features")
    elif len({frozenset(pair) for pair in pairs}) < len(pairs):
        yield Problem("SPEC145", path, "a pair is declared twice", "take one of them out")


def _splines(model: Model, features: Columns) -> Iterator[Problem]:
    declared = model.preprocessing.numeric.splines
    if declared is None:
        return
    path = ("preprocessing", "numeric", "splines")
    estimator = None if model.training is None else model.training.estimator
    if estimator is not None and estimator not in LINEAR:
        message = f"splines are for linear models, and this is {estimator}"
        remedy = "take them out: other models find curves themselves"
        yield Problem("SPEC155", path, message, remedy)
    factors = {name for pair in model.preprocessing.interactions for name in pair}
    for name in dict.fromkeys(declared.features):
        if not _is_number(features, name):
            yield _no_number((*path, "features"), name)
        elif name in factors:
            message = f"{name} is a factor of a product, which multiplies one column"
            remedy = f"take {name} out of interactions, or out of the splines"
            yield Problem("SPEC155", (*path, "features"), message, remedy)
    if len(set(declared.features)) < len(declared.features):
        message = "a feature is named twice"
        yield Problem("SPEC145", (*path, "features"), message, "take one of them out")


def _outcomes(model: Model, features: Columns) -> Iterator[Problem]:
    """What is learnt from outcomes needs outcomes."""
    if model.task != "clustering":
        return
    encode, select = model.preprocessing.categorical.encode, model.features.select
    categories = any(column.type == "category" for column in features.values())
    if categories and encode in {"target", "ordinal_by_target"}:
        path = ("preprocessing", "categorical", "encode")
        message = f"{encode} needs outcomes, which a clustering has not"
        yield Problem("SPEC145", path, message, "write one_hot or ordinal")
    if select is not None and select.method != "variance":
        message = f"{select.method} needs outcomes, which a clustering has not"
        yield Problem("SPEC145", ("features", "select", "method"), message, "write variance")


def _is_number(features: Columns, name: str) -> bool:
    return name in features and features[name].type in NUMBERS


def _no_number(path: tuple[str, ...], name: str) -> Problem:
    remedy = "correct the name, or take it out"
    return Problem("SPEC145", path, f"{name} is no numeric feature", remedy)
