"""Features that would make every number of the evidence too good, found in the training part.

A column that is filled in only after the outcome (days past due, a collection agency, a comment)
tells the outcome almost perfectly on its own; no honest feature does. One that repeats the outcome,
a protected attribute, the entity or the time under another name is never a feature either, whatever
it is called. Both are errors: a warning on a model that looks brilliant is read by nobody.

    two outcomes     area under the curve of the feature alone, by midranks, at least 0.99 in either
                     direction, with ten rows of each outcome; whether it is missing is tried too
    a number         squared correlation with the outcome, of values or ranks, at least 0.99
    several classes  errors of always naming the largest class, of which the feature alone takes
                     away 99 of 100 (lambda of Goodman and Kruskal 1954)

The levels of a category, and numbers in slices (they may be codes), are given the outcomes of one
half of the rows and judged on the other, and the other way round; the worse of the two counts, so
that no list of names is taken for an oracle. The halves are drawn by a seeded generator: the places
of rows may follow the outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import LeakError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ordain.specs.kinds.dataset import Dataset

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

ALMOST = 0.99
FEWEST = 10  # Rows on each side, below which perfection may be chance.
SLICES = 50
TOLD = 20
SEED = 0


def refuse_leaks(
    dataset: Dataset,
    names: Sequence[str],
    table: Any,  # noqa: ANN401 - pa.Table
    outcome: NDArray[Any] | None,
    learnt: Indices,
    *,
    regression: bool = False,
) -> None:
    """Look at every feature in the rows that are learnt from.

    `outcome` has a value per row of the table: a number for a regression, else the number of a
    class; None where there is nothing to learn (clustering).

    Raises:
        LeakError: naming every feature that gives something away.
    """
    found = list(_repeating(dataset, names, table))
    if outcome is not None:
        known = {name for name, _, _ in found}
        unread = [name for name in names if name not in known]
        rows = table.select(unread).take(learnt)
        outcomes = outcome[learnt]
        for name in unread:
            column = dataset.columns[name]
            if not column.separates:
                text = separation(rows[name], outcomes, regression=regression)
                found += [(name, text, True)] if text else []
    if not found:
        return
    remedy = _remedy([name for name, _, _ in found], [name for name, _, one in found if one])
    if len(found) == 1:
        (name, text, _) = found[0]
        raise LeakError(f"feature {name} {text}", remedy=remedy)
    lines = [f"  {name} {text}" for name, text, _ in found[:TOLD]]
    lines += [f"  and {len(found) - TOLD} more"] if len(found) > TOLD else []
    message = "\n".join([f"{len(found)} features give away what they must not", *lines])
    raise LeakError(message, remedy=remedy)


def _remedy(names: Sequence[str], acceptable: Sequence[str]) -> str:
    """What to do about these features, of which some may be known before the outcome after all."""
    remedy = f"add {', '.join(names)} to spec.leaks or features.exclude"
    if not acceptable:
        return remedy
    which = "it is" if len(names) == 1 else f"{' or '.join(acceptable)} is"
    return (
        f"{remedy}; if {which} known before the outcome, and somebody looked, set separates: true "
        "in its column"
    )


# ── a feature that tells the outcome ─────────────────────────────────────────────────────────────


def separation(values: Any, outcome: NDArray[Any], *, regression: bool) -> str:  # noqa: ANN401
    """How a feature on its own tells the outcome, or an empty text; both of the shape (rows,)."""
    numbers, counted = _numbers(values)
    classes = np.unique(outcome)
    if regression:
        share = _explained(numbers, outcome.astype(float), counted=counted)
        said = f"alone explains {share:.4f} of the variance of the outcome"
        return said if share >= ALMOST else ""
    if len(classes) == 2:  # noqa: PLR2004 - two outcomes
        return _two_outcomes(numbers, outcome == classes[1], counted=counted)
    share = _mended(numbers, outcome, counted=counted)
    said = f"alone tells the classes apart: it takes away {share:.4f} of the errors"
    return said if share >= ALMOST else ""


def _two_outcomes(numbers: Floats, positive: NDArray[np.bool_], *, counted: bool) -> str:
    absent = np.isnan(numbers)
    rows = len(numbers)
    area = _area(absent.astype(float), positive)
    if area >= ALMOST:
        return f"is missing by the outcome: the area under its curve is {area:.4f} on {rows} rows"
    present = ~absent
    if counted:
        rows, others = int(present.sum()), positive[present]
        # Codes are numbers too, and their order means nothing.
        area = max(_area(numbers[present], others), _level_area(_sliced(numbers[present]), others))
    else:
        area = _level_area(np.where(absent, -1.0, numbers), positive)
    said = f"alone separates the outcome: the area under its curve is {area:.4f} on {rows} rows"
    return said if area >= ALMOST else ""


def _level_area(codes: Floats, positive: NDArray[np.bool_]) -> float:
    """The area under the curve of the outcomes that levels have in the other half of the rows."""
    if len(codes) < 2 * FEWEST:
        return 0.0
    halves = _halves(codes, positive.astype(float))
    return min(_area(rates, positive[half]) for half, rates in halves)


def _numbers(values: Any) -> tuple[Floats, bool]:  # noqa: ANN401 - an Arrow column
    """Values as floats with NaN where missing, and whether their order means something."""
    import pyarrow as pa

    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    if pa.types.is_large_string(values.type) or pa.types.is_string(values.type):
        return np.where((codes := first_seen(values)) < 0, np.nan, codes).astype(float), False
    numbers: Floats = values.cast(pa.float64(), safe=False).to_numpy().astype(float)
    return numbers, True


def _area(values: Floats, positive: NDArray[np.bool_]) -> float:
    """The area under the curve in the better direction; 0 where too few rows are on a side."""
    ours, others = int(positive.sum()), int((~positive).sum())
    if min(ours, others) < FEWEST:
        return 0.0
    area = (float(_ranks(values)[positive].sum()) - ours * (ours + 1) / 2) / (ours * others)
    return max(area, 1 - area)


def _ranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return ranks


def _drawn(rows: int) -> tuple[tuple[Indices, Indices], tuple[Indices, Indices]]:
    """Two halves of the rows by chance, and the other way round."""
    order = np.random.default_rng(SEED).permutation(rows)
    one, two = order[: rows // 2], order[rows // 2 :]
    return (one, two), (two, one)


def _halves(codes: Floats, outcome: Floats) -> Iterator[tuple[Indices, Floats]]:
    """Each half of the rows with the mean outcome that its levels have in the other half."""
    places = np.unique(codes, return_inverse=True)[1]
    for half, other in _drawn(len(codes)):
        counts = np.bincount(places[other], minlength=places.max() + 1)
        sums = np.bincount(places[other], weights=outcome[other], minlength=places.max() + 1)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.mean(outcome[other]))
        yield half, means[places[half]]


def _explained(numbers: Floats, outcome: Floats, *, counted: bool) -> float:
    """The share of the variance of the outcome that the feature explains."""
    present = ~np.isnan(numbers)
    if present.sum() < 2 * FEWEST:
        return 0.0
    if not counted:
        halves = _halves(np.where(present, numbers, -1.0), outcome)
        return min(_correlated(means, outcome[half]) for half, means in halves)
    one, two = numbers[present], outcome[present]
    return max(_correlated(one, two), _correlated(_ranks(one), _ranks(two)))


def _correlated(one: Floats, two: Floats) -> float:
    """The squared correlation; 0 where one of the two is constant."""
    one, two = one - np.mean(one), two - np.mean(two)
    spread = float(np.sum(one**2)) * float(np.sum(two**2))
    return float(np.sum(one * two)) ** 2 / spread if spread > 0 else 0.0


def _mended(numbers: Floats, outcome: NDArray[Any], *, counted: bool) -> float:
    """The share of the errors of the largest class that the feature takes away."""
    places = np.unique(outcome, return_inverse=True)[1]
    errors = len(places) - int(np.bincount(places).max())
    if errors < FEWEST:
        return 0.0
    codes = _sliced(numbers) if counted else np.where(np.isnan(numbers), -1.0, numbers)
    wrong = 0
    for half, other in _drawn(len(codes)):
        wrong += int((_elected(codes, places, other)[half] != places[half]).sum())
    return 1 - wrong / errors


def _elected(codes: Floats, places: Indices, among: Indices) -> Indices:
    """For each row the largest class among these rows with its code."""
    rows = np.unique(codes, return_inverse=True)[1]
    table = np.zeros((rows.max() + 1, places.max() + 1))
    np.add.at(table, (rows[among], places[among]), 1.0)
    elected: Indices = table.argmax(axis=1)[rows]
    return elected


def _sliced(numbers: Floats) -> Floats:
    """The slice of each number among equally large ones; -1 where it is missing."""
    present = ~np.isnan(numbers)
    slices = np.full(len(numbers), -1.0)
    if present.any():
        edges = np.unique(np.quantile(numbers[present], np.arange(1, SLICES) / SLICES))
        slices[present] = np.searchsorted(edges, numbers[present], side="right")
    return slices


# ── a feature that repeats what is never a feature ───────────────────────────────────────────────


def _repeating(
    dataset: Dataset,
    names: Sequence[str],
    table: Any,  # noqa: ANN401 - pa.Table
) -> Iterator[tuple[str, str, bool]]:
    """Feature, what it does, and whether `separates` would accept it."""
    guarded = [(name, what, first_seen(table[name])) for name, what in _guarded(dataset)]
    for feature in names:
        codes = first_seen(table[feature])
        for name, what, others in guarded:
            accepted = what == "the outcome" and dataset.columns[feature].separates
            if (
                not accepted
                and np.array_equal(codes, others)
                and _tells(codes, table, feature, name)
            ):
                yield feature, f"repeats {what} {name}, value for value", False
                break


def _guarded(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Columns that no feature may repeat."""
    if dataset.target is not None:
        yield dataset.target.column, "the outcome"
    own = {dataset.entity: "the entity", dataset.time: "the time"}
    for name, column in sorted(dataset.columns.items()):
        if column.role == "protected":
            yield name, "the protected column"
        elif name in own or column.role in {"entity", "time"}:
            yield name, own.get(name, f"the {column.role}")


def first_seen(values: Any) -> Indices:  # noqa: ANN401 - an Arrow column
    """Codes by first appearance, -1 where missing: equal for columns that only rename values."""
    coded = values.combine_chunks().dictionary_encode().indices
    codes: Indices = coded.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _tells(codes: Indices, table: Any, one: str, two: str) -> bool:  # noqa: ANN401 - pa.Table
    """Whether equal codes mean something: not where all rows agree, or nearly all differ.

    Any two columns in which no value recurs rename each other; there the values must be the same.
    """
    import pyarrow as pa

    counts = np.bincount(codes + 1)
    if len(codes) - int(counts.max()) < FEWEST:
        return False
    if len(counts) > len(codes) / 2:
        text = pa.large_string()
        return bool(table[one].cast(text).equals(table[two].cast(text)))
    return True
