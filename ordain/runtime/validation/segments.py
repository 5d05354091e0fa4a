"""Performance by group: a model that is good on average may be of no use to some.

A group below the minimum cell is shown and not judged; a column with a limit, of which no group can
be judged, keeps the validation from passing. A group whose number is on the wrong side of
the limit fails where its whole interval is, and otherwise asks for a look: of twenty groups one is
on the wrong side by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.training.evaluation import CONFIDENCE
from ordain.runtime.training.intervals import share_interval
from ordain.runtime.training.measuring import estimate, smallest_class
from ordain.runtime.validation.cells import cells_of
from ordain.runtime.validation.checks import estimated, judged, measured, rows_told, untold
from ordain.runtime.validation.performance import sample_at
from ordain.specs.findings import Verdict
from ordain.specs.gates import few_cases
from ordain.specs.tasks import METRICS
from ordain.specs.validations import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ordain.runtime.validation.scene import Scene
    from ordain.specs.kinds.model import Segments

    Indices = NDArray[np.int64]

SECTION = "segments"
RATE = "rate"


def examine(scene: Scene) -> Iterator[Check]:
    """For every level of every declared column: the metric, the rate of decisions, the gap."""
    declared = scene.order.spec.validation.segments
    if declared is None:
        return
    name = declared.metric or METRICS[scene.order.spec.task][0]
    for column in declared.columns:
        if scene.unreadable or column not in scene.table.column_names:
            reason = scene.unreadable or f"column {column} is not in the Dataset"
            yield untold(SECTION, name, reason, subject=column, limit=limit_text(declared))
            continue
        found = []
        for level, places in cells_of(scene, column):
            subject = f"{column}={level}"
            check = _performance(scene, declared, name, subject, places)
            found.append(check)
            yield check
            if (rate := _rate(scene, subject, places)) is not None:
                yield rate
        values = [check.value for check in found if check.value is not None]
        if limit_text(declared) and not any(check.limit for check in found):
            reason = f"no group of {column} can be judged" if found else f"{column} has no groups"
            yield untold(SECTION, name, reason, subject=column, limit=limit_text(declared))
        if len(values) > 1:
            gap = max(values) - min(values)
            yield measured(SECTION, f"{name} gap", gap, len(scene.rows), subject=column)


def limit_text(declared: Segments) -> str:
    """The declared limit in words; empty where there is none."""
    limits = [f">= {declared.min:g}"] if declared.min is not None else []
    limits += [f"<= {declared.max:g}"] if declared.max is not None else []
    return " and ".join(limits)


def _performance(
    scene: Scene, declared: Segments, name: str, subject: str, places: Indices
) -> Check:
    sample = sample_at(scene, places)
    if isinstance(sample, str):
        return untold(SECTION, name, sample, subject=subject, n=len(places))
    if sample.n < declared.min_cell:
        reason = f"{rows_told(sample.n)}, {declared.min_cell} are needed"
        return untold(SECTION, name, reason, subject=subject, n=sample.n)
    smallest = smallest_class(sample)
    if smallest is not None and (few := few_cases(smallest)):
        reason = few.replace("in the test part", "in the group")
        return untold(SECTION, name, reason, subject=subject, n=sample.n)
    found = estimate(name, sample, CONFIDENCE)
    return judge(estimated(SECTION, name, found, sample.n, subject=subject), declared)


def judge(check: Check, declared: Segments) -> Check:
    """The check against the limit of its group."""
    limit = limit_text(declared)
    if not limit or check.value is None:
        return check
    low, high = declared.min, declared.max
    wrong = (low is not None and check.value < low) or (high is not None and check.value > high)
    if not wrong:
        return judged(check, limit, ok=True)
    surely = (low is not None and check.high is not None and check.high < low) or (
        high is not None and check.low is not None and check.low > high
    )
    if surely:
        return judged(check, limit, ok=False)
    return Check(
        check.section,
        check.name,
        check.subject,
        check.value,
        check.low,
        check.high,
        check.confidence,
        check.n,
        limit,
        Verdict.WARN.value,
        "beyond the limit, but within what chance explains",
    )


def _rate(scene: Scene, subject: str, places: Indices) -> Check | None:
    """The share of the favourable decision, or, where nobody said which that is, of the upper."""
    given = scene.given
    if not given.decisions:
        return None
    name = scene.favourable
    wanted = given.decisions.index(name) if name in given.decisions else len(given.decisions) - 1
    answered = places[given.answered[places]]
    if not len(answered):
        return None
    count = int(np.sum(given.decision[answered] == wanted))
    found = share_interval(count, len(answered), CONFIDENCE)
    told = f"{RATE} of {given.decisions[wanted]}"
    return estimated(SECTION, told, found, len(answered), subject=subject)
