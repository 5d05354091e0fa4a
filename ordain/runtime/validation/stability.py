"""Whether the numbers hold from one slice of the rows to the next.

Slices are of time where the Dataset has a time column, because a model that was good in spring
only is found no other way; otherwise the rows are drawn into folds, which shows how much of a
number is luck. The score of every slice is compared with that of the first by the index of
population stability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.datasets.labels import row_times, untold_time
from ordain.runtime.monitoring.bins import freeze_number
from ordain.runtime.monitoring.psi import psi
from ordain.runtime.training.evaluation import CONFIDENCE
from ordain.runtime.training.measuring import estimate, smallest_class
from ordain.runtime.validation.checks import estimated, measured, untold
from ordain.runtime.validation.performance import sample_at
from ordain.specs.gates import few_cases
from ordain.specs.tasks import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ordain.runtime.training.measuring import AnySample
    from ordain.runtime.validation.scene import Scene
    from ordain.specs.validations import Check

    Indices = NDArray[np.int64]

SECTION = "stability"
SLICES = 4
FEWEST = 30


def examine(scene: Scene) -> Iterator[Check]:
    """The first metric of the task in every slice, its range, and how the score moves."""
    name = METRICS[scene.order.spec.task][0]
    if scene.unreadable or len(scene.rows) < SLICES * FEWEST:
        fewest = f"{len(scene.rows)} rows, {SLICES * FEWEST} are needed"
        yield untold(SECTION, name, scene.unreadable or fewest)
        return
    slices = list(_slices(scene))
    values = []
    for label, places in slices:
        sample = sample_at(scene, places)
        few = sample if isinstance(sample, str) else _few_in(sample)
        if isinstance(sample, str) or few:
            reason = few.replace("in the test part", "in the slice")
            yield untold(SECTION, name, reason, subject=label, n=len(places))
            continue
        found = estimate(name, sample, CONFIDENCE)
        values.append(found.value)
        yield estimated(SECTION, name, found, sample.n, subject=label)
    if len(values) > 1:
        yield measured(SECTION, f"{name} range", max(values) - min(values), len(scene.rows))
    yield from _moved(scene, slices)


def _few_in(sample: AnySample) -> str:
    """Why a slice shows nothing; a task without classes has none that could be too small."""
    smallest = smallest_class(sample)
    return "" if smallest is None else few_cases(smallest)


def _moved(scene: Scene, slices: list[tuple[str, Indices]]) -> Iterator[Check]:
    """The index of the score of each slice against the first."""
    given = scene.given
    scores = [given.output[places[given.answered[places]]].tolist() for _, places in slices]
    if not scores[0]:
        return
    before = freeze_number(scores[0])
    for (label, _), found in list(zip(slices, scores, strict=True))[1:]:
        if found:
            value = psi(before.all_counts, before.count(found).all_counts)
            yield measured(SECTION, "score psi", value, len(found), subject=label)


def _slices(scene: Scene) -> Iterator[tuple[str, Indices]]:
    if untold_time(scene.order.data, scene.table) is None:
        times = row_times(scene.order.data, scene.table)[scene.rows]
        order = np.argsort(times, kind="stable")
        for places in np.array_split(order, SLICES):
            ends = times[places[[0, -1]]].astype("datetime64[us]").astype("datetime64[D]")
            yield f"{ends[0]}..{ends[1]}", np.sort(places)
        return
    order = np.random.default_rng(scene.order.seed).permutation(len(scene.rows))
    for number, places in enumerate(np.array_split(order, SLICES), start=1):
        yield f"fold {number}", np.sort(places)
