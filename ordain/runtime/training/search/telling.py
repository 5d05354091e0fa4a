"""What the evidence says of a search: what was tried, on what, and which trial was chosen.

Nothing in it is of this machine; what each trial took stands in `trials.json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ordain.specs.searches import LINEAR, estimator_of_family

if TYPE_CHECKING:
    from ordain.runtime.training.search.searching import Search
    from ordain.runtime.training.search.trials import Trial
    from ordain.specs.kinds.model import AutoML, Model

TOLD: Final = 50  # Trials that are told one by one; evidence stays small for any budget.


def notes_of(
    model: Model, automl: AutoML, families: tuple[str, ...], left_out: tuple[str, ...]
) -> list[str]:
    """What a reader would not expect of the families that were tried."""
    notes = []
    linear = LINEAR[model.task]
    if linear in families and linear not in automl.families:
        notes.append(f"{linear} was tried although no family names it.")
    for name in left_out:
        estimator = estimator_of_family(name)
        notes.append(f"{name} was left out: {estimator} cannot be held to a direction.")
    return notes


def told_of(found: Search, best: Trial, notes: list[str]) -> dict[str, Any]:
    judged = [one for one in found.trials if one.state == "done"]
    ranked = sorted(judged, key=found.rank)
    states = [one.state for one in found.trials]
    folds = found.scorer.folds
    return {
        "metric": found.scorer.metric,
        "trials": {state: states.count(state) for state in ("done", "stopped", "failed")},
        "chosen": {
            "number": best.number,
            "family": best.family,
            "estimator": estimator_of_family(best.family),
            **best.changes,
            "mean": best.mean,
            "error": best.error,
        },
        "folds": {
            "declared": found.automl.folds,
            "judged": len(folds),
            "rows": sum(len(one.held) for one in folds),
        },
        "candidates": [[one.number, one.family, one.mean, one.error] for one in ranked[:TOLD]],
        "notes": notes,
    }
