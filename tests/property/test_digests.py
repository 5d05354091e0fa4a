"""How a stream is cut is no part of the content."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.datasets.digests import TableHasher, logical_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.property, pytest.mark.training]

TYPES = {
    "b": pa.bool_(),
    "d": pa.timestamp("us"),
    "f": pa.float64(),
    "i": pa.int64(),
    "t": pa.large_string(),
}
WHOLE = st.integers(-(2**63), 2**63 - 1)
rows = st.lists(
    st.tuples(
        st.none() | st.booleans(),
        st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - no zone
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | WHOLE,
        st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    ),
    max_size=40,
)


def table_of(found: Sequence[tuple[object, ...]]) -> pa.Table:
    columns = list(zip(*found, strict=True)) or [()] * len(TYPES)
    arrays = [pa.array(list(one), kind) for one, kind in zip(columns, TYPES.values(), strict=True)]
    return pa.table(arrays, names=list(TYPES))


@given(rows, st.lists(st.integers(0, 40), max_size=6))
def test_cuts_do_not_change_the_digest(found: list[tuple[object, ...]], cuts: list[int]) -> None:
    table = table_of(found)
    places = [0, *sorted(min(cut, len(found)) for cut in cuts), len(found)]
    hasher = TableHasher(table.schema)
    for start, end in itertools.pairwise(places):
        for batch in table.slice(start, end - start).to_batches():
            hasher.update(batch)
    assert hasher.digest() == logical_digest(table)


@given(rows, rows)
def test_equal_digests_are_equal_tables(
    left: list[tuple[object, ...]], right: list[tuple[object, ...]]
) -> None:
    one, other = table_of(left), table_of(right)
    assert (logical_digest(one) == logical_digest(other)) == one.equals(other)
