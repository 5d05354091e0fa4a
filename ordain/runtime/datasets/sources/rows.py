"""What every source gives: a schema, batches of bounded size, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.errors import DataError
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAXIMUM_ROWS: Final = 65_536
MAXIMUM_BYTES: Final = 64_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """An open source.

    `schema` is the `pyarrow.Schema` of the declared columns as the source has them, sorted by name.
    `hints` are what the source says of itself (a version, a checksum, a snapshot), never a secret:
    they help to find the rows again, and prove nothing; that is what the logical digest is for.
    """

    schema: Any
    pieces: Iterable[Any]
    hints: Mapping[str, str] = field(default_factory=dict)

    def batches(self) -> Iterator[Any]:
        """Every row once, as `pyarrow.RecordBatch`es of at most 65,536 rows.

        Raises:
            DataError: what follows is no table.
            SourceError: the source broke off.
        """
        for piece in self.pieces:
            for start in range(0, piece.num_rows, MAXIMUM_ROWS):
                yield piece.slice(start, MAXIMUM_ROWS)


def require(place: str, present: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a source in which a declared column is not there, or not once.

    Raises:
        DataError: naming the columns.
    """
    at = Location(place)
    missing = [name for name in names if name not in present]
    if missing:
        listed = ", ".join(missing)
        message = f"{place}: column{'s' * (len(missing) > 1)} {listed} not found"
        remedy = "add the data or take the declaration out of spec.columns"
        raise DataError(message, remedy=remedy, location=at)
    twice = [name for name in names if list(present).count(name) > 1]
    if twice:
        message = f"{place}: column {twice[0]} stands in the header {present.count(twice[0])} times"
        raise DataError(message, remedy="keep one of them", location=at)


def rows_of(size: int, rows: int) -> int:
    """How many rows of a table of this many bytes and rows make one batch."""
    return max(1, min(MAXIMUM_ROWS, MAXIMUM_BYTES * max(rows, 1) // max(size, 1)))
