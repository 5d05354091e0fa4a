"""The evidence on one artifact: everything measured, and what the numbers cannot show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.expectations import examine
from ordain.runtime.environment import read_lock
from ordain.runtime.errors import TrainingError
from ordain.runtime.fairness import Decided, groups, rows_of
from ordain.runtime.monitoring.profiles import count_window, profile_rows
from ordain.runtime.monitoring.psi import psi_by_feature
from ordain.runtime.training import evaluation, feedback, soundness
from ordain.runtime.training.judging import metrics_of
from ordain.specs.evidence import Evidence
from ordain.specs.fairness import OF_OUTCOMES
from ordain.specs.features import protected_names
from ordain.specs.findings import Verdict
from ordain.specs.parity import plan_limit
from ordain.specs.splits import PARTS
from ordain.specs.tasks import BINARY, CLASSIFICATION, CLUSTERING, REGRESSION
from ordain.specs.validations import verdict_of

if TYPE_CHECKING:
    from ordain.runtime.training.features import Indices
    from ordain.runtime.training.fitting import Trained
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.order import Job
    from ordain.specs.evidence import FairnessRow, Metric

EXPECTATIONS = 200  # As many are told one by one; evidence stays small for a table of any width.


def _drift(data: Data, trained: Trained) -> dict[str, float]:
    """The population stability index of each input between training and test part."""
    train, test = data.parts.population("train"), data.parts.population("test")
    inputs = [(given.name, given.type) for given in trained.plan.inputs]
    before = profile_rows(data.frame.rows(train), inputs, trained.scores[train].tolist())
    after = count_window(before, data.frame.rows(test), trained.scores[test].tolist())
    return psi_by_feature(before, after)


def evidence_of(
    job: Job, data: Data, trained: Trained, importance: tuple[tuple[str, float], ...]
) -> Evidence:
    cases = _cases(job, data, trained)
    coverage = {} if cases is None else {"coverage": feedback.coverage_of(cases)}
    everybody = None if cases is None else feedback.everybody(cases, job.recipe.seed)
    metrics = _qualified(job, metrics_of(job, data, trained, everybody), coverage)
    rows = _fairness(job, data, trained)
    drift = _drift(data, trained)
    verdicts = [verdict_of((), rows), *evaluation.counted(metrics, first=job.champion is None)]
    return Evidence(
        model=job.model,
        recipe=job.recipe.digest,
        artifact="",
        split=data.parts.digest,
        data=_facts(job, data, trained) | coverage,
        metrics=metrics,
        fairness=rows,
        importance=importance,
        parity={
            "onnx": trained.forms.difference,
            "plan": trained.proof.difference,
            "limit": plan_limit(job.spec),
            "rows": trained.proof.rows,
            "changed": trained.proof.changed,
        },
        drift=drift,
        environment={**read_lock(job.environment.encode()), "ordain": job.tool},
        limitations=(
            *_limitations(job, data, drift),
            *_of_rows(job, data, coverage),
            *trained.forms.left_out,
        ),
        verdict=Verdict.worst(verdicts).value,
        task=job.spec.task,
        forms=trained.forms.names,
    )


def _cases(job: Job, data: Data, trained: Trained) -> feedback.Cases | None:
    """Whose outcomes were seen, where a feedback loop is declared."""
    loop = feedback.loop_of(job.data)
    if loop is None:
        return None
    return feedback.cases_of(loop, data.table, data.parts, trained.scores)


def _qualified(
    job: Job, metrics: tuple[Metric, ...], coverage: dict[str, Any]
) -> tuple[Metric, ...]:
    """With a feedback loop every judged number says whom it is about."""
    loop = feedback.loop_of(job.data)
    if loop is None:
        return metrics
    gates = job.spec.acceptance.metrics
    return feedback.qualify(metrics, gates, coverage["coverage"], loop)


def _fairness(job: Job, data: Data, trained: Trained) -> tuple[FairnessRow, ...]:
    """Rows for every declared gate; without one, rows that inform where that is possible."""
    if not job.spec.acceptance.fairness and not _can_inform(job, data):
        return ()
    test = data.parts.population("test")
    return rows_of(job.spec, job.data, data.table, test, _decided(job, data, trained, test))


def _decided(job: Job, data: Data, trained: Trained, rows: Indices) -> Decided:
    """What was decided about these rows, and what came of those whose outcome is known."""
    if data.outcomes.task in {REGRESSION, CLUSTERING}:
        message = f"acceptance.fairness compares decisions, and a {job.spec.task} makes none"
        raise TrainingError(message, remedy="take out acceptance.fairness")
    seen = np.isin(rows, data.parts.test)
    values = data.outcomes.values[rows]
    if data.outcomes.task == BINARY:
        scores = trained.scores[rows]
        good = groups.favours_positive(job.data)
        favourable = groups.favourable_decisions(job.spec, job.data, scores)
        return Decided(favourable, (values == 1) == good, scores if good else 1 - scores, seen)
    answers = trained.answers.at(rows)
    place = groups.favourable_class(job.data, data.outcomes.classes)
    return Decided(answers.chosen == place, values == place, answers.scores[:, place], seen)


def _can_inform(job: Job, data: Data) -> bool:
    target = job.data.target
    has_outcome = target is not None and target.favourable is not None
    decides = data.outcomes.task == CLASSIFICATION or (
        data.outcomes.task == BINARY and job.spec.decision is not None
    )
    return bool(protected_names(job.data)) and has_outcome and decides


def _facts(job: Job, data: Data, trained: Trained) -> dict[str, Any]:
    """Counts that a reader needs to believe anything else."""
    parts = {part: getattr(data.parts, part) for part in PARTS}
    missing = np.mean(np.isnan(data.frame.matrix), axis=0)
    return {
        "dataset": job.dataset,
        "digest": job.recipe.data,
        "rows": data.table.num_rows,
        "parts": {part: len(positions) for part, positions in parts.items()},
        "left_out": data.parts.left_out,
        "unlabelled": {part: len(found) for part, found in data.parts.unlabelled.items()},
        "expectations": _expectations(job, data),
        "base_rate": {
            part: _base_rate(data, trained, positions)
            for part, positions in parts.items()
            if len(positions)
        },
        "missing": {
            name: float(share)
            for name, share in zip(data.frame.names, missing, strict=True)
            if share > 0
        },
        "features": list(data.frame.names),
    }


def _expectations(job: Job, data: Data) -> dict[str, Any]:
    """What the table was held to; it met all of it, or nothing would have been learnt."""
    met = list(examine(job.data, data.table))
    told = {f"{one.name} {one.column}".strip(): f"{one.expected}: {one.observed}" for one in met}
    return {"met": len(met), **dict(list(told.items())[:EXPECTATIONS])}


def _of_rows(job: Job, data: Data, coverage: dict[str, Any]) -> tuple[str, ...]:
    """What rows that repeat, are new, young or without an outcome take from the numbers."""
    repeated = soundness.repeated_rows(job.data, data.table, data.parts)
    unseen = soundness.unseen_levels(data.frame, data.parts)
    found = [*soundness.limitations(repeated, unseen, data.parts), data.trend]
    loop = feedback.loop_of(job.data)
    if loop is not None:
        found.append(feedback.spoken_for(coverage["coverage"], loop))
    return tuple(filter(None, found))


def _base_rate(data: Data, trained: Trained, rows: Indices) -> float | dict[str, float]:
    """The share of the positive outcome, that of each class or cluster, or the mean outcome."""
    task, values = data.outcomes.task, data.outcomes.values[rows]
    if task in {BINARY, REGRESSION}:
        return float(np.mean(values))
    places = trained.answers.at(rows).chosen if task == CLUSTERING else values
    names = trained.fitted.classes
    shares = np.bincount(places, minlength=len(names)) / len(rows)
    return dict(zip(names, shares.tolist(), strict=True))


def _limitations(job: Job, data: Data, drift: dict[str, float]) -> tuple[str, ...]:
    """What the numbers of this evidence cannot show."""
    found = []
    if job.spec.split.by != "time":
        found.append("The split is not by time: performance on later data is not shown.")
    found += _of_task(data)
    if job.spec.training is not None and job.spec.training.calibrate is not None:
        found.append(
            "The validation part taught the calibration: what is measured on it is of rows that "
            "were learnt from."
        )
    if data.outcomes.task in {REGRESSION, CLUSTERING}:
        found.append(f"A {job.spec.task} makes no decisions: fairness is not shown.")
    elif not protected_names(job.data):
        found.append("No protected attribute is declared: fairness is not shown.")
    elif not job.spec.acceptance.fairness:
        found.append("No fairness gate is declared: fairness is not judged.")
    elif feedback.loop_of(job.data) and any(
        gate.metric in OF_OUTCOMES for gate in job.spec.acceptance.fairness
    ):
        found.append("Fairness of outcomes is shown for those whose outcome was seen.")
    limit = job.spec.acceptance.drift.psi.max
    for name, value in drift.items():
        if value > limit:
            found.append(f"Feature {name} differs between training and test part: PSI {value:.3f}.")
    return tuple(found)


def _of_task(data: Data) -> list[str]:
    """What cannot be shown for more than two classes, or for clusters."""
    outcomes = data.outcomes
    if outcomes.task == CLUSTERING:
        return ["Distances to clusters are no sum over the features: importance is not shown."]
    seen = set(np.unique(outcomes.values[data.parts.test]).tolist())
    return [
        f"No row of the test part has the class {name}: performance on it is not shown."
        for place, name in enumerate(outcomes.classes)
        if place not in seen
    ]
