"""A plan made ready to be explained against one background.

What depends on the background alone is worked out once: means of a linear model, tables of trees
(`leaves`). A row of a boosted model of a hundred trees then takes a fraction of a millisecond
beside its own answer. Tables of one output are kept up to `KEPT` bytes; those of larger forests are
made in chunks for each call, so that rows should be given together, and memory does not grow with
the forest.

Additivity is not assumed but checked for every row: contributions + mean margin = margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ordain.runtime.reasons.errors import ReasonsError
from ordain.runtime.scoring import LinearModel, TreeModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.runtime.reasons.leaves import Chunk
    from ordain.runtime.reasons.sums import Sums
    from ordain.runtime.reasons.walks import Walks
    from ordain.runtime.scoring import RowPlan, Tree

    Row = Mapping[str, object]
    Encoded = list[list[float]]

TOLERANCE = 1e-6
SINGLE_TOLERANCE = 1e-4  # Sums that a model rounds to single precision, over some thousand trees.
KEPT = 128_000_000
_REMEDY = "this is a defect of ordain; report it with the artifact's digest"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each input adds to the margin of one row; standard errors where it is an estimate."""

    values: dict[str, float]
    errors: dict[str, float] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether this is no estimate."""
        return not self.errors


class Explainer:
    """Attributions of many rows against one background."""

    def __init__(self, plan: RowPlan, every: Encoded, seed: int) -> None:
        self.plan = plan
        self._every = every
        self._kept = [plan.columns.kept(row) for row in every]
        self._seed = seed
        self._means: dict[int, float] = {}
        self._sums: dict[int, Sums] = {}
        self._walks: dict[int, Walks] = {}
        self._chunks: dict[int, list[Chunk]] = {}

    @classmethod
    def of(cls, plan: RowPlan, background: Iterable[Row], *, seed: int = 0) -> Explainer:
        """`seed` is that of estimates; exact values do not depend on it.

        Raises:
            ReasonsError: a clustering is given, or no background row.
            RowError: a background row does not fit the plan.
        """
        every = [plan.columns.every(row) for row in background]
        if not every:
            raise ReasonsError(
                "there is no background to compare with",
                remedy="train the version again; its artifact must hold background.json",
            )
        if plan.task == "clustering":
            raise ReasonsError(
                "a clustering has no reasons: its distances are no sum over the inputs",
                remedy="look at the centres of the clusters",
            )
        return cls(plan, every, seed)

    @property
    def exact(self) -> bool:
        """Whether attributions of this plan are no estimates."""
        return is_exact(self.plan)

    def base(self, output: int = 0) -> float:
        """The mean margin of the background, where every attribution starts from.

        Raises:
            ReasonsError: the plan has no such margin.
        """
        self._refuse_no_margin(output)
        if output not in self._means:
            margins = [self.plan.margins(row)[output] for row in self._kept]
            self._means[output] = math.fsum(margins) / len(margins)
        return self._means[output]

    def explain(self, rows: Iterable[Row], output: int = 0) -> list[Attribution]:
        """What each input adds to one margin of each row.

        Raises:
            ReasonsError: the plan has no such margin, or the values do not add up to 1e-6 (1e-4
                where the model itself rounds its sums to single precision).
            RowError: a row does not fit the plan.
        """
        base = self.base(output)
        every = [self.plan.columns.every(row) for row in rows]
        kept = [self.plan.columns.kept(row) for row in every]
        found = self._explained(every, kept, output) if every else []
        for row, attribution in zip(kept, found, strict=True):
            self._check(self.plan.margins(row)[output], base, attribution)
        return found

    def _explained(self, every: Encoded, kept: Encoded, output: int) -> list[Attribution]:
        model = self.plan.model
        if isinstance(model, LinearModel):
            sums = self._linear(model, output)
            pairs = zip(every, kept, strict=True)
            return [Attribution(sums.explain(*pair)) for pair in pairs]
        if not self.exact:
            return [self._estimated(row, output) for row in every]
        return [Attribution(values) for values in self._trees(kept, output)]

    def _linear(self, model: LinearModel, output: int) -> Sums:
        from ordain.runtime.reasons.sums import Sums

        if output not in self._sums:
            weights = model.coefficients[output]
            self._sums[output] = Sums.of(self.plan, weights, self._every, self._kept)
        return self._sums[output]

    def _estimated(self, row: list[float], output: int) -> Attribution:
        from ordain.runtime.reasons.walks import Walks

        if output not in self._walks:
            trees = _trees_of(self.plan, output)
            self._walks[output] = Walks.of(self.plan, trees, self._every, self._seed)
        values, errors = self._walks[output].explain(row)
        return Attribution(self._named(values), self._named(errors))

    def _trees(self, rows: Encoded, output: int) -> list[dict[str, float]]:
        import numpy as np

        table = np.asarray(rows, dtype=float)
        total = np.zeros((len(table), len(self.plan.inputs)))
        for chunk in self._compiled(output):
            chunk.add(total, table)
        return [self._named(row) for row in total]

    def _compiled(self, output: int) -> Iterator[Chunk]:
        """The chunks of one output, from memory where they were few enough to be kept."""
        import numpy as np

        from ordain.runtime.reasons.leaves import chunks

        if output in self._chunks:
            yield from self._chunks[output]
            return
        names = [given.name for given in self.plan.inputs]
        places = [names.index(sources[0]) for sources in self.plan.sources]
        background = np.asarray(self._kept, dtype=float)
        kept: list[Chunk] = []
        size = 0
        for chunk in chunks(_trees_of(self.plan, output), places, background):
            yield chunk
            size += chunk.size
            if size <= KEPT:
                kept.append(chunk)
            else:
                kept.clear()
        if size <= KEPT:
            self._chunks[output] = kept

    def _named(self, values: Any) -> dict[str, float]:  # noqa: ANN401 - an array
        names = [given.name for given in self.plan.inputs]
        return dict(zip(names, values.tolist(), strict=True))

    def _refuse_no_margin(self, output: int) -> None:
        outputs = self.plan.model.outputs
        if not 0 <= output < outputs:
            message = f"the plan has {outputs} outputs, and none with the number {output}"
            remedy = "number the outputs in the order of the classes, from 0"
            raise ReasonsError(message, remedy=remedy)

    def _check(self, margin: float, base: float, found: Attribution) -> None:
        single = isinstance(self.plan.model, TreeModel) and self.plan.model.single
        tolerance = SINGLE_TOLERANCE if single else TOLERANCE
        total = base + math.fsum(found.values.values())
        if not math.isclose(total, margin, rel_tol=tolerance, abs_tol=tolerance):
            message = f"contributions add up to {total!r}, but the margin is {margin!r}"
            raise ReasonsError(message, remedy=_REMEDY)


def is_exact(plan: RowPlan) -> bool:
    """Whether a plan has a closed form: all but trees over products of two inputs have."""
    products = any(operands is not None for operands in plan.columns.operands)
    return isinstance(plan.model, LinearModel) or not products


def _trees_of(plan: RowPlan, output: int) -> list[Tree]:
    trees = plan.model.trees if isinstance(plan.model, TreeModel) else ()
    return [tree for tree in trees if tree.output == output]
