from __future__ import annotations

import pytest

from ordain.specs.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("5s", 5), ("15m", 900), ("2h", 7200), ("30d", 2592000)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["0d", "15", "m", "1.5h", "-3s", "1000000000d", "3 d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no duration such as 15m or 30d"):
        parse_duration(text)


def test_the_longest_duration_can_be_counted() -> None:
    assert parse_duration("999999999d").days == 999_999_999
