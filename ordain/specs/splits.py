"""What a split may say: shares such as `60%`, or ranges of days such as `2024-07..2024-09`.

Ranges follow each other in time. A model that is judged on days before those that it learnt from
has been told the future, and nothing in its metrics would show it.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Split

PARTS: Final = ("train", "validation", "test")
Problem = tuple[str, str, str]
Range = tuple[int | None, int | None]

_SHARE = re.compile(r"(100|[1-9]?[0-9])(\.[0-9]+)?%")
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_ALL = 100.0
_WHOLE = (
    "let train, validation and test sum to 100%; "
    "left out, train is 60%, and validation and test are 20%"
)
_ROUNDING = 1e-9


def split_problems(split: Split, dataset: Dataset) -> Iterator[Problem]:
    """What is wrong with a split, each as part (empty for the whole), message and remedy."""
    if split.by == "time" and dataset.time is None:
        remedy = "add `time:` to the Dataset, or split by random or entity"
        yield "by", "a split by time needs the time column of the Dataset", remedy
    if split.by == "entity" and dataset.entity is None:
        remedy = "add `entity:` to the Dataset, or split by random or time"
        yield "by", "a split by entity needs the entity column of the Dataset", remedy
    if split.by != "time" and split.purge is not None:
        message = f"only a split by time leaves a gap, and this one is by {split.by}"
        yield "purge", message, "split by time, or take `purge` out"
    texts = {part: str(getattr(split, part)) for part in PARTS}
    shares = [part for part, text in texts.items() if is_share(text)]
    if split.by != "time" or len(shares) == len(PARTS):
        yield from _share_problems(texts, shares)
    else:
        yield from _range_problems(texts, shares)


def _share_problems(texts: dict[str, str], shares: list[str]) -> Iterator[Problem]:
    for part, text in texts.items():
        if part not in shares:
            yield part, f"`{text}` is no share", "write a share such as 60%"
    total = sum(float(texts[part].removesuffix("%")) for part in shares)
    if len(shares) == len(PARTS) and abs(total - _ALL) > _ROUNDING:
        message = f"the three parts are {total:g}% of the rows"
        yield "", message, _WHOLE


def _range_problems(texts: dict[str, str], shares: list[str]) -> Iterator[Problem]:
    wrong = list(_problems_of_each(texts, shares))
    yield from wrong
    if not wrong and (problem := order_problem([_range(text) for text in texts.values()])):
        yield "", *problem


def _problems_of_each(texts: dict[str, str], shares: list[str]) -> Iterator[Problem]:
    remedy = "write a range such as ..2024-06-30, 2024-07..2024-09 or 2024-10.."
    for part, text in texts.items():
        if part in shares:
            yield part, f"`{text}` is a share, and another part is a range", "write three ranges"
            continue
        left, right = range_ends(text)
        if not (left or right) or None in map(read_days, filter(None, (left, right))):
            yield part, f"`{text}` is no range of days", remedy
        elif left and right and left > right + "~":
            yield part, f"`{text}` ends before it begins", "write the earlier day first"


def _range(text: str) -> Range:
    """First day, and first day after the range; None where it is open."""
    left, right = range_ends(text)
    first, last = (read_days(side) if side else None for side in (left, right))
    return (first[0].toordinal() if first else None, last[1].toordinal() if last else None)


def order_problem(ranges: Sequence[Range]) -> tuple[str, str] | None:
    """Why the half-open ranges of the three parts do not follow each other: message and remedy.

    None where they do. A side that is open is None.
    """
    for (one, earlier), (two, later) in combinations(zip(PARTS, ranges, strict=True), 2):
        if _ends_before(earlier, later):
            continue
        if _ends_before(later, earlier):
            remedy = "let train end before validation begins, and validation before test"
            return f"{two} lies before {one}", remedy
        return f"{one} and {two} overlap", "let each day belong to one part"
    return None


def _ends_before(one: Range, other: Range) -> bool:
    return one[1] is not None and other[0] is not None and one[1] <= other[0]


def range_ends(text: str) -> tuple[str, str]:
    """What stands on both sides of the dots; a day, month or year alone is a range of itself."""
    left, dots, right = text.partition("..")
    return (left, right) if dots else (text, text)


def is_share(text: str) -> bool:
    """Whether a text is a share such as 60%."""
    return _SHARE.fullmatch(text) is not None


def read_days(text: str) -> tuple[date, date] | None:
    """First day of a day, month or year, and first day after it; None where it does not exist."""
    from datetime import date, timedelta

    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year, month, day = match.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        if day:
            return first, first + timedelta(days=1)
        # 31 days after the first of a month, or 366 after New Year, the next one has begun.
        later = first + timedelta(days=31 if month else 366)
    except (ValueError, OverflowError):
        return None
    return first, later.replace(day=1) if month else later.replace(month=1, day=1)
