"""What training makes for each task is proven, answered, replayed, explained, watched, reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from ordain.ledger.records import Prediction, encode
from ordain.reports.facts import ReportInput, count_volumes
from ordain.reports.model_reports import model_report
from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.monitoring.profiles import Profile
from ordain.runtime.monitoring.windows import DriftReport, evaluate
from ordain.runtime.reasons import reasons_for
from ordain.runtime.reasons.errors import ReasonsError
from ordain.runtime.scoring import RowPlan
from ordain.runtime.serving.outputs import is_answer, named_scores
from ordain.runtime.serving.slots import prove_parity
from ordain.runtime.training.job import run_job
from ordain.specs.evidence import classes_of
from ordain.specs.kinds.monitor import Monitor

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.training

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CASES = [
    ("classification", "logistic_regression"),
    ("classification", "hist_gradient_boosting"),
    ("classification", "random_forest"),
    ("regression", "ridge"),
    ("regression", "poisson"),
    ("regression", "hist_gradient_boosting"),
    ("clustering", "kmeans"),
    ("clustering", "gaussian_mixture"),
]


def with_outcomes(table: pa.Table) -> pa.Table:
    debts = table["debts"].to_numpy()
    grades = np.array(["good", "watch", "bad"])[np.clip(debts // 2, 0, 2)]
    losses = debts * 120.0 + np.arange(len(debts)) % 17
    return table.append_column("grade", pa.array(grades)).append_column("loss", pa.array(losses))


@pytest.mark.parametrize(("task", "estimator"), CASES)
def test_a_model_goes_from_training_to_its_report(
    task: str,
    estimator: str,
    lending: Callable[..., pa.Table],
    dataset: Callable[..., Any],
    model: Callable[..., Any],
    job: Callable[..., Any],
) -> None:
    column = {"classification": "grade", "regression": "loss", "clustering": "defaulted"}[task]
    kinds = {"grade": {"type": "category"}, "loss": {"type": "float"}}
    # The outcomes follow from the debts, which is no leak here.
    data = dataset(with_outcomes(lending(700)), debts={"separates": True})
    columns = dict(data.columns)
    template = columns["purpose"]
    columns |= {
        name: replace(template, type=kind["type"], rare=None, missing=None, levels=None)
        for name, kind in kinds.items()
    }
    favourable = "good" if task == "classification" else None
    target = replace(data.target, column=column, favourable=favourable, positive=1)
    data = replace(
        data,
        columns=columns,
        target=None if task == "clustering" else target,
        leaks=(
            "days_past_due",
            *(name for name in ("grade", "loss", "defaulted") if name != column),
        ),
    )
    training = {"estimator": estimator}
    declared = model(estimator, task=task, decision=None, training=training)
    ordered = job(declared, data)
    outcome = run_job(ordered, lambda _stage, _fraction: None)
    artifact = load_artifact(ArtifactStore(ordered.store), outcome.artifact)
    plan = RowPlan.read(artifact.member("plan.json"))
    prove_parity(plan, artifact.member("parity.json"), artifact.digest)

    raw = lending(400, seed=5).to_pylist()
    names = [given.name for given in plan.inputs]
    predictions = []
    for place, row in enumerate(raw):
        inputs = {name: row[name] for name in names if row[name] is not None}
        scored = plan.answer(inputs)
        assert is_answer(plan, scored)
        assert len(named_scores(plan, scored)) == len(scored.scores)
        predictions.append(
            Prediction(
                id=f"{place:036}",
                time=NOW - timedelta(minutes=len(raw) - place),
                route="r",
                rule=None,
                draw=None,
                deployment="d",
                model="m",
                version="1",
                artifact=artifact.digest,
                inputs=inputs,
                output=scored.output,
                decision=scored.decision,
                threshold=None,
                latency_us=1,
                key_id=None,
            )
        )
        encode(predictions[-1])
    if task == "clustering":
        with pytest.raises(ReasonsError, match="a clustering has no reasons"):
            reasons_for(predictions[0], artifact)
    else:
        assert any(reasons_for(one, artifact, favourable=favourable) for one in predictions[:3])

    profile = Profile.read(artifact.member("profile.json"))
    report = evaluate(
        Monitor(deployment="d"), profile, predictions, artifact=artifact.digest, now=NOW
    )
    assert DriftReport.from_json(report.to_json()) == report
    assert (report.decisions is not None) == bool(plan.classes)
    assert classes_of(outcome.evidence) == plan.classes
    facts = ReportInput(
        as_of=NOW,
        name="m",
        model=declared,
        spec_commit="4f6c1f0f6a0e3f5f1b7c4bb7c3c0a1f5a2d9e871",
        tool="0.1.0",
        evidence=outcome.evidence,
        drift=report,
        volumes=count_volumes(predictions),
    )
    page = model_report(facts).decode()
    assert ("makes no decisions" in page) == (task != "classification")
