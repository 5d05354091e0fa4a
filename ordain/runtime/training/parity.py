"""Proof that the plan answers as the fitted pipeline does, where it is most likely not to.

Rows that were held out are scored by both, and so are copies of them with one value taken away, one
level that nobody has seen, or one number far outside of what was learnt. A difference above the
limit fails the run: a plan that serves something else than was measured makes every number of the
evidence untrue. Where there are few rows, mixtures of two of them make up the number. Some
of the rows go into the artifact with their scores, so that every process that serves it can prove
the same on its own machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.errors import ParityError
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.scoring import Input, RowPlan
    from ordain.runtime.training.features import Frame, Indices, Row
    from ordain.runtime.training.pipeline import Fitted

HELD_OUT = 1_500
CHANGED = 100
FEWEST = 1_000
KEPT = 200
UNSEEN_LEVEL = "(a level that nobody has seen)"


@dataclass(frozen=True, slots=True)
class ParityProof:
    """How far plan and pipeline differ at most, on how many rows; `member` is parity.json.

    `sample` are the rows themselves.
    """

    rows: int
    changed: int
    difference: float
    member: bytes
    sample: tuple[Row, ...]


def prove(
    fitted: Fitted, plan: RowPlan, frame: Frame, held_out: Indices, limit: float
) -> ParityProof:
    """Compare on held-out rows and changed copies of them.

    Raises:
        ParityError: when a probability differs by more than the limit, or is none.
    """
    plain = frame.rows(held_out[:HELD_OUT])
    changed = list(_changed(plan, frame, plain[:CHANGED], fitted))
    rows = [*plain, *changed]
    drawn = len(rows)
    rows += _mixed(plain, FEWEST - drawn)
    fitted_scores = fitted.scores(frame.encode(rows))
    plan_scores = np.array([plan.score(row) for row in rows])
    differences = np.abs(fitted_scores - plan_scores)
    worst = int(np.argmax(np.where(np.isnan(differences), np.inf, differences)))
    if not differences[worst] <= limit:
        message = (
            f"parity: plan and pipeline differ by {differences[worst]:.3g}, accepted is {limit:g}"
        )
        remedy = "report this as a defect of ordain; raise acceptance.parity.plan only with reason"
        raise ParityError(message, remedy=remedy)
    kept = [*range(min(KEPT, len(plain))), *range(len(plain), drawn, _stride(len(changed)))]
    return ParityProof(
        rows=len(rows),
        changed=len(rows) - len(plain),
        difference=float(differences[worst]),
        member=canonical_json(
            {
                "rows": [rows[place] for place in kept],
                "scores": [float(plan_scores[place]) for place in kept],
            }
        ),
        sample=tuple(rows),
    )


def _stride(changed: int) -> int:
    """Every how-manieth changed row is kept, so that at most `CHANGED` are."""
    return max(1, -(-changed // CHANGED))


def _changed(plan: RowPlan, frame: Frame, rows: list[Row], fitted: Fitted) -> Iterator[Row]:
    """Copies with one input changed, inputs in turn; then some with everything missing."""
    absent: Row = {given.name: None for given in plan.inputs if fitted.takes_missing(given.name)}
    spans = np.nanmax(np.abs(frame.matrix), axis=0)
    for place, given in enumerate(plan.inputs):
        gone: list[object] = [None] if given.name in absent else []
        for turn, value in enumerate([*gone, *_odd_values(given, float(spans[place]))]):
            row = rows[(place + turn) % len(rows)]
            yield row | {given.name: value}
    for row in rows[:: max(1, len(rows) // 10)]:
        yield row | absent


def _mixed(rows: list[Row], count: int) -> Iterator[Row]:
    """Copies with some inputs of another row: which row and which inputs follows from the turn."""
    for turn in range(count):
        row, other = rows[turn % len(rows)], rows[(turn * 7 + turn // len(rows) + 1) % len(rows)]
        taken = [name for place, name in enumerate(row) if (turn + place) % 3 == 0]
        yield row | {name: other[name] for name in taken}


def _odd_values(given: Input, span: float) -> list[object]:
    """What may reach a served model although training has hardly seen it."""
    match given.type:
        case "category":
            return [UNSEEN_LEVEL] if given.unknown == "bucket" else []
        case "bool":
            return [True, False]
        case "int":
            return [0, -1, int(span) * 1_000 + 1, -int(span) * 1_000 - 1]
        case _:
            return [0.0, -0.0, span * 1e6 + 1.0, -span * 1e6 - 1.0, 1e-300, 0.1 + 0.2]
