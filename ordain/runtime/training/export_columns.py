"""The fitted transformers of every column as operations of a plan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ordain.runtime.training.columns import MISSING_CODE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.training.features import Frame
    from ordain.runtime.training.pipeline import Fitted

MISSING = "(missing)"
RARE = "(rare)"

Plain = dict[str, Any]


def export_columns(fitted: Fitted, frame: Frame) -> list[Plain]:
    """The entries of `columns`, in the order of the features."""
    return [
        _column(frame, name, chain, place)
        for name, chain, (place,) in fitted.columns.transformers_
        if name != "remainder"
    ]


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


def names_of(column: Plain) -> list[str]:
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
