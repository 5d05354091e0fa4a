"""A table that is cast in pieces is the table that is cast whole, wherever it is cut."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.datasets.casting import cast_batch, cast_batches
from ordain.runtime.errors import DataError
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Dataset

pytestmark = pytest.mark.property

TYPES = ["float", "int", "bool", "category", "text", "date", "id"]
TEXTS = [
    None, "", " ", "1", " 2 ", "-0", "-0.0", "3.0", "1e3", "+5", "0x1F", "007", "2.5", "nan", "NA",
    "inf", "true", "False", "9007199254740993", "9007199254740993.0", "99999999999999999999", "abc",
    "2024-06-30", "2024-06-30 12:00:00", "0000-00-00", "2024-06-30T12:00Z",
    "2024-06-30 12:00:00+02:00", "2024-06-30Z",
]  # fmt: skip


def decimals(whole: list[int | None], scale: int) -> pa.Array:
    """Decimals of 38 digits, `scale` of them after the point."""
    values = [None if one is None else Decimal(one).scaleb(-scale) for one in whole]
    return pa.array(values, pa.decimal128(38, scale))


COLUMNS = st.one_of(
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8).map(
        lambda v: pa.array(v, pa.string())
    ),
    st.lists(st.none() | st.floats(), min_size=1, max_size=8).map(
        lambda v: pa.array(v, pa.float64())
    ),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8).map(
        lambda v: pa.array(v, pa.int64())
    ),
    st.lists(st.none() | st.integers(-(2**62), 2**62), min_size=1, max_size=8).map(
        lambda v: pa.array(v, pa.timestamp("us"))
    ),
    st.lists(st.none() | st.integers(-(10**16), 10**16), min_size=1, max_size=8).map(
        lambda v: decimals(v, 2)
    ),
    st.lists(st.none() | st.booleans(), min_size=1, max_size=8).map(
        lambda v: pa.array(v, pa.bool_())
    ),
)


def declared(kind: str) -> Dataset:
    spec = {"source": {"type": "csv", "uri": "t.csv"}, "columns": {"x": {"type": kind}}}
    dataset: Dataset = kind_validator("Dataset").validate_python(spec)
    return dataset


def whole(dataset: Dataset, values: pa.Array) -> pa.Table | str:
    try:
        return pa.Table.from_batches([cast_batch(dataset, pa.record_batch({"x": values}))])
    except DataError as error:
        return error.message


def in_pieces(dataset: Dataset, values: pa.Array, cuts: list[int]) -> pa.Table | str:
    places = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    batch = pa.record_batch({"x": values})
    pieces = [batch.slice(start, stop - start) for start, stop in pairwise(places)]
    try:
        return pa.Table.from_batches(cast_batches(dataset, pieces))
    except DataError as error:
        return error.message


@given(st.sampled_from(TYPES), COLUMNS, st.lists(st.integers(1, 7), max_size=3))
def test_where_a_table_is_cut_changes_nothing(kind: str, values: pa.Array, cuts: list[int]) -> None:
    dataset = declared(kind)
    first, second = whole(dataset, values), in_pieces(dataset, values, cuts)
    if isinstance(first, str) or isinstance(second, str):
        # Where several values do not fit, either may be the one that is named.
        assert isinstance(first, str)
        assert isinstance(second, str)
        assert first.split(":")[0] == second.split(":")[0]
    else:
        assert first.equals(second)
        assert first.schema == second.schema


@given(st.lists(st.integers(-(10**17), 10**17), min_size=1), st.integers(0, 18))
def test_a_decimal_becomes_the_float_that_is_nearest(digits: list[int], scale: int) -> None:
    values = decimals(list(digits), scale)
    found = whole(declared("float"), values)
    assert not isinstance(found, str)
    assert found["x"].to_pylist() == [float(one) for one in values.to_pylist()]
