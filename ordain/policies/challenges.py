"""What validators have written on an artifact, and what follows from it for its promotion.

A `Validation` is the signed record of a person on one artifact digest; who may write one is asked
in `independence`. Here it is held against what is promoted: a version that a change adds, or one
that it makes a Deployment run, be it a rollback. A record that rejects the artifact blocks until
the same person has approved it later, and of two of one day the worse one counts. The date of a
record is its author's word, so a later record of somebody else cannot lift a rejection, and a day
that is still to come, by which a record would stay the newest for ever, is refused (VAL005); one
day is tolerated, for clocks and time zones differ.
Open findings count from every record, because a newer record closes nothing that an older one
found. Only its status does, and only the validator may write that.

A record is written on the artifact of an open promotion before any version has it in this tree.
Such a record cannot be told from a slip of the pen, so it asks for a look and does not block.
Whether a model needs a record at all is a question of policy (the pack `model-risk`), not of the
gate: most estates begin without a validator.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from ordain.policies.lookups import version_of
from ordain.specs.findings import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ordain.policies.changes import ChangeFacts
    from ordain.specs.documents import Document, LoadedEstate

REJECTED: Final = "rejected"
_OUTCOMES: Final = ("approved", "approved-with-findings", REJECTED)
_CONTROLS: Final = {
    "VAL001": ("SR262-CHALLENGE", "SS123-4.1", "HR-BATCH"),
    "VAL002": ("SR262-CHALLENGE", "SR262-VAL-OUT"),
    "VAL003": ("SR262-CHALLENGE", "SC-PROV"),
    "VAL004": ("SR262-CHALLENGE", "SC-PROV"),
    "VAL005": ("SR262-CHALLENGE", "SC-PROV"),
    "VAL006": ("SR262-CHALLENGE", "SR262-VAL-OUT"),
}
_AHEAD: Final = timedelta(days=1)


def challenges(
    facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate, now: datetime
) -> Iterator[Finding]:
    """What records of validators say against what a change promotes, and against themselves."""
    asked: set[str] = set()
    for version, place in _promoted(facts, base, head):
        asked.add(version.spec.artifact)
        found = records_on(head, version.spec.artifact)
        yield from _outcome(version, found, place)
        yield from _future(found, now)
        yield from _open(version, found, place, now)
        yield from _document(version, found[-1:], place)
        if not found:
            yield from _of_another(version, head, place)
    for key in sorted(facts.touched):
        document = head.documents[key]
        if document.kind == "Validation":
            yield from _bound(document, head)
            if document.spec.artifact not in asked:
                yield from _future((document,), now)


def records_on(estate: LoadedEstate, artifact: str) -> tuple[Document, ...]:
    """The records on an artifact, the one that counts last."""
    found = (one for one in estate.all("Validation") if one.spec.artifact == artifact)
    return tuple(sorted(found, key=_weight))


def _weight(record: Document) -> tuple[str, int, str]:
    spec = record.spec
    return str(spec.performed_on), _OUTCOMES.index(spec.outcome), record.name


def _promoted(
    facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate
) -> Iterator[tuple[Document, Location]]:
    """The versions that a change adds or makes a Deployment run, once each, and where."""
    seen: set[str] = set()
    for key in sorted(facts.touched):
        document = head.documents[key]
        if document.kind == "ModelVersion" and key in facts.added:
            version, place = document, document.marks.value("spec", "artifact")
        elif document.kind == "Deployment" and _moves(document, base):
            running = version_of(document, head)
            if running is None:
                continue
            version, place = running, document.marks.value("spec", "version")
        else:
            continue
        if version.key not in seen:
            seen.add(version.key)
            yield version, place


def _moves(deployment: Document, base: LoadedEstate) -> bool:
    """Whether a change makes a Deployment run another version."""
    before = base.documents.get(deployment.key)
    old = None if before is None else before.spec.version
    return deployment.spec.version is not None and deployment.spec.version != old


def _outcome(
    version: Document, records: tuple[Document, ...], place: Location
) -> Iterator[Finding]:
    """The last word of every validator on the artifact is no rejection."""
    last = {one.spec.validator: one for one in records}
    for record in last.values():
        if record.spec.outcome == REJECTED:
            message = f"{record.key} rejects the artifact of {version.key}"
            remedy = "mend what the record names, or ask its validator for another look"
            yield _error("VAL001", message, place, remedy, _said(records))


def _future(records: Iterable[Document], now: datetime) -> Iterator[Finding]:
    latest = (now + _AHEAD).date()
    for record in records:
        day = str(record.spec.performed_on)
        if day > latest.isoformat():
            message = f"{record.key} was performed on {day}, which is still to come"
            place = record.marks.value("spec", "performedOn")
            remedy = "write the day on which the validator looked"
            yield _error("VAL005", message, place, remedy, ())


def _open(
    version: Document, records: Iterable[Document], place: Location, now: datetime
) -> Iterator[Finding]:
    today = now.date().isoformat()
    for record in records:
        for issue in record.spec.findings:
            due = "" if issue.due is None else str(issue.due)
            if issue.status != "open":
                continue
            if issue.severity == "high":
                why = "is open and of severity high"
            elif issue.severity == "medium" and due and due < today:
                why = f"is open, of severity medium and was due on {due}"
            else:
                continue
            message = f"finding {issue.id} of {record.key} on the artifact of {version.key} {why}"
            remedy = "mend it, and let the validator close the finding"
            yield _error("VAL002", message, place, remedy, (issue.text,))


def _of_another(version: Document, estate: LoadedEstate, place: Location) -> Iterator[Finding]:
    """What was said against another artifact of the model, where nobody has looked at this one.

    Training again gives another artifact, and with it no record at all; the model may be the same.
    """
    found = [one for one in estate.all("Validation") if one.spec.model == version.spec.model]
    if not found:
        return
    newest = max(found, key=_weight)
    issues = [
        f"{record.key} {issue.id}: {issue.text}"
        for record in records_on(estate, newest.spec.artifact)
        for issue in record.spec.findings
        if issue.status == "open" and issue.severity == "high"
    ]
    if newest.spec.outcome != REJECTED and not issues:
        return
    against = "rejects" if newest.spec.outcome == REJECTED else "has open findings on"
    message = f"{newest.key} {against} another artifact of {version.spec.model}"
    message += f", and nobody has looked at that of {version.key}"
    remedy = "ask a validator whether what was found holds for this artifact"
    yield _finding("VAL006", Severity.WARNING, message, place, remedy, tuple(issues))


def _document(version: Document, newest: Iterable[Document], place: Location) -> Iterator[Finding]:
    """The record that counts was written on the validation that the version names."""
    for record in newest:
        named, own = record.spec.evidence, version.spec.validation
        if named is not None and named != own:
            message = f"{record.key} rests on another validation than {version.key} names"
            remedy = "let the validator look at the validation that the version names"
            lines = (f"record = {named}", f"version = {own or 'none'}")
            yield _error("VAL004", message, place, remedy, lines)


def _bound(record: Document, estate: LoadedEstate) -> Iterator[Finding]:
    """The record is about an artifact of its own model."""
    spec, place = record.spec, record.marks.value("spec", "artifact")
    owners = [one for one in estate.all("ModelVersion") if one.spec.artifact == spec.artifact]
    remedy = "write the artifact that `ordain proposals show` prints"
    others = [one for one in owners if one.spec.model != spec.model]
    if others and len(others) == len(owners):
        message = f"{record.key} is about {spec.model}, and its artifact is that of {others[0].key}"
        yield _error("VAL003", message, place, remedy, ())
    elif not owners:
        message = f"{record.key} is about an artifact that no version of {spec.model} has yet"
        yield _finding("VAL003", Severity.WARNING, message, place, remedy, ())
    mine = [one for one in owners if one.spec.model == spec.model]
    if spec.evidence is not None and mine:
        own = {one.spec.validation for one in mine}
        if spec.evidence not in own:
            message = f"{record.key} rests on another validation than {mine[-1].key} names"
            again = "let the validator look at the validation that the version names"
            where = record.marks.value("spec", "evidence")
            yield _error("VAL004", message, where, again, ())


def _said(records: Iterable[Document]) -> tuple[str, ...]:
    return tuple(
        f"{one.spec.performed_on} {one.spec.validator}: {one.spec.outcome}" for one in records
    )


def _error(
    code: str, message: str, place: Location, remedy: str, evidence: tuple[str, ...]
) -> Finding:
    return _finding(code, Severity.ERROR, message, place, remedy, evidence)


def _finding(
    code: str,
    severity: Severity,
    message: str,
    place: Location,
    remedy: str,
    evidence: tuple[str, ...],
) -> Finding:
    return Finding(code, severity, message, place, evidence, remedy, controls=_CONTROLS[code])
