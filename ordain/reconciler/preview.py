"""What a merge would change in production, told from git alone.

A reviewer who reads a diff of YAML has to know the whole house to see that one line retrains a
model and another one does nothing. This is the same change in the words of what happens: documents
and their fields, what is trained again and why, what is served and watched otherwise, which limits
get weaker, and whose approval is missing.

It is computed from two loaded trees and the gate's judgement, and from nothing else: no home, no
state, no artifact. A pipeline, a laptop and an examiner therefore print the same bytes. What
production really runs is not known here; `ordain plan` without a base compares with that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.gate import verdict_of
from ordain.policies.separation import Counted, authority, fills, missing
from ordain.reconciler.consequences import Effect, Retrain, effects_between, retrains_between
from ordain.reconciler.preview_validations import Validated, validations_in
from ordain.specs.diagnostics import plural
from ordain.specs.differences import Difference, differences
from ordain.specs.findings import Location, Severity, blocking
from ordain.specs.trees import is_document_path
from ordain.specs.writers import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.policies.changes import Kind
    from ordain.policies.loosening import Loosened
    from ordain.policies.separation import Refused, Requirement
    from ordain.reconciler.gating import Judged, Side
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Finding, Verdict

FORMAT: Final = "ordain.preview/1"
_WEIGHTS: Final = (Severity.ERROR, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One document that comes (+), changes (~) or goes (-), with its fields where it changes."""

    symbol: str
    key: str
    location: Location
    fields: tuple[Difference, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "object": self.key,
            "location": str(self.location),
            "fields": [
                {
                    "field": one.field,
                    "before": one.before,
                    "after": one.after,
                    "class": change_class(one),
                }
                for one in self.fields
            ],
        }


def change_class(difference: Difference) -> str:
    """The change class of a field that differs."""
    return "material" if difference.material else "metadata"


