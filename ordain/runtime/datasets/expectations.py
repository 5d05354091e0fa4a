"""Whether a table is what its Dataset says: shares of missing values, ranges, levels, outcomes.

An expectation that is not declared is not checked. Each error names the column, how many rows are
wrong and the first of them (rows count from 1, the header is not one).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ordain.runtime.datasets.casting import first_true, shown_value
from ordain.runtime.errors import DataError
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Column, Dataset

OUTCOMES = 2


def check_expectations(dataset: Dataset, table: Any) -> None:  # noqa: ANN401 - pa.Table
    """Check a cast `pyarrow.Table`.

    Raises:
        DataError: for the first expectation that is not met, columns sorted by name.
    """
    if table.num_rows == 0:
        raise _error(dataset, "there are no rows", "write at least one row")
    for name, column in sorted(dataset.columns.items()):
        values = table[name]
        _check_missing(dataset, name, column, values)
        if column.range is not None and column.type in {"float", "int"}:
            _check_range(dataset, name, column, values)
        if column.levels is not None and column.type == "category" and column.unknown == "refuse":
            _check_levels(dataset, name, column, values)
    if dataset.target is not None:
        _check_target(dataset, dataset.target.column, table)


def missing_share(column: Column) -> float | None:
    """The accepted share of missing values, in [0, 1]; None where none is declared."""
    if column.missing is None:
        return None
    return float(Decimal(column.missing.removesuffix("%")) / 100)


def _check_missing(dataset: Dataset, name: str, column: Column, values: Any) -> None:  # noqa: ANN401
    accepted = missing_share(column)
    share = values.null_count / len(values)
    if accepted is not None and share > accepted:
        message = (
            f"column {name}: {share:.2%} of the values are missing, accepted are {accepted:.2%}"
        )
        raise _error(dataset, message, f"mend the data, or raise spec.columns.{name}.missing")
    if values.null_count == len(values) and column.role == "feature":
        message = f"column {name}: all values are missing"
        raise _error(dataset, message, f"mend the data, or take {name} out of spec.columns")


def _check_range(dataset: Dataset, name: str, column: Column, values: Any) -> None:  # noqa: ANN401
    import pyarrow.compute as pc

    low, high = column.range or (0.0, 0.0)
    outside = pc.or_(pc.less(values, low), pc.greater(values, high))
    count = pc.sum(outside).as_py() or 0
    if count:
        row = first_true(outside)
        shown = shown_value(column.role, values[row].as_py())
        where = f"{_rows(count)} outside of {low:g} to {high:g}, first row {row + 1}: {shown}"
        message = f"column {name}: {where}"
        raise _error(dataset, message, f"correct the values, or spec.columns.{name}.range")


def _check_levels(dataset: Dataset, name: str, column: Column, values: Any) -> None:  # noqa: ANN401
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.array(column.levels, pa.large_string())
    unknown = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, known)))
    count = pc.sum(unknown).as_py() or 0
    if count:
        row = first_true(unknown)
        shown = shown_value(column.role, values[row].as_py())
        message = (
            f"column {name}: {_rows(count)} with an unknown level, first row {row + 1}: {shown}"
        )
        remedy = f"correct the values, extend spec.columns.{name}.levels, or set unknown: bucket"
        raise _error(dataset, message, remedy)


def _check_target(dataset: Dataset, name: str, table: Any) -> None:  # noqa: ANN401 - pa.Table
    import pyarrow.compute as pc

    if name not in table.column_names:
        message = f"target {name} is not declared in spec.columns"
        raise _error(dataset, message, f"declare spec.columns.{name}")
    values = table[name]
    if values.null_count:
        row = first_true(pc.is_null(values))
        message = (
            f"target {name}: {_rows(values.null_count)} without an outcome, first row {row + 1}"
        )
        raise _error(dataset, message, "leave out rows whose outcome is not known yet")
    if len(pc.unique(values)) < OUTCOMES:
        message = f"target {name}: all {len(values)} rows have the same outcome"
        raise _error(dataset, message, "take rows with both outcomes")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _error(dataset: Dataset, message: str, remedy: str) -> DataError:
    uri = dataset.source.uri
    return DataError(f"{uri}: {message}", remedy=remedy, location=Location(uri))
