"""Durations of the language: `15m`, `30d`."""

from __future__ import annotations

import re
from datetime import timedelta

_FORM = re.compile(r"([1-9][0-9]{0,8})(ms|s|m|h|d)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """The length of a duration such as 15m or 30d.

    Raises:
        ValueError: it is none; nine digits of days are as long as can be counted.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration such as 15m or 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
