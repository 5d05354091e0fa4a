"""The columns that a Model declares: one entry of a ColumnTransformer per feature.

So the encoded columns stand in the order of the features and each fitted transformer can be
described on its own (`export_columns`). What only a linear model needs (scaling, a value for what
is missing) is left out for boosting, which splits on ranks and learns where missing values go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from ordain.runtime.errors import DataError, TrainingError

if TYPE_CHECKING:
    from ordain.runtime.training.features import Floats, Frame
    from ordain.specs.kinds.dataset import Column
    from ordain.specs.kinds.model import Model, Numeric

MAXIMUM_LEVELS = 500
MISSING_CODE = -1.0  # Stands for a missing category, before every real code.
_QUANTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]+)?)")


def declared_columns(
    model: Model, frame: Frame, matrix: Floats, *, boosting: bool
) -> ColumnTransformer:
    """The transformers, not fitted yet, of every feature.

    Raises:
        TrainingError: when the declaration does not fit the training rows in `matrix`.
    """
    _refuse_empty(frame, matrix)
    _refuse_unknown(frame, matrix)
    _refuse_wide(model, frame, matrix)
    numeric, encode = model.preprocessing.numeric, model.preprocessing.categorical.encode
    entries: list[tuple[str, Any, list[int]]] = []
    for place, (name, column) in enumerate(zip(frame.names, frame.columns, strict=True)):
        values = matrix[:, place]
        if column.type == "category":
            steps = _category(column, encode, boosting=boosting)
            entries.append((name, Pipeline(steps), [place]))
            continue
        chain = _number(name, numeric, values, boosting=boosting)
        entries.append((name, Pipeline(chain) if chain else "passthrough", [place]))
        if numeric.indicator and np.isnan(values).any():
            entries.append((f"{name}:missing", MissingIndicator(features="all"), [place]))
    return ColumnTransformer(entries, sparse_threshold=0.0)


def _number(
    name: str, numeric: Numeric, values: Floats, *, boosting: bool
) -> list[tuple[str, Any]]:
    """Impute, clip, scale: each only where it is declared."""
    steps: list[tuple[str, Any]] = []
    if numeric.impute != "none":
        steps.append(("impute", SimpleImputer(strategy=numeric.impute)))
    elif not boosting and np.isnan(values).any():
        message = f"feature {name} has missing values, which logistic_regression cannot take"
        raise TrainingError(message, remedy="set preprocessing.numeric.impute to median or mean")
    if numeric.outliers.clip is not None:
        low, high = _bounds(numeric.outliers.clip, values)
        bounds = {"a_min": low, "a_max": high}
        steps.append(("clip", FunctionTransformer(np.clip, kw_args=bounds)))
    if numeric.scale == "standard" or (numeric.scale == "auto" and not boosting):
        steps.append(("scale", StandardScaler()))
    return steps


def _bounds(declared: tuple[str, str], values: Floats) -> tuple[float, float]:
    """Quantiles of the values that are there, by linear interpolation."""
    matches = [_QUANTILE.fullmatch(text) for text in declared]
    if None in matches:
        message = f"preprocessing.numeric.outliers.clip: {list(declared)} are no quantiles"
        raise TrainingError(message, remedy="write two quantiles such as [p01, p99]")
    shares = [float(match[1]) / 100 for match in matches if match]
    if shares[0] >= shares[1]:
        message = f"preprocessing.numeric.outliers.clip: {list(declared)} keeps nothing"
        raise TrainingError(message, remedy="write the lower quantile first")
    low, high = np.nanquantile(values, shares)
    return float(low), float(high)


def _category(column: Column, encode: str, *, boosting: bool) -> list[tuple[str, Any]]:
    """One column per level, or one code; a missing value is a level of its own.

    Boosting with codes is the exception: there a missing category stays NaN, as a number does.
    """
    impute = ("impute", SimpleImputer(strategy="constant", fill_value=MISSING_CODE))
    if encode == "one_hot":
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=column.rare, sparse_output=False
        )
        return [impute, ("encode", encoder)]
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=column.rare
    )
    return [("encode", codes)] if boosting else [impute, ("encode", codes)]


def monotone(
    model: Model, frame: Frame, columns: ColumnTransformer, *, boosting: bool
) -> list[int] | None:
    """-1, 0 or 1 for every encoded column."""
    declared = model.preprocessing.numeric.monotone
    if not declared:
        return None
    if not boosting:
        message = "preprocessing.numeric.monotone needs hist_gradient_boosting"
        raise TrainingError(message, remedy="take it out, or change training.estimator")
    numbers = {
        name
        for name, column in zip(frame.names, frame.columns, strict=True)
        if column.type != "category"
    }
    for name in declared:
        if name not in numbers:
            message = f"preprocessing.numeric.monotone: {name} is no numeric feature"
            raise TrainingError(message, remedy="correct the name, or take it out")
    signs = {"increasing": 1, "decreasing": -1}
    direction = {name: signs[text] for name, text in declared.items()}
    return [
        direction.get(name, 0)
        for name, _, _ in columns.transformers_
        for _ in range(_width(columns, name))
    ]


def _width(columns: ColumnTransformer, name: str) -> int:
    """How many encoded columns one entry makes."""
    piece = columns.output_indices_.get(name, slice(0, 0))
    return int(piece.stop - piece.start)


def _refuse_empty(frame: Frame, matrix: Floats) -> None:
    empties = np.all(np.isnan(matrix), axis=0).tolist()
    for name, empty in zip(frame.names, empties, strict=True):
        if empty:
            message = f"feature {name}: all values of the training part are missing"
            raise TrainingError(message, remedy=f"add {name} to features.exclude, or mend the data")


def _refuse_unknown(frame: Frame, matrix: Floats) -> None:
    """Where unknown levels are refused and none are declared, training rows must show all."""
    for place, (name, column) in enumerate(zip(frame.names, frame.columns, strict=True)):
        if column.type != "category" or column.unknown != "refuse" or column.levels is not None:
            continue
        seen = set(np.unique(matrix[:, place]).tolist())
        unseen = [level for code, level in enumerate(frame.levels[name]) if code not in seen]
        if unseen:
            message = f"column {name}: {unseen[0]!r} is in no training row, and unknown is refuse"
            remedy = f"declare spec.columns.{name}.levels, or set unknown: bucket"
            raise DataError(message, remedy=remedy)


def _refuse_wide(model: Model, frame: Frame, matrix: Floats) -> None:
    """One column per level is for few levels."""
    if model.preprocessing.categorical.encode != "one_hot":
        return
    for place, (name, column) in enumerate(zip(frame.names, frame.columns, strict=True)):
        if column.type != "category" or column.rare is not None:
            continue
        levels = len(np.unique(matrix[:, place]))
        if levels > MAXIMUM_LEVELS:
            message = f"feature {name} has {levels} levels, one_hot takes {MAXIMUM_LEVELS}"
            remedy = f"set spec.columns.{name}.rare, or encode: ordinal_by_target"
            raise TrainingError(message, remedy=remedy)
