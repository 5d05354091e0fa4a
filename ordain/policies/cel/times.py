"""Timestamps and durations of CEL: nanoseconds in a Python integer.

`datetime` has microseconds and its own idea of how far a duration reaches, so it is used for the
calendar alone. Text that is not plain RFC 3339, or a duration of an unusual form, is declined here;
the exact evaluator knows all forms.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, Final

_SECOND: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z, and the longest duration that evaluators
# agree on: it fits into 64 bits (292 years).
_FIRST: Final = -62_135_596_800 * _SECOND
_LAST: Final = 253_402_300_800 * _SECOND - 1
_LONGEST: Final = (1 << 63) - 1
_INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_SPAN: Final = re.compile(r"(-?)((?:\d{1,12}(?:\.\d{1,9})?(?:h|ms|m|s|us|ns))+)", re.ASCII)
_PART: Final = re.compile(r"(\d+)(?:\.(\d+))?(h|ms|m|s|us|ns)", re.ASCII)
_UNITS: Final = {
    "h": 3600 * _SECOND,
    "m": 60 * _SECOND,
    "s": _SECOND,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}


class Duration:
    """A span of time."""

    __slots__ = ("nanoseconds",)

    def __init__(self, nanoseconds: int) -> None:
        if not -_LONGEST <= nanoseconds <= _LONGEST:
            raise OverflowError("a duration of more than 292 years")
        self.nanoseconds = nanoseconds

    def __add__(self, other: Any) -> Any:  # noqa: ANN401 - a Timestamp or a Duration
        return other.__class__(self.nanoseconds + other.nanoseconds)

    def __sub__(self, other: Duration) -> Duration:
        return Duration(self.nanoseconds - other.nanoseconds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.nanoseconds == other.nanoseconds

    def __hash__(self) -> int:
        return hash(self.nanoseconds)

    def __lt__(self, other: Duration) -> bool:
        return self.nanoseconds < other.nanoseconds

    def __le__(self, other: Duration) -> bool:
        return self.nanoseconds <= other.nanoseconds

    def __gt__(self, other: Duration) -> bool:
        return self.nanoseconds > other.nanoseconds

    def __ge__(self, other: Duration) -> bool:
        return self.nanoseconds >= other.nanoseconds


class Timestamp:
    """An instant, counted from 1970 in UTC."""

    __slots__ = ("__dict__", "nanoseconds")

    def __init__(self, nanoseconds: int) -> None:
        if not _FIRST <= nanoseconds <= _LAST:
            raise OverflowError("an instant outside of the years 1 to 9999")
        self.nanoseconds = nanoseconds

    @cached_property
    def calendar(self) -> datetime:
        """Its day and hour in UTC, to the microsecond below."""
        return _EPOCH + timedelta(microseconds=self.nanoseconds // 1_000)

    def __add__(self, other: Duration) -> Timestamp:
        if not isinstance(other, Duration):
            raise TypeError("two instants have no sum")
        return Timestamp(self.nanoseconds + other.nanoseconds)

    def __sub__(self, other: Any) -> Any:  # noqa: ANN401 - a Timestamp or a Duration
        made = Duration if isinstance(other, Timestamp) else Timestamp
        return made(self.nanoseconds - other.nanoseconds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timestamp) and self.nanoseconds == other.nanoseconds

    def __hash__(self) -> int:
        return hash(self.nanoseconds)

    def __lt__(self, other: Timestamp) -> bool:
        return self.nanoseconds < other.nanoseconds

    def __le__(self, other: Timestamp) -> bool:
        return self.nanoseconds <= other.nanoseconds

    def __gt__(self, other: Timestamp) -> bool:
        return self.nanoseconds > other.nanoseconds

    def __ge__(self, other: Timestamp) -> bool:
        return self.nanoseconds >= other.nanoseconds


# The time of a check is one text, and dates of documents repeat; a daemon sees many of both.
@lru_cache(maxsize=1_000)
def _instant(text: str) -> Timestamp:
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError("no plain RFC 3339")
    whole, fraction, zone = match.groups()
    moment = datetime.fromisoformat(whole + zone.replace("Z", "+00:00"))
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return Timestamp(seconds * _SECOND + int((fraction or "0").ljust(9, "0")))


def timestamp(value: Any) -> Timestamp:  # noqa: ANN401 - any CEL value
    """`timestamp(text)`.

    Raises:
        ValueError: for anything but an instant in RFC 3339.
    """
    if value.__class__ is Timestamp:
        return value
    if value.__class__ is not str or len(value) > 40:  # noqa: PLR2004 - no instant is longer
        raise ValueError("no text")
    return _instant(value)


def duration(value: Any) -> Duration:  # noqa: ANN401 - any CEL value
    """`duration(text)`, such as 1h30m or -1.5s.

    Raises:
        ValueError: for anything else.
    """
    if value.__class__ is Duration:
        return value
    match = _SPAN.fullmatch(value) if value.__class__ is str else None
    if match is None:
        raise ValueError("no plain duration")
    total = 0
    for whole, fraction, unit in _PART.findall(match[2]):
        scale = _UNITS[unit]
        parts, rest = divmod(int(fraction or "0") * scale, 10 ** len(fraction))
        if rest:
            raise ValueError("less than a nanosecond")
        total += int(whole) * scale + parts
    return Duration(-total if match[1] else total)


_GETTERS: Final = {
    "getFullYear": lambda day: day.year,
    "getMonth": lambda day: day.month - 1,
    "getDate": lambda day: day.day,
    "getDayOfMonth": lambda day: day.day - 1,
    "getDayOfWeek": lambda day: day.isoweekday() % 7,
    "getDayOfYear": lambda day: day.timetuple().tm_yday - 1,
    "getHours": lambda day: day.hour,
    "getMinutes": lambda day: day.minute,
    "getSeconds": lambda day: day.second,
    "getMilliseconds": lambda day: day.microsecond // 1_000,
}
GETTERS: Final = frozenset(_GETTERS)
_TOTALS: Final = {"getHours": 3600 * _SECOND, "getMinutes": 60 * _SECOND, "getSeconds": _SECOND}


def part(value: Any, getter: str) -> int:  # noqa: ANN401 - any CEL value
    """`instant.getMonth()` and its kin in UTC, `span.getHours()` and its kin.

    Raises:
        ValueError: for a value that has no such part.
    """
    if value.__class__ is Timestamp:
        return int(_GETTERS[getter](value.calendar))
    if value.__class__ is Duration and getter in _TOTALS:
        whole = abs(value.nanoseconds) // _TOTALS[getter]
        return whole if value.nanoseconds >= 0 else -whole
    raise ValueError("no such part")
