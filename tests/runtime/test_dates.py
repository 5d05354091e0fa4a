"""A date is text of ISO 8601, its parts are those of UTC, and the trainer agrees with the plan."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.dates import PARTS, as_date, date_text, parse_date
from ordain.runtime.errors import RowError
from ordain.runtime.training.dateparts import date_part

pytestmark = pytest.mark.training


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T08:30", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("2026-11-20 08:30:05.5Z", datetime(2026, 11, 20, 8, 30, 5, 500_000, tzinfo=UTC)),
        ("2026-11-20T00:30:00+01:00", datetime(2026, 11, 19, 23, 30, tzinfo=UTC)),
    ],
)
def test_a_date_is_a_day_or_a_moment_in_utc(text: str, expected: datetime) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "yesterday",
        "20.11.2026",
        "20261120",
        "2026-W47-5",
        "2026-324",
        "2026-02-30",
        "2026-11-20T24:00",
        "2026-11-20T08:60",
        "2026-11-20 ",
        "٢٠٢٦-11-20",
        "0001-01-01T00:00+05:00",
    ],
)
def test_nonsense_is_no_date(text: str) -> None:
    with pytest.raises(RowError) as caught:
        as_date("applied", text)
    assert caught.value.message == "input applied: this is no date"
    assert caught.value.remedy == "send a date such as 2026-11-20"


def test_a_number_is_no_date_and_nothing_is_a_missing_one() -> None:
    assert as_date("applied", None) is None
    assert as_date("applied", "") is None
    assert as_date("applied", float("nan")) is None
    with pytest.raises(RowError, match="a date is text, not int"):
        as_date("applied", 20261120)


def test_the_parts_of_a_day_are_what_a_calendar_says() -> None:
    moment = datetime(2024, 12, 29, 17, 59, tzinfo=UTC)  # A Sunday of a leap year.
    assert {part: take(moment) for part, take in PARTS.items()} == {
        "year": 2024.0,
        "quarter": 4.0,
        "month": 12.0,
        "day": 29.0,
        "weekday": 7.0,
        "hour": 17.0,
        "day_of_year": 364.0,
        "days": 20_086.0,
    }


@given(st.datetimes().map(lambda moment: moment.replace(microsecond=0)))
def test_trainer_and_plan_take_the_same_parts_of_every_date(moment: datetime) -> None:
    found = as_date("applied", date_text(moment))
    assert found == moment.replace(tzinfo=UTC)
    seconds = np.array([[found.timestamp()]])
    for part, take in PARTS.items():
        assert date_part(seconds, part).item() == take(found), part


def test_a_missing_date_has_no_part() -> None:
    for part in PARTS:
        assert np.isnan(date_part(np.array([[np.nan]]), part)).all()
