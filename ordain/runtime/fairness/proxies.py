"""What features tell of protected attributes: each alone, and all of them together.

A model that never sees an attribute can rest on it all the same, through a column that repeats it.
Each feature is held against each protected column (`associations`); the p-values are corrected as
one family (Holm 1979), so that two hundred features do not give ten proxies by chance. A feature
over the limit fails on size and significance, unless the Dataset declares it a proxy for that
attribute: then it is a warning, and policies ask for the reason.

Features that tell little alone may tell much together. So a small model of boosted trees learns
the attribute from all features, in five folds, and is judged by the area under the curve on rows
that it has not learnt from. A number is cut into its declared bands or quartiles, because halves
hide whoever is in the middle. Of several groups the one that is found best counts, with an interval
that holds for all of them at once; where that whole interval is above the limit it fails. The rows
of one entity stay in one fold: a person who comes twice would be recognised, not told by a proxy.
Free text is in neither: how it is read belongs to a model, and a scan of words would be one more
model to be trusted.

A column is declared in the Dataset and measured here; nothing is inferred from its name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ordain.runtime.fairness.associations import (
    CRAMER,
    Association,
    cut,
    of_levels,
    of_numbers,
    stronger,
)
from ordain.runtime.fairness.groups import MISSING, stratified
from ordain.specs.chance import holm
from ordain.specs.features import protected_names
from ordain.specs.findings import Verdict
from ordain.specs.validations import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import ProxyLimits

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]
    Labels = NDArray[np.str_]

SECTION: Final = "proxies"
JOINT: Final = "joint_auc"
CONFIDENCE: Final = 0.95
ALPHA: Final = 0.05
FEWEST: Final = 100
FOLDS: Final = 5
MOST_ROWS: Final = 20_000  # Of the joint model; more would cost more and tell the same.
CODES: Final = 16
CELL: Final = 30  # A smaller group is not looked for in the joint model.
LISTED: Final = 200  # Pairs that a document lists beside those that do not pass.
_NUMBERS: Final = ("float", "int", "date")
_DAY: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of the rows: as numbers where it is one, and as levels."""

    name: str
    numbers: Floats | None
    levels: Labels


def scan(
    data: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    rows: Indices,
    features: Sequence[str],
    *,
    limits: ProxyLimits | None = None,
    seed: int = 7,
) -> tuple[Check, ...]:
    """What these features tell of each protected column, in these rows of the table.

    Without limits every check informs. `seed` decides on the folds and on which rows the joint
    model learns from where there are more than `MOST_ROWS`.
    """
    chosen = table.take(rows)
    attributes = [_column(data, chosen, name) for name in protected_names(data)]
    told = [name for name in features if data.columns[name].type != "text"]
    columns = [_column(data, chosen, name) for name in told]
    pairs = [(feature, attribute) for attribute in attributes for feature in columns]
    found = [_associated(*pair) for pair in pairs]
    raised = iter(holm([one.p_value for one in found if one.p_value is not None]))
    checks = [
        _alone(data, feature, attribute, one, None if one.p_value is None else next(raised), limits)
        for (feature, attribute), one in zip(pairs, found, strict=True)
    ]
    unread = [name for name in features if name not in told]
    entity = _column(data, chosen, data.entity).levels if data.entity in data.columns else None
    places = np.arange(chosen.num_rows)
    groups = {one.name: stratified((one.name,), data, chosen, places) for one in attributes}
    joint = [_jointly(one, groups[one.name], columns, entity, limits, seed) for one in attributes]
    return (*joint, *_listed(checks), *_texts(unread, attributes))


def _column(data: Dataset, table: Any, name: str) -> _Column:  # noqa: ANN401 - pa.Table
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table[name]
    if data.columns[name].type not in _NUMBERS:
        text = pc.fill_null(values.cast(pa.large_string()), "(missing)")
        return _Column(name, None, np.array(text.to_pylist(), dtype=np.str_))
    if data.columns[name].type == "date":
        moments = values.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        numbers: Floats = pc.divide(moments.cast(pa.float64()), _DAY).to_numpy()
    else:
        numbers = values.cast(pa.float64(), safe=False).to_numpy()
    return _Column(name, numbers, cut(numbers))


# ── one feature alone ────────────────────────────────────────────────────────────────────────────


