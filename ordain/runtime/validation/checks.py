"""How a check is made: measured or not, with a limit or to inform.

Numbers that are no numbers (the ratio of nothing, an interval of one row) are left out here, for
the document has none: what cannot be said is None, with a reason.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ordain.specs.findings import Verdict
from ordain.specs.validations import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.training.intervals import Estimate
    from ordain.specs.evidence import Metric

SHOWN = 20  # Names that one reason lists.


def measured(
    section: str, name: str, value: float, n: int, *, subject: str = "", limit: str = ""
) -> Check:
    """A number without an interval; with a limit somebody has still to judge it."""
    return finite(Check(section, name, subject, float(value), n=n, limit=limit))


def estimated(
    section: str,
    name: str,
    found: Estimate,
    n: int,
    *,
    subject: str = "",
    confidence: float = 0.95,
) -> Check:
    """A number with its interval, which informs."""
    check = Check(section, name, subject, found.value, found.low, found.high, confidence, n)
    return finite(check)


def untold(
    section: str, name: str, reason: str, *, subject: str = "", limit: str = "", n: int = 0
) -> Check:
    """What could not be measured, and why."""
    return Check(section, name, subject, n=n, limit=limit, reason=reason)


def judged(check: Check, limit: str, *, ok: bool, reason: str = "") -> Check:
    """The check held against its limit."""
    verdict = Verdict.PASS if ok else Verdict.FAIL
    return replace(check, limit=limit, verdict=verdict.value, reason=reason)


def at_most(check: Check, limit: float, shown: str = "") -> Check:
    """The check held against a largest value; what was not measured stays insufficient."""
    text = f"<= {shown or format(limit, 'g')}"
    if check.value is None:
        return replace(check, limit=text)
    return judged(check, text, ok=check.value <= limit)


def of_metric(section: str, row: Metric) -> Check:
    """A row of evidence as a check; why it shows nothing stands behind its limit there."""
    limit, reason = _parted(row.limit)
    return finite(
        Check(
            section,
            row.name,
            "",
            row.value if row.n else None,
            row.low,
            row.high,
            row.confidence,
            row.n,
            limit,
            row.verdict,
            reason,
        )
    )


def _parted(limit: str) -> tuple[str, str]:
    """The limit itself, and what evidence says behind it: of whom, or why nothing is shown."""
    places = [place for mark in (" (", ", of ") if (place := limit.find(mark)) >= 0]
    if not places:
        return limit, ""
    rest = limit[min(places) :].lstrip(" ,")
    return limit[: min(places)], rest[1:-1] if rest[0] + rest[-1] == "()" else rest


def finite(check: Check) -> Check:
    """The check without numbers that JSON cannot hold."""
    kept = {
        name: None if value is not None and not math.isfinite(value) else value
        for name, value in (("value", check.value), ("low", check.low), ("high", check.high))
    }
    return replace(check, **kept)  # type: ignore[arg-type]


def listed(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def rows_told(count: int) -> str:
    """A number of rows in words."""
    return "1 row" if count == 1 else f"{count} rows"
