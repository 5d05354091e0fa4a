"""Which columns a model may learn from: asked by the language, by training and by policies.

Three rooms with an opinion of their own would one day disagree, and the one that is wrong about a
protected column would be the one that trains. The order is that of the Dataset; whoever needs an
order that no reordering of a file can change (training does, because the order of columns is in no
digest) sorts the names.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Features


def never_features(dataset: Dataset) -> dict[str, str]:
    """Columns that can be no feature, each with the reason."""
    reasons = dict.fromkeys(dataset.leaks, "it is known only after the outcome (`leaks`)")
    for name, column in dataset.columns.items():
        if column.role == "protected":
            reasons[name] = "it is protected: for fairness only, never a feature"
        elif column.role != "feature":
            reasons[name] = f"its role is {column.role}"
        elif column.type == "id":
            reasons[name] = "it is an id"
    if dataset.target is not None:
        if (loop := dataset.target.feedback) is not None:
            for name in filter(None, (loop.observed, loop.explored)):
                reasons[name] = "it says whether the outcome could be seen (`target.feedback`)"
        reasons[dataset.target.column] = "it is the outcome"
    for own, what in ((dataset.entity, "the entity"), (dataset.time, "the time column")):
        if own is not None:
            reasons.setdefault(own, f"it is {what}")
    return reasons


def with_protected(rows: Dataset, own: Dataset | None) -> Dataset:
    """The Dataset of some rows, with every protected column of the Dataset of the model.

    Who is compared is a question of the model: rows that lack such a column, or declare it as a
    feature, would else compare nobody and pass. The types are those in which the rows were read.
    """
    if own is None:
        return rows
    columns = {
        name: replace(column, type=rows.columns.get(name, column).type)
        for name, column in own.columns.items()
        if column.role == "protected"
    }
    return replace(rows, columns={**rows.columns, **columns})


class _Same:
    """A dataset by identity: many models share one, and to compare it takes as long as to read."""

    __slots__ = ("dataset",)

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.dataset is self.dataset

    def __hash__(self) -> int:
        return id(self.dataset)


def candidates(dataset: Dataset) -> tuple[str, ...]:
    """Every column that could be a feature, in the order of the Dataset."""
    return _candidates(_Same(dataset))


@lru_cache(maxsize=64)
def _candidates(same: _Same) -> tuple[str, ...]:
    never = never_features(same.dataset)
    return tuple(name for name in same.dataset.columns if name not in never)


def chosen(features: Features, among: Iterable[str]) -> tuple[str, ...]:
    """The candidates that a model takes: those it includes, or all, without those it excludes."""
    without = set(features.exclude)
    only = set(features.include)
    if only:
        return tuple([name for name in among if name in only and name not in without])
    return tuple([name for name in among if name not in without])


def feature_names(features: Features, dataset: Dataset) -> tuple[str, ...]:
    """The columns that a model learns from, in the order of the Dataset."""
    return chosen(features, candidates(dataset))


def protected_names(dataset: Dataset) -> tuple[str, ...]:
    """The columns with the role protected, in the order of the Dataset."""
    return _protected(_Same(dataset))


@lru_cache(maxsize=64)
def _protected(same: _Same) -> tuple[str, ...]:
    columns = same.dataset.columns.items()
    return tuple(name for name, column in columns if column.role == "protected")
