"""Which rows have an outcome that may be learnt from.

An outcome that takes a year to be seen says nothing about last month: whoever has not defaulted yet
counts as good. With `matureAfter` the rows later than `asOf` less that time are left out, whatever
stands in them. To take the clock instead of `asOf` was refused: the same data would be other data
tomorrow, and a recipe would not give the same bytes twice.

With a feedback loop (`target.feedback`) a row whose outcome could not be seen has none. It is not
learnt from, and it is still somebody about whom the model decides.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.runtime.errors import MaturityError
from ordain.specs.durations import parse_duration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ordain.runtime.errors import RunError
    from ordain.specs.kinds.dataset import Dataset

    Mask = NDArray[np.bool_]

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - times of a table are UTC without a zone
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Labels:
    """A truth value per row: whether its outcome is final, and whether it is there as well."""

    mature: Mask
    known: Mask

    @property
    def immature(self) -> int:
        """How many rows are left out because their outcome is not final."""
        return int((~self.mature).sum())


def labels_of(dataset: Dataset, table: Any) -> Labels:  # noqa: ANN401 - pa.Table
    """The labels of a cast `pyarrow.Table` that met its expectations.

    Raises:
        MaturityError: when the age of a row is asked for and cannot be told, or no row is old
            enough.
    """
    mature = mature_rows(dataset, table)
    known = observed_rows(dataset, table)
    target = dataset.target
    if target is not None and not mature.any():
        message = (
            f"target {target.column}: no row of {table.num_rows} is {target.mature_after} old "
            f"on {dataset.as_of}, so no outcome is final"
        )
        raise MaturityError(message, remedy="wait, bring older rows, or correct matureAfter")
    return Labels(mature, mature if known is None else mature & known)


def mature_rows(dataset: Dataset, table: Any) -> Mask:  # noqa: ANN401 - pa.Table
    """Where the outcome is final: not later than `asOf` less `matureAfter`.

    Everywhere where no delay is declared.

    Raises:
        MaturityError: when the Dataset or a row does not say how old the row is.
    """
    import numpy as np

    target = dataset.target
    if target is None or target.mature_after is None:
        return np.ones(table.num_rows, dtype=bool)
    if dataset.as_of is None:
        message = "target.matureAfter: the Dataset does not say up to when outcomes were seen"
        raise MaturityError(message, remedy="run `ordain pin`, or set spec.asOf of the Dataset")
    last = dt.datetime.fromisoformat(dataset.as_of) - parse_duration(target.mature_after)
    found: Mask = row_times(dataset, table) <= (last - _EPOCH) // _MICROSECOND
    return found


def observed_rows(dataset: Dataset, table: Any) -> Mask | None:  # noqa: ANN401 - pa.Table
    """Where the outcome could be seen; None where no feedback loop is declared."""
    target = dataset.target
    if target is None or target.feedback is None:
        return None
    return truth_of(table[target.feedback.observed])


def truth_of(column: Any) -> Mask:  # noqa: ANN401 - an Arrow column of truth values
    """A numpy mask; a missing value is false."""
    import pyarrow.compute as pc

    filled = pc.fill_null(column, False)  # noqa: FBT003 - pyarrow's own signature
    mask: Mask = filled.to_numpy(zero_copy_only=False).astype(bool)
    return mask


def row_times(
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    asks: str = "target.matureAfter",
    refusal: type[RunError] = MaturityError,
) -> NDArray[np.int64]:
    """Microseconds since 1970 of each row; `asks` is the field that wants to know.

    Raises:
        refusal: when there is no time column, it is no date, or a row has none.
    """
    import pyarrow as pa

    if untold := untold_time(dataset, table):
        raise refusal(f"{asks}: {untold[0]}", remedy=untold[1])
    times: NDArray[np.int64] = table[dataset.time].combine_chunks().cast(pa.int64()).to_numpy()
    return times


def untold_time(dataset: Dataset, table: Any) -> tuple[str, str] | None:  # noqa: ANN401 - pa.Table
    """Why the time of some row is not known, and what to do about it."""
    import pyarrow as pa

    if dataset.time is None:
        return "the Dataset names no time column", "set spec.time of the Dataset"
    column = table[dataset.time]
    if not pa.types.is_timestamp(column.type):
        return f"{dataset.time} is no date", f"set spec.columns.{dataset.time}.type to date"
    if column.null_count:
        rows = "1 row has" if column.null_count == 1 else f"{column.null_count} rows have"
        return f"{rows} no {dataset.time}", "give every row its time"
    return None
