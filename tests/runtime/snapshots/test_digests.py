"""One content has one digest, however its rows come."""

from __future__ import annotations

import hashlib
import struct
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from ordain.runtime.datasets.digests import TableHasher, logical_digest, plain_zeros
from ordain.specs.canonical import digest

pytestmark = pytest.mark.training


def test_the_digest_is_the_documented_one() -> None:
    table = pa.table(
        {
            "n": pa.array([1, None], pa.int64()),
            "t": pa.array(["é", None], pa.large_string()),
            "b": pa.array([None, True], pa.bool_()),
        }
    )

    def of(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    number = {"present": of(b"\x01"), "values": of(struct.pack("<qq", 1, 0))}
    text = {
        "present": of(b"\x01"),
        "lengths": of(struct.pack("<qq", 2, 0)),
        "values": of("é".encode()),
    }
    truth = {"present": of(b"\x02"), "values": of(b"\x02")}
    columns = [
        {"name": "n", "type": "int64", **number},
        {"name": "t", "type": "large_string", **text},
        {"name": "b", "type": "bool", **truth},
    ]
    expected = digest({"format": "ordain.table/2", "rows": 2, "columns": columns})
    assert logical_digest(table) == expected


def test_a_table_without_rows_has_a_digest_of_its_columns() -> None:
    empty = pa.table({"x": pa.array([], pa.float64())})
    hasher = TableHasher(empty.schema)
    assert hasher.digest() == logical_digest(empty)
    other = pa.table({"y": pa.array([], pa.float64())})
    assert logical_digest(other) != logical_digest(empty)


def test_the_two_zeros_are_one_value() -> None:
    below, above = pa.table({"x": [-0.0, None, 1.5]}), pa.table({"x": [0.0, None, 1.5]})
    assert below.equals(above)
    assert logical_digest(below) == logical_digest(above)


def test_what_is_kept_has_one_zero_only() -> None:
    (batch,) = pa.table({"x": [-0.0, None, -1.5], "n": [1, 2, 3]}).to_batches()
    found = plain_zeros(batch)
    assert [str(one) for one in found["x"].to_pylist()] == ["0.0", "None", "-1.5"]
    assert found["n"].equals(batch["n"])


def test_what_lies_under_a_missing_value_does_not_count() -> None:
    mask = pa.py_buffer(b"\x01")
    values = [pa.py_buffer(struct.pack("<dd", 1.0, hidden)) for hidden in (0.0, 7.0)]
    tables = [
        pa.table({"x": pa.Array.from_buffers(pa.float64(), 2, [mask, data])}) for data in values
    ]
    assert tables[0]["x"].to_pylist() == tables[1]["x"].to_pylist() == [1.0, None]
    assert logical_digest(tables[0]) == logical_digest(tables[1])


def test_threads_do_not_change_the_digest() -> None:
    table = pa.table({f"c{number}": list(range(number, number + 5_000)) for number in range(12)})
    alone = TableHasher(table.schema)
    with ThreadPoolExecutor(4) as executor:
        together = TableHasher(table.schema, executor)
        for batch in table.to_batches(max_chunksize=333):
            together.update(batch)
            alone.update(batch)
        assert together.digest() == alone.digest()