def _associated(feature: _Column, attribute: _Column) -> Association:
    if len(feature.levels) == 0:
        return Association(CRAMER, 0, reason="no rows")
    levels = of_levels(feature.levels, attribute.levels, CONFIDENCE)
    if feature.numbers is None or attribute.numbers is None:
        return levels
    return stronger(of_numbers(feature.numbers, attribute.numbers, CONFIDENCE), levels)


def _alone(
    data: Dataset,
    feature: _Column,
    attribute: _Column,
    found: Association,
    p_holm: float | None,
    limits: ProxyLimits | None,
) -> Check:
    check = Check(
        SECTION,
        found.measure,
        f"{feature.name} for {attribute.name}",
        found.value,
        found.low,
        found.high,
        CONFIDENCE,
        found.n,
        reason=found.reason,
    )
    if limits is not None:
        check = replace(check, limit=f"<= {limits.max:g}")
    if found.value is None or p_holm is None:
        return check
    said = f"p (Holm) = {p_holm:.3g}"
    if found.n < FEWEST:
        return replace(check, reason=f"{found.n} rows, {FEWEST} are needed")
    if limits is None or found.value <= limits.max:
        # What only informs has no verdict to give.
        verdict = Verdict.INSUFFICIENT if limits is None else Verdict.PASS
        return replace(check, verdict=verdict.value, reason=said)
    declared = attribute.name in data.columns[feature.name].proxy_for
    return _over(check, said, declared=declared, chance=p_holm >= ALPHA)


def _over(check: Check, said: str, *, declared: bool, chance: bool) -> Check:
    """A value over its limit: what is declared, or may be chance, is no fail."""
    if declared:
        return replace(check, verdict=Verdict.WARN.value, reason=f"a declared proxy; {said}")
    if chance:
        reason = f"within what chance explains; {said}"
        return replace(check, verdict=Verdict.WARN.value, reason=reason)
    return replace(check, verdict=Verdict.FAIL.value, reason=f"an undeclared proxy; {said}")


def _listed(checks: Sequence[Check]) -> Iterator[Check]:
    """The strongest pairs and all that do not pass; how many others there are is said."""
    strongest = sorted(checks, key=lambda one: (-(one.value or 0.0), one.subject))[:LISTED]
    kept = {one.subject for one in strongest}
    passing = (Verdict.PASS.value, Verdict.INSUFFICIENT.value)
    shown = [one for one in checks if one.subject in kept or one.verdict not in passing]
    yield from shown
    if len(shown) < len(checks):
        left = len(checks) - len(shown)
        reason = (
            f"{left} weaker associations are not listed, none above {min(map(_value, shown)):g}"
        )
        yield Check(SECTION, "unlisted", value=float(left), n=left, reason=reason)


def _value(check: Check) -> float:
    return check.value or 0.0


def _texts(names: Sequence[str], attributes: Sequence[_Column]) -> Iterator[Check]:
    """Free text that nobody has looked into."""
    if attributes:
        for name in names:
            yield Check(SECTION, "text", name, reason="free text is not scanned")


# ── all features together ────────────────────────────────────────────────────────────────────────


def _jointly(
    attribute: _Column,
    groups: Labels,
    features: Sequence[_Column],
    entity: Labels | None,
    limits: ProxyLimits | None,
    seed: int,
) -> Check:
    """How well a small model tells the attribute from all features."""
    limit = "" if limits is None else f"<= {limits.joint:g}"
    # Whose number is missing is in no band; a missing level is a level.
    in_group = groups != MISSING if attribute.numbers is not None else np.ones(len(groups), bool)
    known = _sampled(np.flatnonzero(in_group), seed)
    check = Check(SECTION, JOINT, attribute.name, confidence=CONFIDENCE, n=len(known), limit=limit)
    if not features:
        return replace(check, reason="there are no features")
    if len(known) < FEWEST:
        return replace(check, reason=f"{len(known)} rows, {FEWEST} are needed")
    found, counts = np.unique(groups[known], return_counts=True)
    kept = known[np.isin(groups[known], found[counts >= CELL])]
    names, classes = np.unique(groups[kept], return_inverse=True)
    if len(names) < 2:  # noqa: PLR2004 - something to tell apart
        return replace(check, reason=f"no two groups of {CELL} rows")
    told = _out_of_fold(_Task(features, classes, kept, entity, seed))
    return _judged(replace(check, n=len(kept)), names, classes, told, limits)


