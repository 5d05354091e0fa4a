"""Whether the rows have what the artifact reads: columns, types, values, levels.

A column that is missing, or of another type, stops everything that needs an answer: the rest would
be numbers about rows that no server could answer. Everything else that is wrong with a value
concerns its row only, and its share is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.validation.checks import at_most, judged, listed, measured
from ordain.specs.validations import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.encoding import Input
    from ordain.runtime.scoring import RowPlan
    from ordain.runtime.validation.scene import Scene

SECTION = "schema"
# What a value of each type is kept as in a cast table.
_KINDS = {
    "float": ("double", "int64"),
    "int": ("int64", "double"),
    "bool": ("bool",),
    "category": ("large_string",),
    "text": ("large_string",),
    "date": ("timestamp[us]",),
}


def unreadable(plan: RowPlan, table: Any) -> str:  # noqa: ANN401 - pa.Table
    """Why the artifact cannot answer any row of the table; empty where it can."""
    names = [given.name for given in plan.inputs]
    missing = [name for name in names if name not in table.column_names]
    if missing:
        return f"the rows have no column {listed(missing)}, which the model reads"
    other = [one.name for one in plan.inputs if not _fits(one, table)]
    if other:
        return f"column {listed(other)} is of another type than the model reads"
    return ""


def _fits(given: Input, table: Any) -> bool:  # noqa: ANN401 - pa.Table
    return str(table.schema.field(given.name).type) in _KINDS[given.type]


def examine(scene: Scene) -> Iterator[Check]:
    """One check of the columns; then, by column, what is wrong with its values; then refusals."""
    plan, table = scene.served.plan, scene.table
    count = len(scene.rows)
    columns = Check(SECTION, "columns", "", float(len(plan.inputs)), n=count)
    broken = scene.unreadable
    yield judged(columns, "all that the model reads", ok=not broken, reason=broken)
    if broken:
        return
    if not count:
        rows = Check(SECTION, "rows", "", 0.0)
        yield judged(rows, ">= 1", ok=False, reason="there are no rows")
        return
    for given in plan.inputs:
        yield from _of_column(given, table[given.name].take(scene.rows))
    yield _refusals(scene)


def _of_column(given: Input, values: Any) -> Iterator[Check]:  # noqa: ANN401 - an Arrow column
    """What is worth a line: nothing is said of a column that has nothing."""
    n, empty = len(values), values.null_count
    if empty == n:
        check = measured(SECTION, "missing", 1.0, n, subject=given.name)
        yield judged(check, "some values", ok=False, reason="all values are missing")
        return
    if empty:
        yield measured(SECTION, "missing", empty / n, n, subject=given.name)
    if given.levels is not None:
        unseen = _unseen(given, values)
        if unseen:
            yield measured(SECTION, "unseen level", unseen / n, n, subject=given.name)
    if given.range is not None:
        outside = _outside(given.range, values)
        if outside:
            yield measured(SECTION, "out of range", outside / n, n, subject=given.name)


def _unseen(given: Input, values: Any) -> int:  # noqa: ANN401 - an Arrow column
    known = set(given.levels or ())
    return sum(1 for value in values.to_pylist() if value is not None and value not in known)


def _outside(limits: tuple[float, float], values: Any) -> int:  # noqa: ANN401 - an Arrow column
    low, high = limits
    found = np.array([value for value in values.to_pylist() if value is not None], dtype=float)
    return int(((found < low) | (found > high)).sum())


def _refusals(scene: Scene) -> Check:
    """The share of rows that a server would refuse, with the first reasons."""
    refused, n = scene.given.refused, len(scene.raw)
    reasons = listed(list(dict.fromkeys(refused.values()))[:3])
    check = measured(SECTION, "refused", len(refused) / n, n)
    found = at_most(check, 0.0, "0")
    return judged(found, found.limit, ok=not refused, reason=reasons)
