"""Exact Shapley values of a margin against a background, per input.

The value of a set of known inputs is the mean margin when the known ones have the row's values and
all others those of a background row (interventional; "baseline" averaged over the background). The
margin is what the model adds up before its link: log-odds for a classifier (one margin for each of
more than two classes), the probability itself for a forest, the value or its logarithm for a
regression. In log-odds the contributions of a linear model are independent of each other, and the
order of reasons does not depend on how close the answer is to certainty; in probability both are
lost.

- Linear model: w · (x - mean of the background), column by column. A product of two inputs is a
  game of two, by the definition.
- Trees: for one leaf, one row and one background row, the game has a closed form. Of the k inputs
  tested on the way, u are met by the row alone and v by the background row alone; where the rest
  is met by both, each of the u earns the leaf's value times (u-1)! v! / (u+v)! and each of the v
  loses it times u! (v-1)! / (u+v)! (Lundberg et al. 2020, "From local explanations to global
  understanding with explainable AI for trees", supplementary algorithm 3).

The columns of one input (its indicator columns, its missing flag, the terms of a text) are one
player: they are known or unknown together. A clustering has no margin and no reasons.

`shap.TreeExplainer` computes the same and was refused for running, after measurement. Its
interventional mode holds thresholds in single precision, so that a row on a threshold, which is
where boosting puts them, is sent the other way: one tree in twenty came out wrong. It quietly keeps
100 of the background rows, and loading it costs 4 s of CPU. Tests hold the two together on values
that single precision can hold, and this one to the definition, summed over all subsets, on any.
Rows and background rows that meet the same tests are counted once, so 200 rows against 200 take
half a second for a hundred trees of 31 leaves.

Additivity is not assumed but checked for every row: contributions + mean margin = margin.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ordain.runtime.reasons.errors import ReasonsError
from ordain.runtime.scoring import LinearModel, TreeModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ordain.runtime.scoring import RowPlan, Tree

    Row = Mapping[str, object]
    Encoded = list[list[float]]

TOLERANCE = 1e-6
SINGLE_TOLERANCE = 1e-4  # Sums that a model rounds to single precision, over some thousand trees.
# As many truth values fit into one integer of NumPy; sorting integers is the quick way.
_CODE_BITS = 62
_REMEDY = "this is a defect of ordain; report it with the artifact's digest"


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison on the way to a leaf: the node, and whether it has to go left."""

    node: int
    left: bool


def attributions(
    plan: RowPlan, background_rows: Iterable[Row], rows: Iterable[Row], output: int = 0
) -> list[dict[str, float]]:
    """What each input adds to one margin of each row, compared with the background.

    Every input of the plan has an entry; `expected_margin` plus the sum of them is the row's
    margin of that output.

    Raises:
        ReasonsError: the plan has no such margin, no background row is given, a tree splits on a
            product of two inputs, or the values do not add up to 1e-6 (1e-4 where the model
            itself rounds its sums to single precision).
        RowError: a row does not fit the plan.
    """
    every_background = [plan.columns.every(row) for row in background_rows]
    every = [plan.columns.every(row) for row in rows]
    background = [plan.columns.kept(one) for one in every_background]
    encoded = [plan.columns.kept(one) for one in every]
    if not background:
        raise ReasonsError(
            "there is no background to compare with",
            remedy="train the version again; its artifact must hold background.json",
        )
    _refuse_no_margin(plan, output)
    if isinstance(plan.model, LinearModel):
        weights = plan.model.coefficients[output]
        values = _linear(plan, weights, background, encoded)
        _add_products(plan, weights, every_background, every, values)
    else:
        values = _trees(plan, output, background, encoded)
    base = _mean_margin(plan, background, output)
    single = isinstance(plan.model, TreeModel) and plan.model.single
    tolerance = SINGLE_TOLERANCE if single else TOLERANCE
    for row, found in zip(encoded, values, strict=True):
        _check(plan.margins(row)[output], base, found.values(), tolerance)
    return values


def expected_margin(plan: RowPlan, background_rows: Iterable[Row], output: int = 0) -> float:
    """The mean margin of the background, where every attribution starts from."""
    return _mean_margin(plan, [plan.encode(row) for row in background_rows], output)


