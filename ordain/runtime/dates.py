"""Dates as requests bring them, and the numbers that a model can learn from.

A date comes as text of ISO 8601, a day (`2026-11-20`) or a moment (`2026-11-20T08:30:00Z`). What
names no zone is UTC, and every part is that of UTC: a model that answers otherwise on a machine in
another zone could not be replayed. What `datetime` reads beyond this (weeks, days of the year,
digits without hyphens) was refused, because it differs between versions of Python.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ordain.runtime.errors import RowError

if TYPE_CHECKING:
    from collections.abc import Callable

_SHAPE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_DAY_ONLY: Final = 10

# A week begins on Monday, its day 1 (ISO 8601).
PARTS: Final[dict[str, Callable[[datetime], float]]] = {
    "year": lambda moment: float(moment.year),
    "quarter": lambda moment: float((moment.month + 2) // 3),
    "month": lambda moment: float(moment.month),
    "day": lambda moment: float(moment.day),
    "weekday": lambda moment: float(moment.isoweekday()),
    "hour": lambda moment: float(moment.hour),
    "day_of_year": lambda moment: float(moment.timetuple().tm_yday),
    "days": lambda moment: float(moment.toordinal() - _EPOCH),
}


def parse_date(text: str) -> datetime | None:
    """The moment in UTC that a text names; None where it names none."""
    if _SHAPE.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # No such day, or a zone that leads out of the calendar.
        return None


def as_date(name: str, value: object) -> datetime | None:
    """The date that a row brings, None where it is missing or an empty text.

    Raises:
        RowError: when it is no date.
    """
    if value == "":
        return None
    if type(value) is str:
        moment = parse_date(value)
        if moment is None:
            raise RowError(name, "this is no date", remedy="send a date such as 2026-11-20")
        return moment
    if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return None
    raise RowError(name, f"a date is text, not {type(value).__name__}")


def date_text(moment: datetime) -> str:
    """A moment without zone as requests bring it: a day where it is midnight."""
    text = moment.isoformat()
    return text[:_DAY_ONLY] if text.endswith("T00:00:00") else text
