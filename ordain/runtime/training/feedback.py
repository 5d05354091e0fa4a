"""What can be said about cases whose outcome an earlier decision has hidden.

A loan that was refused has no repayment. Performance on those that were granted is performance on
those whom the last model liked, and it is best where least is known. So the test part keeps the
cases without an outcome: they are scored, fairness counts the decisions about them, and ten bands
of the new score show where outcomes were seen, and where some were seen by chance. To fill the
hidden outcomes in (reject inference) was refused: it makes the number that is asked for out of the
model that is judged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.labels import truth_of
from ordain.specs.coverage import claim_gap
from ordain.specs.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ordain.runtime.training.splits import Parts
    from ordain.specs.evidence import Metric
    from ordain.specs.kinds.dataset import Dataset, Feedback
    from ordain.specs.kinds.model import MetricGate

    Floats = NDArray[np.float64]

BANDS = 10
SEEN = "of cases whose outcome was seen"


def loop_of(dataset: Dataset) -> Feedback | None:
    """The declared feedback loop."""
    return None if dataset.target is None else dataset.target.feedback


def coverage_of(loop: Feedback, table: Any, parts: Parts, scores: Floats) -> dict[str, Any]:  # noqa: ANN401
    """Bands of the score over all cases of the test part, lowest first.

    `scores` are of every row of the table; of several outputs the largest counts. Bands hold about
    a tenth of the cases each; equal scores stay together, so there may be fewer.
    """
    cases = parts.population("test")
    labelled = np.isin(cases, parts.test)
    chance = np.zeros(table.num_rows, dtype=bool)
    if loop.explored is not None:
        chance = truth_of(table[loop.explored])
    explored = chance[cases] & labelled
    score = (scores if scores.ndim == 1 else scores.max(axis=1))[cases]
    edges = np.unique(np.quantile(score, np.arange(1, BANDS) / BANDS, method="higher"))
    band_of = np.searchsorted(edges, score, side="right")
    bands = [_band(score, labelled, explored, band_of == band) for band in np.unique(band_of)]
    return {
        "bands": bands,
        "labelled": float(np.mean(labelled)),
        "explored": float(np.mean(explored)),
    }


def _band(
    score: Floats,
    labelled: NDArray[np.bool_],
    explored: NDArray[np.bool_],
    inside: NDArray[np.bool_],
) -> dict[str, Any]:
    n = int(inside.sum())
    seen = int(labelled[inside].sum())
    return {
        "from": float(score[inside].min()),
        "to": float(score[inside].max()),
        "n": n,
        "labelled": seen,
        "share": seen / n,
        "explored": int(explored[inside].sum()),
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
    shown = "of all cases" if whole else f"{SEEN}; every band has some seen by chance"
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
    return f"{seen}, for {by_chance}: performance is measured on cases whose outcome was seen."
