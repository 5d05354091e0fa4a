"""Folds of the training part: what a trial learns from, and what it is judged on.

They repeat, inside the training part, what the split of the Model does outside of it: an entity is
never on both sides, and with a split by time a fold learns from what lies before it and keeps the
same gap. Validation and test part are in no fold.

Rows make the number of folds that are looked at. A part of many rows is judged well enough on some
of its folds, and the time is better spent on another trial; a part of few rows is cut several times
and judged on all of it, because one draw says little there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ordain.runtime.datasets.labels import row_times
from ordain.runtime.errors import SplitError
from ordain.specs.durations import parse_duration
from ordain.specs.tasks import REGRESSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.training.features import Indices
    from ordain.runtime.training.outcomes import Outcomes
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Split

# Rows that a trial is judged on: with so many, two trials whose log-loss differs by 0.001 can
# mostly be told apart, because they are compared row by row.
ENOUGH: Final = 8_000
# Below this, the training part is cut again, up to so many times.
FEW: Final = 2_000
MOST_REPEATS: Final = 3
FEWEST_OF_A_CLASS: Final = 2


@dataclass(frozen=True, slots=True)
class Fold:
    """Positions in the table, ascending."""

    learn: Indices
    held: Indices


def make_folds(
    count: int,
    split: Split,
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    train: Indices,
    outcomes: Outcomes,
    seed: int,
) -> tuple[Fold, ...]:
    """The folds that trials are judged on, in the order in which they are looked at.

    Raises:
        SplitError: when no fold can be learnt from.
    """
    entities = _entities(dataset, table)
    if split.by == "time":
        found = _by_time(count, split, dataset, table, train, entities)
    else:
        found = _by_draw(count, train, outcomes, entities, seed)
    folds = []
    held = 0
    for fold in found:
        if not _learnable(fold, outcomes):
            continue
        folds.append(fold)
        held += len(fold.held)
        if held >= ENOUGH:
            break
    if not folds:
        message = f"training.automl: none of {count} folds of the training part can be learnt from"
        raise SplitError(message, remedy="bring more rows, or name one training.estimator")
    return tuple(folds)


def _learnable(fold: Fold, outcomes: Outcomes) -> bool:
    """Whether both sides have rows, and the learning one has every outcome that there is."""
    if not len(fold.learn) or not len(fold.held):
        return False
    learnt = outcomes.values[fold.learn]
    if outcomes.task == REGRESSION:
        return bool(np.min(learnt) < np.max(learnt))
    counts = np.bincount(learnt, minlength=max(2, len(outcomes.classes)))
    return bool(counts.min() >= FEWEST_OF_A_CLASS)


def _entities(dataset: Dataset, table: Any) -> Indices | None:  # noqa: ANN401 - pa.Table
    """A number per row that is equal for equal entities."""
    if dataset.entity is None:
        return None
    column = table[dataset.entity].combine_chunks()
    codes: Indices = column.dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes


def _by_draw(
    count: int, train: Indices, outcomes: Outcomes, entities: Indices | None, seed: int
) -> Iterator[Fold]:
    """Entities (or rows) dealt out like cards, of classes the same share to each fold."""
    repeats = min(MOST_REPEATS, max(1, math.ceil(FEW / len(train))))
    for repeat in range(repeats):
        generator = np.random.default_rng([seed, repeat])
        if entities is not None:
            _, groups = np.unique(entities[train], return_inverse=True)
            groups = groups.reshape(-1)
            fold_of = _dealt(generator.permutation(int(groups.max()) + 1), count)[groups]
        elif outcomes.task == REGRESSION:
            fold_of = _dealt(generator.permutation(len(train)), count)
        else:
            order = generator.permutation(len(train))
            ordered = order[np.argsort(outcomes.values[train][order], kind="stable")]
            fold_of = _dealt(ordered, count)
        for place in range(count):
            yield Fold(train[fold_of != place], train[fold_of == place])


def _dealt(order: Indices, count: int) -> Indices:
    """The fold of each, where they are dealt out in this order."""
    fold_of = np.empty(len(order), dtype=np.int64)
    fold_of[order] = np.arange(len(order)) % count
    return fold_of


def _by_time(
    count: int,
    split: Split,
    dataset: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    train: Indices,
    entities: Indices | None,
) -> Iterator[Fold]:
    """The latest piece first, learnt for from what lies before it; equal times stay together."""
    times = row_times(dataset, table, "split", SplitError)[train]
    purge = 0 if split.purge is None else parse_duration(split.purge).total_seconds() * 1_000_000
    ordered = np.sort(times)
    starts = [int(ordered[len(ordered) * place // (count + 1)]) for place in range(1, count + 1)]
    ends: list[float] = [*starts[1:], math.inf]
    for start, end in reversed(list(zip(starts, ends, strict=True))):
        held = train[(times >= start) & (times < end)]
        learn = train[times < start - purge]
        if entities is not None:
            learn = learn[~np.isin(entities[learn], entities[held])]
        yield Fold(learn, held)
