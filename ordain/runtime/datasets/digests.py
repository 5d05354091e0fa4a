"""The name of a table's content, whatever file it came from.

A hash of the file would change when the same rows are written with another compression, and could
not compare a CSV with a snapshot of a database. The logical digest goes over the columns in their
declared types: name, type, which values are missing, the values, in the order of rows. Columns are
sorted by name, here and wherever a model is trained, because the order in which a document declares
them is not part of its digest and must not change a result.

Rows come as a stream, because a table may be larger than memory: every column has states of its
own, fed batch by batch, and what binds them (names, types, number of rows) is hashed last, when the
number is known. How rows are cut into batches changes nothing. Columns are hashed on several
threads, which changes nothing either, since no state is shared.

Equal values are equal content: -0.0 is 0.0, and a missing value is missing whatever its bytes hold.
Nothing that tells the two zeros apart may be learnt from a name that does not, so snapshots hold
0.0 for both (`plain_zeros`). NaN is not content: casting has made it a missing value.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from ordain.runtime.datasets.casting import unsigned_zeros
from ordain.runtime.errors import DataError
from ordain.specs.canonical import digest
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ordain.specs.kinds.dataset import Dataset

FORMAT = "ordain.table/2"
# More threads than this wait for memory and not for the hash.
THREADS = 4
_BYTE = 8


class TableHasher:
    """The logical digest of a table that comes in batches, all of one schema of cast columns.

    Hashed are, for each column, by a SHA-256 of its own: `present`, the bitmap of values that are
    there (bit 0 of byte 0 is row 0, the last byte is filled up with 0); `values`, 8 bytes
    little-endian for numbers and dates with 0 for missing, a bitmap for truth values, all bytes of
    all values for text; and for text `lengths`, the length of each value as 8 bytes. The digest is
    that of the canonical JSON of format, number of rows, and name, type and hashes of the columns.
    """

    def __init__(self, schema: Any, executor: Executor | None = None) -> None:  # noqa: ANN401 - pa.Schema
        self._columns = [_Column(field.name, field.type) for field in schema]
        self._executor = executor
        self.rows = 0

    def update(self, batch: Any) -> None:  # noqa: ANN401 - pa.RecordBatch or pa.Table
        """Take in the next rows."""
        pairs = zip(self._columns, batch.columns, strict=True)
        if self._executor is None:
            for column, values in pairs:
                column.update(values)
        else:
            # All of one batch before the next: a state takes its bytes in their order.
            for done in [self._executor.submit(column.update, values) for column, values in pairs]:
                done.result()
        self.rows += batch.num_rows

    def digest(self) -> str:
        """The digest as `sha256:<64 hex digits>`; nothing may be added afterwards."""
        columns = [column.finish() for column in self._columns]
        return digest({"format": FORMAT, "rows": self.rows, "columns": columns})


class _Bits:
    """A hash over bits, of which the last few wait until they fill a byte."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()
        self._waiting: Any = None

    def update(self, bits: Any) -> None:  # noqa: ANN401 - a NumPy array of bool
        import numpy as np

        if self._waiting is not None:
            bits = np.concatenate([self._waiting, bits])
        whole = len(bits) - len(bits) % _BYTE
        self._state.update(np.packbits(bits[:whole], bitorder="little").data)
        # A copy, because the rest would keep the whole batch alive.
        self._waiting = bits[whole:].copy() if whole < len(bits) else None

    def hexdigest(self) -> str:
        import numpy as np

        if self._waiting is not None:
            self._state.update(np.packbits(self._waiting, bitorder="little").data)
            self._waiting = None
        return self._state.hexdigest()


class _Column:
    """The states of one column."""

    def __init__(self, name: str, kind: Any) -> None:  # noqa: ANN401 - an Arrow type
        import pyarrow as pa

        self._name, self._kind = name, kind
        self._text = pa.types.is_large_string(kind)
        self._truth = pa.types.is_boolean(kind)
        self._present, self._truths = _Bits(), _Bits()
        self._lengths, self._values = hashlib.sha256(), hashlib.sha256()

    def update(self, column: Any) -> None:  # noqa: ANN401 - an Arrow column
        import pyarrow as pa

        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        for values in chunks:
            self._update(values)

    def _update(self, values: Any) -> None:  # noqa: ANN401 - an Arrow array
        import pyarrow.compute as pc

        self._present.update(_present(values))
        if self._text:
            filled = pc.fill_null(values, "") if values.null_count else values
            lengths = pc.binary_length(filled).to_numpy(zero_copy_only=False)
            self._lengths.update(_little(lengths))
            self._values.update(_text(filled))
        elif self._truth:
            filled = pc.fill_null(values, False)  # noqa: FBT003 - Arrow
            self._truths.update(filled.to_numpy(zero_copy_only=False))
        else:
            self._values.update(_little(_numbers(values)))

    def finish(self) -> dict[str, str]:
        """Name, type and hashes."""
        found = {"name": self._name, "type": str(self._kind), "present": self._present.hexdigest()}
        if self._text:
            found["lengths"] = self._lengths.hexdigest()
        state = self._truths if self._truth else self._values
        return found | {"values": state.hexdigest()}


def logical_digest(table: Any) -> str:  # noqa: ANN401 - pa.Table
    """The digest of a cast `pyarrow.Table`, see `TableHasher`."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(THREADS) as executor:
        hasher = TableHasher(table.schema, executor)
        hasher.update(table)
        return hasher.digest()


def plain_zeros(batch: Any) -> Any:  # noqa: ANN401 - pa.RecordBatch
    """The batch with 0.0 for -0.0."""
    import pyarrow as pa

    columns = [
        unsigned_zeros(values) if pa.types.is_floating(values.type) else values
        for values in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _present(values: Any) -> Any:  # noqa: ANN401 - Arrow and NumPy arrays
    import numpy as np

    if not values.null_count:
        return np.ones(len(values), dtype=np.bool_)
    return values.is_valid().to_numpy(zero_copy_only=False)


def _numbers(values: Any) -> Any:  # noqa: ANN401 - Arrow and NumPy arrays
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    if pa.types.is_floating(values.type):
        values = unsigned_zeros(values)
    if values.null_count:
        values = pc.fill_null(values, 0)
    return values.to_numpy(zero_copy_only=False)


def _little(numbers: Any) -> Any:  # noqa: ANN401 - NumPy arrays
    """Eight bytes each, the lowest first."""
    import numpy as np

    wanted = "<f8" if np.issubdtype(numbers.dtype, np.floating) else "<i8"
    return np.ascontiguousarray(numbers.astype(wanted, copy=False))


def _text(filled: Any) -> Any:  # noqa: ANN401 - an Arrow array
    """The bytes of all values of a large_string array, one after the other."""
    import numpy as np

    _, offsets, data = filled.buffers()
    if data is None or len(filled) == 0:
        return b""
    places = np.frombuffer(offsets, dtype=np.int64)[filled.offset : filled.offset + len(filled) + 1]
    return memoryview(data)[int(places[0]) : int(places[-1])]


def check_digest(name: str, dataset: Dataset, actual: str) -> None:
    """Refuse content that is not the pinned one; a Dataset without a digest is not pinned yet.

    Raises:
        DataError: naming both digests.
    """
    if dataset.digest is None or dataset.digest == actual:
        return
    uri = dataset.source.place
    message = f"dataset {name}: {uri} has the digest {actual}, pinned is {dataset.digest}"
    remedy = f"restore the pinned data, or run `ordain pin {name}` and have the change approved"
    raise DataError(message, remedy=remedy, location=Location(uri))
