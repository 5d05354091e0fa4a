"""Effective challenge comes from outside.

A Validation is worth what its author could afford to say. So its author holds the role, has signed
every commit of the change that touches the record, and is of no team of which anybody has ever
shaped the model or the record's change; on either side of the change, because whoever changes team
in the change that needs another one is of both. The whole history of the model counts and not, as
for its promotion, what came since the version now running: a validator who once built it is no
outsider to what it has become.

Of somebody unknown nobody can be told apart. What an unknown person has shaped is therefore neither
promoted nor challenged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.policies.changes import Kind
from ordain.policies.separation import VALIDATOR, shared_teams
from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.people import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.policies.changes import ChangeFacts
    from ordain.policies.separation import Standing
    from ordain.specs.documents import Document, LoadedEstate

_PROMOTED = ("ModelVersion", "Deployment")
_CONTROLS = ("SR262-CHALLENGE", "SS123-4.1", "HR-SOD")


def challenged(
    facts: ChangeFacts,
    head: LoadedEstate,
    roles: Mapping[str, frozenset[str]],
    standing: Standing,
) -> Iterator[Finding]:
    """What is wrong with the authors of the Validations that a change adds or edits."""
    for key in sorted(facts.touched):
        document = head.documents[key]
        if document.kind == "Validation":
            yield from _authorship(document, facts, roles)
            yield from _outside(document, facts, standing)


def withdrawn(facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate) -> Iterator[Finding]:
    """A record is taken back by its validator alone: whoever removes a rejection overrules it."""
    for old in base.all("Validation"):
        new = head.documents.get(old.key)
        validator = old.spec.validator
        wrote = facts.wrote.get(old.key, frozenset())
        if wrote == {validator} or (new is not None and new.spec.validator == validator):
            continue
        what = "removed" if new is None else f"given to {new.spec.validator}"
        others = ", ".join(sorted(wrote - {validator})) or "nobody who is known"
        yield Finding(
            code="SOD-VALIDATOR",
            severity=Severity.ERROR,
            message=f"{old.key} is in the name of {validator} and was {what} by {others}",
            location=Location(old.path) if new is None else new.location,
            remedy="restore the record; its validator alone takes it back, or writes a newer one",
            controls=_CONTROLS,
        )


def shaped_by_unknown(facts: ChangeFacts, head: LoadedEstate) -> Iterator[Finding]:
    """A finding for everything that is promoted or challenged and has a maker whom nobody knows."""
    for key in sorted(facts.touched):
        document = head.documents[key]
        if document.kind == "Validation":
            makers = facts.shaped.get(document.spec.model, frozenset())
        elif document.kind in _PROMOTED and facts.kind is Kind.PROMOTION:
            makers = facts.contributors
        else:
            continue
        if UNKNOWN in makers:
            yield Finding(
                code="SOD-UNKNOWN",
                severity=Severity.ERROR,
                message=f"{key} rests on work of {UNKNOWN}, of whom nobody is independent",
                location=document.location,
                evidence=(f"contributors = {', '.join(sorted(makers))}",),
                remedy=(
                    "undo what nobody has signed, so that a step of the branch has the very files"
                    " from before it, and let somebody sign it"
                ),
                controls=_CONTROLS,
            )


def _authorship(
    document: Document, facts: ChangeFacts, roles: Mapping[str, frozenset[str]]
) -> Iterator[Finding]:
    validator = document.spec.validator
    wrote = facts.wrote.get(document.key, frozenset())
    if wrote != {validator}:
        others = ", ".join(sorted(wrote - {validator})) or "nobody who is known"
        yield Finding(
            code="SOD-VALIDATOR",
            severity=Severity.ERROR,
            message=f"{document.key} is in the name of {validator} and was written by {others}",
            location=document.marks.value("spec", "validator"),
            remedy=f"let {validator} alone commit it, signed with a key of theirs",
            controls=_CONTROLS,
        )
    if VALIDATOR not in roles.get(validator, ()):
        yield Finding(
            code="SOD-VALIDATOR",
            severity=Severity.ERROR,
            message=f"{validator} does not hold the role {VALIDATOR}",
            location=document.marks.value("spec", "validator"),
            remedy="let somebody who held the role before this change look at the artifact",
            controls=_CONTROLS,
        )


def _outside(document: Document, facts: ChangeFacts, standing: Standing) -> Iterator[Finding]:
    validator, model = document.spec.validator, document.spec.model
    makers = facts.shaped.get(model, frozenset())
    shared = shared_teams(validator, makers - {validator}, standing.teams)
    if validator in makers:
        why = f"{validator}, who contributed to {model}"
    elif shared:
        why = f"{validator} of the team {shared[0]}, which contributed to {model}"
    else:
        return
    yield Finding(
        code="SOD-TEAM",
        severity=Severity.ERROR,
        message=f"{document.key} is by {why}",
        location=document.marks.value("spec", "validator"),
        evidence=(f"contributors = {', '.join(sorted(makers))}",),
        remedy="let a validator of another team look at the artifact",
        controls=_CONTROLS,
    )
