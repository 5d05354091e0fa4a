"""Gathering the facts of a model's report as of one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ordain.cli.session import Session
    from ordain.reconciler.gating import Side
    from ordain.reports.facts import ChangeRecord, PastDrift, ReportInput
    from ordain.runtime.monitoring.windows import DriftReport
    from ordain.specs.documents import Document
    from ordain.specs.evidence import Evidence
    from ordain.specs.kinds.model_version import ModelVersion
    from ordain.specs.kinds.validation import Validation
    from ordain.specs.validations import ValidationReport
    from ordain.vcs.approvals import Approval


class ModelUnknown(OrdainError):
    """There is no such model."""

    code = "CLI003"


def gather(session: Session, model: str, now: datetime) -> ReportInput:
    """Everything that the report of a model says.

    Raises:
        ModelUnknown: the estate in force declares no such model.
    """
    import ordain
    from ordain.ledger.verification import verify
    from ordain.policies.gate import check
    from ordain.reconciler.anchors import read_anchors
    from ordain.reconciler.people import allowed_keys, organization_of
    from ordain.reconciler.standing import paths_by_model
    from ordain.reports.facts import ReportInput, count_volumes

    side = session.in_force()
    document = _model(side, model)
    allowed = allowed_keys(organization_of(side.estate))
    version = _version(side, model)
    history = _history(session, side, model)
    paths = paths_by_model(side.estate)[model]
    return ReportInput(
        as_of=now,
        name=model,
        model=document.spec,
        spec_commit=side.revision,
        tool=ordain.__version__,
        version=None if version is None else version.spec,
        evidence=None if version is None else _evidence(side.tree, version.spec),
        validation=None if version is None else _validation(side.tree, version),
        records=None if version is None else _records(side, version.spec),
        drift=_latest(session, side, model),
        history=history,
        approvals=None if version is None else _approvals(session, side, version, now),
        changes=_changes(session, side, document, now),
        findings=tuple(
            finding
            for finding in check(side.estate, now, tree=side.tree).findings
            if finding.location is not None and finding.location.path in paths
        ),
        volumes=count_volumes(session.ledger.predictions(model=model)),
        ledger=verify(session.ledger, anchors=read_anchors(session.source, allowed, now)),
    )


def _model(side: Side, name: str) -> Document:
    document = side.estate.get("Model", name)
    if document is None:
        known = ", ".join(one.name for one in side.estate.all("Model"))
        message = f"there is no Model {name!r} at {side.revision[:12]}"
        remedy = f"one of: {known or 'none is declared'}; a model that is not committed: --preview"
        raise ModelUnknown(message, remedy=remedy)
    return document


def _version(side: Side, model: str) -> Document | None:
    """The newest version that a deployment pins."""
    from ordain.policies.lookups import versions_of

    versions = versions_of(side.estate)
    pinned = [
        versions.get((model, deployment.spec.version or 0))
        for deployment in side.estate.all("Deployment")
        if deployment.spec.model == model
    ]
    mine = [document for document in pinned if document is not None]
    return max(mine, key=lambda document: int(document.spec.version), default=None)


def _evidence(tree: Mapping[str, bytes], version: ModelVersion) -> Evidence | None:
    from ordain.specs.evidence import evidence_path, read_evidence

    path = evidence_path(version.evidence)
    return read_evidence(tree[path], path) if path in tree else None


def _validation(tree: Mapping[str, bytes], version: Document) -> ValidationReport | None:
    """The validation of a version; one that is missing or damaged is said by the gate."""
    from ordain.policies.validated import read_report
    from ordain.specs.findings import Finding

    found = read_report(version, tree)
    return None if isinstance(found, Finding) else found


def _records(side: Side, version: ModelVersion) -> tuple[Validation, ...]:
    from ordain.policies.challenges import records_on

    return tuple(one.spec for one in records_on(side.estate, version.artifact))


def _deployments(side: Side, model: str) -> list[str]:
    return [one.name for one in side.estate.all("Deployment") if one.spec.model == model]


def _latest(session: Session, side: Side, model: str) -> DriftReport | None:
    from ordain.reconciler.watching import latest_drift

    found = [latest_drift(session.ledger, name) for name in _deployments(side, model)]
    return max((one for one in found if one), key=lambda one: one.evaluated, default=None)


def _history(session: Session, side: Side, model: str) -> tuple[PastDrift, ...]:
    """The largest index of every recorded evaluation, oldest first."""
    from ordain.reconciler.watching import past_drift

    found = [one for name in _deployments(side, model) for one in past_drift(session.ledger, name)]
    return tuple(sorted(found, key=lambda one: one.time))


def _approvals(
    session: Session, side: Side, version: Document, now: datetime
) -> tuple[Approval, ...]:
    """The approvals of the change that brought the version: statements, verified again, and the
    reviews on a forge that our own record says were heard when the change passed the gate.
    """
    from ordain.reconciler.history import merged_by
    from ordain.reconciler.host_reviews import recorded_reviews
    from ordain.reconciler.people import allowed_keys, organization_of
    from ordain.vcs.approvals import read_approvals
    from ordain.vcs.changes import change_between

    repository = session.source.repository
    steps = merged_by(repository, side.revision, version.path)
    if steps is None:
        return ()
    change = change_between(repository, *steps)
    allowed = allowed_keys(organization_of(side.estate))
    found = read_approvals(
        repository, change.digest, estate=session.source.root_commit, allowed=allowed, now=now
    )
    heard = recorded_reviews(session.ledger.events(kind="gate.passed", subject=steps[1]), change)
    return (*found.valid, *heard)


def _changes(
    session: Session, side: Side, document: Document, now: datetime
) -> tuple[ChangeRecord, ...]:
    from ordain.reconciler.history import commits_on_model
    from ordain.reconciler.people import allowed_keys, organization_of
    from ordain.reports.facts import ChangeRecord
    from ordain.vcs.known_signatures import commit_signers

    repository = session.source.repository
    allowed = allowed_keys(organization_of(side.estate))
    commits = commits_on_model(repository, side.estate, document.name, side.revision)
    people = commit_signers(repository, [one.id for one in commits], allowed, now)
    return tuple(
        ChangeRecord(
            commit.id,
            commit.time,
            commit.author.name,
            person,
            commit.title,
        )
        for commit, person in zip(commits, people, strict=True)
    )
