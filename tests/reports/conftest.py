"""The facts of one model, made by the parts that make them in production."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event, Prediction
from ordain.ledger.verification import verify
from ordain.reports.facts import ChangeRecord, PastDrift, ReportInput, count_volumes
from ordain.runtime.monitoring.profiles import profile_rows
from ordain.runtime.monitoring.windows import evaluate
from ordain.specs.evidence import Evidence, FairnessRow, Metric
from ordain.specs.findings import Finding, Location, Severity, Verdict
from ordain.specs.kinds.model import Decision, Model
from ordain.specs.kinds.model_version import Inputs, ModelVersion
from ordain.specs.kinds.monitor import Monitor
from ordain.vcs.approvals import Approval

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = (
    "income",
    "utilisation",
    "debt_ratio",
    "months_at_address",
    "age_of_oldest_account",
    "inquiries_6m",
    "purpose",
    "term",
    "amount",
    "delinquencies_24m",
    "employment_years",
    "channel",
)
CATEGORIES = {"purpose": ("car", "home", "education", "other goods"), "channel": ("web", "branch")}
COMMIT = "4f6c1f0f6a0e3f5f1b7c4bb7c3c0a1f5a2d9e871"


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def rows(count: int, *, shift: float, seed: int) -> list[dict[str, object]]:
    generator = random.Random(seed)
    table: list[dict[str, object]] = []
    for _ in range(count):
        row: dict[str, object] = {
            name: generator.choice(CATEGORIES[name])
            if name in CATEGORIES
            else generator.lognormvariate(0, 1)
            for name in NAMES
        }
        row["income"] = generator.gauss(3000 + shift * 900, 900)
        row["utilisation"] = None if generator.random() < 0.02 else generator.random()
        table.append(row)
    return table


def scores(count: int) -> list[float]:
    generator = random.Random(count)
    return [generator.betavariate(2, 8) for _ in range(count)]


def predictions(count: int, *, shift: float = 0.0) -> list[Prediction]:
    outputs = scores(count)
    return [
        Prediction(
            id=f"{index:036}",
            time=AS_OF - timedelta(minutes=count - index),
            route="credit",
            rule=None,
            draw=None,
            deployment="credit-default",
            model="credit-default",
            version="3",
            artifact=digest("a"),
            inputs=row,
            output=outputs[index],
            decision="decline" if outputs[index] >= 0.35 else "approve",
            threshold=0.35,
            latency_us=210,
            key_id="branch-frontend",
        )
        for index, row in enumerate(rows(count, shift=shift, seed=2))
    ]


def fairness(attribute: str, group: str, n: int, favourable: int, verdict: str) -> FairnessRow:
    value = favourable / n / (700 / 1000)
    enough = verdict != "insufficient"
    return FairnessRow(
        attribute=attribute,
        group=group,
        reference="male",
        metric="adverse_impact_ratio",
        n=n,
        n_reference=1000,
        favourable=favourable,
        favourable_reference=700,
        value=value if enough else None,
        low=value - 0.06 if enough else None,
        high=value + 0.06 if enough else None,
        p_value=0.21 if enough else None,
        p_holm=0.42 if enough else None,
        minimum=0.8,
        alpha=0.05,
        verdict=verdict,
        reason="" if enough else "12 cases, at least 30 are needed",
    )


def evidence() -> Evidence:
    return Evidence(
        model="credit-default",
        recipe=digest("b"),
        artifact=digest("a"),
        split=digest("c"),
        data={"rows": 6000, "parts": {"train": 3600, "test": 1200}, "base_rate": 0.1823},
        metrics=(
            Metric("roc_auc", "test", 0.7712, 0.741, 0.802, 0.95, 1200, "≥ 0.74 (lower)", "pass"),
            Metric("log_loss", "test", 0.4021, 0.381, 0.424, 0.95, 1200),
            Metric("brier", "test", 0.1234, 0.115, 0.132, 0.95, 1200, "≤ 0.15", "pass"),
        ),
        fairness=(
            fairness("sex", "female", 900, 590, "pass"),
            fairness("sex", "not stated", 12, 7, "insufficient"),
        ),
        importance=tuple((name, 0.9 / (index + 1)) for index, name in enumerate(NAMES)),
        parity={"max_difference": 2.2e-16, "rows": 1200.0},
        environment={"python": "3.11", "numpy": "2.4.6", "scikit-learn": "1.9.1"},
        limitations=("Not for applicants under 21.", "Labels mature after twelve months."),
        verdict="pass",
    )


def version(found: Evidence) -> ModelVersion:
    inputs = Inputs(
        spec=digest("d"),
        dataset=digest("e"),
        data=digest("f"),
        environment=digest("0"),
        seed=7,
        threads=1,
    )
    return ModelVersion(
        model="credit-default",
        version=3,
        recipe=found.recipe,
        inputs=inputs,
        artifact=found.artifact,
        evidence=found.digest,
        split=found.split,
        metrics={"roc_auc": 0.7712},
    )


def change(index: int) -> ChangeRecord:
    time = AS_OF - timedelta(days=3 * index)
    subject = "Tighten the acceptance limit of roc_auc"
    return ChangeRecord(f"{index}c" * 20, time, "data-scientist", "data-scientist", subject)


def approval(person: str, role: str) -> Approval:
    proof = "refs/ordain/approvals/" + "9" * 64
    return Approval(
        person,
        role,
        digest("9"),
        AS_OF - timedelta(days=1),
        "SHA256:5Zc0d1Qp3bYw2k9m4s7t6u8v0x1y3z5A7B9C1D3E5F7",
        proof,
    )


@pytest.fixture
def facts(tmp_path: Path) -> ReportInput:
    """A tier-1 model whose income has drifted, with everything known."""
    ledger = Ledger(tmp_path / "ledger")
    ledger.record(Event(AS_OF, "reconciler", "stage.done", "Deployment/credit-default", {}))
    inputs = [(name, "category" if name in CATEGORIES else "float") for name in NAMES]
    profile = profile_rows(rows(3000, shift=0.0, seed=1), inputs, scores(3000))
    found = predictions(1200, shift=0.75)
    drift = evaluate(
        Monitor(deployment="credit-default"), profile, found, artifact=digest("a"), now=AS_OF
    )
    past = [0.02, 0.03, 0.02, 0.05, 0.04, 0.09, 0.16, 0.31, drift.features[0].psi or 0.0]
    history = tuple(
        PastDrift(AS_OF - timedelta(days=len(past) - 1 - index), "income", psi, 1000, Verdict.PASS)
        for index, psi in enumerate(past)
    )
    known = evidence()
    model = Model(
        purpose="Probability that an applicant defaults within twelve months",
        tier=1,
        owner="credit-risk",
        task="classification",
        dataset="applications",
        decision=Decision(threshold=0.35, above="decline", below="approve"),
    )
    finding = Finding(
        "POL201",
        Severity.WARNING,
        "the validation record of tier 1 is older than a year",
        Location("compliance/credit-default.yaml", 14, 3),
        remedy="ask the validator for a new record",
    )
    return ReportInput(
        as_of=AS_OF,
        name="credit-default",
        model=model,
        spec_commit=COMMIT,
        tool="0.1.0",
        version=version(known),
        evidence=known,
        drift=drift,
        history=history,
        approvals=(approval("manager-1", "manager"), approval("cto-1", "cto")),
        changes=tuple(change(index) for index in range(3)),
        findings=(finding,),
        volumes=count_volumes([*found, replace(found[0], rule="shadow")]),
        ledger=verify(ledger),
    )


@pytest.fixture
def bare() -> ReportInput:
    """A model that was declared a moment ago."""
    model = Model(purpose="Not known yet", tier=3, owner="credit-risk", task="classification")
    return ReportInput(
        as_of=AS_OF, name="credit-default", model=model, spec_commit=COMMIT, tool="0.1.0"
    )
