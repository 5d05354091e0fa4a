"""The parts of a date as columns: `runtime.dates` over a whole matrix.

Arrays of `datetime64` do in one step what the plan does date by date; `parity` holds the two
together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.runtime.training.features import Floats

HOUR = 3_600
HOURS = 24
DAYS = 7
THURSDAY = 3  # 1970-01-01 was one; Monday is 0.


def date_part(seconds: Floats, part: str) -> Floats:
    """One part of dates that are whole seconds since 1970 in UTC; NaN where missing."""
    missing = np.isnan(seconds)
    moments = np.where(missing, 0.0, seconds).astype(np.int64).astype("datetime64[s]")
    found = _PARTS[part](*(moments.astype(f"datetime64[{unit}]") for unit in "YMDs"))
    return np.where(missing, np.nan, found.astype(np.float64))


def _since(start: int, moments: Any) -> Any:  # noqa: ANN401 - arrays
    return moments.astype(np.int64) + start


# From the year, month, day and second that a moment lies in.
_PARTS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "year": lambda y, _m, _d, _s: _since(1970, y),
    "quarter": lambda y, m, _d, _s: _since(0, m - y) // 3 + 1,
    "month": lambda y, m, _d, _s: _since(1, m - y),
    "day": lambda _y, m, d, _s: _since(1, d - m),
    "weekday": lambda _y, _m, d, _s: _since(THURSDAY, d) % DAYS + 1,
    "hour": lambda _y, _m, _d, s: _since(0, s) // HOUR % HOURS,
    "day_of_year": lambda y, _m, d, _s: _since(1, d - y),
    "days": lambda _y, _m, d, _s: _since(0, d),
}
