"""The facts that a report of one model is made of.

A report reads nothing itself: no git, no ledger, no clock. Whoever asks for one gathers the facts
as of one moment, so that the same facts give the same bytes a year later. What is not known is
None, which is printed as "no data"; an empty tuple says that somebody looked and found none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.specs.routes import SHADOW

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ordain.ledger.records import Prediction
    from ordain.ledger.verification import VerifyReport
    from ordain.runtime.monitoring.windows import DriftReport
    from ordain.specs.evidence import Evidence
    from ordain.specs.findings import Finding, Verdict
    from ordain.specs.kinds.model import Model
    from ordain.specs.kinds.model_version import ModelVersion
    from ordain.specs.kinds.validation import Validation
    from ordain.specs.validations import ValidationReport
    from ordain.vcs.approvals import Approval


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """A commit that changed the model's documents; `signer` is the person whose key signed it."""

    commit: str
    time: datetime
    author: str
    signer: str | None
    subject: str


@dataclass(frozen=True, slots=True)
class PastDrift:
    """The largest index of one earlier window and the limits that held then."""

    time: datetime
    feature: str
    psi: float
    n: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Volumes:
    """What the model answered from `since` to `until`; shadow answers decided nothing."""

    since: datetime | None
    until: datetime | None
    predictions: int
    shadow: int
    decisions: tuple[tuple[str, int], ...]
    routes: tuple[tuple[str, int], ...]
    versions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PreviewFacts:
    """What a page says of an unsigned preview instead of a version.

    `pinned` is false where the data are not those of a digest in the estate; `changed` counts the
    files that differ from the spec commit.
    """

    run: str
    recipe: str
    artifact: str
    data: str
    pinned: bool
    seed: int
    threads: int
    environment: str
    changed: int


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything that a report of one model says, as of one moment.

    `spec_commit` is the commit of the estate that the documents were read from; `approvals` are
    those of the change that made the version; `history` is oldest first. `validation` is that of
    the version, `records` are those of validators on its artifact, the one that counts last.
    """

    as_of: datetime
    name: str
    model: Model
    spec_commit: str
    tool: str
    version: ModelVersion | None = None
    evidence: Evidence | None = None
    drift: DriftReport | None = None
    history: tuple[PastDrift, ...] = ()
    approvals: tuple[Approval, ...] | None = None
    changes: tuple[ChangeRecord, ...] | None = None
    findings: tuple[Finding, ...] | None = None
    volumes: Volumes | None = None
    ledger: VerifyReport | None = None
    preview: PreviewFacts | None = None
    validation: ValidationReport | None = None
    records: tuple[Validation, ...] | None = None


def count_volumes(predictions: Iterable[Prediction]) -> Volumes:
    """Count predictions in one pass; groups are ordered by size, then name."""
    times: list[datetime] = []
    shadow = 0
    decisions: Counter[str] = Counter()
    routes: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    for prediction in predictions:
        if prediction.rule == SHADOW:
            shadow += 1
            continue
        times = [min([*times, prediction.time]), max([*times, prediction.time])]
        decisions[prediction.decision or "no decision"] += 1
        routes[prediction.route] += 1
        versions[prediction.version] += 1
    since, until = times or (None, None)
    groups = (_ranked(decisions), _ranked(routes), _ranked(versions))
    return Volumes(since, until, routes.total(), shadow, *groups)


def _ranked(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
