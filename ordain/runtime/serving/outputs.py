"""What a model of each task can answer, and what is therefore no answer.

A classifier gives probabilities, a regression any finite number, a clustering a distance or a
probability. A number that its task cannot give comes from a plan or a row that nobody has foreseen;
it is not given to a caller and not recorded as if it were one. Looking only for NaN was refused: a
probability of 1.2 would pass, and so would a threshold that it is held against.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ordain.runtime.scoring import RowPlan, Scored


def is_answer(plan: RowPlan, scored: Scored) -> bool:
    """Whether a model of the plan's task can have given this."""
    if not math.isfinite(scored.output):
        return False
    match plan.task:
        case "classification":
            return all(0.0 <= one <= 1.0 for one in (*scored.scores, scored.output))
        case "clustering":
            return scored.output >= 0.0
        case _:
            return True


def named_scores(plan: RowPlan, scored: Scored) -> dict[str, float]:
    """The probability of every class; empty unless there are more than two."""
    return dict(zip(plan.classes, scored.scores, strict=True)) if scored.scores else {}
