"""Names that tell when: UUID version 7 (RFC 9562, section 5.7).

A prediction's id sorts by time, so looking it up reads the one segment whose time span holds it
instead of all of them. A random UUID would need an index that must be kept true; a counter would
need a shared writer. The 12 bits after the version carry the fraction of the millisecond (RFC 9562
section 6.2, method 3), which makes ids of one process strictly increasing without a counter field.

Clock and randomness are arguments, as everywhere.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

RANDOM_BYTES = 8

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FRACTIONS = 4096  # steps of the 12-bit fraction in one millisecond
_RANDOM_MASK = (1 << 62) - 1
_VARIANT = 0b10 << 62


def uuid7_time(identifier: str) -> datetime:
    """The moment in a UUIDv7, to the quarter of a microsecond, rounded down, in UTC.

    Raises:
        ValueError: not a UUID of version 7.
    """
    value = UUID(identifier)
    if value.version != 7:  # noqa: PLR2004 - the version this module is about
        message = f"{identifier!r} is a UUID of version {value.version}, not 7"
        raise ValueError(message)
    milliseconds, fraction = value.int >> 80, (value.int >> 64) & 0xFFF
    return _EPOCH + timedelta(milliseconds=milliseconds) + fraction * 1000 // 4096 * _MICROSECOND


class IdSource:
    """Strictly increasing ids for one process, whatever its clock does.

    When the clock stands still or goes back, the next id is one step (a quarter of a microsecond)
    after the last, so that ids keep the order in which they were given. Safe between threads.
    """

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._last = -1
        self._lock = threading.Lock()

    def next(self, now: datetime) -> str:
        """The id of a record made at `now` (aware); 62 of 8 random bytes' bits are in it.

        Raises:
            ValueError: `now` is naive or before 1970, or the source gives another number of bytes.
        """
        tick = _tick(now)
        with self._lock:
            self._last = tick = max(tick, self._last + 1)
        return _format(tick, self._random(RANDOM_BYTES))


def _tick(now: datetime) -> int:
    """Milliseconds since 1970 in the high bits, 12 bits of fraction below."""
    if now.tzinfo is None:
        message = f"{now.isoformat()} has no time zone; pass an aware datetime"
        raise ValueError(message)
    microseconds = (now - _EPOCH) // _MICROSECOND
    if microseconds < 0:
        message = f"{now.isoformat()} is before 1970 and cannot be in a UUIDv7"
        raise ValueError(message)
    milliseconds, rest = divmod(microseconds, 1000)
    # Rounded up, so that rounding down on the way back returns the same microsecond.
    return milliseconds * _FRACTIONS + -(-rest * _FRACTIONS // 1000)


def _format(tick: int, random: bytes) -> str:
    if len(random) != RANDOM_BYTES:
        message = f"{RANDOM_BYTES} random bytes are needed, not {len(random)}"
        raise ValueError(message)
    milliseconds, fraction = divmod(tick, _FRACTIONS)
    high = (milliseconds << 16) | 0x7000 | fraction
    low = _VARIANT | (int.from_bytes(random, "big") & _RANDOM_MASK)
    digits = f"{high:016x}{low:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
