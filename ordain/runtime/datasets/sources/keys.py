"""Whether the columns that give the order are a key, asked while the rows come in that order.

Two rows that are equal in all of them may come in either order, so the digest of the same rows
could be another one tomorrow. Equal rows are neighbours, so one row is all that has to be
remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ordain.runtime.errors import DataError
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def in_order(place: str, names: Sequence[str], batches: Iterable[Any]) -> Iterator[Any]:
    """The batches, each looked through.

    Raises:
        DataError: naming the first two rows that are equal in all columns of the order.
    """
    import pyarrow as pa

    before, last = 0, None
    for batch in batches:
        if not batch.num_rows:
            continue
        keys = batch.select(list(names))
        seen = keys if last is None else pa.concat_batches([last, keys])
        row = _first_tie(seen)
        if row >= 0:
            raise _tie(place, names, before + row + (last is None))
        yield batch
        before += batch.num_rows
        last = keys.slice(batch.num_rows - 1)


def _first_tie(keys: Any) -> int:  # noqa: ANN401 - pa.RecordBatch
    """The place of the first row that the next one equals; -1 where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    same: Any = pa.array([True] * (keys.num_rows - 1), pa.bool_())
    for column in keys.columns:
        left, right = column[:-1], column[1:]
        equal = pc.fill_null(pc.equal(left, right), False)  # noqa: FBT003 - a value for Arrow
        missing = (pc.is_null(one, nan_is_null=True) for one in (left, right))
        same = pc.and_(same, pc.or_(equal, pc.and_(*missing)))
    return int(pc.index(same, pa.scalar(value=True)).as_py())


def _tie(place: str, names: Sequence[str], row: int) -> DataError:
    """`row` counts from 1 and is the first of the two."""
    listed = ", ".join(names)
    message = (
        f"{place}: rows {row} and {row + 1} have the same {listed}, so their order is not fixed"
    )
    remedy = "name columns in source.orderBy that together are a key"
    return DataError(message, remedy=remedy, location=Location(place))