def unit_of(plan: RowPlan) -> str:
    """What a margin counts, and therefore an attribution.

    Margins of more than two classes are log-odds up to a number that all classes share: their
    differences are log-odds between two classes.
    """
    match plan.link:
        case "logit" | "softmax":
            return "log-odds"
        case "log":
            return "logarithm of the value"
        case _:
            return "probability" if plan.task == "classification" else "value"


def _outputs(plan: RowPlan) -> int:
    """How many margins a plan has; a clustering has none."""
    match plan.model:
        case LinearModel():
            return len(plan.model.intercepts)
        case TreeModel():
            return len(plan.model.baselines)
        case _:
            return 0


def _refuse_no_margin(plan: RowPlan, output: int) -> None:
    if plan.task == "clustering":
        raise ReasonsError(
            "a clustering has no reasons: its distances are no sum over the inputs",
            remedy="look at the centres of the clusters",
        )
    if not 0 <= output < _outputs(plan):
        message = f"the plan has {_outputs(plan)} outputs, and none with the number {output}"
        raise ReasonsError(message, remedy="number the outputs in the order of the classes, from 0")


def _mean_margin(plan: RowPlan, encoded: Encoded, output: int) -> float:
    return math.fsum(plan.margins(row)[output] for row in encoded) / len(encoded)


def _check(margin: float, base: float, values: Iterable[float], tolerance: float) -> None:
    total = base + math.fsum(values)
    if not math.isclose(total, margin, rel_tol=tolerance, abs_tol=tolerance):
        message = f"contributions add up to {total!r}, but the margin is {margin!r}"
        raise ReasonsError(message, remedy=_REMEDY)


def _linear(
    plan: RowPlan, weights: Sequence[float], background: Encoded, rows: Encoded
) -> list[dict[str, float]]:
    """Contributions of the columns that are made from one input."""
    size = len(background)
    means = [math.fsum(column) / size for column in zip(*background, strict=True)]
    found = []
    for row in rows:
        parts: dict[str, list[float]] = {given.name: [] for given in plan.inputs}
        for sources, w, x, mean in zip(plan.sources, weights, row, means, strict=True):
            if len(set(sources)) == 1:
                parts[sources[0]].append(w * (x - mean))
        found.append({name: math.fsum(values) for name, values in parts.items()})
    return found


def _add_products(
    plan: RowPlan,
    weights: Sequence[float],
    background: Encoded,
    rows: Encoded,
    values: list[dict[str, float]],
) -> None:
    """Add the contributions of columns that are products; all columns are given.

    With x the row, b a background row and E the mean over these, nobody is worth E[b_u b_v], u
    alone x_u E[b_v], v alone E[b_u] x_v, both x_u x_v. Each earns the mean of what it adds as the
    first and as the second one: for u, half of what the column adds and half of the tilt
    w · (x_u E[b_v] - E[b_u] x_v).
    """
    size = len(background)
    for sources, operands, weight in zip(plan.sources, plan.columns.operands, weights, strict=True):
        if operands is None:
            continue
        (one, two), (u, v) = sources, operands
        mean_u = math.fsum(row[u] for row in background) / size
        mean_v = math.fsum(row[v] for row in background) / size
        mean = math.fsum(row[u] * row[v] for row in background) / size
        for row, into in zip(rows, values, strict=True):
            whole = weight * (row[u] * row[v] - mean)
            tilt = weight * (row[u] * mean_v - mean_u * row[v])
            into[one] += (whole + tilt) / 2
            into[two] += (whole - tilt) / 2


def _trees(
    plan: RowPlan, output: int, background: Encoded, rows: Encoded
) -> list[dict[str, float]]:
    import numpy as np

    if not rows:
        return []
    names = [given.name for given in plan.inputs]
    places = [_place(plan, names, column) for column in range(len(plan.sources))]
    x, z = np.asarray(rows, dtype=float), np.asarray(background, dtype=float)
    total = np.zeros((len(x), len(names)))
    for tree in _trees_of(plan, output):
        _add_tree(total, tree, places, _goes_left(tree, x), _goes_left(tree, z))
    return [dict(zip(names, map(float, row), strict=True)) for row in total]


def _trees_of(plan: RowPlan, output: int) -> list[Tree]:
    trees = plan.model.trees if isinstance(plan.model, TreeModel) else ()
    return [tree for tree in trees if tree.output == output]


