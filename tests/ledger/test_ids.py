from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from threading import Thread
from uuid import UUID

import pytest

from ordain.ledger.ids import IdSource, uuid7_time

MOMENT = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)


def zeros(count: int) -> bytes:
    return bytes(count)


def uuid7(now: datetime, random: bytes) -> str:
    """The first id of a process with this randomness."""
    return IdSource(lambda _: random).next(now)


def test_an_id_is_a_uuid_of_version_7_with_the_milliseconds_in_front() -> None:
    value = UUID(uuid7(MOMENT, b"\xff" * 8))
    assert value.version == 7
    assert value.variant == "specified in RFC 4122"
    assert value.int >> 80 == int(MOMENT.timestamp() * 1000)
    assert value.int & ((1 << 62) - 1) == (1 << 62) - 1


@pytest.mark.parametrize("microsecond", [0, 1, 499, 999, 123456, 999_999])
def test_an_id_tells_its_microsecond(microsecond: int) -> None:
    moment = MOMENT.replace(microsecond=microsecond)
    assert uuid7_time(uuid7(moment, zeros(8))) == moment


def test_the_time_zone_of_the_clock_does_not_matter() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5)))
    assert uuid7(elsewhere, zeros(8)) == uuid7(MOMENT, zeros(8))


def test_ids_keep_their_order_when_the_clock_stands_still_or_goes_back() -> None:
    source = IdSource(zeros)
    clock = [MOMENT] * 5000 + [MOMENT - timedelta(hours=1)] * 5000
    ids = [source.next(moment) for moment in clock]
    assert all(earlier < later for earlier, later in pairwise(ids))


def test_ids_of_several_threads_are_all_different() -> None:
    source, ids = IdSource(zeros), set[str]()
    threads = [
        Thread(target=lambda: ids.update([source.next(MOMENT) for _ in range(2000)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8000


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-03-02T09:30:00 has no time zone"):
        uuid7(datetime(2026, 3, 2, 9, 30), zeros(8))  # noqa: DTZ001 - that is the point


def test_a_time_before_1970_is_refused() -> None:
    with pytest.raises(ValueError, match="is before 1970"):
        uuid7(datetime(1969, 12, 31, tzinfo=UTC), zeros(8))


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(ValueError, match="8 random bytes are needed, not 7"):
        uuid7(MOMENT, zeros(7))


def test_the_time_of_another_uuid_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 4, not 7"):
        uuid7_time("2f1b8c6e-6c0f-4d53-9a57-0d6a1c3c7a11")
