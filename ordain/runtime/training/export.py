"""The fitted pipeline as a plan that the standard library runs, exact in every float.

scikit-learn's own file formats were refused for what serves: pickle and joblib carry code, skops
needs scikit-learn to load and is never equal byte for byte, and the ONNX converter changes the
answers of histogram boosting without an error in some versions. What is fitted is small enough to
be said outright: medians, bounds, means, levels, coefficients, and the nodes of trees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.expectations import missing_share
from ordain.runtime.errors import TrainingError
from ordain.runtime.scoring import FORMAT
from ordain.runtime.training.export_columns import export_columns
from ordain.runtime.training.export_models import export_model
from ordain.specs.canonical import canonical_json
from ordain.specs.tasks import BINARY, CLASSIFICATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.runtime.training.features import Floats, Frame
    from ordain.runtime.training.pipeline import Fitted
    from ordain.specs.kinds.dataset import Column
    from ordain.specs.kinds.model import Decision

Plain = dict[str, Any]
MAXIMUM_BYTES = 10_000_000  # Of an artifact, all of its members together.


def export(fitted: Fitted, frame: Frame, train: Floats, decision: Decision | None) -> bytes:
    """The bytes of plan.json; `train` is the training part of the matrix.

    Raises:
        TrainingError: when something was fitted that has no finite value, or is too large to serve.
    """
    exported = export_columns(fitted.columns, frame, fitted.classes)
    plan = {
        "format": FORMAT,
        "task": CLASSIFICATION if fitted.task == BINARY else fitted.task,
        "classes": list(fitted.classes),
        "positive": fitted.positive,
        **({"negative": fitted.negative} if fitted.negative else {}),
        "inputs": [
            _input(frame, name, column, train[:, place])
            for place, (name, column) in enumerate(zip(frame.names, frame.columns, strict=True))
        ],
        "columns": exported.columns,
        "keep": exported.keep,
        "names": exported.names,
        "sources": exported.sources,
        "model": export_model(fitted),
        "link": fitted.link,
        "calibration": None if fitted.calibrated is None else fitted.calibrated.to_plain(),
        "decision": None if decision is None else _decision(decision),
    }
    try:
        written = canonical_json(plan)
    except ValueError as error:
        message = "training: the fitted model holds a value that is not finite"
        remedy = "declare ranges, clip outliers, or take out the feature that overflows"
        raise TrainingError(message, remedy=remedy) from error
    if len(written) > MAXIMUM_BYTES:
        raise _too_large("plan", len(written), fitted.row.form)
    return written


def refuse_large_artifact(members: Mapping[str, bytes], form: str) -> None:
    """Refuse members that together are more than an artifact may have.

    Raises:
        TrainingError: saying what makes a model of this form smaller.
    """
    size = sum(map(len, members.values()))
    if size > MAXIMUM_BYTES:
        raise _too_large("artifact", size, form)


def _too_large(what: str, size: int, form: str) -> TrainingError:
    message = f"training: the {what} has {size:,} bytes, an artifact may have {MAXIMUM_BYTES:,}"
    return TrainingError(message, remedy=_smaller(form))


def _smaller(form: str) -> str:
    """What makes a plan smaller."""
    if form == "forest":
        return "lower training.parameters.n_estimators or max_leaf_nodes"
    if form in {"boosting", "lightgbm", "xgboost"}:
        return "lower the number of trees, or of their leaves, in training.parameters"
    return "take fewer encoded columns: group rare levels, or exclude features"


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
