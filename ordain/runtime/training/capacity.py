"""Whether a machine can hold what training needs, asked before any row is read.

The estimate is of the peak: the Arrow table and the copy that puts its columns in one piece, then
the encoded matrix as many times as fitting and measuring hold it. It is rough on purpose and errs
on the side of running; what it refuses would be killed without a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.runtime.errors import TrainingError
from ordain.runtime.memory import Machine, words
from ordain.specs.features import feature_names

if TYPE_CHECKING:
    from ordain.runtime.datasets.snapshots import Snapshot
    from ordain.specs.kinds.dataset import Column, Dataset
    from ordain.specs.kinds.model import Model

NUMBER: Final = 8
# Times that the encoded matrix is in memory at the peak. 300,000 rows of 60 encoded columns were
# measured to take 4.2 tables and matrices together beside the libraries, for trees and linear
# models alike (`bench/training.py` has the rows).
COPIES: Final = 3
# The table itself, and its columns in one piece.
TABLES: Final = 2
# Encoded columns of a category whose levels are not declared, and of a text: rather too few.
LEVELS: Final = 8
TERMS: Final = 200


def needed_memory(model: Model, dataset: Dataset, snapshot: Snapshot) -> int:
    """Bytes that training a Model from a snapshot takes at its peak, beside the libraries."""
    one_hot = model.preprocessing.categorical.encode == "one_hot"
    names = feature_names(model.features, dataset)
    encoded = sum(_width(dataset.columns[name], one_hot=one_hot) for name in names)
    return TABLES * snapshot.memory + COPIES * NUMBER * snapshot.rows * encoded


def _width(column: Column, *, one_hot: bool) -> int:
    """Encoded columns of one input."""
    if column.type == "text":
        return TERMS
    if column.type == "category" and one_hot:
        return LEVELS if column.levels is None else len(column.levels) + 1
    return 1


def check_memory(
    name: str, model: Model, dataset: Dataset, snapshot: Snapshot, machine: Machine | None = None
) -> None:
    """Refuse what would be killed.

    Raises:
        TrainingError: saying how much is needed, how much there is, and who allows no more.
    """
    room = (machine or Machine()).room()
    needed = needed_memory(model, dataset, snapshot)
    if room is not None and needed > room.size:
        message = (
            f"model {name}: training on {snapshot.rows} rows needs about {words(needed)} of "
            f"memory, and {words(room.size)} may be used ({room.limit})"
        )
        remedy = "give the process more memory, or learn from fewer rows or columns"
        raise TrainingError(message, remedy=remedy)
