"""Days that a document speaks of and that have not come.

An outcome counts as final by its age on `asOf`, so a day of the next century makes all of them
final. Which day it was when rows were taken stands in no document; that it is past can be asked.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import LoadedEstate

_TOLERATED: Final = timedelta(days=1)  # A day may have begun elsewhere that has not begun in UTC.


def futures(estate: LoadedEstate, now: datetime) -> Iterator[Finding]:
    """A finding for each Dataset whose outcomes were seen up to a day that is still to come."""
    last = now.astimezone(UTC).date() + _TOLERATED
    for document in estate.all("Dataset"):
        day = document.spec.as_of
        if day is not None and date.fromisoformat(day) > last:
            yield Finding(
                code="DAT001",
                severity=Severity.ERROR,
                message=f"outcomes cannot have been seen up to {day}, which is still to come",
                location=document.marks.value("spec", "asOf"),
                remedy="write the day on which the rows were taken, or run `ordain pin`",
            )
