"""What each part is judged on: outcomes beside answers, of this version and of the champion."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.errors import ArtifactError, RunError, TrainingError
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training import evaluation
from ordain.runtime.training.features import raw_rows
from ordain.runtime.training.metrics import Sample
from ordain.runtime.training.metrics_classes import ClassSample
from ordain.runtime.training.metrics_clusters import ClusterSample, bootstraps
from ordain.runtime.training.metrics_numbers import NumberSample
from ordain.runtime.training.pipeline import refused_by
from ordain.specs.splits import PARTS
from ordain.specs.tasks import BINARY, CLUSTERING, REGRESSION

if TYPE_CHECKING:
    from ordain.runtime.training.features import Floats, Indices
    from ordain.runtime.training.fitting import Trained
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.measuring import AnySample
    from ordain.runtime.training.order import Job
    from ordain.runtime.training.pipeline import Fitted
    from ordain.specs.evidence import Metric

DEFAULT_THRESHOLD = 0.5


def metrics_of(
    job: Job, data: Data, trained: Trained, everybody: Indices | None
) -> tuple[Metric, ...]:
    """Every metric on every part, judged where a gate is declared.

    `everybody` are the rows of the test part that stand for all cases, as `feedback` says.

    Raises:
        SplitError, TrainingError: as `evaluation.evaluate` does.
        ArtifactError: when the champion cannot be loaded.
    """
    samples = {part: sample_of(job, data, trained, part) for part in PARTS}
    gates = job.spec.acceptance.metrics
    versus = any(gate.versus is not None for gate in gates)
    if job.champion is None or not versus or data.outcomes.task == CLUSTERING:
        return evaluation.evaluate(samples, gates, everybody=everybody)
    try:
        champion = _champion(job, job.champion, data, samples["test"])
    except ArtifactError:
        raise
    except RunError as error:
        absent = f"the champion cannot read these data: {error.message}"
        return evaluation.evaluate(samples, gates, absent=absent, everybody=everybody)
    return evaluation.evaluate(samples, gates, champion, everybody=everybody)


def sample_of(job: Job, data: Data, trained: Trained, part: str) -> AnySample:
    """The rows of one part with what came true and what was answered."""
    positions, seed = getattr(data.parts, part), job.recipe.seed
    if data.outcomes.task == CLUSTERING:
        return _clusters(data, trained, positions, seed, refit=part == "test")
    answers, truth = trained.answers.at(positions), data.outcomes.values[positions]
    if data.outcomes.task == BINARY:
        decision = job.spec.decision
        threshold = DEFAULT_THRESHOLD if decision is None else decision.threshold
        return Sample(truth, answers.output, threshold, seed)
    if data.outcomes.task == REGRESSION:
        return NumberSample(truth, answers.output, seed)
    return ClassSample(truth, answers.scores, seed)


def _clusters(
    data: Data, trained: Trained, positions: Indices, seed: int, *, refit: bool
) -> ClusterSample:
    """Clusters of one part, and, for the test part, those that bootstraps of training give it."""
    columns = trained.fitted.columns
    points = np.asarray(columns.transform(data.frame.matrix[positions]), dtype=np.float64)
    others: tuple[Indices, ...] = ()
    if refit:
        train = data.parts.train
        learnt = np.asarray(columns.transform(data.frame.matrix[train]), dtype=np.float64)
        rows = bootstraps(np.arange(len(train)), seed)
        others = tuple(refitted(trained.fitted, learnt[drawn], points) for drawn in rows)
    return ClusterSample(points, trained.answers.at(positions).chosen, others, seed)


def refitted(fitted: Fitted, learnt: Floats, points: Floats) -> Indices:
    """The clusters of these points by the same estimator, fitted to other encoded rows.

    Raises:
        TrainingError: when the library cannot learn from them.
    """
    from sklearn.base import clone
    from sklearn.exceptions import ConvergenceWarning

    estimator: Any = clone(fitted.estimator)
    with warnings.catch_warnings():
        # A bootstrap has rows twice, and may have fewer different ones than clusters are asked for.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            estimator.fit(learnt)
        except fitted.row.problems() as error:
            raise refused_by(fitted.row, error) from error
    return np.asarray(estimator.predict(points), dtype=np.int64)


def _champion(job: Job, champion: str, data: Data, ours: AnySample) -> AnySample:
    """The same rows of the test part with the answers of the version now running."""
    artifact = load_artifact(ArtifactStore(job.store), champion)
    plan = RowPlan.read(artifact.member("plan.json"))
    if (plan.task, plan.classes) != (job.spec.task, data.outcomes.classes):
        message = "it answers with other classes"
        raise TrainingError(message, remedy="take out versus until the new version is the champion")
    if plan.positive != data.outcomes.positive:
        named = repr(plan.positive) if plan.positive else "an outcome that it does not name"
        message = f"its probability is of {named}, and not of {data.outcomes.positive!r}"
        raise TrainingError(message, remedy="take out versus until the new version is the champion")
    names = [given.name for given in plan.inputs]
    missing = [name for name in names if name not in data.table.column_names]
    if missing:
        message = f"column {missing[0]} is not in the dataset"
        raise TrainingError(message, remedy="keep the columns of the champion for one more version")
    answers = [plan.answer(row) for row in raw_rows(data.table, names, data.parts.test)]
    match ours:
        case ClassSample():
            return replace(ours, scores=np.array([one.scores for one in answers]))
        case NumberSample():
            return replace(ours, given=np.array([one.output for one in answers]))
        case Sample():
            decision = plan.decision
            threshold = DEFAULT_THRESHOLD if decision is None else decision.threshold
            scores = np.array([one.output for one in answers])
            return replace(ours, scores=scores, threshold=threshold)
        case _:
            raise TypeError(ours)
