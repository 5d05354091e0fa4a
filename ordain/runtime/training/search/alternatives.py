"""Among the trials of a search: is there one that is about as good and discriminates less?

Every trial that was judged on all folds is a candidate, by its scores for rows that it has not
learnt from. After the budget is spent, variants of the best trial are tried for this alone: without
one of its features, held back more or less, with another seed. They are never what the search
chooses.

The rows of the training part choose the alternative, by their scores of the folds. They cannot
confirm it, because the search has looked at all of them. The validation part confirms it: no trial
was made, judged or stopped by one of its rows. The best performer and the alternative are fitted
once more, to the whole training part, and score it; the split keeps entities and time apart. Where
`training.calibrate` is declared, scores are those before calibration on both sides: that of the
final model is learnt from the validation part.

What is found is told, with what would have to be declared to get it, and nothing is put in place of
the best trial: to trade performance for fairness is a decision of people, and needs a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import DataError, TrainingError
from ordain.runtime.fairness.alternatives import (
    Candidate,
    Frontier,
    Question,
    confirmed,
    frontier,
)
from ordain.runtime.fairness.candidates import candidate_overrides
from ordain.runtime.fairness.groups import favours_positive, grouped
from ordain.runtime.training.inputs import reframed
from ordain.runtime.training.pipeline import fit
from ordain.runtime.training.search import spaces
from ordain.specs.features import protected_names
from ordain.specs.tasks import BINARY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.fairness.groups import Indices
    from ordain.runtime.fairness.samples import Floats
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.job import Progress
    from ordain.runtime.training.order import Job
    from ordain.runtime.training.search.searching import Candidate as Tried
    from ordain.runtime.training.search.searching import Search
    from ordain.runtime.training.search.trials import Trial
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Alternatives, Model


def unanswerable(model: Model, dataset: Dataset, data: Data) -> str:
    """Why nobody can be compared; empty where they can."""
    target = dataset.target
    if data.outcomes.task != BINARY or model.decision is None:
        return "alternatives are compared by the decision between two outcomes"
    if target is None or target.favourable is None:
        return "the Dataset does not say which outcome is favourable"
    return "" if protected_names(dataset) else "the Dataset has no protected column"


def alternatives_to(
    best: Trial, search: Search, job: Job, data: Data, progress: Progress
) -> dict[str, Any]:
    """What is known of models that are about as good as the best trial and discriminate less."""
    declared = search.automl.alternatives
    reason = unanswerable(job.spec, job.data, data)
    if declared is None or reason:
        return {"reason": reason}
    chosen = spaces.spec_of(job.spec, best.changes)
    variants = candidate_overrides(chosen, job.data, declared.variants)
    for place, override in enumerate(variants):
        progress("comparing", place / len(variants))
        search.compare(spaces.merged(best.changes, override))
    return _compared(declared, search, job, data)


def _compared(declared: Alternatives, search: Search, job: Job, data: Data) -> dict[str, Any]:
    """What the evidence says of alternatives, for each protected attribute that is named."""
    candidates, select = _scored(search.candidates, job.data, data)
    fits = _Refits(job, data, search.trials)
    found: dict[str, Any] = {}
    for name in declared.attributes or tuple(sorted(protected_names(job.data))):
        try:
            choosing, confirming = _questions(name, job, data, select)
            told = frontier(candidates, choosing, max_loss=declared.max_loss)
            if told.chosen is not None:
                pair = fits.of(told.performer), fits.of(told.chosen)
                told = confirmed(told, confirming, *pair, seed=search.seed)
        except (DataError, TrainingError) as error:
            found[name] = {"reason": error.message}
            continue
        found[name] = told.plain() | _declaration(told, job, search.trials)
    return {
        "metric": declared.metric,
        "max_loss": declared.max_loss,
        "rows": {"select": len(select), "confirm": len(data.parts.validation)},
        "attributes": found,
    }


@dataclass(slots=True)
class _Refits:
    """Trials on the validation part: each is fitted once, however many attributes ask for it."""

    job: Job
    data: Data
    trials: Sequence[Trial]
    _known: dict[int, Candidate] = field(default_factory=dict)

    def of(self, number: int) -> Candidate:
        """The trial of this number, fitted to the whole training part."""
        if number not in self._known:
            trial = next(one for one in self.trials if one.number == number)
            scores = self._scores(trial)
            found = scores if favours_positive(self.job.data) else 1.0 - scores
            self._known[number] = Candidate(number, trial.family, found)
        return self._known[number]

    def _scores(self, trial: Trial) -> Floats:
        """Probabilities of the positive outcome for the validation part."""
        order = replace(self.job, spec=spaces.spec_of(self.job.spec, trial.changes))
        seen, parts = reframed(order, self.data), self.data.parts
        fitted = fit(order.spec, seen.frame, parts.train, self.data.outcomes)
        return fitted.scores(seen.frame.matrix[parts.validation])


def _declaration(found: Frontier, job: Job, trials: Sequence[Trial]) -> dict[str, Any]:
    """What somebody would declare to get the alternative, with the threshold that it decides at."""
    changes = [one.changes for one in trials if one.number == found.chosen]
    if found.chosen is None or not changes:
        return {}
    favourable = found.point(found.chosen).threshold
    threshold = favourable if favours_positive(job.data) else 1.0 - favourable
    return {"changes": {**changes[0], "decision": {"threshold": float(f"{threshold:.6g}")}}}


def _scored(
    tried: Sequence[Tried], dataset: Dataset, data: Data
) -> tuple[list[Candidate], Indices]:
    """Probabilities of the favourable outcome for the training rows that all candidates scored."""
    known = np.all([np.isfinite(one.scores_oof) for one in tried], axis=0)
    good = favours_positive(dataset)
    scores = [one.scores_oof[known] for one in tried]
    candidates = [
        Candidate(one.number, one.family, found if good else 1.0 - found)
        for one, found in zip(tried, scores, strict=True)
    ]
    return candidates, data.parts.train[known]


def _questions(name: str, job: Job, data: Data, select: Indices) -> tuple[Question, Question]:
    """The same groups among the rows to choose by, and among those to confirm by."""
    good, decision = favours_positive(job.data), job.spec.decision
    threshold = 0.5 if decision is None else decision.threshold
    # Whoever is exactly at the threshold gets the upper decision, which is not the favourable one.
    lowest = threshold if good else float(np.nextafter(1.0 - threshold, 2.0))
    rows = np.concatenate([select, data.parts.validation])
    groups = grouped((name,), job.data, data.table, rows)
    truth = (data.outcomes.values[rows] == 1) == good
    both = Question(truth, groups.labels, groups.reference, lowest)
    places = np.arange(len(rows))
    return both.at(places[: len(select)]), both.at(places[len(select) :])
