"""The fitted transformers of every column as operations of a plan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.runtime.encoding import width_of
from ordain.runtime.training.columns import MISSING_CODE, kept_of, pairs_of
from ordain.runtime.training.splines import CURVE, pieces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sklearn.pipeline import Pipeline

    from ordain.runtime.training.features import Frame

MISSING = "(missing)"
RARE = "(rare)"

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """The entries `columns`, `keep`, `names` and `sources` of a plan."""

    columns: list[Plain]
    keep: list[int] | None
    names: list[str]
    sources: list[list[str]]


def export_columns(fitted: Pipeline, frame: Frame, classes: Sequence[str] = ()) -> Exported:
    """Everything between a row and the encoded columns, from what `fit_columns` has fitted.

    `classes` are the names of more than two classes, in the order of the fitted encoders.
    """
    columns: list[Plain] = []
    for entry, chain, (place,) in fitted.named_steps["encode"].transformers_:
        columns += _entry(frame, place, entry.partition(":")[2], chain, classes)
    names = [name for column in columns for name in _names(column)]
    sources = [[column["input"]] for column in columns for _ in _names(column)]
    for first, second in pairs_of(fitted):
        columns.append({"op": "product", "inputs": [first, second]})
        names.append(f"{names[first]} × {names[second]}")  # noqa: RUF001 - a sign of multiplication
        sources.append([*sources[first], *sources[second]])
    keep = kept_of(fitted)
    if keep is None:
        return Exported(columns, None, names, sources)
    return Exported(
        columns, keep, [names[place] for place in keep], [sources[place] for place in keep]
    )


def _entry(frame: Frame, place: int, what: str, chain: Any, classes: Sequence[str]) -> list[Plain]:  # noqa: ANN401 - sklearn's
    """The operations of one entry: one, or one for each class."""
    source = frame.names[place]
    steps = dict(chain.steps) if hasattr(chain, "steps") else {}
    if what == "missing":
        return [{"op": "missing", "input": source}]
    match frame.columns[place].type:
        case "category" if "target" in steps:
            return _targets(frame, source, steps, classes)
        case "category":
            return [_category(frame, source, steps)]
        case "text":
            return [_text(source, steps["weigh"])]
        case "date":
            return [{"op": "date", "input": source, "part": what} | _number(steps)]
        case _:
            return [{"op": "number", "input": source} | _number(steps) | _curve(steps)]


def _number(steps: Plain) -> Plain:
    """How a number is filled, clipped and scaled."""
    found: Plain = {"impute": None, "low": None, "high": None, "center": 0.0, "scale": 1.0}
    if "impute" in steps:
        found["impute"] = float(steps["impute"].statistics_[0])
    if "clip" in steps:
        bounds = steps["clip"].kw_args
        found |= {"low": bounds["a_min"], "high": bounds["a_max"]}
    scaler: Any = steps.get("scale")
    if hasattr(scaler, "mean_"):
        found |= {"center": float(scaler.mean_[0]), "scale": float(scaler.scale_[0])}
    elif hasattr(scaler, "center_"):
        found |= {"center": float(scaler.center_[0]), "scale": float(scaler.scale_[0])}
    elif hasattr(scaler, "min_"):
        found |= {"factor": float(scaler.scale_[0]), "offset": float(scaler.min_[0])}
    return found


def _curve(steps: Plain) -> Plain:
    """What makes columns of a curve from a number; nothing where it stays a line."""
    if CURVE not in steps:
        return {}
    curve = steps[CURVE].kw_args
    return {"op": "spline", "knots": list(curve["knots"]), "pieces": pieces_of(**curve)}


def _text(source: str, weigh: Any) -> Plain:  # noqa: ANN401 - sklearn's
    return {
        "op": "text",
        "input": source,
        "terms": [str(term) for term in weigh.get_feature_names_out()],
        "idf": [float(weight) for weight in weigh.idf_],
        "ngrams": list(weigh.ngram_range),
    }


def _category(frame: Frame, source: str, steps: Plain) -> Plain:
    missing, kept, rare = _levels(frame, source, steps["encode"])
    if hasattr(steps["encode"], "sparse_output"):
        column = {"op": "one_hot", "input": source, "levels": kept, "rare": rare}
        return column | {"missing_level": missing}
    codes = [float(code) for code in steps["encode"].categories_[0]]
    code = _missing_code(codes, kept, rare, missing, imputed="impute" in steps)
    column = {"op": "ordinal", "input": source, "levels": kept, "rare": rare}
    return column | {"unknown": -1.0, "missing": code}


def _targets(frame: Frame, source: str, steps: Plain, classes: Sequence[str]) -> list[Plain]:
    """The mean outcome of each level; of more than two classes the share of each."""
    missing, kept, rare = _levels(frame, source, steps["encode"])
    encoder = steps["target"]
    # Rare levels share one code, the last.
    codes = {level: place for place, level in enumerate(kept)} | dict.fromkeys(rare, len(kept))
    many = len(encoder.encodings_) > 1
    defaults = [float(mean) for mean in (encoder.target_mean_ if many else [encoder.target_mean_])]
    found: list[Plain] = []
    for place, (means, default) in enumerate(zip(encoder.encodings_, defaults, strict=True)):
        by_code = dict(zip(encoder.categories_[0].tolist(), means.tolist(), strict=True))
        levels = {level: float(by_code.get(code, default)) for level, code in codes.items()}
        column = {"op": "target", "input": source, "class": None, "default": default}
        if many:
            column["class"] = classes[place] if classes else str(place)
        found.append(column | {"missing": levels.pop(missing, default), "levels": levels})
    return found


def _levels(frame: Frame, source: str, encoder: Any) -> tuple[str, list[str], list[str]]:  # noqa: ANN401 - sklearn's
    """What a missing value is called, the levels with a code of their own, and the rare ones."""
    levels = frame.levels[source]
    missing = missing_name(levels)
    infrequent = _infrequent(encoder)
    codes = [float(code) for code in encoder.categories_[0]]
    named = {code: _level(levels, code, missing) for code in codes if not math.isnan(code)}
    kept = [level for code, level in named.items() if code not in infrequent]
    rare = [level for code, level in named.items() if code in infrequent]
    return missing, kept, rare


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
        case "date":
            return [f"{source} {column['part']}"]
        case "text":
            return [f"{source}: {term}" for term in column["terms"]]
        case "target":
            of = "" if column["class"] is None else f" {column['class']}"
            return [f"{source} by outcome{of}"]
        case op:
            many = op == "spline"
            return [
                f"{source} curve {place + 1}" if many else source
                for place in range(width_of(column))
            ]
