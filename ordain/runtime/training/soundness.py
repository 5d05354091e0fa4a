"""What the rows themselves say against learning from them, and against judging by them.

Too few rows are an error, because every number that comes after them would be noise. A row of the
test part that the training part has as well, and a level that nothing was learnt about, are
counted: they are in real tables, and a reader should know how many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.casting import names_somebody
from ordain.runtime.errors import SplitError
from ordain.runtime.training.leaks import first_seen
from ordain.specs.coverage import FEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.training.features import Frame
    from ordain.runtime.training.splits import Parts
    from ordain.specs.kinds.dataset import Dataset

LEARNT = 20  # Fewer rows than this teach a model their noise.
TOLD = 20  # Features that limitations name one by one.
JUDGED = FEWEST


def refuse_few(parts: Parts) -> None:
    """Refuse parts that nothing can be learnt from, or judged by.

    Raises:
        SplitError: when the training or the test part has too few rows.
    """
    learnt, judged = len(parts.train), len(parts.test)
    usable = learnt + len(parts.validation) + judged
    if learnt < LEARNT or judged < JUDGED:
        message = (
            f"split: too few rows: {usable} ({learnt} to learn from, {judged} to judge by), "
            f"a split needs at least {LEARNT} and {JUDGED}"
        )
        raise SplitError(message, remedy="bring more rows, or widen split.train or split.test")


def repeated_rows(dataset: Dataset, table: Any, parts: Parts) -> int:  # noqa: ANN401 - pa.Table
    """How many rows of the test part equal a row of the training part in all that is declared.

    Columns that name somebody do not count: the same case under two numbers is one case.
    """
    codes = np.zeros(table.num_rows, dtype=np.int64)
    for name in sorted(dataset.columns):
        if names_somebody(dataset, name):
            continue
        own = first_seen(table[name]) + 1
        # Made dense after every column, so that no product of counts can run over.
        pairs = codes * (int(own.max()) + 1) + own
        codes = np.unique(pairs, return_inverse=True)[1].reshape(-1)
    return int(np.isin(codes[parts.test], codes[parts.train]).sum())


def unseen_levels(frame: Frame, parts: Parts) -> dict[str, int]:
    """By category, how many rows that are judged by have a level that no training row has."""
    judged = np.concatenate([parts.population("validation"), parts.population("test")])
    found = {}
    for place, (name, column) in enumerate(zip(frame.names, frame.columns, strict=True)):
        if column.type != "category":
            continue
        codes = frame.matrix[:, place]
        later = codes[judged]
        new = ~np.isin(later, codes[parts.train]) & ~np.isnan(later)
        if new.any():
            found[name] = int(new.sum())
    return found


def limitations(repeated: int, unseen: dict[str, int], parts: Parts) -> Iterator[str]:
    """What a reader has to know of rows that repeat, and of levels that are new."""
    if repeated:
        test = len(parts.test)
        yield (
            f"{repeated} of {test} rows of the test part ({repeated / test:.1%}) equal a row of "
            "the training part in all that is declared: they are no new cases."
        )
    for name, count in sorted(unseen.items())[:TOLD]:
        rows = "1 row" if count == 1 else f"{count} rows"
        yield (
            f"Feature {name}: {rows} of validation and test part have a level that training has "
            "not seen."
        )
    if len(unseen) > TOLD:
        yield f"So have {len(unseen) - TOLD} more features."
