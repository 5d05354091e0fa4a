"""The name of a table's content, whatever file it came from.

A hash of the file would change when the same rows are written with another compression, and could
not compare a CSV with a snapshot of a database. The logical digest goes over the columns in their
declared types: name, type, which values are missing, the values, in the order of rows. Columns are
sorted by name, here and wherever a model is trained, because the order in which a document declares
them is not part of its digest and must not change a result.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from ordain.runtime.errors import DataError
from ordain.specs.canonical import canonical_json
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Dataset

FORMAT = "ordain.table/1"


def logical_digest(table: Any) -> str:  # noqa: ANN401 - pa.Table
    """The digest of a cast `pyarrow.Table` as `sha256:<64 hex digits>`.

    Hashed are, in order: canonical JSON of format, number of rows, names and types; then for each
    column the bitmap of present values (bit 0 of byte 0 is row 0), then its values: 8 bytes
    little-endian for numbers and dates with 0 for missing, a bitmap for truth values, for text the
    length of each value as 8 bytes and then all bytes of all values.
    """
    columns = [[name, str(table.schema.field(name).type)] for name in table.column_names]
    header = {"format": FORMAT, "rows": table.num_rows, "columns": columns}
    state = hashlib.sha256(canonical_json(header))
    for name in table.column_names:
        for piece in _pieces(table[name]):
            state.update(piece)
    return f"sha256:{state.hexdigest()}"


def _pieces(column: Any) -> list[Any]:  # noqa: ANN401 - Arrow columns, NumPy arrays
    """The buffers of one column that are hashed."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    present = pc.is_valid(values).to_numpy(zero_copy_only=False)
    bitmap = np.packbits(present, bitorder="little")
    if pa.types.is_large_string(values.type):
        filled = pa.concat_arrays([pc.fill_null(values, "")])
        lengths = pc.binary_length(filled).to_numpy().astype("<i8", copy=False)
        return [bitmap, lengths, _text(filled)]
    if pa.types.is_boolean(values.type):
        truths = pc.fill_null(values, False).to_numpy(zero_copy_only=False)  # noqa: FBT003 - Arrow
        return [bitmap, np.packbits(truths, bitorder="little")]
    numbers = values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values
    filled = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    return [bitmap, np.ascontiguousarray(filled.astype(filled.dtype.newbyteorder("<"), copy=False))]


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
    uri = dataset.source.uri
    message = f"dataset {name}: {uri} has the digest {actual}, pinned is {dataset.digest}"
    remedy = f"restore the pinned data, or run `ordain pin {name}` and have the change approved"
    raise DataError(message, remedy=remedy, location=Location(uri))
