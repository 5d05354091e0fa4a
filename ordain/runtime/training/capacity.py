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
    from ordain.specs.kinds.model import Model, Preprocessing

NUMBER: Final = 8
# Times that the encoded matrix is in memory at the peak. 300,000 rows of 60 encoded columns were
# measured by hand to take 4.2 tables and matrices together beside the libraries, for trees and
# linear models alike; `bench/training.py` holds a smaller job to a limit.
COPIES: Final = 3
# The table itself, and its columns in one piece.
TABLES: Final = 2
# Encoded columns of a category whose levels are not declared: rather too few.
LEVELS: Final = 8


def needed_memory(model: Model, dataset: Dataset, snapshot: Snapshot) -> int:
    """Bytes that training a Model from a snapshot takes at its peak, beside the libraries."""
    names = feature_names(model.features, dataset)
    encoded = sum(_width(dataset.columns[name], model.preprocessing) for name in names)
    encoded += len(model.preprocessing.interactions)
    return TABLES * snapshot.memory + COPIES * NUMBER * snapshot.rows * encoded


def _width(column: Column, declared: Preprocessing) -> int:
    """Encoded columns of one input, of a text as many as there may be."""
    match column.type:
        case "text":
            return declared.texts.terms
        case "date":
            return len(declared.dates.parts)
        case "category" if declared.categorical.encode == "one_hot":
            return LEVELS if column.levels is None else len(column.levels) + 1
        case "float" | "int" if declared.numeric.indicator:
            return 2
        case _:
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
