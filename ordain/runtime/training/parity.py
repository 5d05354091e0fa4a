"""Proof that the plan answers as the fitted pipeline does, where it is most likely not to.

Rows that were held out are scored by both, and so are copies of them with one value taken away, one
level that nobody has seen, or one number far outside of what was learnt. A difference above the
limit fails the run: a plan that serves something else than was measured makes every number of the
evidence untrue. Where there are few rows, mixtures of two of them make up the number. Some
of the rows go into the artifact with their scores, so that every process that serves it can prove
the same on its own machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.errors import ParityError
from ordain.specs.canonical import canonical_json
from ordain.specs.tasks import CLUSTERING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.runtime.scoring import Input, RowPlan, Scored
    from ordain.runtime.training.answering import Answers
    from ordain.runtime.training.features import Floats, Frame, Indices, Row
    from ordain.runtime.training.pipeline import Fitted

HELD_OUT = 1_500
CHANGED = 100
FEWEST = 1_000
KEPT = 200
# How many times farther out than anything seen a number is tried. A density that far out is no
# number of either side, so that clusters are tried nearer.
FAR, NEAR = 1e6, 3.0
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
        ParityError: when an answer differs by more than the limit, or is no number.
    """
    plain = frame.rows(held_out[:HELD_OUT])
    changed = list(_changed(plan, frame, plain[:CHANGED], fitted))
    rows = [*plain, *changed]
    drawn = len(rows)
    rows += _mixed(plain, FEWEST - drawn)
    answers = [plan.answer(row) for row in rows]
    differences = _differences(fitted.answers(frame.encode(rows)), answers)
    worst = int(np.argmax(np.where(np.isnan(differences), np.inf, differences)))
    if not differences[worst] <= limit:
        message = (
            f"parity: plan and pipeline differ by {differences[worst]:.3g}, accepted is {limit:g}"
        )
        remedy = "report this as a defect of ordain; raise acceptance.parity.plan only with reason"
        raise ParityError(message, remedy=remedy)
    kept = [*range(min(KEPT, len(plain))), *range(len(plain), drawn, _stride(len(changed)))]
    kept = [place for place in kept if math.isfinite(answers[place].output)]
    return ParityProof(
        rows=len(rows),
        changed=len(rows) - len(plain),
        difference=float(differences[worst]),
        member=_member([rows[place] for place in kept], [answers[place] for place in kept]),
        sample=tuple(rows),
    )


def _differences(pipeline: Answers, plan: Sequence[Scored]) -> Floats:
    """How far output and scores of each row differ at most.

    A probability differs by what it differs; a value or distance above 1 by its share, because its
    last digit is worth more. Two values beyond the floats are equal.
    """
    ours = np.array([[one.output, *one.scores] for one in plan])
    theirs = np.column_stack([pipeline.output, pipeline.scores])
    with np.errstate(invalid="ignore"):
        gaps = np.abs(theirs - ours) / np.maximum(1.0, np.abs(theirs))
    found: Floats = np.max(np.where(theirs == ours, 0.0, gaps), axis=1)
    return found


def _member(rows: list[Row], answers: Sequence[Scored]) -> bytes:
    """parity.json: `scores` are the outputs, `all` what every class of each row got."""
    return canonical_json(
        {
            "rows": rows,
            "scores": [one.output for one in answers],
            "all": [list(one.scores) for one in answers],
        }
    )


def _stride(changed: int) -> int:
    """Every how-manieth changed row is kept, so that at most `CHANGED` are."""
    return max(1, -(-changed // CHANGED))


def _changed(plan: RowPlan, frame: Frame, rows: list[Row], fitted: Fitted) -> Iterator[Row]:
    """Copies with one input changed, inputs in turn; then some with everything missing."""
    absent: Row = {given.name: None for given in plan.inputs if fitted.takes_missing(given.name)}
    far = NEAR if plan.task == CLUSTERING else FAR
    spans = far * np.nanmax(np.abs(frame.matrix), axis=0)
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
        case "date":
            return ["0001-01-01", "1969-12-31T23:59:59", "2000-02-29T12:30:00Z", "9999-12-31"]
        case "text":
            return ["", UNSEEN_LEVEL, "İstanbul STRASSE straße ﬁn x 12"]
        case "int":
            return [0, -1, int(span) + 1, -int(span) - 1]
        case _:
            return [0.0, -0.0, span + 1.0, -span - 1.0, 1e-300, 0.1 + 0.2]
