"""The columns that a Model declares: transformers of scikit-learn, fitted, one after the other.

First a ColumnTransformer with one entry per feature (a date has one for each part), so that encoded
columns stand in the order of the features and each fitted transformer can be described on its own
(`export_columns`); then the products of two columns; then what selection keeps. What trees do not
need is left out for them: `scale: auto` scales nothing, since they split on ranks, and a value that
`impute: none` leaves missing stays so, since they learn where missing values go.

Entries are called by the place of their feature (`3`, `3:missing`, `3:year`) and not by its name,
because scikit-learn forbids some names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold
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

from ordain.runtime.errors import TrainingError
from ordain.runtime.training.dateparts import date_part
from ordain.runtime.training.refusals import frequent_levels, refuse_large, refuse_misfit
from ordain.runtime.training.selection import keep_columns
from ordain.runtime.training.splines import bend, curve_width
from ordain.runtime.training.vocabulary import vectorizer
from ordain.specs.preprocessing import quantiles, splined
from ordain.specs.searches import directions
from ordain.specs.tasks import DIRECTED, directed_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ordain.runtime.training.features import Floats, Frame
    from ordain.specs.kinds.dataset import Column
    from ordain.specs.kinds.model import Model

MISSING_CODE = -1.0  # Stands for a missing category, before every real code.
_SCALERS: dict[str, type[Any]] = {
    "standard": StandardScaler,
    "minmax": MinMaxScaler,
    "robust": RobustScaler,
}

Steps = list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Entry:
    """The transformers of one feature, or of one part of it.

    `what` is the part of a date, `missing` for an indicator, else empty. `discrete` says whether
    its columns hold codes and indicators only; `many` is how many columns it makes where these
    depend on levels or terms.
    """

    place: int
    what: str
    steps: Steps
    discrete: bool = False
    many: int = 0

    @property
    def plain(self) -> tuple[str, Any, list[int]]:
        """As a ColumnTransformer takes it."""
        name = f"{self.place}:{self.what}" if self.what else str(self.place)
        return name, Pipeline(self.steps) if self.steps else "passthrough", [self.place]


def fit_columns(
    model: Model,
    frame: Frame,
    matrix: Floats,
    outcomes: NDArray[Any] | None,
    *,
    trees: bool,
    whole: bool = True,
) -> tuple[Pipeline, Floats]:
    """The fitted transformers, and the encoded training rows that an estimator learns from.

    `matrix` holds the training rows; `outcomes` are theirs: numbers of classes or values, None for
    a clustering. With `encode: target` the rows are encoded by folds that do not hold them, so they
    are not what `transform` would make of them. The steps of the pipeline are `encode`, and where
    they are declared `products` and `keep`. A part of the training rows (not `whole`) may lack what
    the whole must have.

    Raises:
        DataError: when a level is in no training row, and unknown ones are refused.
        TrainingError: when the declaration does not fit the training rows.
    """
    if whole:
        refuse_misfit(model, frame, matrix, outcomes)
    entries = list(_entries(model, frame, matrix, outcomes, trees=trees))
    refuse_large(len(frame.matrix), sum(entry.many for entry in entries))
    encode = ColumnTransformer([entry.plain for entry in entries], sparse_threshold=0.0)
    encoded = encode.fit_transform(matrix, outcomes)
    steps: Steps = [("encode", encode)]
    discrete = [
        entry.discrete for entry in entries for _ in range(width_of(encode, entry.plain[0]))
    ]
    pairs = _places(model, frame, encode)
    if pairs:
        products = FunctionTransformer(with_products, kw_args={"pairs": pairs})
        encoded = products.fit_transform(encoded)
        steps.append(("products", products))
        discrete += [False] * len(pairs)
    keep = keep_columns(model, encoded, outcomes, discrete)
    if keep is not None:
        kept = ColumnTransformer([("kept", "passthrough", keep)])
        encoded = kept.fit_transform(encoded)
        steps.append(("keep", kept))
    return Pipeline(steps), encoded


def with_products(encoded: Floats, pairs: Sequence[tuple[int, int]]) -> Floats:
    """The columns, and after them the product of each pair of them."""
    products = [encoded[:, first] * encoded[:, second] for first, second in pairs]
    return np.column_stack([encoded, *products])


def pairs_of(columns: Pipeline) -> list[tuple[int, int]]:
    """Which encoded columns are multiplied, in the order of the products."""
    step = columns.named_steps.get("products")
    return [] if step is None else list(step.kw_args["pairs"])


def kept_of(columns: Pipeline) -> list[int] | None:
    """Places of the encoded columns and products that selection kept; None without one."""
    step = columns.named_steps.get("keep")
    return None if step is None else list(step.transformers_[0][2])


def width_of(encode: ColumnTransformer, entry: str) -> int:
    """How many encoded columns one entry makes."""
    piece = encode.output_indices_.get(entry, slice(0, 0))
    return int(piece.stop - piece.start)


def takes_missing(columns: Pipeline, place: int, *, trees: bool) -> bool:
    """Whether the pipeline has an answer where the feature at this place is missing."""
    if trees:
        return True
    entries = columns.named_steps["encode"].transformers_
    own = [chain for _, chain, places in entries if places == [place]]
    steps: dict[str, Any] = getattr(own[0], "named_steps", {})
    return not steps.keys().isdisjoint({"impute", "lookup"})


def _places(model: Model, frame: Frame, encode: ColumnTransformer) -> list[tuple[int, int]]:
    """Where the factors of each declared product stand."""
    start = {
        name: encode.output_indices_[str(place)].start
        for place, name in enumerate(frame.names)
        if str(place) in encode.output_indices_
    }
    return [(start[first], start[second]) for first, second in model.preprocessing.interactions]


def _entries(
    model: Model,
    frame: Frame,
    matrix: Floats,
    outcomes: NDArray[Any] | None,
    *,
    trees: bool,
) -> Iterator[Entry]:
    declared = dict(zip(frame.names, frame.columns, strict=True))
    curved = splined(model, declared)
    for place, (name, column) in enumerate(declared.items()):
        values = matrix[:, place]
        match column.type:
            case "category":
                yield _category(model, place, column, values, outcomes, trees=trees)
            case "text":
                yield _text(model, frame, place, values)
            case "date":
                for part in model.preprocessing.dates.parts:
                    yield _date(model, name, place, part, values, trees=trees)
            case _:
                chain = _number(model, name, values, trees=trees)
                curve = bend(model, values, chain) if name in curved else []
                width = curve_width(curve)
                discrete = column.type == "bool" and not chain
                yield Entry(place, "", chain + curve, discrete=discrete, many=width)
        missing = np.isnan(values).any() and column.type not in {"category", "text"}
        if missing and model.preprocessing.numeric.indicator:
            indicator = ("missing", MissingIndicator(features="all"))
            yield Entry(place, "missing", [indicator], discrete=True)


def _number(model: Model, name: str, values: Floats, *, trees: bool) -> Steps:
    """Impute, clip, scale: each only where it is declared."""
    steps = _impute(model, name, values, trees=trees)
    bounds = _bounds(model, name, values)
    if bounds is not None:
        low, high = bounds
        steps.append(("clip", FunctionTransformer(np.clip, kw_args={"a_min": low, "a_max": high})))
    return steps + _scale(model, trees=trees)


def _impute(model: Model, name: str, values: Floats, *, trees: bool) -> Steps:
    numeric = model.preprocessing.numeric
    if numeric.impute == "constant":
        filler = SimpleImputer(strategy="constant", fill_value=float(numeric.fill))
        return [("impute", filler)]
    if numeric.impute != "none":
        return [("impute", SimpleImputer(strategy=numeric.impute))]
    if not trees and np.isnan(values).any():
        estimator = None if model.training is None else model.training.estimator
        message = f"feature {name} has missing values, which {estimator} cannot take"
        raise TrainingError(message, remedy="set preprocessing.numeric.impute to median or mean")
    return []


def _scale(model: Model, *, trees: bool) -> Steps:
    scale = model.preprocessing.numeric.scale
    if scale == "auto":
        scale = "none" if trees else "standard"
    return [("scale", _SCALERS[scale]())] if scale in _SCALERS else []


def _bounds(model: Model, name: str, values: Floats) -> tuple[float, float] | None:
    """The limits of this feature; else quantiles of the values that are there, interpolated."""
    outliers = model.preprocessing.numeric.outliers
    if name in outliers.limits:
        low, high = outliers.limits[name]
        return float(low), float(high)
    if outliers.clip is None:
        return None
    low, high = np.nanquantile(values, quantiles(outliers.clip) or (0.0, 1.0))
    return float(low), float(high)


def _date(
    model: Model,
    name: str,
    place: int,
    part: str,
    values: Floats,
    *,
    trees: bool,
) -> Entry:
    """One part of a date, filled and scaled as a number is; it is never an outlier."""
    steps: Steps = [("part", FunctionTransformer(date_part, kw_args={"part": part}))]
    steps += _impute(model, name, values, trees=trees)
    return Entry(place, part, steps + _scale(model, trees=trees))


def _text(model: Model, frame: Frame, place: int, values: Floats) -> Entry:
    """Weights of terms; a missing text has none, as an empty one."""
    name = frame.names[place]
    texts = frame.texts[name]
    weigh = vectorizer(name, model.preprocessing.texts, texts.lookup(values.reshape(-1, 1)))
    steps = [("lookup", FunctionTransformer(texts.lookup)), ("weigh", weigh)]
    return Entry(place, "", steps, many=len(weigh.vocabulary))


def _category(
    model: Model,
    place: int,
    column: Column,
    values: Floats,
    outcomes: NDArray[Any] | None,
    *,
    trees: bool,
) -> Entry:
    """One column per level, a code, or mean outcomes; a missing value is a level of its own.

    Trees with codes are the exception: there a missing category stays NaN, as a number does.
    """
    impute = ("impute", SimpleImputer(strategy="constant", fill_value=MISSING_CODE))
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=column.rare
    )
    match model.preprocessing.categorical.encode:
        case "one_hot":
            encoder = OneHotEncoder(
                handle_unknown="infrequent_if_exist", min_frequency=column.rare, sparse_output=False
            )
            many = frequent_levels(values, column.rare)
            return Entry(place, "", [impute, ("encode", encoder)], discrete=True, many=many)
        case "target" if outcomes is not None:
            target = ("target", _target(model, outcomes))
            return Entry(place, "", [impute, ("encode", codes), target])
        case _:
            steps = [("encode", codes)]
            return Entry(place, "", steps if trees else [impute, *steps], discrete=True)


def _target(model: Model, outcomes: NDArray[Any]) -> TargetEncoder:
    """Mean outcomes by level; the folds are seeded, so that they are the same in every run."""
    folds = model.preprocessing.categorical.folds
    seed = 0 if model.training is None else model.training.seed
    if model.task == "regression":
        folded: Any = KFold(folds, shuffle=True, random_state=seed)
        return TargetEncoder(target_type="continuous", cv=folded)
    folded = StratifiedKFold(folds, shuffle=True, random_state=seed)
    kind = "binary" if len(np.unique(outcomes)) <= 2 else "multiclass"  # noqa: PLR2004
    return TargetEncoder(target_type=kind, cv=folded)


def monotone(model: Model, frame: Frame, columns: Pipeline, *, classes: int) -> list[int] | None:
    """-1, 0 or 1 for every column that the estimator takes; None where nothing is declared.

    `classes` counts the outcomes where they are more than two.

    Raises:
        TrainingError: when no direction can be kept.
    """
    declared = directions(model, dict(zip(frame.names, frame.columns, strict=True)))
    estimator = None if model.training is None else model.training.estimator
    if not declared or (estimator not in DIRECTED and not model.preprocessing.numeric.monotone):
        return None  # Those of the Dataset alone are held against what was learnt (`opposed`).
    if estimator not in DIRECTED:
        message = f"preprocessing.numeric.monotone: {estimator} takes no directions"
        others = ", ".join(directed_of(model.task))
        remedy = f"take it out, or train one of {others}" if others else "take it out"
        raise TrainingError(message, remedy=remedy)
    if classes:
        # The libraries take them here, and hold the margin of each class and no probability.
        message = (
            f"preprocessing.numeric.monotone: a direction is of one output, and there are "
            f"{classes} classes"
        )
        raise TrainingError(message, remedy="take it out, or group the classes into two")
    signs = {"increasing": 1, "decreasing": -1}
    direction = {str(frame.names.index(name)): signs[text] for name, text in declared.items()}
    encode = columns.named_steps["encode"]
    every = [
        direction.get(name, 0)
        for name, _, _ in encode.transformers_
        for _ in range(width_of(encode, name))
    ]
    keep = kept_of(columns)
    return every if keep is None else [every[place] for place in keep]
