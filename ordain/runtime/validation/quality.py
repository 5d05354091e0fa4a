"""Whether the rows are what their Dataset promises; nothing is refused, everything is told.

Training refuses a table that breaks a promise. A validation is asked about rows that may well be
worse than those that were learnt from, and whoever reads it wants to know how the model does on
them as well as what is wrong with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.datasets.expectations import examine as expectations
from ordain.runtime.errors import RunError
from ordain.runtime.validation.checks import judged, measured, untold
from ordain.specs.validations import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.datasets.expectations import Expectation
    from ordain.runtime.validation.scene import Scene

SECTION = "quality"
EXPECTATIONS = 200  # As many that are met are told one by one; all that fail are.


def examine(scene: Scene) -> Iterator[Check]:
    """What is declared of the whole table, then rows of the validation that stand there twice."""
    n = scene.table.num_rows
    if told := scene.truth.unlearnt:
        check = Check(SECTION, "learnt outcomes", "target", n=n)
        yield judged(check, "outcomes that the model has learnt", ok=False, reason=told)
    try:
        found = [_of(one, scene, n) for one in expectations(scene.order.data, scene.table)]
    except RunError as error:
        yield untold(SECTION, "expectations", error.message, limit="all met", n=n)
        found = []
    failed = [one for one in found if one.reason]
    met = [one for one in found if not one.reason]
    yield from failed
    yield from met[:EXPECTATIONS]
    if scene.raw:
        repeated = _repeated(scene)
        yield measured(SECTION, "repeated rows", repeated / len(scene.raw), len(scene.raw))


def _of(one: Expectation, scene: Scene, n: int) -> Check:
    """Outcomes that have not come yet are no fault of the rows: what they keep from being measured
    is insufficient already.
    """
    subject = one.column.removeprefix("column ")
    check = Check(SECTION, one.name, subject, n=n)
    if one.name == "outcome" and not one.ok and _may_come(one, scene):
        told = scene.truth.reason if one.expected == "a column" else one.observed
        return untold(SECTION, one.name, told, subject=subject, n=n)
    return judged(check, one.expected, ok=one.ok, reason="" if one.ok else one.observed)


def _may_come(one: Expectation, scene: Scene) -> bool:
    """Whether all that is wrong is that outcomes are not there, of all rows or of some."""
    if one.expected in {"a column", "an outcome"}:
        return True
    return len(np.unique(scene.truth.values)) < 2  # noqa: PLR2004 - none, or one for all rows


def _repeated(scene: Scene) -> int:
    """Rows that are equal to an earlier one in everything that the model reads."""
    names = scene.served.names
    return len(scene.raw) - len({tuple(row[name] for name in names) for row in scene.raw})
