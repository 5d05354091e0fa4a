"""What can be said about cases whose outcome an earlier decision has hidden.

A loan that was refused has no repayment. Performance on those that were granted is performance on
those whom the last model liked, and it is best where least is known. So the test part keeps the
cases without an outcome: they are scored, fairness counts the decisions about them, and ten bands
of the new score show where outcomes were seen, and where some were seen by chance. To fill the
hidden outcomes in (reject inference) was refused: it makes the number that is asked for out of the
model that is judged. A claim on all cases is measured on a sample of all of them instead: outcomes
that were seen by chance, and of bands that were seen whole as many, each band by its size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.labels import truth_of
from ordain.specs.coverage import claim_gap
from ordain.specs.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ordain.runtime.training.splits import Indices, Parts
    from ordain.specs.evidence import Metric
    from ordain.specs.kinds.dataset import Dataset, Feedback
    from ordain.specs.kinds.model import MetricGate

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

BANDS = 10
SEEN = "of cases whose outcome was seen"


def loop_of(dataset: Dataset) -> Feedback | None:
    """The declared feedback loop."""
    return None if dataset.target is None else dataset.target.feedback


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of the test part, each array of the shape (cases,) and in the order of the rows."""

    score: Floats
    labelled: Mask
    explored: Mask
    band: Indices

    def bands(self) -> Iterator[Mask]:
        """Which cases lie in each band, lowest first."""
        return (self.band == one for one in np.unique(self.band))


def cases_of(loop: Feedback, table: Any, parts: Parts, scores: Floats) -> Cases:  # noqa: ANN401
    """The cases of the test part in bands of the score.

    `scores` are of every row of the table; of several outputs the largest counts. Bands hold about
    a tenth of the cases each; equal scores stay together, so there may be fewer.
    """
    cases = parts.population("test")
    labelled = np.isin(cases, parts.test)
    chance = np.zeros(table.num_rows, dtype=bool)
    if loop.explored is not None:
        chance = truth_of(table[loop.explored])
    score = (scores if scores.ndim == 1 else scores.max(axis=1))[cases]
    edges = np.unique(np.quantile(score, np.arange(1, BANDS) / BANDS, method="higher"))
    band = np.searchsorted(edges, score, side="right")
    return Cases(score, labelled, chance[cases] & labelled, band)


def coverage_of(cases: Cases) -> dict[str, Any]:
    """How many outcomes were seen in each band, and how many of them by chance."""
    return {
        "bands": [_band(cases, inside) for inside in cases.bands()],
        "labelled": float(np.mean(cases.labelled)),
        "explored": float(np.mean(cases.explored)),
    }


def everybody(cases: Cases, seed: int) -> Indices | None:
    """Rows of the test part with an outcome that stand for all cases, as places among these rows.

    From a band that was not seen whole come cases that were seen by chance, and from every band the
    same share of its cases: the smallest that chance has let through of any. None where that is not
    to be had, and where every outcome was seen, so that there is nothing to choose.
    """
    bands = [(inside, bool(cases.labelled[inside].all())) for inside in cases.bands()]
    partly = [
        (int(cases.explored[inside].sum()), int(inside.sum()))
        for inside, whole in bands
        if not whole
    ]
    if not partly or any(not seen for seen, _ in partly):
        return None
    seen, of = min(partly, key=lambda one: Fraction(*one))
    rng = np.random.default_rng(seed)
    drawn = []
    for inside, whole in bands:
        able = np.flatnonzero(inside & (cases.labelled if whole else cases.explored))
        drawn.append(rng.choice(able, size=seen * int(inside.sum()) // of, replace=False))
    place = np.cumsum(cases.labelled) - 1
    return np.asarray(np.sort(place[np.concatenate(drawn)]), dtype=np.int64)


def _band(cases: Cases, inside: Mask) -> dict[str, Any]:
    n = int(inside.sum())
    seen = int(cases.labelled[inside].sum())
    return {
        "from": float(cases.score[inside].min()),
        "to": float(cases.score[inside].max()),
        "n": n,
        "labelled": seen,
        "share": seen / n,
        "explored": int(cases.explored[inside].sum()),
    }


def qualify(
    rows: Sequence[Metric],
    gates: Sequence[MetricGate],
    coverage: dict[str, Any],
    loop: Feedback,
) -> tuple[Metric, ...]:
    """Rows that say whom they are about; a claim on all cases that is not shown is insufficient."""
    gap = claim_gap({"coverage": coverage}, loop)
    left = list(gates)
    whole = coverage["labelled"] == 1.0
    shown = "of all cases" if whole else "of all cases, by those that were seen by chance"
    return tuple(_qualified(row, left, gap, shown) if row.limit else row for row in rows)


def _qualified(row: Metric, left: list[MetricGate], gap: str, shown: str) -> Metric:
    """The row after its gate, which is taken from those that are left; gates keep their order."""
    gate = next(gate for gate in left if _row_name(gate) == row.name)
    left.remove(gate)
    if gate.population == "labelled":
        return replace(row, limit=f"{row.limit}, {SEEN}")
    if not gap:
        return replace(row, limit=f"{row.limit}, {shown}")
    limit = f"{row.limit}, of all cases: {gap}"
    return replace(row, limit=limit, verdict=Verdict.INSUFFICIENT.value)


def _row_name(gate: MetricGate) -> str:
    return gate.name if gate.versus is None else f"{gate.name}_delta"


def spoken_for(coverage: dict[str, Any], loop: Feedback) -> str:
    """The limitation of every number that is measured on outcomes, or an empty text."""
    seen = f"Outcomes were seen for {coverage['labelled']:.1%} of the test part"
    gap = claim_gap({"coverage": coverage}, loop)
    if coverage["labelled"] == 1.0:
        return ""
    if gap:
        return f"{seen}: performance on the others is not shown ({gap})."
    by_chance = f"{coverage['explored']:.1%} of its cases by chance"
    return (
        f"{seen}, for {by_chance}: performance is measured on cases whose outcome was seen, except "
        "where a gate asks for all cases."
    )
