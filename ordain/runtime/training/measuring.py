"""The metrics of whatever task a sample is of, by one name for each question."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import TrainingError
from ordain.runtime.training import metrics, metrics_classes, metrics_clusters, metrics_numbers
from ordain.runtime.training.metrics import Sample
from ordain.runtime.training.metrics_classes import ClassSample
from ordain.runtime.training.metrics_clusters import ClusterSample
from ordain.runtime.training.metrics_numbers import NumberSample
from ordain.specs.gates import UNCOMPARED
from ordain.specs.tasks import CLASSIFICATION, CLUSTERING, REGRESSION

if TYPE_CHECKING:
    from ordain.runtime.training.intervals import Estimate
    from ordain.runtime.training.splits import Indices

AnySample = Sample | ClassSample | NumberSample | ClusterSample


def task_of(sample: AnySample) -> str:
    """The task in the word of the language."""
    match sample:
        case Sample() | ClassSample():
            return CLASSIFICATION
        case NumberSample():
            return REGRESSION
        case ClusterSample():
            return CLUSTERING


def estimate(name: str, sample: AnySample, confidence: float) -> Estimate:
    """One metric with its interval at this confidence.

    Raises:
        KeyError: for a name of no metric of the task.
    """
    match sample:
        case Sample():
            return metrics.estimate(name, sample, confidence)
        case ClassSample():
            return metrics_classes.estimate(name, sample, confidence)
        case NumberSample():
            return metrics_numbers.estimate(name, sample, confidence)
        case ClusterSample():
            return metrics_clusters.estimate(name, sample, confidence)


def difference(name: str, ours: AnySample, other: AnySample, confidence: float) -> Estimate:
    """How much better `ours` is than `other` on the same rows; more is better for every metric.

    Raises:
        TrainingError: for clusterings, which have no right answer in common.
    """
    match ours, other:
        case Sample(), Sample():
            return metrics.difference(name, ours, other, confidence)
        case ClassSample(), ClassSample():
            return metrics_classes.difference(name, ours, other, confidence)
        case NumberSample(), NumberSample():
            return metrics_numbers.difference(name, ours, other, confidence)
        case _:
            message = f"acceptance.metrics: {UNCOMPARED}"
            raise TrainingError(message, remedy="take out versus, and set min or max")


def measured_rows(name: str, sample: AnySample) -> int:
    """Of how many rows a metric of this sample is: of how many refits, for a stability."""
    return sample.measured(name) if isinstance(sample, ClusterSample) else sample.n


def smallest_class(sample: AnySample) -> int | None:
    """How many rows the class with the fewest has; None where there are no classes to judge."""
    match sample:
        case Sample():
            return int(np.bincount(sample.positive, minlength=2).min())
        case ClassSample():
            return int(np.bincount(sample.right, minlength=sample.scores.shape[1]).min())
        case _:
            return None


def taken(sample: AnySample, rows: Indices) -> AnySample:
    """Some rows of a sample, by their places in it."""
    columns: dict[str, Any] = {one.name: getattr(sample, one.name) for one in fields(sample)}
    arrays = {name: one[rows] for name, one in columns.items() if isinstance(one, np.ndarray)}
    return replace(sample, **columns | arrays)


def tells_apart(sample: AnySample) -> bool:
    """Whether there is more than one outcome, or cluster, so that anything can be measured."""
    match sample:
        case Sample():
            return len(np.unique(sample.positive)) > 1
        case ClassSample():
            return len(np.unique(sample.right)) > 1
        case NumberSample():
            return len(np.unique(sample.truth)) > 1
        case ClusterSample():
            return 1 < len(np.unique(sample.chosen)) < sample.n
