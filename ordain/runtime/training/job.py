"""One training job from order to outcome: the steps of this package in their order.

The same function runs in a process of its own (`python -m ordain.runtime.training`), in a
Kubernetes Job and in a test. It writes blobs into the store and nothing else; a job that fails has
written nothing that anybody refers to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ordain.runtime.artifacts import ArtifactStore, load_artifact, save_artifact
from ordain.runtime.datasets.reading import read_dataset
from ordain.runtime.environment import check_environment, read_lock
from ordain.runtime.errors import ArtifactError, RunError, TrainingError
from ordain.runtime.monitoring.profiles import count_window, profile_rows
from ordain.runtime.monitoring.psi import psi_by_feature
from ordain.runtime.reasons import attributions
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training import evaluation, fairness, groups
from ordain.runtime.training.export import export
from ordain.runtime.training.features import (
    Frame,
    learnt_columns,
    make_frame,
    outcomes,
    raw_rows,
)
from ordain.runtime.training.metrics import Sample
from ordain.runtime.training.order import Outcome, check_recipe
from ordain.runtime.training.parity import ParityProof, prove
from ordain.runtime.training.pipeline import Fitted, fit, refuse_undone
from ordain.runtime.training.splits import Parts, split_rows
from ordain.specs.canonical import canonical_json
from ordain.specs.evidence import Evidence, FairnessRow
from ordain.specs.features import protected_names
from ordain.specs.findings import Verdict
from ordain.specs.kinds.model import FairnessGate
from ordain.specs.splits import PARTS

if TYPE_CHECKING:
    from ordain.runtime.training.features import Floats, Indices, Row
    from ordain.runtime.training.order import Job
    from ordain.specs.evidence import Metric

EXPLAINED = 200
DEFAULT_THRESHOLD = 0.5


class Progress(Protocol):
    """Told the name of each stage as it begins, and how much of the work lies behind."""

    def __call__(self, stage: str, fraction: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Data:
    """The table, what of it is learnt from, and how it is divided."""

    table: Any
    frame: Frame
    positive: Indices
    parts: Parts


@dataclass(frozen=True, slots=True)
class Trained:
    """The fitted pipeline, its plan, and its scores of every row."""

    fitted: Fitted
    plan: RowPlan
    plan_bytes: bytes
    scores: Floats
    proof: ParityProof


def run_job(job: Job, progress: Progress) -> Outcome:
    """Train what is ordered, keep the artifact in the store, and say what it is worth.

    Raises:
        RunError: for everything that can be mended: environment, data, declaration, store.
    """
    check_recipe(job)
    check_environment(read_lock(job.environment.encode()))
    training = refuse_undone(job.spec)
    with threadpool_limits(limits=training.threads):
        progress("reading", 0.0)
        data = _read(job)
        progress("fitting", 0.2)
        trained = _train(job, data)
        progress("explaining", 0.5)
        background = _background(job, data)
        importance = _importance(job, data, trained.plan, background)
        progress("evaluating", 0.7)
        members = {
            "plan.json": trained.plan_bytes,
            "background.json": canonical_json({"rows": background}),
            "profile.json": _profile(data, trained),
            "parity.json": trained.proof.member,
        }
        evidence = _evidence(job, data, trained, importance)
        progress("saving", 0.9)
        store = ArtifactStore(job.store)
        artifact = save_artifact(store, job.model, job.recipe.digest, members)
    progress("done", 1.0)
    return Outcome(artifact.digest, replace(evidence, artifact=artifact.digest))


def _read(job: Job) -> Data:
    table = read_dataset(job.dataset, job.data, job.data_root)
    names = learnt_columns(job.spec.features, job.data)
    positive = outcomes(job.data, table)
    parts = split_rows(job.spec.split, job.data, table, job.recipe.seed)
    ranked = job.spec.preprocessing.categorical.encode == "ordinal_by_target"
    frame = make_frame(names, job.data, table, (parts.train, positive) if ranked else None)
    if len(np.unique(positive[parts.train])) < evaluation.OUTCOMES:
        message = "split: all rows of the training part have the same outcome"
        raise TrainingError(message, remedy="widen split.train")
    return Data(table, frame, positive, parts)


def _train(job: Job, data: Data) -> Trained:
    fitted = fit(job.spec, data.frame, data.parts.train, data.positive)
    train = data.frame.matrix[data.parts.train]
    plan_bytes = export(fitted, data.frame, train, job.spec.decision)
    plan = RowPlan.read(plan_bytes)
    limit = job.spec.acceptance.parity.plan
    proof = prove(fitted, plan, data.frame, _held_out(data.parts), limit)
    return Trained(fitted, plan, plan_bytes, fitted.scores(data.frame.matrix), proof)


def _held_out(parts: Parts) -> Indices:
    """What the model has not seen: the test part first, then the validation part."""
    return np.concatenate([parts.test, parts.validation])


def _background(job: Job, data: Data) -> list[Row]:
    """Raw training rows that explanations compare with, drawn without replacement."""
    declared = job.spec.explanation.background
    return data.frame.rows(_drawn(data.parts.train, declared.rows, declared.seed))


def _drawn(positions: Indices, size: int, seed: int) -> Indices:
    generator = np.random.default_rng(seed)
    chosen = generator.choice(positions, size=min(size, len(positions)), replace=False)
    return np.sort(chosen)


def _importance(
    job: Job, data: Data, plan: RowPlan, background: list[Row]
) -> tuple[tuple[str, float], ...]:
    """Mean absolute attribution in log-odds of each input over test rows, largest first."""
    rows = data.frame.rows(_drawn(data.parts.test, EXPLAINED, job.recipe.seed))
    values = attributions(plan, background, rows)
    means = {
        given.name: float(np.mean([abs(value[given.name]) for value in values]))
        for given in plan.inputs
    }
    return tuple(sorted(means.items(), key=lambda item: (-item[1], item[0])))


def _profile(data: Data, trained: Trained) -> bytes:
    """The reference for monitoring: held-out rows.

    Scores of rows that were learnt from are too sure of themselves; an output profile made of them
    would report drift on the first day.
    """
    positions = _held_out(data.parts)
    inputs = [(given.name, given.type) for given in trained.plan.inputs]
    outputs = trained.scores[positions].tolist()
    return profile_rows(data.frame.rows(positions), inputs, outputs).to_json()


def _drift(data: Data, trained: Trained) -> dict[str, float]:
    """The population stability index of each input between training and test part."""
    train, test = data.parts.train, data.parts.test
    inputs = [(given.name, given.type) for given in trained.plan.inputs]
    before = profile_rows(data.frame.rows(train), inputs, trained.scores[train].tolist())
    after = count_window(before, data.frame.rows(test), trained.scores[test].tolist())
    return psi_by_feature(before, after)


def _evidence(
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
            "plan": trained.proof.difference,
            "limit": job.spec.acceptance.parity.plan,
            "rows": trained.proof.rows,
            "changed": trained.proof.changed,
        },
        drift=drift,
        environment={**read_lock(job.environment.encode()), "ordain": job.tool},
        limitations=_limitations(job, data, drift),
        verdict=Verdict.worst(verdicts).value,
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
