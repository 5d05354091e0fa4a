"""The fitted pipeline as a plan that the standard library runs, exact in every float.

scikit-learn's own file formats were refused for what serves: pickle and joblib carry code, skops
needs scikit-learn to load and is never equal byte for byte, and the ONNX converter changes the
answers of histogram boosting without an error in some versions. What is fitted is small enough to
be said outright: medians, bounds, means, levels, coefficients, and the nodes of trees. The trees
are read from scikit-learn's private `_predictors`; `parity` proves on every run that they were read
rightly, so that a change of these internals stops training and is never served.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.expectations import missing_share
from ordain.runtime.errors import TrainingError
from ordain.runtime.training.pipeline import MISSING_CODE
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.training.features import Floats, Frame
    from ordain.runtime.training.pipeline import Fitted
    from ordain.specs.kinds.dataset import Column
    from ordain.specs.kinds.model import Decision

MISSING = "(missing)"
RARE = "(rare)"

Plain = dict[str, Any]


def export(fitted: Fitted, frame: Frame, train: Floats, decision: Decision | None) -> bytes:
    """The bytes of plan.json; `train` is the training part of the matrix.

    Raises:
        TrainingError: when something was fitted that has no finite value.
    """
    columns = [
        _column(frame, name, chain, place)
        for name, chain, (place,) in fitted.columns.transformers_
        if name != "remainder"
    ]
    plan = {
        "format": "ordain.plan/1",
        "task": "classification",
        "inputs": [
            _input(frame, name, column, train[:, place])
            for place, (name, column) in enumerate(zip(frame.names, frame.columns, strict=True))
        ],
        "columns": columns,
        "names": [name for column in columns for name in _names(column)],
        "sources": [column["input"] for column in columns for _ in _names(column)],
        "model": _trees(fitted.estimator) if fitted.boosting else _linear(fitted.estimator),
        "link": "logit",
        "calibration": None,
        "decision": None if decision is None else _decision(decision),
    }
    try:
        return canonical_json(plan)
    except ValueError as error:
        message = "training: the fitted model holds a value that is not finite"
        remedy = "declare ranges, clip outliers, or take out the feature that overflows"
        raise TrainingError(message, remedy=remedy) from error


def _decision(decision: Decision) -> Plain:
    return {
        "threshold": float(decision.threshold),
        "above": decision.above,
        "below": decision.below,
    }


def _input(frame: Frame, name: str, column: Column, values: Floats) -> Plain:
    """What a request must bring. A value may be absent where the Dataset or the past says so."""
    share = missing_share(column)
    levels = None
    if column.type == "category":
        present = {frame.levels[name][int(code)] for code in np.unique(values[~np.isnan(values)])}
        levels = list(column.levels or sorted(present))
    return {
        "name": name,
        "type": column.type,
        "missing": bool(np.isnan(values).any()) if share is None else share > 0,
        "range": None if column.range is None else [float(bound) for bound in column.range],
        "levels": levels,
        "unknown": column.unknown,
    }


def _column(frame: Frame, name: str, chain: Any, place: int) -> Plain:  # noqa: ANN401 - sklearn's
    """One entry of `columns` from the fitted transformers of one feature."""
    source = frame.names[place]
    if name != source:
        return {"op": "missing", "input": source}
    steps = dict(chain.steps) if hasattr(chain, "steps") else {}
    if frame.columns[place].type == "category":
        return _category(frame, source, steps)
    column = {
        "op": "number",
        "input": source,
        "impute": None,
        "low": None,
        "high": None,
        "center": 0.0,
        "scale": 1.0,
    }
    if "impute" in steps:
        column["impute"] = float(steps["impute"].statistics_[0])
    if "clip" in steps:
        bounds = steps["clip"].kw_args
        column |= {"low": bounds["a_min"], "high": bounds["a_max"]}
    if "scale" in steps:
        scaler = steps["scale"]
        column |= {"center": float(scaler.mean_[0]), "scale": float(scaler.scale_[0])}
    return column


def _category(frame: Frame, source: str, steps: Plain) -> Plain:
    encoder = steps["encode"]
    levels = frame.levels[source]
    missing = missing_name(levels)
    infrequent = _infrequent(encoder)
    codes = [float(code) for code in encoder.categories_[0]]
    named = {code: _level(levels, code, missing) for code in codes if not math.isnan(code)}
    kept = [level for code, level in named.items() if code not in infrequent]
    rare = [level for code, level in named.items() if code in infrequent]
    if hasattr(encoder, "sparse_output"):
        column = {"op": "one_hot", "input": source, "levels": kept, "rare": rare}
        return column | {"missing_level": missing}
    code = _missing_code(codes, kept, rare, missing, imputed="impute" in steps)
    column = {"op": "ordinal", "input": source, "levels": kept, "rare": rare}
    return column | {"unknown": -1.0, "missing": code}


def missing_name(levels: Sequence[str]) -> str:
    """What a missing category is called; never the name of a real level."""
    name = MISSING
    while name in levels:
        name = f"({name})"
    return name


def _infrequent(encoder: Any) -> frozenset[float]:  # noqa: ANN401 - sklearn's
    """The codes that share one bucket."""
    if encoder.min_frequency is None or encoder.infrequent_categories_[0] is None:
        return frozenset()
    return frozenset(float(code) for code in encoder.infrequent_categories_[0])


def _level(levels: Sequence[str], code: float, missing: str) -> str:
    return missing if code == MISSING_CODE else levels[int(code)]


def _missing_code(
    codes: list[float], kept: list[str], rare: list[str], missing: str, *, imputed: bool
) -> float | None:
    """The code of a missing category; None is NaN, -1 where training has never seen one."""
    if not imputed:
        return None if any(math.isnan(code) for code in codes) else -1.0
    if missing in kept:
        return float(kept.index(missing))
    return float(len(kept)) if missing in rare else -1.0


def _names(column: Plain) -> list[str]:
    """The names of the encoded columns of one entry."""
    source = column["input"]
    match column["op"]:
        case "one_hot":
            listed = [*column["levels"], *([RARE] if column["rare"] else [])]
            return [f"{source}={level}" for level in listed]
        case "missing":
            return [f"{source} is missing"]
        case _:
            return [source]


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
