"""An estimate of Shapley values where there is no closed form: trees over products of two inputs.

A walk goes from a background row to the row that is explained, taking one input after the other
from it in a random order, and credits each input with what the margin moves by when it is taken
(Castro, Gómez and Tejada 2009). Every order is walked in both directions, whose errors partly
cancel (antithetic sampling, Mitchell et al. 2022, "Sampling permutations for Shapley value
estimation", section 3), and every background row is walked from equally often. The steps of a walk
add up to the difference of its ends, so that the contributions and the mean margin of the
background add up to the margin, however few orders were drawn.

The standard error of an input is that of a mean over strata, one for each background row: which
background row is walked from is not left to chance and adds nothing to it.

The work is bounded: at most the larger of `EVALUATIONS` and four walks of each background row. The
same seed draws the same orders for every row, so that a row explained alone and among others is
told the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ordain.runtime.models import Tree
    from ordain.runtime.scoring import RowPlan

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

EVALUATIONS = 50_000
FEWEST, MOST = 2, 16
_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class Walks:
    """One output of trees over products, ready to be walked to from a background.

    `factors` are the places of the one or two factors of each column among all columns and
    `players` the inputs of these; the second of a column that is no product is -1. `orders` are
    (background rows, walks, inputs).
    """

    trees: tuple[Tree, ...]
    factors: Places
    players: Places
    background: Floats
    orders: Places

    @classmethod
    def of(
        cls, plan: RowPlan, trees: Sequence[Tree], background: list[list[float]], seed: int
    ) -> Walks:
        """`background` are encoded rows with all columns, also those that were not kept."""
        names = [given.name for given in plan.inputs]
        keep = plan.columns.keep
        factors, players = [], []
        described = zip(plan.sources, plan.columns.operands, strict=True)
        for place, (sources, operands) in enumerate(described):
            alone = (place if keep is None else keep[place], -1)
            factors.append(alone if operands is None else operands)
            owners = [names.index(source) for source in sources]
            players.append((owners[0], -1) if operands is None else (owners[0], owners[1]))
        shape = (len(background), _rounds(len(background), len(names)), len(names))
        orders = np.argsort(np.random.default_rng(seed).random(shape), axis=2)
        return cls(
            tuple(trees),
            np.asarray(factors).reshape(-1, 2),
            np.asarray(players).reshape(-1, 2),
            np.asarray(background, dtype=float),
            orders,
        )

    def explain(self, row: Sequence[float]) -> tuple[Floats, Floats]:
        """The contribution of each input, and its standard error, of a row with all columns."""
        count, rounds, inputs = self.orders.shape
        cells = 2 * rounds * (inputs + 1) * max(len(self.factors), inputs)
        size = max(1, _CELLS // cells)
        target = np.asarray(row, dtype=float)
        found = np.concatenate(
            [
                self._steps(target, self.background[at : at + size], self.orders[at : at + size])
                for at in range(0, count, size)
            ]
        )
        error = np.sqrt(found.var(axis=1, ddof=1).sum(axis=0) / rounds) / count
        return found.mean(axis=(0, 1)), error

    def _steps(self, row: Floats, background: Floats, orders: Places) -> Floats:
        """The mean of both directions of each walk, (background rows, walks, inputs)."""
        inputs = orders.shape[2]
        rank = np.argsort(orders, axis=2)
        ranks = np.stack([rank, inputs - 1 - rank], axis=2)
        known = ranks[:, :, :, np.newaxis, :] < np.arange(inputs + 1)[:, np.newaxis]
        values = self._margins(row, background, known)
        moved = np.diff(values, axis=3)
        both: Floats = np.take_along_axis(moved, ranks, axis=3).mean(axis=2)
        return both

    def _margins(self, row: Floats, background: Floats, known: NDArray[np.bool_]) -> Floats:
        """The margin, less its baseline, of rows that are known in part."""
        shape = known.shape[:-1]
        table = np.empty((int(np.prod(shape)), len(self.factors)))
        for column, (factors, players) in enumerate(zip(self.factors, self.players, strict=True)):
            value = np.ones(shape)
            for place, player in zip(factors.tolist(), players.tolist(), strict=True):
                if place < 0:
                    continue
                other = background[:, place].reshape(-1, *[1] * (len(shape) - 1))
                value = value * np.where(known[..., player], row[place], other)
            table[:, column] = value.ravel()
        total = np.zeros(len(table))
        for tree in self.trees:
            total += _answers(tree, table)
        return total.reshape(shape)


def _rounds(background: int, inputs: int) -> int:
    """How many orders each background row is walked in, both ways."""
    return min(MOST, max(FEWEST, EVALUATIONS // (2 * background * (inputs + 1))))


def _answers(tree: Tree, rows: Floats) -> Floats:
    """The leaf of each row."""
    feature, left, right = map(np.asarray, (tree.feature, tree.left, tree.right))
    threshold, missing_left = np.asarray(tree.threshold), np.asarray(tree.missing_left)
    node = np.zeros(len(rows), dtype=np.int64)
    going = np.arange(len(rows)) if feature[0] >= 0 else np.arange(0)
    while len(going):
        at = node[going]
        value = rows[going, feature[at]]
        to_left = np.where(np.isnan(value), missing_left[at], value <= threshold[at])
        node[going] = np.where(to_left, left[at], right[at])
        going = going[feature[node[going]] >= 0]
    leaves: Floats = np.asarray(tree.value)[node]
    return leaves
