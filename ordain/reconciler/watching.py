"""Evaluating monitors: the newest window of every watched version, recorded as an event.

A deployment without a Monitor gets the default one, because a deployed model that nobody watches is
a finding in itself. The verdicts of earlier windows come from the ledger, which is what hysteresis
counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.ledger.records import Event
from ordain.policies.lookups import versions_of
from ordain.reconciler.errors import NotDeployed
from ordain.reports.facts import PastDrift
from ordain.runtime.artifacts import load_artifact
from ordain.runtime.monitoring.defaults import default_monitor
from ordain.runtime.monitoring.profiles import Profile
from ordain.runtime.monitoring.windows import DriftReport, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ordain.ledger.ledger import Ledger
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Verdict
    from ordain.specs.kinds.monitor import Monitor

EVALUATED = "monitor.evaluated"
_MEMORY = 20


@dataclass(frozen=True, slots=True)
class Watched:
    """One monitor's newest evaluation."""

    monitor: str
    deployment: str
    model: str
    version: int
    report: DriftReport


def watch(
    estate: LoadedEstate,
    store: ArtifactStore,
    ledger: Ledger,
    names: tuple[str, ...],
    now: datetime,
) -> tuple[Watched, ...]:
    """Evaluate and record the monitors of the named deployments, or of all that have a version.

    Raises:
        NotDeployed: a name is no deployment.
    """
    for name in names:
        if estate.get("Deployment", name) is None:
            known = ", ".join(one.name for one in estate.all("Deployment"))
            message = f"there is no Deployment {name!r}"
            raise NotDeployed(message, remedy=f"one of: {known or 'none is declared'}")
    found = []
    for deployment in estate.all("Deployment"):
        if names and deployment.name not in names:
            continue
        for monitor_name, monitor in _monitors(estate, deployment):
            watched = _evaluate(estate, store, ledger, deployment, monitor_name, monitor, now)
            if watched is not None:
                found.append(watched)
    return tuple(found)


def latest_drift(ledger: Ledger, deployment: str) -> DriftReport | None:
    """The newest recorded evaluation of a deployment."""
    events = list(ledger.events(kind=EVALUATED, subject=deployment))
    return DriftReport.from_json(events[-1].data["report"]) if events else None


def past_drift(ledger: Ledger, deployment: str) -> tuple[PastDrift, ...]:
    """The feature that had moved most at every recorded evaluation, oldest first."""
    found = []
    for event in ledger.events(kind=EVALUATED, subject=deployment):
        report = DriftReport.from_json(event.data["report"])
        known = [row for row in report.features if row.psi is not None]
        if known:
            top = max(known, key=lambda row: row.psi or 0.0)
            found.append(PastDrift(event.time, top.feature, top.psi or 0.0, top.n, report.verdict))
    return tuple(found)


def _monitors(estate: LoadedEstate, deployment: Document) -> Iterator[tuple[str, Monitor]]:
    """The monitors of a deployment; without one, the default of its model's tier."""
    mine = [one for one in estate.all("Monitor") if one.spec.deployment == deployment.name]
    for one in mine:
        yield one.name, one.spec
    model = estate.get("Model", deployment.spec.model)
    if not mine:
        tier = model.spec.tier if model is not None else 1
        yield "default", default_monitor(deployment.name, tier)


def _evaluate(
    estate: LoadedEstate,
    store: ArtifactStore,
    ledger: Ledger,
    deployment: Document,
    name: str,
    monitor: Monitor,
    now: datetime,
) -> Watched | None:
    document = versions_of(estate).get((deployment.spec.model, deployment.spec.version or 0))
    if document is None:
        return None
    version = document.spec
    profile = Profile.read(load_artifact(store, version.artifact).member("profile.json"))
    predictions = ledger.predictions(model=version.model, version=str(version.version))
    found = list(predictions)
    alone = evaluate(monitor, profile, found, artifact=version.artifact, now=now)
    past = _past(ledger, name, alone)
    report = evaluate(monitor, profile, found, artifact=version.artifact, now=now, past=past)
    data = {"monitor": name, "version": version.version, "report": report.to_json()}
    ledger.record(Event(now, "monitor", EVALUATED, deployment.name, data))
    return Watched(name, deployment.name, version.model, version.version, report)


def _past(ledger: Ledger, monitor: str, present: DriftReport) -> tuple[Verdict, ...]:
    """The verdicts of earlier windows of this version, newest first.

    Windows that share a prediction are one window: looking twice at the same rows must not make a
    breach of it.
    """
    reports = [
        DriftReport.from_json(event.data["report"])
        for event in ledger.events(kind=EVALUATED, subject=present.deployment)
        if event.data["monitor"] == monitor and event.data["report"]["artifact"] == present.artifact
    ]
    verdicts: list[Verdict] = []
    since = present.since
    for report in reversed(reports):
        if since is None or len(verdicts) == _MEMORY:
            break
        if report.until is not None and report.until < since:
            verdicts.append(report.window)
            since = report.since
    return tuple(verdicts)
