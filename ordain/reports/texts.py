"""How values are written in reports: one way for each sort of value, the same everywhere.

What is not known is written `no data`. A blank cell could mean zero, forgotten or not applicable,
and an examiner should not have to ask which.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from ordain.specs.findings import Verdict

if TYPE_CHECKING:
    from datetime import datetime

NO_DATA = "no data"
_LARGE = 1e9
# A verdict is never told by colour alone.
SIGNS = {
    Verdict.PASS: "✓",
    Verdict.WARN: "!",
    Verdict.FAIL: "✕",
    Verdict.INSUFFICIENT: "?",
}


def count(value: int | None) -> str:
    """A whole number with separators, such as 12,034."""
    return NO_DATA if value is None else f"{value:,}"


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many decimals; in exponent form where these would show nothing but zeros,
    or where more digits stand before the point than anybody reads.
    """
    if value is None:
        return NO_DATA
    if abs(value) >= _LARGE:
        return f"{value:.{digits}e}"
    if value and abs(value) < 0.5 * 10**-digits:
        return f"{value:.1e}"
    return f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share, such as 40.4 %; the space does not break."""
    return NO_DATA if value is None else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def share(part: int, whole: int) -> str:
    """Counts and their share, such as 412 of 1,020 (40.4 %)."""
    if not whole:
        return f"{part:,} of 0"
    return f"{part:,} of {whole:,} ({percent(part / whole)})"


def moment(value: datetime | None) -> str:
    """A moment in UTC to the minute."""
    return NO_DATA if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def day(value: datetime | None) -> str:
    """A day in UTC."""
    return NO_DATA if value is None else value.astimezone(UTC).strftime("%Y-%m-%d")


def bounds(low: float | None, high: float | None, confidence: float | None = None) -> str:
    """An interval, such as 0.741 to 0.802 (95 %)."""
    if low is None or high is None:
        return NO_DATA
    level = f" ({100 * confidence:g}\N{NO-BREAK SPACE}%)" if confidence is not None else ""
    return f"{number(low)} to {number(high)}{level}"


def plural(amount: int, noun: str, nouns: str = "") -> str:
    """A count with its noun, such as 1 feature or 12 features."""
    return f"{amount:,} {noun if amount == 1 else nouns or noun + 's'}"


def verdict_of(text: str) -> Verdict:
    """The verdict that evidence names; what is no verdict has shown nothing."""
    try:
        return Verdict(text)
    except ValueError:
        return Verdict.INSUFFICIENT
