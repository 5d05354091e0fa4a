"""Findings that are accepted for a time.

A waiver names one finding code and exactly one object, if need be with one content of it. It counts
until the end of its last day, when the person who approved it holds the role of the compliance
manager and is not the one who asked for it. Whatever is wrong with a waiver, it has no effect: an
unreadable date is an expired one. What it covers stays in the list as suppressed, never hidden, and
a waiver that is expired, without effect, unused or about to end is a finding of its own.

Only what a policy or a measurement finds can be waived. The language, signatures, approvals and the
separation of duties cannot: a waiver of those would be a way round the gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from ordain.specs.canonical import same
from ordain.specs.findings import Finding, Severity
from ordain.specs.plain import spec_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.waiver import Waiver

APPROVER: Final = "compliance-manager"
WAIVABLE: Final = ("POL-", "ACC-")
_SOON_DAYS: Final = 14


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


def weigh(
    found: Iterable[tuple[str, Finding]],
    base: LoadedEstate | None,
    head: LoadedEstate,
    roles: Mapping[str, frozenset[str]],
    now: datetime,
) -> Weighed:
    """Divide findings, each with the key of its object, by the waivers that count.

    A waiver counts when it was there before the change and still is: one that arrives together with
    what it excuses has no effect yet. `roles` are those that count for the change.
    """
    candidates = _in_force(base, head)
    effective = [one for one in candidates if not _trouble(one, roles, now)]
    standing: list[Finding] = []
    suppressed: list[Suppressed] = []
    for subject, finding in found:
        waiver = next((one for one in effective if _covers(one, subject, finding, head)), None)
        if waiver is None:
            standing.append(finding)
        else:
            suppressed.append(_suppress(waiver, subject, finding))
    used = frozenset(one.waiver for one in suppressed)
    remarks = tuple(_remarks(candidates, used, roles, now))
    return Weighed(tuple(standing), tuple(suppressed), remarks)


def _in_force(base: LoadedEstate | None, head: LoadedEstate) -> tuple[Document, ...]:
    waivers = head.all("Waiver")
    if base is None:
        return waivers
    return tuple(
        one for one in waivers if (old := base.documents.get(one.key)) and same(old.raw, one.raw)
    )


def _trouble(
    document: Document, roles: Mapping[str, frozenset[str]], now: datetime
) -> tuple[str, str] | None:
    """(code, what is wrong) of a waiver without effect, None of one that counts."""
    waiver: Waiver = document.spec
    if waiver.requested_by == waiver.approved_by:
        return "WVR002", f"{waiver.approved_by} both asked for it and approved it"
    if APPROVER not in roles.get(waiver.approved_by, ()):
        return "WVR003", f"{waiver.approved_by} does not hold the role {APPROVER}"
    if not waiver.finding.startswith(WAIVABLE):
        return "WVR004", f"{waiver.finding} cannot be waived"
    if _days_left(waiver, now) < 0:
        return "WVR001", f"it expired after {waiver.expires}"
    return None


def _days_left(waiver: Waiver, now: datetime) -> int:
    """Days until the last day; negative when that is over."""
    last = date.fromisoformat(waiver.expires)
    return (last - now.astimezone(UTC).date()).days


def _covers(document: Document, subject: str, finding: Finding, head: LoadedEstate) -> bool:
    waiver: Waiver = document.spec
    if waiver.finding != finding.code or f"{waiver.object.kind}/{waiver.object.name}" != subject:
        return False
    if waiver.object.digest is None:
        return True
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
    roles: Mapping[str, frozenset[str]],
    now: datetime,
) -> Iterator[Finding]:
    for document in candidates:
        trouble = _trouble(document, roles, now)
        if trouble:
            code, reason = trouble
            yield _remark(code, f"{document.key} has no effect: {reason}", document)
            continue
        left = _days_left(document.spec, now)
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
    "WVR004": "mend the finding; only policies and measurements can be waived",
    "WVR005": "remove it",
    "WVR006": "mend what it excuses, or ask for a new waiver in time",
}


def _remark(
    code: str, message: str, document: Document, severity: Severity = Severity.WARNING
) -> Finding:
    return Finding(
        code,
        severity,
        message,
        document.marks.value("spec", "expires" if code in ("WVR001", "WVR006") else "finding"),
        remedy=_REMEDIES[code],
        controls=("SS123-5.3", "HR-SOD"),
    )
