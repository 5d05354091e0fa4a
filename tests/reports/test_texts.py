from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ordain.reports import texts
from ordain.specs.findings import Verdict


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "no data"),
        (0.0, "0.000"),
        (0.5254, "0.525"),
        (-1.5, "-1.500"),
        (0.00004, "4.0e-05"),
        (0.0005, "0.001"),
    ],
)
def test_a_number_is_never_written_as_a_zero_that_it_is_not(
    value: float | None, written: str
) -> None:
    assert texts.number(value) == written


def test_shares_come_with_their_counts() -> None:
    assert texts.share(412, 1020) == "412 of 1,020 (40.4\xa0%)"
    assert texts.share(0, 0) == "0 of 0"


def test_moments_are_written_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    assert texts.moment(datetime(2026, 11, 20, 1, 30, tzinfo=zone)) == "2026-11-19 23:30 UTC"
    assert texts.day(datetime(2026, 11, 20, 1, 30, tzinfo=zone)) == "2026-11-19"
    assert texts.moment(None) == "no data"


def test_an_interval_needs_both_of_its_ends() -> None:
    assert texts.bounds(0.7, 0.8, 0.95) == "0.700 to 0.800 (95\xa0%)"
    assert texts.bounds(0.7, None) == "no data"


def test_nouns_agree_with_their_number() -> None:
    assert [texts.plural(n, "feature") for n in (0, 1, 1200)] == [
        "0 features",
        "1 feature",
        "1,200 features",
    ]


def test_a_verdict_that_is_none_has_shown_nothing() -> None:
    assert texts.verdict_of("pass") is Verdict.PASS
    assert texts.verdict_of("probably") is Verdict.INSUFFICIENT
    assert set(texts.SIGNS) == set(Verdict)
