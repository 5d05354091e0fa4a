"""A plan's answers to many rows at once, the same to the last bit as `RowPlan.answer` to each.

A batch of a million rows is too many for closures, row by row. What costs the time is done in
arrays: numbers and curves are computed by column, and a tree parts the rows instead of walking each
of them. Everything else (levels, dates, texts) goes through the plan's own closure, once for each
different value, and links and sums of linear models through the plan's own functions, because
another exponential, or another order of a sum, is another last digit. So there is no second meaning
of a plan that could be wrong, and no tolerance.

The stored pipeline and the ONNX form were refused for this. Both are proven to be near the plan and
not to be equal to it, and a decision at the threshold has to be the one that was served.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.encoding import number_of, read_pieces
from ordain.runtime.models import LinearModel, TreeModel, linear_sum
from ordain.specs.tasks import CLASSIFICATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ordain.runtime.encoding import Encoder
    from ordain.runtime.models import Tree
    from ordain.runtime.scoring import RowPlan

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]
    Values = Sequence[object] | NDArray[Any]

_NUMBERS = {bool, float, int, NoneType}
_PLAIN = {*_NUMBERS, str}
_REALS = "biuf"  # Kinds of elements that are numbers: truth values, integers, floats.
# As many rows at once: their columns usually stay near the processor.
CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class PlanAnswers:
    """`scoring.Scored` of many rows, with the margins that led there.

    `output` has one entry for each row, `margins` and `scores` one row for each, the latter without
    a column where a plan has no classes. `chosen` are places in the classes or clusters of a plan,
    none where it has no names for them. `decisions` are None where a plan makes none.
    """

    margins: Floats
    output: Floats
    scores: Floats
    chosen: Indices
    decisions: tuple[str | None, ...]


def answers_of_plan(plan: RowPlan, columns: Mapping[str, Values]) -> PlanAnswers:
    """What a plan answers to rows that are given by column; an absent column is missing everywhere.

    Raises:
        RowError: as `RowPlan.answer` does for a row.
        ValueError: when the columns are not of one length.
    """
    rows = _rows(columns)
    parts = [_margins(plan, _chunk(columns, start)) for start in range(0, rows, CHUNK)]
    margins = np.concatenate([np.empty((0, plan.model.outputs)), *parts])
    if plan.task != CLASSIFICATION or plan.classes:
        return _answered(plan, margins)
    output = list(map(plan.probability, margins[:, 0].tolist()))
    decisions = (None,) * rows if plan.decision is None else tuple(map(plan.decide, output))
    nobody = np.empty(0, dtype=np.int64)
    return PlanAnswers(margins, np.array(output), np.empty((rows, 0)), nobody, decisions)


def _answered(plan: RowPlan, margins: Floats) -> PlanAnswers:
    """Of values, of more than two classes and of clusters, one by one."""
    answered = [plan.answered(one) for one in margins.tolist()]
    width = len(answered[0].scores) if answered else 0
    places = {name: place for place, name in enumerate(plan.classes)}
    chosen = [places[one.decision] for one in answered if one.decision in places]
    return PlanAnswers(
        margins=margins,
        output=np.array([one.output for one in answered], dtype=np.float64),
        scores=np.array([one.scores for one in answered]).reshape(len(margins), width),
        chosen=np.array(chosen, dtype=np.int64),
        decisions=tuple(one.decision for one in answered),
    )


def columns_of(rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> dict[str, Values]:
    """The same rows by column."""
    return {name: [row.get(name) for row in rows] for name in names}


def encode_columns(plan: RowPlan, columns: Mapping[str, Values]) -> Floats:
    """The encoded columns of rows, as `RowPlan.encode` has them for each.

    Raises:
        RowError: as `RowPlan.encode` does for a row.
        ValueError: when the columns are not of one length.
    """
    rows = _rows(columns)
    absent = [None] * rows
    made: list[Floats] = []
    for op, encoder in zip(plan.columns.ops, plan.columns.encoders, strict=True):
        if op["op"] == "product":
            first, second = op["inputs"]
            with np.errstate(over="ignore", invalid="ignore"):
                made.append(made[first] * made[second])
            continue
        values = columns.get(op["input"], absent)
        made.extend(_encoded(op, encoder, values))
    keep = plan.columns.keep
    kept = made if keep is None else [made[place] for place in keep]
    return np.array(kept).T.reshape(rows, len(kept))


def _rows(columns: Mapping[str, Values]) -> int:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ValueError("the columns are not of one length")
    return next(iter(lengths), 0)


def _chunk(columns: Mapping[str, Values], start: int) -> dict[str, Values]:
    return {name: values[start : start + CHUNK] for name, values in columns.items()}


def _encoded(op: Mapping[str, Any], encoder: Encoder, values: Values) -> list[Floats]:
    match op["op"]:
        case "number":
            return [_finished(op, values)]
        case "spline":
            return _curves(op, _finished(op, values))
        case "missing" if isinstance(values, np.ndarray) and values.dtype.kind == "f":
            return [np.isnan(values).astype(np.float64)]
        case _:
            return _by_value(op["input"], encoder, values)


def _by_value(name: str, encoder: Encoder, values: Values) -> list[Floats]:
    """One call of the closure for each different value."""
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    made: list[list[float]] = []
    if len(_types(listed) - {NoneType}) > 1 or not _types(listed) <= _PLAIN:
        # 1, 1.0 and true are equal and not the same value, and a list is no key of a dict.
        made.extend(_one(name, encoder, value) for value in listed)
        return list(np.array(made).T)
    places = {value: place for place, value in enumerate(dict.fromkeys(listed))}
    made.extend(_one(name, encoder, value) for value in places)
    table = np.array(made)
    return list(table[list(map(places.__getitem__, listed))].T) if made else []


def _one(name: str, encoder: Encoder, value: object) -> list[float]:
    encoded: list[float] = []
    encoder({name: value}, encoded)
    return encoded


def _types(values: Sequence[object]) -> set[type]:
    return set(map(type, values))


def _finished(op: Mapping[str, Any], values: Values) -> Floats:
    """Impute, clip, centre and scale, in the order and with the operations of `encoding`."""
    found = _numbers(op["input"], values)
    if op["impute"] is not None:
        found = np.where(np.isnan(found), float(op["impute"]), found)
    if op["low"] is not None:
        found = np.where(found < op["low"], float(op["low"]), found)
    if op["high"] is not None:
        found = np.where(found > op["high"], float(op["high"]), found)
    with np.errstate(over="ignore", invalid="ignore"):
        found = (found - float(op["center"])) / float(op["scale"])
        factor, offset = float(op.get("factor", 1.0)), float(op.get("offset", 0.0))
        return found if (factor, offset) == (1.0, 0.0) else found * factor + offset


def _numbers(name: str, values: Values) -> Floats:
    """NaN where a value is missing; text is never read as a number, which NumPy would do."""
    listed: Any = values
    if isinstance(values, np.ndarray) and values.dtype.kind not in _REALS:
        listed = values.tolist()
    if isinstance(listed, np.ndarray) or _types(listed) <= _NUMBERS:
        try:
            found: Floats = np.array(listed, dtype=np.float64)
        except OverflowError:
            found = np.array([np.inf])
        if not np.isinf(found).any():
            return found
    return np.array([number_of(name, value) for value in listed], dtype=np.float64)


def _curves(op: Mapping[str, Any], x: Floats) -> list[Floats]:
    """The basis over its pieces, as `encoding` evaluates it."""
    knots = np.array(op["knots"], dtype=np.float64)
    pieces = read_pieces(op["input"], tuple(knots.tolist()), op["pieces"])
    order = len(pieces[0]) + (len(pieces) == 1)
    x = np.where(x < knots[0], knots[0], np.where(x > knots[-1], knots[-1], x))
    places = np.searchsorted(knots[1:-1], x, side="right")
    t = x - knots[places]
    # One more column than is kept: the last of the basis, with which all pieces have as many.
    made = np.zeros((len(pieces) + order - 1, len(x)))
    for number in range(order):
        flat = [piece[number] if number < len(piece) else (0.0,) * 4 for piece in pieces]
        a, b, c, d = np.array(flat)[places].T
        made[places + number, np.arange(len(x))] = ((a * t + b) * t + c) * t + d
    return list(made[:-1])


def _margins(plan: RowPlan, columns: Mapping[str, Values]) -> Floats:
    encoded = encode_columns(plan, columns)
    match plan.model:
        case LinearModel(coefficients, intercepts):
            sums = [
                _sums(encoded, np.array(weights), intercept)
                for weights, intercept in zip(coefficients, intercepts, strict=True)
            ]
            return np.array(sums).T.reshape(len(encoded), len(sums))
        case TreeModel():
            return _of_trees(plan.model, np.asfortranarray(encoded))
        case _:
            return np.array([plan.model.margins(row) for row in encoded.tolist()])


def _sums(encoded: Floats, weights: Floats, intercept: float) -> list[float]:
    products = np.empty((len(encoded), len(weights) + 1))
    products[:, -1] = intercept
    with np.errstate(over="ignore", invalid="ignore"):
        np.multiply(encoded, weights, out=products[:, :-1])
    return list(map(linear_sum, products.tolist()))


def _of_trees(model: TreeModel, encoded: Floats) -> Floats:
    """Each tree adds its leaves to the margins of its output, in the order of the trees."""
    margins = np.tile(np.array(model.baselines, dtype=np.float64), (len(encoded), 1))
    absent = np.isnan(encoded)
    gaps = [bool(column.any()) for column in absent.T]
    everybody = np.arange(len(encoded))
    for tree in model.trees:
        leaves = _leaves(tree, encoded, absent, gaps, everybody)
        added = margins[:, tree.output] + leaves
        if model.single:
            added = added.astype(np.float32).astype(np.float64)
        margins[:, tree.output] = added
    return margins


def _leaves(
    tree: Tree, encoded: Floats, absent: NDArray[np.bool_], gaps: list[bool], everybody: Indices
) -> Floats:
    """The leaf of each row: the rows at a node are parted until nothing is left to ask."""
    found = np.empty(len(encoded))
    waiting = [(0, everybody)]
    while waiting:
        node, rows = waiting.pop()
        column = tree.feature[node]
        if column < 0:
            found[rows] = tree.value[node]
        elif len(rows):
            left = encoded[:, column][rows] <= tree.threshold[node]
            if tree.missing_left[node] and gaps[column]:
                left |= absent[:, column][rows]
            waiting += ((tree.left[node], rows[left]), (tree.right[node], rows[~left]))
    return found
