"""Findings that are accepted for a time.

A waiver names one finding code and exactly one object with one content of it, so that what comes
later is not excused with what was looked at. A measurement is found in one ModelVersion, which
names its recipe, its artifact and its evidence: the same Model trained on other rows is another
question. A waiver counts until the end of its last day, when the person who approved it holds the
role of the compliance manager and is not the one who asked for it. Whatever is wrong with a waiver,
it has no effect, and one that ends more than a year away is none. A document with a date that
nobody can read is refused before anything is weighed. What a waiver covers stays in the list as
suppressed, never hidden, and a waiver that is expired, without effect, unused or about to end is a
finding of its own.

Only what a policy or a measurement finds can be waived, and a policy may refuse it. The language,
signatures, approvals and the separation of duties cannot: a waiver of those would be a way round
the gate.

Who approved a waiver is written in it, and writing proves nothing: the change that brings or edits
one must have the approval of that person, as compliance manager, and nothing must be wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from typing import TYPE_CHECKING, Final

from ordain.specs.canonical import same
from ordain.specs.findings import Finding, Severity
from ordain.specs.plain import spec_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.waiver import Subject, Waiver
    from ordain.vcs.approvals import Approval

APPROVER: Final = "compliance-manager"
_MEASURED: Final = "ACC-"
_MEASURED_ON: Final = "ModelVersion"
WAIVABLE: Final = ("POL-", _MEASURED)
_SOON_DAYS: Final = 14
_MOST_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that a waiver covers; `waiver` is the key of the document."""

    finding: Finding
    subject: str
    waiver: str
    reason: str
    approved_by: str
    expires: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """Findings that stand, those that are accepted, and what is to be said about the waivers."""

    standing: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    remarks: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What waivers are judged by: roles that count, the time, policies that refuse to be waived."""

    roles: Mapping[str, frozenset[str]]
    now: datetime
    closed: frozenset[str] = frozenset()

    def trouble(self, document: Document) -> tuple[str, str] | None:
        """(code, what is wrong) of a waiver without effect, None of one that counts."""
        waiver: Waiver = document.spec
        if waiver.requested_by == waiver.approved_by:
            return "WVR002", f"{waiver.approved_by} both asked for it and approved it"
        if APPROVER not in self.roles.get(waiver.approved_by, ()):
            return "WVR003", f"{waiver.approved_by} does not hold the role {APPROVER}"
        return self._of_code(waiver.finding, waiver.object) or self._of_time(waiver)

    def _of_code(self, code: str, subject: Subject) -> tuple[str, str] | None:
        if not code.startswith(WAIVABLE):
            return "WVR004", f"{code} cannot be waived"
        if code.startswith(_MEASURED) and subject.kind != _MEASURED_ON:
            return "WVR004", f"{code} is waived for one {_MEASURED_ON}, not for a {subject.kind}"
        policy = code.removeprefix("POL-").partition(".")[0]
        if code.startswith("POL-") and policy in self.closed:
            return "WVR004", f"{code} cannot be waived: the policy {policy} refuses it"
        return None

    def _of_time(self, waiver: Waiver) -> tuple[str, str] | None:
        left = self.days_left(waiver)
        if left < 0:
            return "WVR001", f"it expired after {waiver.expires}"
        if left > _MOST_DAYS:
            return "WVR008", f"it would last {left} days, and at most are {_MOST_DAYS}"
        return None

    def days_left(self, waiver: Waiver) -> int:
        """Days until the last day; negative when that is over."""
        last = date.fromisoformat(waiver.expires)
        return (last - self.now.astimezone(UTC).date()).days


def weigh(
    found: Iterable[tuple[str, Finding]],
    base: LoadedEstate | None,
    head: LoadedEstate,
    terms: Terms,
) -> Weighed:
    """Divide findings, each with the key of its object, by the waivers that count.

    A waiver counts when it was there before the change and still is: one that arrives together with
    what it excuses has no effect yet.
    """
    candidates = _in_force(base, head)
    effective = [one for one in candidates if not terms.trouble(one)]
    standing: list[Finding] = []
    suppressed: list[Suppressed] = []
    for subject, finding in found:
        waiver = next((one for one in effective if _covers(one, subject, finding, head)), None)
        if waiver is None:
            standing.append(finding)
        else:
            suppressed.append(_suppress(waiver, subject, finding))
    used = frozenset(one.waiver for one in suppressed)
    remarks = tuple(_remarks(candidates, used, terms))
    return Weighed(tuple(standing), tuple(suppressed), remarks)


def brought(
    touched: Iterable[str],
    head: LoadedEstate,
    terms: Terms,
    approvals: Iterable[Approval],
    severity: Severity,
) -> Iterator[Finding]:
    """What is wrong with the waivers that a change adds or edits.

    `approvals` are those of the change that count; one that is missing weighs `severity`.
    """
    spoken = {one.person for one in approvals if one.role == APPROVER}
    for key in sorted(touched):
        document = head.documents[key]
        if document.kind != "Waiver":
            continue
        trouble = terms.trouble(document)
        if trouble is not None:
            code, reason = trouble
            message = f"{key} would have no effect: {reason}"
            yield _remark(code, message, document, Severity.ERROR)
        approver = document.spec.approved_by
        if approver not in spoken:
            message = f"{key} names {approver}, who has not approved this change as {APPROVER}"
            yield _remark("WVR007", message, document, severity)


def _in_force(base: LoadedEstate | None, head: LoadedEstate) -> tuple[Document, ...]:
    waivers = head.all("Waiver")
    if base is None:
        return waivers
    return tuple(
        one for one in waivers if (old := base.documents.get(one.key)) and same(old.raw, one.raw)
    )


def _covers(document: Document, subject: str, finding: Finding, head: LoadedEstate) -> bool:
    waiver: Waiver = document.spec
    if waiver.finding != finding.code or f"{waiver.object.kind}/{waiver.object.name}" != subject:
        return False
    target = head.documents.get(subject)
    return target is not None and spec_digest(target.spec) == waiver.object.digest


def _suppress(document: Document, subject: str, finding: Finding) -> Suppressed:
    waiver: Waiver = document.spec
    return Suppressed(
        finding, subject, document.key, waiver.reason, waiver.approved_by, waiver.expires
    )


def _remarks(
    candidates: Iterable[Document],
    used: frozenset[str],
    terms: Terms,
) -> Iterator[Finding]:
    for document in candidates:
        trouble = terms.trouble(document)
        if trouble:
            code, reason = trouble
            yield _remark(code, f"{document.key} has no effect: {reason}", document)
            continue
        left = terms.days_left(document.spec)
        if document.key not in used:
            message = f"{document.key} covers no finding"
            yield _remark("WVR005", message, document, Severity.NOTE)
        elif left <= _SOON_DAYS:
            message = f"{document.key} ends in {left} days"
            yield _remark("WVR006", message, document, Severity.NOTE)


_REMEDIES: Final = {
    "WVR001": "mend what it excused, or ask for a new waiver",
    "WVR002": "let a compliance manager who did not ask for it approve",
    "WVR003": "let a compliance manager approve",
    "WVR004": "mend the finding; only policies that allow it and measurements can be waived",
    "WVR005": "remove it, or ask for one of the present content: ordain digest KIND/NAME",
    "WVR006": "mend what it excuses, or ask for a new waiver in time",
    "WVR007": "let the compliance manager whom it names approve this change",
    "WVR008": "set a day within a year, and ask again when it comes",
}
_PLACES: Final = {
    **dict.fromkeys(("WVR001", "WVR006", "WVR008"), "expires"),
    **dict.fromkeys(("WVR002", "WVR003", "WVR007"), "approvedBy"),
}


def _remark(
    code: str, message: str, document: Document, severity: Severity = Severity.WARNING
) -> Finding:
    return Finding(
        code,
        severity,
        message,
        document.marks.value("spec", _PLACES.get(code, "finding")),
        remedy=_REMEDIES[code],
        controls=("SS123-5.3", "HR-SOD"),
    )
