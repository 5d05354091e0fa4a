"""Which rows are learnt from, chosen on, and judged on.

An entity is never on both sides: where the Dataset names one, a random split moves whole entities,
and a split by time that would cut one in two is refused. Positions are drawn from a seeded
generator over the order of rows, which the data digest pins; hashing values to a side was refused
because the share of each side would then depend on the names of customers.

Rows whose outcome is not final are left out before anything is divided, so that the shares are of
rows that count. Rows whose outcome could not be seen are divided like all others and kept apart:
nothing that learns or measures finds them in a part, and whoever asks about all cases does.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.labels import row_times
from ordain.runtime.errors import SplitError
from ordain.specs.canonical import digest, sha256
from ordain.specs.durations import parse_duration
from ordain.specs.splits import PARTS, is_share, order_problem, range_ends, read_days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordain.runtime.datasets.labels import Labels
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Split

    Indices = NDArray[np.int64]

_EPOCH = dt.date(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)
_ALL = 100.0
_PURGED = -2


@dataclass(frozen=True, slots=True)
class Parts:
    """Ascending positions of the rows of each part; a row is in one part or in none.

    `unlabelled` has the positions, by part, of rows whose outcome could not be seen.
    """

    train: Indices
    validation: Indices
    test: Indices
    rows: int
    immature: int = 0
    purged: int = 0
    unlabelled: dict[str, Indices] = field(default_factory=dict)

    @property
    def left_out(self) -> dict[str, int]:
        """How many rows are in no part, by reason: too young, in a purge gap, outside of ranges."""
        inside = sum(len(self.population(part)) for part in PARTS)
        outside = self.rows - inside - self.immature - self.purged
        return {"immature": self.immature, "purged": self.purged, "outside": outside}

    @property
    def digest(self) -> str:
        """The digest of the lists of positions, as 8 bytes little-endian each."""
        lists = {part: getattr(self, part) for part in PARTS}
        lists |= {f"unlabelled {part}": found for part, found in self.unlabelled.items()}
        parts = {name: sha256(found.astype("<i8").tobytes()) for name, found in lists.items()}
        return digest({"format": "ordain.split/1", "rows": self.rows, **parts})

    def population(self, part: str) -> Indices:
        """All rows of a part, also those without an outcome, ascending."""
        labelled: Indices = getattr(self, part)
        if part not in self.unlabelled:
            return labelled
        return np.sort(np.concatenate([labelled, self.unlabelled[part]]))


def split_rows(
    split: Split,
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    seed: int,
    labels: Labels | None = None,
) -> Parts:
    """Divide the rows of a cast `pyarrow.Table` as the Model declares.

    Raises:
        SplitError: when the declaration contradicts itself or the data, or a part is empty.
    """
    if labels is None or labels.known.all():
        parts = _divided(split, dataset, table, seed)
    else:
        mature = np.flatnonzero(labels.mature)
        named = [name for name in (dataset.entity, dataset.time) if name is not None]
        rows = table.select(named or table.column_names[:1]).take(mature)
        parts = _labelled(_divided(split, dataset, rows, seed), mature, labels)
    for part in ("train", "test"):
        if len(getattr(parts, part)) == 0:
            message = f"split: no row falls into the {part} part{_without(parts)}"
            raise SplitError(message, remedy=f"widen split.{part} or bring more rows")
    return parts


def _without(parts: Parts) -> str:
    """What has taken rows away that somebody may look for."""
    hidden = sum(len(found) for found in parts.unlabelled.values())
    reasons = [(parts.immature, "is not final"), (hidden, "was not seen")]
    told = [f"{count} whose outcome {reason}" for count, reason in reasons if count]
    return f" (not counting {' and '.join(told)})" if told else ""


def _labelled(parts: Parts, mature: Indices, labels: Labels) -> Parts:
    """Parts of the whole table, from parts of its mature rows."""
    found = {part: mature[getattr(parts, part)] for part in PARTS}
    known = {part: rows[labels.known[rows]] for part, rows in found.items()}
    hidden = {part: rows[~labels.known[rows]] for part, rows in found.items()}
    immature = labels.immature
    apart = hidden if any(len(rows) for rows in hidden.values()) else {}
    rows = len(labels.known)
    return replace(parts, **known, rows=rows, immature=immature, unlabelled=apart)


def _divided(split: Split, dataset: Dataset, table: Any, seed: int) -> Parts:  # noqa: ANN401
    entities = _entities(split, dataset, table)
    if split.by == "time":
        parts = _by_time(split, dataset, table)
        _refuse_cut_entities(dataset, entities, parts)
    else:
        parts = _by_draw(_shares(split), entities, table.num_rows, seed)
    return parts


def _entities(split: Split, dataset: Dataset, table: Any) -> Indices | None:  # noqa: ANN401
    """A number per row that is equal for equal entities, by first appearance."""
    if dataset.entity is None:
        if split.by == "entity":
            message = "split.by is entity, but the Dataset names no entity"
            raise SplitError(message, remedy="set spec.entity of the Dataset")
        return None
    column = table[dataset.entity].combine_chunks()
    if column.null_count:
        message = f"split: {_rows(column.null_count)} no {dataset.entity}"
        raise SplitError(message, remedy="give every row its entity")
    codes: Indices = column.dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count} rows have"


def _shares(split: Split) -> tuple[float, ...]:
    declared = (split.train, split.validation, split.test)
    for part, text in zip(PARTS, declared, strict=True):
        if not is_share(text):
            message = f"split.{part}: {text!r} is no share such as 60%"
            raise SplitError(message, remedy="write shares, or set split.by to time")
    shares = tuple(float(text.removesuffix("%")) for text in declared)
    if abs(sum(shares) - _ALL) > 1e-9:  # noqa: PLR2004 - below what a percentage can say
        message = f"split: {' + '.join(declared)} is not 100%"
        raise SplitError(message, remedy="let the three shares add up to 100%")
    return shares


def _by_draw(shares: tuple[float, ...], entities: Indices | None, rows: int, seed: int) -> Parts:
    """Shuffle the entities (or rows) and cut where the rows reach each share."""
    generator = np.random.default_rng(seed)
    groups = np.arange(rows) if entities is None else entities
    sizes = np.bincount(groups)
    order = generator.permutation(len(sizes))
    before = np.cumsum(sizes[order]) - sizes[order]
    ends = np.cumsum(shares) / _ALL * rows
    part_of = np.empty(len(sizes), dtype=np.int64)
    part_of[order] = np.searchsorted(ends[:-1] - 0.5, before, side="right")
    return _parts(part_of[groups], rows)


def _parts(part_of: Indices, rows: int) -> Parts:
    """Parts from a number per row: 0 train, 1 validation, 2 test, -1 none, -2 in a purge gap."""
    train, validation, test = (np.flatnonzero(part_of == part) for part in range(len(PARTS)))
    return Parts(train, validation, test, rows, purged=int((part_of == _PURGED).sum()))


def _by_time(split: Split, dataset: Dataset, table: Any) -> Parts:  # noqa: ANN401 - pa.Table
    times = row_times(dataset, table, "split", SplitError)
    purge = 0 if split.purge is None else _duration(split.purge)
    declared = [split.train, split.validation, split.test]
    if all(is_share(text) for text in declared):
        ranges = _ranges_of_shares(_shares(split), times)
    else:
        ranges = [_range(part, text) for part, text in zip(PARTS, declared, strict=True)]
        _require_order(ranges)
    part_of = np.full(len(times), -1, dtype=np.int64)
    for whole, kept, part in zip(ranges, _purged(ranges, purge), range(len(PARTS)), strict=True):
        part_of[_inside(times, whole)] = _PURGED
        part_of[_inside(times, kept)] = part
    return _parts(part_of, len(times))


def _inside(times: Indices, limits: tuple[int | None, int | None]) -> NDArray[np.bool_]:
    start, end = limits
    inside = np.ones(len(times), dtype=bool)
    if start is not None:
        inside &= times >= start
    if end is not None:
        inside &= times < end
    return inside


def _purged(
    ranges: list[tuple[int | None, int | None]], purge: int
) -> list[tuple[int | None, int | None]]:
    """Each range, ending at least `purge` microseconds before the next one begins."""
    starts = [start for start, _ in ranges if start is not None]
    purged = []
    for start, end in ranges:
        later = [first - purge for first in starts if start is None or first > start]
        limits = later if end is None else [end, *later]
        purged.append((start, min(limits, default=None)))
    return purged


def _ranges_of_shares(
    shares: tuple[float, ...], times: Indices
) -> list[tuple[int | None, int | None]]:
    """Half-open ranges of time that hold about these shares; equal times stay together."""
    ordered = np.sort(times)
    places = (np.cumsum(shares)[:-1] / _ALL * len(ordered)).astype(np.int64)
    first, second = (int(ordered[min(place, len(ordered) - 1)]) for place in places)
    return [(None, first), (first, second), (second, None)]


def _range(part: str, text: str) -> tuple[int | None, int | None]:
    """The half-open range of `..2024-06-30`, `2024-07..2024-09`, `2024-07` or `2024-10..`.

    A year or month stands for its first instant on the left and for its last on the right.
    """
    left, right = range_ends(text)
    if not (left or right):
        message = f"split.{part}: {text!r} is no range of days such as 2024-07..2024-09"
        raise SplitError(message, remedy="write ranges for all three parts, or shares for all")
    start = _day(part, left)[0] if left else None
    end = _day(part, right)[1] if right else None
    if start is not None and end is not None and start >= end:
        message = f"split.{part}: {text} ends before it begins"
        raise SplitError(message, remedy="write the earlier day first")
    return start, end


def _day(part: str, text: str) -> tuple[int, int]:
    """First instant of a day, month or year, and first instant after it."""
    days = read_days(text)
    if days is None:
        message = f"split.{part}: {text!r} is no day, month or year"
        raise SplitError(message, remedy="write 2024-06-30, 2024-06 or 2024")
    first, after = days
    return _microseconds(first), _microseconds(after)


def _microseconds(day: dt.date) -> int:
    return (day - _EPOCH) // _MICROSECOND


def _duration(text: str) -> int:
    """Microseconds of a duration such as 30d; the language has checked its form."""
    try:
        return parse_duration(text) // _MICROSECOND
    except ValueError as error:
        message = f"split.purge: {text!r} is no duration"
        raise SplitError(message, remedy="write a duration such as 30d") from error


def _require_order(ranges: list[tuple[int | None, int | None]]) -> None:
    if problem := order_problem(ranges):
        message, remedy = problem
        raise SplitError(f"split: {message}", remedy=remedy)


def _refuse_cut_entities(dataset: Dataset, entities: Indices | None, parts: Parts) -> None:
    if entities is None:
        return
    seen = [np.unique(entities[getattr(parts, part)]) for part in PARTS]
    shared = len(np.concatenate(seen)) - len(np.unique(np.concatenate(seen)))
    if shared:
        values = "1 value" if shared == 1 else f"{shared} values"
        stand = "stands" if shared == 1 else "stand"
        message = f"split: {values} of {dataset.entity} {stand} in more than one part"
        remedy = "keep one row for each, widen split.purge, or split by entity"
        raise SplitError(message, remedy=remedy)
