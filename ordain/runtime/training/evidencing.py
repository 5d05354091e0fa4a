"""The evidence on one artifact: everything measured, and what the numbers cannot show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.environment import read_lock
from ordain.runtime.errors import ArtifactError, RunError, TrainingError
from ordain.runtime.monitoring.profiles import count_window, profile_rows
from ordain.runtime.monitoring.psi import psi_by_feature
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training import evaluation, fairness, groups
from ordain.runtime.training.features import raw_rows
from ordain.runtime.training.metrics import Sample
from ordain.specs.evidence import Evidence, FairnessRow
from ordain.specs.features import protected_names
from ordain.specs.findings import Verdict
from ordain.specs.kinds.model import FairnessGate
from ordain.specs.parity import plan_limit
from ordain.specs.splits import PARTS

if TYPE_CHECKING:
    from ordain.runtime.training.features import Floats
    from ordain.runtime.training.fitting import Trained
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.order import Job
    from ordain.specs.evidence import Metric

DEFAULT_THRESHOLD = 0.5


def _drift(data: Data, trained: Trained) -> dict[str, float]:
    """The population stability index of each input between training and test part."""
    train, test = data.parts.train, data.parts.test
    inputs = [(given.name, given.type) for given in trained.plan.inputs]
    before = profile_rows(data.frame.rows(train), inputs, trained.scores[train].tolist())
    after = count_window(before, data.frame.rows(test), trained.scores[test].tolist())
    return psi_by_feature(before, after)


def evidence_of(
    job: Job, data: Data, trained: Trained, importance: tuple[tuple[str, float], ...]
) -> Evidence:
    metrics = _metrics(job, data, trained)
    rows = _fairness(job, data, trained)
    drift = _drift(data, trained)
    verdicts = [Verdict.PASS, *evaluation.counted(metrics, first=job.champion is None)]
    if job.spec.acceptance.fairness:
        verdicts += [Verdict(row.verdict) for row in rows]
    return Evidence(
        model=job.model,
        recipe=job.recipe.digest,
        artifact="",
        split=data.parts.digest,
        data=_facts(job, data),
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
        limitations=(*_limitations(job, data, drift), *trained.forms.left_out),
        verdict=Verdict.worst(verdicts).value,
        forms=trained.forms.names,
    )


def _sample(job: Job, data: Data, scores: Floats, part: str) -> Sample:
    decision = job.spec.decision
    threshold = DEFAULT_THRESHOLD if decision is None else decision.threshold
    positions = getattr(data.parts, part)
    return Sample(data.positive[positions], scores[positions], threshold, job.recipe.seed)


def _metrics(job: Job, data: Data, trained: Trained) -> tuple[Metric, ...]:
    samples = {part: _sample(job, data, trained.scores, part) for part in PARTS}
    gates = job.spec.acceptance.metrics
    if job.champion is None or all(gate.versus is None for gate in gates):
        return evaluation.evaluate(samples, gates)
    try:
        scores = _champion_scores(job, job.champion, data)
    except ArtifactError:
        raise
    except RunError as error:
        absent = f"the champion cannot read these data: {error.message}"
        return evaluation.evaluate(samples, gates, absent=absent)
    champion = replace(samples["test"], scores=scores)
    return evaluation.evaluate(samples, gates, champion)


def _champion_scores(job: Job, champion: str, data: Data) -> Floats:
    """The scores of the version now running for the rows of the test part."""
    artifact = load_artifact(ArtifactStore(job.store), champion)
    plan = RowPlan.read(artifact.member("plan.json"))
    names = [given.name for given in plan.inputs]
    missing = [name for name in names if name not in data.table.column_names]
    if missing:
        message = f"column {missing[0]} is not in the dataset"
        raise TrainingError(message, remedy="keep the columns of the champion for one more version")
    rows = raw_rows(data.table, names, data.parts.test)
    return np.array([plan.score(row) for row in rows])


def _fairness(job: Job, data: Data, trained: Trained) -> tuple[FairnessRow, ...]:
    """Rows for every declared gate; without one, rows that inform where that is possible."""
    known = _protected(job)
    gates = job.spec.acceptance.fairness
    if gates and not known:
        message = "acceptance.fairness is declared, and the Dataset has no protected column"
        raise TrainingError(message, remedy="give a column the role protected")
    if not gates and not _can_inform(job, known):
        return ()
    test = data.parts.test
    favourable = groups.favourable_decisions(job.spec, job.data, trained.scores[test])
    judged = [
        (
            gate,
            groups.count_groups(job.data, data.table, gate.attributes or known, test, favourable),
        )
        for gate in gates or (FairnessGate(),)
    ]
    rows = fairness.judge(judged)
    return rows if gates else tuple(_informing(row) for row in rows)


def _protected(job: Job) -> tuple[str, ...]:
    """Sorted, because the order of columns is in no digest and rows of evidence follow it."""
    return tuple(sorted(protected_names(job.data)))


def _can_inform(job: Job, known: tuple[str, ...]) -> bool:
    target = job.data.target
    has_outcome = target is not None and target.favourable is not None
    return bool(known) and has_outcome and job.spec.decision is not None


def _informing(row: FairnessRow) -> FairnessRow:
    reason = "; ".join(filter(None, [row.reason, "no gate is declared"]))
    return replace(row, reason=reason)


def _facts(job: Job, data: Data) -> dict[str, Any]:
    """Counts that a reader needs to believe anything else."""
    parts = {part: getattr(data.parts, part) for part in PARTS}
    missing = np.mean(np.isnan(data.frame.matrix), axis=0)
    return {
        "dataset": job.dataset,
        "digest": job.recipe.data,
        "rows": data.table.num_rows,
        "parts": {part: len(positions) for part, positions in parts.items()},
        "left_out": data.parts.left_out,
        "base_rate": {
            part: float(np.mean(data.positive[positions]))
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


def _limitations(job: Job, data: Data, drift: dict[str, float]) -> tuple[str, ...]:
    """What the numbers of this evidence cannot show."""
    found = []
    if job.spec.split.by != "time":
        found.append("The split is not by time: performance on later data is not shown.")
    if not _protected(job):
        found.append("No protected attribute is declared: fairness is not shown.")
    elif not job.spec.acceptance.fairness:
        found.append("No fairness gate is declared: fairness is not judged.")
    train = data.frame.matrix[data.parts.train]
    for name, column in zip(data.frame.names, train.T, strict=True):
        if len(np.unique(column)) == 1:
            found.append(f"Feature {name} has one value in the training part.")
    limit = job.spec.acceptance.drift.psi.max
    for name, value in drift.items():
        if value > limit:
            found.append(f"Feature {name} differs between training and test part: PSI {value:.3f}.")
    return tuple(found)
