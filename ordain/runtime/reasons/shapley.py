"""Exact Shapley values of the log-odds against a background, per input.

The value of a set of known inputs is the mean margin when the known ones have the row's values and
all others those of a background row (interventional; "baseline" averaged over the background). In
log-odds the contributions of a linear model are independent of each other, and the order of reasons
does not depend on how close the answer is to certainty; in probability both are lost.

- Linear model: w · (x - mean of the background), column by column.
- Trees: for one leaf, one row and one background row, the game has a closed form. Of the k inputs
  tested on the way, u are met by the row alone and v by the background row alone; where the rest
  is met by both, each of the u earns the leaf's value times (u-1)! v! / (u+v)! and each of the v
  loses it times u! (v-1)! / (u+v)! (Lundberg et al. 2020, "From local explanations to global
  understanding with explainable AI for trees", supplementary algorithm 3).

The columns of one input (its indicator columns, its missing flag) are summed.

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
    margin.

    Raises:
        ReasonsError: no background row is given, or the values do not add up to 1e-6.
        RowError: a row does not fit the plan.
    """
    background = [plan.encode(row) for row in background_rows]
    encoded = [plan.encode(row) for row in rows]
    if not background:
        raise ReasonsError(
            "there is no background to compare with",
            remedy="train the version again; its artifact must hold background.json",
        )
    if isinstance(plan.model, LinearModel):
        columns = _linear(plan.model, background, encoded, output)
    elif isinstance(plan.model, TreeModel):
        columns = _trees(plan.model, background, encoded, output)
    else:
        message = "a clustering has no reasons: its distances are no sum over the inputs"
        raise ReasonsError(message, remedy="look at the centres of the clusters")
    base = _mean_margin(plan, background, output)
    for row, values in zip(encoded, columns, strict=True):
        _check(plan, plan.margins(row)[output], base, values)
    return [_by_input(plan, values) for values in columns]


def expected_margin(plan: RowPlan, background_rows: Iterable[Row]) -> float:
    """The mean log-odds of the background, where every attribution starts from."""
    return _mean_margin(plan, [plan.encode(row) for row in background_rows])


def _mean_margin(plan: RowPlan, encoded: Encoded, output: int = 0) -> float:
    return math.fsum(plan.margins(row)[output] for row in encoded) / len(encoded)


def _check(plan: RowPlan, margin: float, base: float, values: Sequence[float]) -> None:
    total = base + math.fsum(values)
    single = isinstance(plan.model, TreeModel) and plan.model.single
    tolerance = SINGLE_TOLERANCE if single else TOLERANCE
    if not math.isclose(total, margin, rel_tol=tolerance, abs_tol=tolerance):
        message = f"contributions add up to {total!r}, but the log-odds are {margin!r}"
        raise ReasonsError(message, remedy=_REMEDY)


def _by_input(plan: RowPlan, values: Sequence[float]) -> dict[str, float]:
    parts: dict[str, list[float]] = {given.name: [] for given in plan.inputs}
    for source, value in zip(plan.sources, values, strict=True):
        parts[source[0]].append(value)
    return {name: math.fsum(found) for name, found in parts.items()}


def _linear(
    model: LinearModel, background: Encoded, rows: Encoded, output: int
) -> list[list[float]]:
    size, weights = len(background), model.coefficients[output]
    means = [math.fsum(column) / size for column in zip(*background, strict=True)]
    return [
        [w * (x - mean) for w, x, mean in zip(weights, row, means, strict=True)] for row in rows
    ]


def _trees(model: TreeModel, background: Encoded, rows: Encoded, output: int) -> list[list[float]]:
    import numpy as np

    if not rows:
        return []
    x, z = np.asarray(rows, dtype=float), np.asarray(background, dtype=float)
    total = np.zeros_like(x)
    for tree in (tree for tree in model.trees if tree.output == output):
        _add_tree(total, tree, _goes_left(tree, x), _goes_left(tree, z))
    return [[float(value) for value in row] for row in total]


def _goes_left(tree: Tree, rows: Any) -> Any:  # noqa: ANN401 - arrays: (rows, columns) to (rows, nodes)
    """Which way each row would go at each node, by the plan's rule for missing values."""
    import numpy as np

    values = rows[:, np.maximum(tree.feature, 0)]
    left = values <= np.asarray(tree.threshold)
    return np.where(np.isnan(values), np.asarray(tree.missing_left), left)


def _add_tree(total: Any, tree: Tree, rows: Any, background: Any) -> None:  # noqa: ANN401 - arrays
    """Add the contributions of one tree to `total`, (rows, columns)."""
    for value, tests in _leaves(tree):
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
    """Whether each row meets all tests of each column, (rows, columns tested)."""
    import numpy as np

    columns = []
    for found in tests.values():
        met = np.ones(len(goes_left), dtype=bool)
        for test in found:
            met &= goes_left[:, test.node] == test.left
        columns.append(met)
    return np.stack(columns, axis=1)


def _leaves(tree: Tree) -> Iterator[tuple[float, dict[int, list[Test]]]]:
    """Each leaf's value and the tests on the way to it, by column."""
    paths: list[tuple[int, tuple[Test, ...]]] = [(0, ())]
    while paths:
        node, path = paths.pop()
        if tree.feature[node] < 0:
            tests: dict[int, list[Test]] = defaultdict(list)
            for test in path:
                tests[tree.feature[test.node]].append(test)
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