@dataclass(frozen=True, slots=True)
class _Task:
    """What the joint model learns: the class of each row that was kept, from the features."""

    features: Sequence[_Column]
    classes: Indices
    kept: Indices
    entity: Labels | None
    seed: int


def _sampled(rows: Indices, seed: int) -> Indices:
    if len(rows) <= MOST_ROWS:
        return rows
    drawn = np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False)
    return np.sort(drawn)


def _out_of_fold(task: _Task) -> Floats:
    """The probability of each class for each row, by a model that has not learnt from the row.

    One thread: several wait for each other where the processors are taken, and add up in any order.
    """
    # Limits hold for what is loaded: the library that grows trees comes first.
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    matrix, many = _matrix(task.features, task.kept)
    told = np.zeros((len(task.kept), int(task.classes.max()) + 1))
    with threadpool_limits(limits=1):
        for learnt, asked in _folds(task):
            model = _model(many, task.seed)
            # Trees refuse a column without any value in the rows they learn from; it tells nothing.
            given = np.where(np.isnan(matrix[learnt]).all(axis=0), 0.0, matrix)
            model.fit(given[learnt], task.classes[learnt])
            # A class that is in no row of the fold has no column.
            places = np.asarray(model.classes_)
            told[np.ix_(asked, places)] = model.predict_proba(given[asked])
    return told


def _matrix(features: Sequence[_Column], kept: Indices) -> tuple[NDArray[Any], list[int]]:
    """The features as numbers, and the places of those that are codes of many levels."""
    columns: list[Floats] = []
    many: list[int] = []
    for place, one in enumerate(features):
        if one.numbers is not None:
            columns.append(one.numbers[kept])
            continue
        names, codes = np.unique(one.levels[kept], return_inverse=True)
        columns.append(codes.astype(float))
        if len(names) > CODES:
            many.append(place)
    return np.column_stack(columns), many


def _model(many: Sequence[int], seed: int) -> Any:  # noqa: ANN401 - a pipeline of scikit-learn
    """Shallow trees over numbers and codes.

    Codes of many levels give way to the groups that have them, cross-fitted: a postcode has more
    levels than a tree has leaves. Few levels stay codes, for what they tell with others.
    """
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import KFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import TargetEncoder

    trees = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=15, early_stopping=False, random_state=seed
    )
    folds = KFold(3, shuffle=True, random_state=seed)
    encoder = (TargetEncoder(cv=folds), list(many))
    encode = make_column_transformer(encoder, remainder="passthrough")
    return make_pipeline(encode, trees) if many else trees


def _folds(task: _Task) -> Iterator[tuple[Indices, Indices]]:
    """Rows to learn from and rows to ask; the rows of one entity are on one side."""
    from sklearn.model_selection import GroupKFold, KFold

    if task.entity is not None:
        people = task.entity[task.kept]
        if FOLDS <= len(np.unique(people)) < len(people):
            split = GroupKFold(FOLDS, shuffle=True, random_state=task.seed)
            yield from split.split(task.classes, groups=people)
            return
    yield from KFold(FOLDS, shuffle=True, random_state=task.seed).split(task.classes)


def _judged(
    check: Check, names: Labels, classes: Indices, told: Floats, limits: ProxyLimits | None
) -> Check:
    """The group that is found best, with the interval of DeLong et al. (1988).

    The best was looked for, so that the interval is one of all groups (Bonferroni).
    """
    from ordain.runtime.training.metrics import Sample, estimate

    # Of two groups each is told as well as the other.
    looked = len(names) if len(names) > 2 else 1  # noqa: PLR2004
    confidence = 1 - (1 - CONFIDENCE) / looked
    areas = [
        estimate(
            "roc_auc",
            Sample((classes == place).astype(np.int64), told[:, place], 0.5, 0),
            confidence,
        )
        for place in range(len(names))
    ]
    # The last digits are no difference.
    best = max(range(len(names)), key=lambda place: round(areas[place].value, 9))
    found = areas[best]
    check = replace(check, value=found.value, low=found.low, high=found.high)
    said = f"the group that is told best is {names[best]}"
    check = replace(check, reason=said)
    if limits is None:
        return check
    if found.value <= limits.joint:
        return replace(check, verdict=Verdict.PASS.value)
    if found.low > limits.joint:
        return replace(check, verdict=Verdict.FAIL.value)
    chance = f"{said}; above the limit within what chance explains"
    return replace(check, verdict=Verdict.WARN.value, reason=chance)
