"""What the words of a report are for each task.

The parts of a report are the same for all models. Where a task has no such thing (a regression
decides nothing, a clustering has no attributions) the report says so; a heading over an empty table
would leave open whether somebody forgot it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ordain.specs.evidence import classes_of

if TYPE_CHECKING:
    from ordain.reports.facts import ReportInput
    from ordain.specs.evidence import Evidence
    from ordain.specs.kinds.model import Model, Training

CLASSIFICATION: Final = "classification"
CLUSTERING: Final = "clustering"
REGRESSION: Final = "regression"
# Estimators whose leaves hold probabilities, which are added up as they are.
_IN_PROBABILITY: Final = frozenset({"decision_tree", "random_forest", "extra_trees"})
# Regressions whose values are e to the power of what is added up.
_IN_LOGARITHMS: Final = frozenset({"poisson", "gamma", "tweedie"})
_SHOWN: Final = 12


def output_of(facts: ReportInput) -> str:
    """What the output of the model is."""
    match facts.model.task:
        case "regression":
            return "the value"
        case "clustering":
            return "distance to the chosen cluster, or its probability"
        case _:
            several = chosen_from(facts)
            return "probability of the chosen class" if several else "probability"


def chosen_from(facts: ReportInput) -> tuple[str, ...]:
    """The classes or clusters among which the model chooses; empty where it gives one number."""
    return () if facts.evidence is None else classes_of(facts.evidence)


def task_of(facts: ReportInput) -> str:
    """The task and what follows from an output, in one line."""
    model, names = facts.model, chosen_from(facts)
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        listed = ", ".join(names[:_SHOWN]) + more
        if model.task == CLUSTERING:
            return f"{model.task}; one of {len(names)} clusters: {listed}"
        return f"{model.task}; the most probable of {len(names)} classes: {listed}"
    decision = model.decision
    if model.task != CLASSIFICATION or decision is None:
        return model.task
    return f"{model.task}; {decision.above} from {decision.threshold} on, else {decision.below}"


def informs(facts: ReportInput) -> bool:
    """Whether groups were compared for information, because the model declares no gate for it."""
    rows = () if facts.evidence is None else facts.evidence.fairness
    declared = facts.model.acceptance.fairness
    return bool(rows) and not declared and all(row.informs for row in rows)


def decides(model: Model) -> bool:
    """Whether there are decisions that groups can be compared by."""
    return model.task == CLASSIFICATION


def base_rate_of(facts: ReportInput) -> str:
    """What the evidence calls the base rate."""
    match facts.model.task:
        case "regression":
            return "mean outcome"
        case "clustering":
            return "share of each cluster"
        case _:
            return "share of each class" if chosen_from(facts) else "base rate"


def margin_of(model: Model, evidence: Evidence | None = None) -> str:
    """What attributions add up to, such as `log-odds`; a search has its end in the evidence."""
    training = model.training
    found = {} if evidence is None else evidence.search.get("chosen", {}).get("training", {})
    if training is not None and found:
        training = replace(training, **found)
    if model.task == CLASSIFICATION:
        in_probability = training is not None and training.estimator in _IN_PROBABILITY
        return "probability" if in_probability else "log-odds"
    logarithmic = training is not None and _is_logarithmic(training)
    return "logarithm of the value" if logarithmic else "value"


def _is_logarithmic(training: Training) -> bool:
    """Libraries name the same losses `poisson`, `count:poisson` and `reg:gamma`."""
    named = [training.parameters.get(name) for name in ("loss", "objective")]
    words = {str(name).rpartition(":")[2] for name in named}
    return training.estimator in _IN_LOGARITHMS or not words.isdisjoint(_IN_LOGARITHMS)
