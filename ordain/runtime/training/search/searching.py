"""The search itself: fixed trials first, then those that a sampler proposes, then a careful end.

The first trials are the settings of each library and a linear candidate, so that no search ends
below them. The next are proposed by the tree-structured Parzen estimator (Bergstra et al. 2011) of
Optuna, seeded by the Model and asked in this process, so that the same recipe tries the same. The
last ones learn more slowly what boosting did best, where boosting did best.

A trial is stopped after a fold where it is worse than the best one by more than chance, row by row;
the same rows always stop the same trials. The best mean is chosen, unless a simpler family
is within one standard error of it. Nothing is chosen by validation or test part.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ordain.runtime.errors import RunError, SearchAborted, TrainingError
from ordain.runtime.training.intervals import quantile
from ordain.runtime.training.refusals import refuse_misfit
from ordain.runtime.training.search import alternatives, spaces
from ordain.runtime.training.search.folds import make_folds
from ordain.runtime.training.search.scoring import (
    SURE,
    Judged,
    Scorer,
    best_trees,
    gain,
    joined,
    plain_frame,
    value_of,
)
from ordain.runtime.training.search.telling import notes_of, told_of
from ordain.runtime.training.search.trials import Trial, untold
from ordain.specs.durations import parse_duration
from ordain.specs.searches import (
    FAMILIES,
    automl_of,
    directions,
    families_of,
    metric_of,
    training_of,
)
from ordain.specs.tasks import BINARY, REGRESSION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import optuna

    from ordain.runtime.training.features import Floats
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.job import Progress
    from ordain.runtime.training.order import Job
    from ordain.specs.kinds.model import AutoML, Model

    Clock = Callable[[], float]
    Keep = Callable[[Sequence[Trial]], None]

LESS_IS_BETTER: Final = frozenset({"log_loss", "brier", "ece", "rmse", "mae"})
STARTUP: Final = 6  # Trials before the sampler believes what it has seen.
SLOWER: Final = 0.5
_SLOWEST: Final = 0.01


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trial that was judged on every fold.

    `scores_oof` has, for each row of the training part, the probability of the positive outcome by
    a model that has not seen the row, of repeated folds their mean; NaN where the row was held out
    of no fold that was looked at. It is empty where there are not two outcomes.
    """

    number: int
    family: str
    scores_oof: Floats


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search has found: the Model to train, what the evidence says of it, and all trials."""

    spec: Model
    facts: dict[str, Any]
    trials: tuple[Trial, ...]
    candidates: tuple[Candidate, ...] = ()


@dataclass(slots=True)
class Search:
    """A search that is going on."""

    model: Model
    automl: AutoML
    scorer: Scorer
    facts: spaces.Facts
    families: tuple[str, ...]
    seed: int
    clock: Clock = time.monotonic
    keep: Keep = untold
    trials: list[Trial] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    best: Trial | None = None
    _samples: list[Judged] = field(default_factory=list)
    _leaders: dict[str, tuple[Trial, list[Judged]]] = field(default_factory=dict)
    _deadline: float = math.inf

    def run(self, progress: Progress) -> Trial:
        """Spend the budget and give the best trial.

        Raises:
            SearchAborted: when it takes longer than it may.
            TrainingError: when no trial can be judged.
        """
        if self.automl.budget.abort_after is not None:
            limit = parse_duration(self.automl.budget.abort_after).total_seconds()
            self._deadline = self.clock() + limit
        study = _study(self.seed)
        firsts = self.firsts()
        for family, values in firsts:
            names = {f"{family}.{name}": value for name, value in values.items()}
            study.enqueue_trial({"family": family, **names})
        total = self.automl.budget.trials
        for number in range(1, total + 1):
            progress("searching", (number - 1) / total)
            self._refuse_late()
            refined = self._refined(total - number) if number > len(firsts) else None
            if refined is not None:
                self._tried(number, spaces.BOOSTING, refined)
                continue
            proposed = study.ask()
            family = str(proposed.suggest_categorical("family", self.families))
            values = spaces.drawn(proposed, family, self.facts)
            changes = spaces.changes_of(self.model, family, values, self.facts)
            told = self._tried(number, family, changes)
            _tell(study, proposed, told)
        if self.best is None:
            raise self._fruitless()
        return self._simplest(self.best)

    def _simplest(self, best: Trial) -> Trial:
        """The best trial of the simplest family that is within one standard error of the best one.

        The error is of the difference row by row. Rows that repeated folds hold out again are no
        new rows, so that it grows by as much as they would make it shrink.
        """
        repeats = sum(len(one.held) for one in self.scorer.folds) / self.facts.rows
        for family in self.families:
            trial, samples = self._leaders.get(family, (None, []))
            if trial is None or trial is best:
                continue
            if FAMILIES[self.model.task].index(family) > self.rank(best)[1]:
                break
            found = gain(self.scorer.metric, joined(samples), joined(self._samples))
            if found is not None:
                error = (found.high - found.value) / quantile(SURE) * math.sqrt(max(1.0, repeats))
                if found.value + error >= 0.0:
                    return trial
        return best

    def firsts(self) -> list[tuple[str, dict[str, Any]]]:
        """Where each family begins, the first of every one before the second of any."""
        starts = {family: spaces.first_values(family, self.facts) for family in self.families}
        most = max(map(len, starts.values()))
        ordered = [
            (family, values[place])
            for place in range(most)
            for family, values in starts.items()
            if place < len(values)
        ]
        return ordered[: self.automl.budget.trials]

    def _refined(self, left: int) -> dict[str, Any] | None:
        """The best trial, learnt more slowly; None where it is not boosting, or not the end yet."""
        total = self.automl.budget.trials
        last = 0 if total < 8 else 1 if total < 16 else 2  # noqa: PLR2004 - said in the docs
        if left >= last or self.best is None or self.best.family != spaces.BOOSTING:
            return None
        changes = self.best.changes
        parameters = dict(changes["training"]["parameters"])
        del parameters["max_iter"]
        slower = float(f"{parameters['learning_rate'] * SLOWER:.4g}")
        if slower < _SLOWEST:
            return None
        parameters["learning_rate"] = slower
        training = {**changes["training"], "parameters": parameters}
        known = [one.changes["training"]["parameters"] for one in self.trials]
        if any({**one, "max_iter": 0} == {**parameters, "max_iter": 0} for one in known):
            return None  # That was tried already, and did not become the best one.
        return {**changes, "training": training}

    def compare(self, changes: dict[str, Any]) -> None:
        """Try a variant of the best trial, to be compared and never to be chosen."""
        if self.best is not None:
            self._tried(len(self.trials) + 1, self.best.family, changes, eligible=False)

    def _tried(
        self, number: int, family: str, changes: dict[str, Any], *, eligible: bool = True
    ) -> float | None:
        """Judge one trial and write it down; gives what the sampler is told, less being better."""
        start, told = time.process_time(), None
        trial = Trial(number=number, family=family, changes=changes, state="failed")
        try:
            trial, samples = self._judged(trial, hasty=eligible)
        except SearchAborted:
            raise
        except (RunError, ValueError, ArithmeticError) as error:
            why = error.message if isinstance(error, RunError) else str(error).partition("\n")[0]
            trial = replace(trial, why=why)
        else:
            told = self._worth(trial, samples)
            if trial.state == "done":
                self.candidates.append(self._candidate(trial, samples))
                leader = self._leaders.get(family)
                if eligible and (leader is None or self.rank(trial) < self.rank(leader[0])):
                    self._leaders[family] = trial, samples
                ahead = self.best is None or self.rank(trial) < self.rank(self.best)
                if eligible and ahead:
                    self.best, self._samples = trial, samples
        spent = time.process_time() - start
        self.trials.append(replace(trial, seconds=round(spent, 3)))
        self.keep(self.trials)
        return told

    def _judged(self, trial: Trial, *, hasty: bool) -> tuple[Trial, list[Judged]]:
        """The trial on its folds; a hasty one ends where it cannot become the best."""
        spec = spaces.spec_of(self.model, trial.changes)
        learnt, samples = [], []
        state, why = "done", ""
        for place in range(len(self.scorer.folds)):
            if place:
                self._refuse_late()
            one = self.scorer.learn(spec, place)
            trees = best_trees([one.curve]) if len(one.curve) else None
            learnt.append(one)
            samples.append(self.scorer.judge(one, place, trees))
            if hasty and self._behind(samples):
                state, why = "stopped", f"worse than trial {self._best_number} by more than chance"
                break
        curves = [one.curve for one in learnt if len(one.curve)]
        changes = trial.changes
        if curves:
            trees = best_trees(curves)
            pairs = enumerate(learnt)
            samples = [self.scorer.judge(one, place, trees) for place, one in pairs]
            changes = _with_trees(changes, trees)
        scores = tuple(value_of(self.scorer.metric, one) for one in samples)
        return replace(
            trial,
            changes=changes,
            state=state,  # type: ignore[arg-type]
            scores=scores,
            mean=float(np.mean(scores)),
            error=_error_of(scores),
            why=why,
        ), samples

    @property
    def _best_number(self) -> int:
        return 0 if self.best is None else self.best.number

    def _behind(self, samples: list[Judged]) -> bool:
        """Whether the interval of the difference to the best trial lies wholly below it."""
        if self.best is None or len(samples) == len(self.scorer.folds):
            return False
        found = gain(self.scorer.metric, joined(samples), joined(self._samples[: len(samples)]))
        return found is not None and found.high < 0.0

    def _signed(self, value: float) -> float:
        return value if self.scorer.metric in LESS_IS_BETTER else -value

    def _worth(self, trial: Trial, samples: list[Judged]) -> float:
        """The mean; of a stopped trial what it would be, by the folds that it shares with the best.

        Folds differ more from each other than trials do.
        """
        mean = float(np.mean(trial.scores))
        if trial.state == "done" or self.best is None:
            return self._signed(mean)
        shared = float(np.mean(self.best.scores[: len(samples)]))
        return self._signed(float(np.mean(self.best.scores)) + mean - shared)

    def rank(self, trial: Trial) -> tuple[float, int, int]:
        """By what trials are chosen, the least first."""
        simplest = FAMILIES[self.model.task].index(trial.family)
        return self._signed(float(np.mean(trial.scores))), simplest, trial.number

    def _candidate(self, trial: Trial, samples: list[Judged]) -> Candidate:
        data = self.scorer.data
        if data.outcomes.task != BINARY:
            return Candidate(trial.number, trial.family, np.empty(0))
        train = data.parts.train
        sums, counts = np.zeros(len(train)), np.zeros(len(train))
        for fold, sample in zip(self.scorer.folds, samples, strict=True):
            places = np.searchsorted(train, fold.held)
            sums[places] += sample.scores  # type: ignore[union-attr]
            counts[places] += 1.0
        means = np.divide(sums, counts, out=np.full(len(train), np.nan), where=counts > 0)
        return Candidate(trial.number, trial.family, means)

    def _refuse_late(self) -> None:
        if self.clock() > self._deadline:
            total = self.automl.budget.trials
            message = (
                f"training.automl: abortAfter ({self.automl.budget.abort_after}) was over when "
                f"{len(self.trials)} of {total} trials were done"
            )
            remedy = (
                "raise abortAfter, or lower budget.trials: a shorter search finds another model"
            )
            raise SearchAborted(message, remedy=remedy)

    def _fruitless(self) -> TrainingError:
        count = len(self.trials)
        trials = "the only trial" if count == 1 else f"all {count} trials"
        message = f"training.automl: {trials} failed, the first one: {self.trials[0].why}"
        return TrainingError(message, remedy="mend what it says, or name one training.estimator")


def search(
    job: Job,
    data: Data,
    progress: Progress,
    keep: Keep = untold,
    clock: Clock = time.monotonic,
) -> Searched:
    """Search for the Model to train, in the training part alone; for clusters see `clusters`.

    Raises:
        SearchAborted: when it takes longer than it may.
        TrainingError: when nothing can be tried, or nothing that was tried can be judged.
    """
    training, automl = training_of(job.spec), automl_of(job.spec)
    metric = metric_of(job.spec, automl)
    columns = dict(zip(data.frame.names, data.frame.columns, strict=True))
    directed = bool(directions(job.spec, columns))
    families, left_out = families_of(job.spec, automl, directed=directed)
    notes = notes_of(job.spec, automl, families, left_out)
    if not families:
        message = "training.automl: no family that is named can hold the directions of the features"
        raise TrainingError(message, remedy="add hist_gradient_boosting to families")
    plain = plain_frame(data, job.data)
    train = data.parts.train
    refuse_misfit(job.spec, data.frame, data.frame.matrix[train], data.outcomes.values[train])
    folds = make_folds(
        automl.folds, job.spec.split, job.data, data.table, train, data.outcomes, training.seed
    )
    scorer = Scorer(job.spec, job.data, data, folds, metric, plain)
    found = Search(
        job.spec, automl, scorer, _facts(data), families, training.seed, clock=clock, keep=keep
    )
    best = found.run(progress)
    fixed = len(found.firsts())
    if automl.budget.trials <= fixed:
        notes.append(f"The budget of {automl.budget.trials} trials was spent on fixed ones.")
    facts = told_of(found, best, notes)
    if automl.alternatives is not None:
        facts["alternatives"] = alternatives.alternatives_to(best, found, job, data, progress)
    return Searched(
        spaces.spec_of(job.spec, best.changes), facts, tuple(found.trials), tuple(found.candidates)
    )


def _facts(data: Data) -> spaces.Facts:
    train, outcomes = data.parts.train, data.outcomes
    kinds = {column.type for column in data.frame.columns}
    numbers = np.array([one.type != "category" for one in data.frame.columns])
    missing = bool(np.isnan(data.frame.matrix[train][:, numbers]).any())
    lowest = float(np.min(outcomes.values[train])) if outcomes.task == REGRESSION else 0.0
    classes = len(outcomes.classes)
    return spaces.Facts(
        outcomes.declared, len(train), classes, "category" in kinds, missing, lowest
    )


def _study(seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
    return optuna.create_study(direction="minimize", sampler=sampler)


def _tell(study: optuna.Study, proposed: optuna.Trial, value: float | None) -> None:
    from optuna.trial import TrialState

    if value is None or not math.isfinite(value):
        study.tell(proposed, state=TrialState.FAIL)
    else:
        study.tell(proposed, value)


def _with_trees(changes: dict[str, Any], trees: int) -> dict[str, Any]:
    training = changes["training"]
    parameters = {**training["parameters"], "max_iter": trees}
    return {**changes, "training": {**training, "parameters": parameters}}


def _error_of(scores: tuple[float, ...]) -> float | None:
    if len(scores) < 2:  # noqa: PLR2004 - one fold has no spread
        return None
    return float(np.std(scores, ddof=1)) / math.sqrt(len(scores))