def _place(plan: RowPlan, names: list[str], column: int) -> int:
    """The input that a column belongs to; the columns of one input are known or not together."""
    sources = set(plan.sources[column])
    if len(sources) > 1:
        message = f"{plan.names[column]} is made from two inputs, and a tree may split on it"
        raise ReasonsError(message, remedy="declare interactions for linear models only")
    return names.index(sources.pop())


def _goes_left(tree: Tree, rows: Any) -> Any:  # noqa: ANN401 - arrays: (rows, columns) to (rows, nodes)
    """Which way each row would go at each node, by the plan's rule for missing values."""
    import numpy as np

    values = rows[:, np.maximum(tree.feature, 0)]
    left = values <= np.asarray(tree.threshold)
    return np.where(np.isnan(values), np.asarray(tree.missing_left), left)


def _add_tree(
    total: Any,  # noqa: ANN401 - arrays
    tree: Tree,
    places: Sequence[int],
    rows: Any,  # noqa: ANN401
    background: Any,  # noqa: ANN401
) -> None:
    """Add the contributions of one tree to `total`, (rows, inputs)."""
    for value, tests in _leaves(tree, places):
        if value == 0.0 or not tests:
            continue
        known, which, _ = _patterns(_met(rows, tests))
        others, _, counts = _patterns(_met(background, tests))
        parts = _leaf(known, others, counts / len(background), _weights(len(tests)))
        total[:, list(tests)] += value * parts[which]


def _patterns(met: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401 - arrays
    """The different rows of a table of truth values, which of them each row is, and how often."""
    import numpy as np

    if met.shape[1] > _CODE_BITS:
        patterns, which, counts = np.unique(met, axis=0, return_inverse=True, return_counts=True)
        return patterns, which.reshape(-1), counts
    codes = met @ (1 << np.arange(met.shape[1]))
    _, first, which, counts = np.unique(
        codes, return_index=True, return_inverse=True, return_counts=True
    )
    return met[first], which, counts


def _leaf(known: Any, others: Any, share: Any, weights: Any) -> Any:  # noqa: ANN401 - arrays
    """Contributions for a leaf of value 1, (patterns of rows, inputs tested).

    `known` and `others` say which tests are met, (patterns, inputs tested); `share` is how much of
    the background has each pattern. Where every test is met by one of the two, the inputs met by
    the row alone are exactly those that the background row does not meet, and the other way round.
    """
    import numpy as np

    not_known, not_others = (~known).astype(float), (~others).astype(float)
    reachable = (not_known @ not_others.T) == 0
    u = not_others.sum(axis=1).astype(int)[None, :]
    v = not_known.sum(axis=1).astype(int)[:, None]
    gains = np.where(reachable, weights[u, v], 0.0) * share
    losses = np.where(reachable, weights[v, u], 0.0) * share
    return gains @ not_others - losses.sum(axis=1)[:, None] * not_known


def _met(goes_left: Any, tests: Mapping[int, Sequence[Test]]) -> Any:  # noqa: ANN401 - arrays
    """Whether each row meets all tests of each input, (rows, inputs tested)."""
    import numpy as np

    columns = []
    for found in tests.values():
        met = np.ones(len(goes_left), dtype=bool)
        for test in found:
            met &= goes_left[:, test.node] == test.left
        columns.append(met)
    return np.stack(columns, axis=1)


def _leaves(tree: Tree, places: Sequence[int]) -> Iterator[tuple[float, dict[int, list[Test]]]]:
    """Each leaf's value and the tests on the way to it, by input."""
    paths: list[tuple[int, tuple[Test, ...]]] = [(0, ())]
    while paths:
        node, path = paths.pop()
        if tree.feature[node] < 0:
            tests: dict[int, list[Test]] = defaultdict(list)
            for test in path:
                tests[places[tree.feature[test.node]]].append(test)
            yield tree.value[node], tests
            continue
        paths.append((tree.left[node], (*path, Test(node, left=True))))
        paths.append((tree.right[node], (*path, Test(node, left=False))))


@cache
def _weights(size: int) -> Any:  # noqa: ANN401 - an array
    """(u-1)! v! / (u+v)! at [u, v] for u and v up to `size`; 0 where u is 0."""
    import numpy as np

    table = np.zeros((size + 1, size + 1))
    for u in range(1, size + 1):
        for v in range(size + 1):
            table[u, v] = 1.0 / (u * math.comb(u + v, u))
    return table
