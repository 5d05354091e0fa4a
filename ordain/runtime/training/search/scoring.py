"""What a trial is worth on one fold: everything is fitted to its learning rows, and asked the rest.

Selection of columns, encodings and the ranks of levels are learnt inside the fold, as the estimator
is. What is encoded is kept for the next trial that prepares the columns in the same way.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ordain.runtime.training import metrics, metrics_classes
from ordain.runtime.training.answering import Answers, answers_of, single
from ordain.runtime.training.columns import fit_columns, monotone
from ordain.runtime.training.estimators import estimator_of, make, objective_of
from ordain.runtime.training.features import Frame, learnt_columns, make_frame
from ordain.runtime.training.intervals import Estimate, mean_interval
from ordain.runtime.training.measuring import estimate
from ordain.runtime.training.metrics import Sample
from ordain.runtime.training.metrics_classes import ClassSample
from ordain.runtime.training.metrics_numbers import NumberSample
from ordain.runtime.training.outcomes import refuse_outside
from ordain.runtime.training.pipeline import fit_estimator
from ordain.runtime.training.search.spaces import BOOSTING, most_trees
from ordain.specs.canonical import digest
from ordain.specs.plain import to_plain
from ordain.specs.searches import training_of
from ordain.specs.tasks import BINARY, REGRESSION

if TYPE_CHECKING:
    from ordain.runtime.training.features import Floats
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.search.folds import Fold
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model

Judged = Sample | ClassSample | NumberSample

# Trees without an improvement on the rows of the fold after which boosting stops to look further.
PATIENCE: Final = 25
# Numbers of encoded columns that are kept for the next trial: 160 MB.
KEPT: Final = 20_000_000
CONFIDENCE: Final = 0.95
# A trial is looked at after every fold, so that each look must be surer than one would have to be.
SURE: Final = 0.99
_MEANS: Final = frozenset({"log_loss", "brier", "accuracy"})
_SQUARES: Final = frozenset({"rmse", "r2"})


@dataclass(frozen=True, slots=True)
class Encoded:
    """The columns of one fold, prepared in one way."""

    learn: Floats
    held: Floats
    signs: list[int] | None

    @property
    def size(self) -> int:
        return self.learn.size + self.held.size


@dataclass(frozen=True, slots=True)
class Learnt:
    """What one trial has learnt from one fold.

    `curve` is what boosting loses on the held rows after each tree; empty for others.
    """

    estimator: Any
    held: Floats
    curve: Floats


@dataclass(slots=True)
class Scorer:
    """Folds of one training part, and how trials are judged on them."""

    model: Model
    dataset: Dataset
    data: Data
    folds: tuple[Fold, ...]
    metric: str
    plain: Frame
    _kept: dict[str, Encoded] = field(default_factory=dict)

    def learn(self, spec: Model, place: int) -> Learnt:
        """Fit a trial to the learning rows of a fold.

        Raises:
            TrainingError: when the library cannot learn them so.
            ValueError: what else a library says against it.
        """
        row, fold, outcomes = estimator_of(spec), self.folds[place], self.data.outcomes
        training = training_of(spec)
        encoded = self._encoded(spec, place, trees=row.trees)
        values = outcomes.values[fold.learn]
        estimator = make(row, training, outcomes, encoded.signs)
        if outcomes.task == REGRESSION:
            refuse_outside(objective_of(row, training), values)
        if row.name == BOOSTING and "max_iter" not in training.parameters:
            curve = _grow(estimator, encoded, values, outcomes.values[fold.held], outcomes.classes)
            return Learnt(estimator, encoded.held, curve)
        fit_estimator(row, estimator, encoded.learn, values)
        return Learnt(estimator, encoded.held, np.empty(0))

    def judge(self, learnt: Learnt, place: int, trees: int | None = None) -> Judged:
        """The held rows of a fold with what came true and what was answered."""
        answers = _answers(self.data.outcomes.task, learnt, trees)
        return self._sample(answers, place)

    def _sample(self, answers: Answers, place: int) -> Judged:
        outcomes, seed = self.data.outcomes, 0
        truth = outcomes.values[self.folds[place].held]
        if not np.isfinite(answers.output).all():
            message = "an answer is not finite"
            raise ArithmeticError(message)
        if outcomes.task == REGRESSION:
            return NumberSample(truth, answers.output, seed)
        if outcomes.task == BINARY:
            decision = self.model.decision
            return Sample(truth, answers.output, 0.5 if decision is None else decision.threshold, 0)
        return ClassSample(truth, answers.scores, seed)

    def _encoded(self, spec: Model, place: int, *, trees: bool) -> Encoded:
        prepared = [to_plain(spec.preprocessing), to_plain(spec.features), trees, place]
        key = digest(prepared)
        found = self._kept.pop(key, None)
        if found is None:
            found = self._encode(spec, place, trees=trees)
        self._kept[key] = found  # The last one used is the last one to go.
        while len(self._kept) > 1 and sum(one.size for one in self._kept.values()) > KEPT:
            del self._kept[next(iter(self._kept))]
        return found

    def _encode(self, spec: Model, place: int, *, trees: bool) -> Encoded:
        fold, outcomes = self.folds[place], self.data.outcomes
        names = learnt_columns(spec.features, self.dataset)
        frame = self.plain
        if names != frame.names:
            frame = _lenient(make_frame(names, self.dataset, self.data.table))
        if spec.preprocessing.categorical.encode == "ordinal_by_target":
            ranking = (fold.learn, outcomes.values)
            frame = _lenient(make_frame(frame.names, self.dataset, self.data.table, ranking))
        matrix, values = frame.matrix[fold.learn], outcomes.values[fold.learn]
        columns, learn = fit_columns(spec, frame, matrix, values, trees=trees, whole=False)
        held = np.asarray(columns.transform(frame.matrix[fold.held]), dtype=np.float64)
        signs = monotone(spec, frame, columns, classes=len(outcomes.classes))
        return Encoded(learn, held, signs)


def plain_frame(data: Data, dataset: Dataset) -> Frame:
    """The features with their levels in the order of their names, which no outcome has decided."""
    return _lenient(make_frame(data.frame.names, dataset, data.table))


def _lenient(frame: Frame) -> Frame:
    """A fold may lack a level that the training part has; only the whole is held to all."""
    return replace(frame, columns=tuple(replace(one, unknown="bucket") for one in frame.columns))


def _grow(
    estimator: Any,  # noqa: ANN401 - the library's
    encoded: Encoded,
    learnt: Any,  # noqa: ANN401 - outcomes
    held: Any,  # noqa: ANN401 - outcomes
    classes: tuple[str, ...],
) -> Floats:
    """Fit until the held rows stop to gain, and give the loss on them after each tree."""
    most = most_trees(estimator.max_leaf_nodes, len(classes))
    estimator.set_params(
        early_stopping=True, n_iter_no_change=PATIENCE, scoring="loss", tol=0.0, max_iter=most
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        estimator.fit(encoded.learn, learnt, X_val=encoded.held, y_val=held)
    return -np.asarray(estimator.validation_score_[1:], dtype=np.float64)


def best_trees(curves: list[Floats]) -> int:
    """After how many trees the mean loss of the folds is least."""
    length = min(len(one) for one in curves)
    return int(np.argmin(np.mean([one[:length] for one in curves], axis=0))) + 1


def _answers(task: str, learnt: Learnt, trees: int | None) -> Answers:
    if trees is None:
        return answers_of(task, learnt.estimator, learnt.held)
    staged = "staged_predict" if task == REGRESSION else "staged_predict_proba"
    stages = getattr(learnt.estimator, staged)(learnt.held)
    found = np.asarray(next(islice(stages, trees - 1, None)), dtype=np.float64)
    if task == REGRESSION:
        return single(found)
    return single(found[:, 1]) if task == BINARY else Answers(found[:, 0], found, np.empty(0, int))


def joined(samples: list[Judged]) -> Judged:
    """The rows of several folds as one sample."""
    first = samples[0]
    match first:
        case NumberSample():
            truth = np.concatenate([one.truth for one in samples])  # type: ignore[union-attr]
            given = np.concatenate([one.given for one in samples])  # type: ignore[union-attr]
            return NumberSample(truth, given, first.seed)
        case Sample():
            positive = np.concatenate([one.positive for one in samples])  # type: ignore[union-attr]
            scores = np.concatenate([one.scores for one in samples])  # type: ignore[union-attr]
            return Sample(positive, scores, first.threshold, first.seed)
    right = np.concatenate([one.right for one in samples])  # type: ignore[union-attr]
    scores = np.concatenate([one.scores for one in samples])  # type: ignore[union-attr]
    return ClassSample(right, scores, first.seed)


def value_of(metric: str, sample: Judged) -> float:
    """The metric of a sample, in its own units."""
    if isinstance(sample, NumberSample) and metric in _SQUARES:
        mean = float(np.mean(sample.errors**2))
        return math.sqrt(mean) if metric == "rmse" else 1.0 - mean / float(np.var(sample.truth))
    return estimate(metric, sample, CONFIDENCE).value


def gain(metric: str, ours: Judged, best: Judged) -> Estimate | None:
    """How much better `ours` is than `best`, row by row; None for a metric that is of all rows.

    Squares stand for `rmse` and `r2`, which rise and fall with their mean on the same rows.
    """
    match ours, best:
        case NumberSample(), NumberSample():
            loss = np.square if metric in _SQUARES else np.abs
            return mean_interval(loss(best.errors) - loss(ours.errors), SURE)
        case (Sample(), Sample()) if metric in _MEANS or metric == "roc_auc":
            return metrics.difference(metric, ours, best, SURE)
        case (ClassSample(), ClassSample()) if metric in _MEANS or metric == "roc_auc":
            return metrics_classes.difference(metric, ours, best, SURE)
    return None
