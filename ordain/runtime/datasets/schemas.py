"""The Arrow schema that a Dataset's declared columns are cast to, columns sorted by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Dataset


def declared_schema(dataset: Dataset) -> Any:  # noqa: ANN401 - pa.Schema
    """The types that `casting` gives, known before any row is read."""
    import pyarrow as pa

    types = {
        "float": pa.float64(),
        "int": pa.int64(),
        "bool": pa.bool_(),
        "date": pa.timestamp("us"),
    }
    columns = sorted(dataset.columns.items())
    return pa.schema(
        [(name, types.get(column.type, pa.large_string())) for name, column in columns]
    )