@dataclass(frozen=True, slots=True)
class Need:
    """A required approval: the roles that are still empty, and for each who could fill it."""

    roles: tuple[str, ...]
    reason: str
    missing: tuple[str, ...]
    candidates: tuple[tuple[str, tuple[str, ...]], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "roles": list(self.roles),
            "reason": self.reason,
            "missing": list(self.missing),
            "candidates": {role: list(people) for role, people in self.candidates},
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """A change as it would be in production.

    `files` are (symbol, path) of what is no document. `complete` is False where documents have
    errors: they are left out, and nothing is said of training, serving and approvals. As JSON what
    cannot be told is null in the summary.
    """

    base: str
    head: str
    kind: Kind
    change: str
    objects: tuple[ObjectChange, ...]
    files: tuple[tuple[str, str], ...]
    retrains: tuple[Retrain, ...]
    effects: tuple[Effect, ...]
    loosened: tuple[Loosened, ...]
    needs: tuple[Need, ...]
    approvals: tuple[tuple[str, str], ...]
    refused: tuple[Refused, ...]
    findings: tuple[Finding, ...]
    complete: bool
    validations: tuple[Validated, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything is declared otherwise, as far as can be told."""
        return bool(self.objects or self.files or not self.complete)

    @property
    def verdict(self) -> Verdict:
        """What the gate says."""
        return verdict_of(self.findings)

    @property
    def missing(self) -> tuple[str, ...]:
        """The roles of the approvals that are missing; one approval may meet several needs."""
        most: dict[str, int] = {}
        for need in self.needs:
            for role in need.missing:
                most[role] = max(most.get(role, 0), need.missing.count(role))
        return tuple(role for role, count in sorted(most.items()) for _ in range(count))

    def count(self, symbol: str) -> int:
        """How many documents come, change or go."""
        return sum(one.symbol == symbol for one in self.objects)

    @property
    def verdict_line(self) -> str:
        """The verdict and how much is against it."""
        counts = [sum(one.severity is weight for one in self.findings) for weight in _WEIGHTS]
        errors, warnings = counts
        found = f"{plural(errors, 'error')}, {plural(warnings, 'warning')}"
        return f"{self.verdict.value} ({found})"

    @property
    def first_error(self) -> Finding | None:
        """The first finding that blocks."""
        return next((one for one in self.findings if one.severity is Severity.ERROR), None)

    @property
    def blocked_by(self) -> frozenset[str]:
        """The codes of everything that blocks."""
        return frozenset(one.code for one in self.findings if one.severity is Severity.ERROR)

    @property
    def summary(self) -> str:
        """One line that a program can find."""
        return (
            f"Plan: {self.count('+')} to add, {self.count('~')} to change, "
            f"{self.count('-')} to remove; {self._what_follows}."
        )

    @property
    def _what_follows(self) -> str:
        if not self.complete:
            # A number here would be read as what it is in a plan that is complete.
            return "what is trained and whose approval is missing cannot be told"
        verb = "retrains" if len(self.retrains) == 1 else "retrain"
        asked = plural(len(self.missing), "approval")
        return f"{plural(len(self.retrains), 'model')} {verb}; {asked} missing"

    def to_json(self) -> dict[str, Any]:
        """Everything, for programs; the same change gives the same values."""
        return {
            "format": FORMAT,
            "base": self.base,
            "head": self.head,
            "kind": self.kind.value,
            "change": self.change,
            "complete": self.complete,
            "verdict": self.verdict.value,
            "summary": {
                "add": self.count("+"),
                "change": self.count("~"),
                "remove": self.count("-"),
                "retrain": len(self.retrains) if self.complete else None,
                "approvalsMissing": list(self.missing) if self.complete else None,
            },
            "objects": [one.to_json() for one in self.objects],
            "files": [{"symbol": symbol, "path": readable(path)} for symbol, path in self.files],
            "retrains": [one.to_json() for one in self.retrains],
            "effects": [one.to_json() for one in self.effects],
            "loosened": [one.to_plain() for one in self.loosened],
            "validations": [one.to_json() for one in self.validations],
            "approvals": {
                "needed": [one.to_json() for one in self.needs],
                "given": [{"person": person, "role": role} for person, role in self.approvals],
                "refused": [
                    {"person": one.approval.person, "code": one.code, "reason": one.reason}
                    for one in self.refused
                ],
            },
            "findings": [
                {
                    "code": one.code,
                    "severity": one.severity.value,
                    "message": one.message,
                    "location": None if one.location is None else readable(str(one.location)),
                    "remedy": one.remedy,
                }
                for one in self.findings
            ],
        }


def preview(before: Side, after: Side, judged: Judged, *, head: str) -> Preview:
    """What going from `before` to `after` changes; `head` is the commit that is offered."""
    old, new = before.estate, after.estate
    broken = blocking(old.findings) or blocking(new.findings)
    complete = not broken and not judged.change.unnameable
    judgement = judged.judgement
    return Preview(
        base=before.revision,
        head=head,
        kind=judged.facts.kind,
        # What no approval can bind to has no digest either; the findings say so.
        change="" if judged.change.unnameable else judged.change.digest,
        objects=tuple(_objects(old, new)),
        files=tuple(_files(judged)),
        retrains=retrains_between(before, after) if complete else (),
        effects=effects_between(old, new) if complete else (),
        loosened=judgement.loosened,
        needs=tuple(_needs(old, new, judged)),
        approvals=tuple((one.person, one.role) for one in judgement.approvals),
        refused=judgement.refused,
        findings=judged.findings,
        complete=complete,
        validations=tuple(validations_in(judged.facts.added, new, after.tree)) if complete else (),
    )


def _objects(old: LoadedEstate, new: LoadedEstate) -> Iterator[ObjectChange]:
    unread = _unread(old), _unread(new)
    for key in sorted(old.documents.keys() | new.documents.keys()):
        was, now = old.documents.get(key), new.documents.get(key)
        if now is None and was is not None and not _hidden(was, unread[1]):
            yield ObjectChange("-", key, was.location)
        elif was is None and now is not None and not _hidden(now, unread[0]):
            yield ObjectChange("+", key, now.location)
        elif was is not None and now is not None:
            fields = differences(was, now)
            if fields:
                yield ObjectChange("~", key, now.location, fields)


def _unread(estate: LoadedEstate) -> frozenset[str]:
    """Documents and files with errors: what is not loaded from there may well be there."""
    errors = (one for one in estate.findings if one.severity is Severity.ERROR)
    return estate.refused | {one.location.path for one in errors if one.location is not None}


def _hidden(document: Document, unread: frozenset[str]) -> bool:
    return document.key in unread or document.path in unread


def _files(judged: Judged) -> Iterator[tuple[str, str]]:
    for one in judged.change.paths:
        if not is_document_path(one.path):
            symbol = "+" if one.old_blob is None else "-" if one.new_blob is None else "~"
            yield symbol, one.path


def _needs(old: LoadedEstate, new: LoadedEstate, judged: Judged) -> Iterator[Need]:
    counted = Counted(judged.judgement.approvals, judged.judgement.refused)
    roles = authority(old, new)
    for one in judged.judgement.required:
        empty = missing(one, counted)
        people = tuple(
            (role, _candidates(role, one, judged, roles)) for role in dict.fromkeys(empty)
        )
        yield Need(one.roles, one.reason, empty, people)


def _candidates(
    role: str, requirement: Requirement, judged: Judged, roles: Mapping[str, frozenset[str]]
) -> tuple[str, ...]:
    """Who holds the role and neither contributed, pushed, gains by it, nor has spoken already."""
    spoken = {
        one.person
        for one in judged.judgement.approvals
        if any(fills(one.role, needed) for needed in requirement.roles)
    }
    barred = judged.facts.contributors | {judged.facts.pusher} | requirement.excluded | spoken
    able = (who for who, held in roles.items() if any(fills(one, role) for one in held))
    return tuple(sorted(who for who in able if who not in barred))
