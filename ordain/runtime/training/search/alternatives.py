"""Among the trials of a search: is there one that is about as good and discriminates less?

Every trial that was judged on all folds is a candidate, by its scores for rows that it has not
learnt from. After the budget is spent, variants of the best trial are tried for this alone: without
one of its features, held back more or less, with another seed. They are never what the search
chooses. The rows of the training part are halved, all rows of an entity on one side: on one half
the alternative is chosen, on the other it is confirmed.

What is found is told, with what would have to be declared to get it, and nothing is put in place of
the best trial: to trade performance for fairness is a decision of people, and needs a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import DataError, TrainingError
from ordain.runtime.fairness.alternatives import Candidate, Question, frontier
from ordain.runtime.fairness.groups import favours_positive, grouped
from ordain.specs.features import protected_names
from ordain.specs.tasks import BINARY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.fairness.groups import Indices
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.search.searching import Candidate as Tried
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


def compared(
    declared: Alternatives,
    model: Model,
    dataset: Dataset,
    data: Data,
    tried: Sequence[Tried],
    trials: Sequence[Trial],
    seed: int,
) -> dict[str, Any]:
    """What the evidence says of alternatives, for each protected attribute that is named."""
    candidates, rows = _scored(tried, dataset, data)
    select, confirm = _halves(dataset, data, rows, seed)
    found: dict[str, Any] = {}
    for name in declared.attributes or tuple(sorted(protected_names(dataset))):
        try:
            question = _question(name, model, dataset, data, rows)
            told = frontier(
                candidates, question, select, confirm, max_loss=declared.max_loss, seed=seed
            ).plain()
        except (DataError, TrainingError) as error:
            found[name] = {"reason": error.message}
            continue
        found[name] = told | _declaration(told["chosen"], trials)
    return {
        "metric": declared.metric,
        "max_loss": declared.max_loss,
        "rows": {"select": len(select), "confirm": len(confirm)},
        "attributes": found,
    }


def _declaration(chosen: int | None, trials: Sequence[Trial]) -> dict[str, Any]:
    """What somebody would declare to get the alternative."""
    found = [one.changes for one in trials if one.number == chosen]
    return {"changes": found[0]} if found else {}


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


def _halves(dataset: Dataset, data: Data, rows: Indices, seed: int) -> tuple[Indices, Indices]:
    """Places among the rows, in two halves by chance; all rows of an entity are in one of them."""
    whose = np.arange(len(rows))
    if dataset.entity in data.table.column_names:
        entities = data.table[dataset.entity].take(rows).to_pylist()
        _, whose = np.unique(np.array([str(one) for one in entities]), return_inverse=True)
    count = int(whose.max()) + 1 if len(whose) else 0
    first = np.zeros(count, dtype=bool)
    first[np.random.default_rng([seed, 5]).permutation(count)[: count // 2]] = True
    return np.flatnonzero(first[whose]), np.flatnonzero(~first[whose])


def _question(name: str, model: Model, dataset: Dataset, data: Data, rows: Indices) -> Question:
    good = favours_positive(dataset)
    threshold = 0.5 if model.decision is None else model.decision.threshold
    # Whoever is exactly at the threshold gets the upper decision, which is not the favourable one.
    lowest = threshold if good else float(np.nextafter(1.0 - threshold, 2.0))
    groups = grouped((name,), dataset, data.table, rows)
    truth = (data.outcomes.values[rows] == 1) == good
    return Question(truth, groups.labels, groups.reference, lowest)
