"""What came of a training or a validation, as the reconciler remembers it.

Three fates each: it broke (something must be mended), what was measured fails (a person must change
the declaration), or it can be proposed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ordain.specs.canonical import sha256
from ordain.specs.evidence import EvidenceError, evidence_path, read_evidence
from ordain.specs.findings import Verdict
from ordain.specs.validation_verdicts import STOPPING, blockers
from ordain.specs.validations import ValidationDocumentError, read_validation, verdict_of

if TYPE_CHECKING:
    from ordain.specs.evidence import Evidence
    from ordain.specs.validations import ValidationReport

_TOLD: Final = 3

Fate = Literal["broken", "rejected", "proposable"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that ended: the artifact and the text of its evidence, or what broke.

    `summary` is one line for people, `remedy` how to mend what broke.
    """

    summary: str
    fate: Fate
    artifact: str = ""
    evidence_text: str = ""
    remedy: str = ""

    @classmethod
    def failure(cls, message: str, remedy: str) -> Outcome:
        """A run that broke."""
        return cls(message, "broken", remedy=remedy)

    @classmethod
    def success(cls, artifact: str, evidence_text: str) -> Outcome:
        """A run that made an artifact, for better or worse.

        Raises:
            EvidenceError: the text is no evidence, or is about another artifact.
        """
        evidence = _read(evidence_text)
        if evidence.artifact != artifact:
            message = "the evidence of the run is about another artifact than its result"
            raise EvidenceError(message, remedy="remove the directory of the job, and run it again")
        failed = evidence.verdict == Verdict.FAIL.value
        fate: Fate = "rejected" if failed else "proposable"
        return cls(_summary(evidence), fate, artifact, evidence_text)

    @property
    def evidence(self) -> Evidence:
        """The evidence, read and checked again."""
        return _read(self.evidence_text)

    def to_json(self) -> dict[str, Any]:
        """The outcome as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Outcome:
        """An outcome that was stored."""
        return cls(**stored)


@dataclass(frozen=True, slots=True)
class Validated:
    """A validation that ended: the text of its document, or what broke."""

    summary: str
    fate: Literal["broken", "rejected", "passed"]
    text: str = ""
    remedy: str = ""

    @classmethod
    def failure(cls, message: str, remedy: str) -> Validated:
        """A validation that broke."""
        return cls(message, "broken", remedy=remedy)

    @classmethod
    def success(cls, text: str) -> Validated:
        """A validation that gave a document, for better or worse.

        Raises:
            ValidationDocumentError: the text is no validation, or has another verdict than its
                checks.
        """
        report = _read_report(text)
        found = verdict_of(report.checks, report.fairness).value
        if found != report.verdict:
            message = f"a validation says {report.verdict}, and its checks say {found}"
            raise ValidationDocumentError(message, remedy="remove the document, and validate again")
        if report.verdict not in STOPPING:
            said = f"validation {report.verdict}, {len(report.checks)} checks"
            return cls(f"{said} on {report.rows} rows", "passed", text)
        return cls(f"the validation does not pass: {_worst(report)}", "rejected", text)

    @property
    def report(self) -> ValidationReport:
        """The document, read and checked again."""
        return _read_report(self.text)

    def to_json(self) -> dict[str, Any]:
        """The outcome as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Validated:
        """An outcome that was stored."""
        return cls(**stored)


def _read_report(text: str) -> ValidationReport:
    data = text.encode()
    return read_validation(data, evidence_path(sha256(data)))


def _worst(report: ValidationReport) -> str:
    """What keeps a validation from passing, the first few of it."""
    found = blockers(report)
    more = len(found) - _TOLD
    told = "; ".join(found[:_TOLD]) or f"its verdict is {report.verdict}"
    return f"{told}; and {more} more" if more > 0 else told


def _read(text: str) -> Evidence:
    data = text.encode()
    return read_evidence(data, evidence_path(sha256(data)))


def _summary(evidence: Evidence) -> str:
    """What failed, or the first metric on held-out rows."""
    failing = [
        f"{metric.name} {metric.value:.4f} ({metric.limit})"
        for metric in evidence.metrics
        if metric.verdict == Verdict.FAIL.value and metric.limit
    ]
    failing += [
        f"{row.named} of {row.attribute}={row.group} is {row.value:.3f}"
        for row in evidence.fairness
        if row.verdict == Verdict.FAIL.value and row.value is not None and not row.informs
    ]
    if failing:
        return f"the evidence fails: {'; '.join(failing)}"
    tested = next((metric for metric in evidence.metrics if metric.part == "test"), None)
    if tested is None:
        return f"evidence {evidence.verdict}"
    value = f"{tested.name} {tested.value:.4f} on {tested.n} held-out rows"
    return f"evidence {evidence.verdict}, {value}"
