"""What a change is.

Two kinds close the loop. An *intention* is written by people and says what they want. A *promotion*
is written by the machine and says which version runs: new ModelVersions, their evidence, the
`version` of Deployments, and the digest of a Dataset that was read again for a retrain; nothing
else. A *loosening* is an intention after which some limit asks for less; it stands alone (see
`mixtures`). The kind is computed from the documents before and after and never declared, because a
declared kind could be a lie. *estate* is the first commit, with nothing before it.

What a machine proves and what people decide must not hide in one change: a promotion that edits
anything else, and an intention that sets a version or touches evidence, are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ordain.specs.canonical import same
from ordain.specs.evidence import FOLDER
from ordain.specs.findings import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.policies.loosening import Loosened
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.vcs.changes import Change, PathChange

_MACHINE_FIELDS = {"Deployment": "version", "Dataset": "digest"}
_REFUSED_MODES = {"120000": "a symbolic link", "160000": "a submodule"}


class Kind(StrEnum):
    """What a change is."""

    ESTATE = "estate"
    INTENTION = "intention"
    LOOSENING = "loosening"
    PROMOTION = "promotion"


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """Everything that the gate knows about a change.

    `contributors` and `pusher` are names of people of the Organization; for a promotion the
    contributors are all who contributed to anything it pins since the version now running.
    `signers` says for each commit, oldest first, who signed it: a person, "reconciler", or None.
    `added`, `changed` and `removed` are keys of documents. `material` says what may change what is
    trained or served, as (key, field). For Validations that the change brings, `shaped` says by
    model who has ever contributed to it, and for them and the traces of emergencies `wrote` says by
    key who signed what the change does to it.
    """

    kind: Kind
    change: Change
    contributors: frozenset[str] = frozenset()
    pusher: str | None = None
    signers: tuple[str | None, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    loosened: tuple[Loosened, ...] = ()
    material: tuple[tuple[str, str], ...] = ()
    shaped: Mapping[str, frozenset[str]] = field(default_factory=dict)
    wrote: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def touched(self) -> frozenset[str]:
        """Keys of the documents that are there after the change and were not so before."""
        return frozenset(self.added) | frozenset(self.changed)

    def to_plain(self) -> dict[str, Any]:
        """What expressions see as `change`.

        A loosening is an intention for them, as it was before there was a word for it: a rule that
        asks something of intentions must not fall silent where it matters most.
        """
        kind = Kind.INTENTION if self.kind is Kind.LOOSENING else self.kind
        return {
            "kind": kind.value,
            "digest": self.change.digest,
            "contributors": sorted(self.contributors),
            "pusher": self.pusher,
            "signers": list(self.signers),
            "paths": list(self.change.names),
            "added": list(self.added),
            "changed": list(self.changed),
            "removed": list(self.removed),
            "loosened": [one.to_plain() for one in self.loosened],
            "material": [{"object": key, "field": field} for key, field in self.material],
        }


def describe(
    base: LoadedEstate | None,
    head: LoadedEstate,
    change: Change,
    *,
    contributors: Iterable[str] = (),
    pusher: str | None = None,
    signers: Iterable[str | None] = (),
) -> ChangeFacts:
    """The facts of a change between two trees; `base` is None for the first commit."""
    # Only a change has anything to compare; a check of one tree must not pay for it.
    from ordain.policies.loosening import loosened_between

    before = base.documents if base else {}
    added = tuple(sorted(head.documents.keys() - before.keys()))
    removed = tuple(sorted(before.keys() - head.documents.keys()))
    changed = tuple(
        key
        for key in sorted(before.keys() & head.documents.keys())
        if not same(before[key].raw, head.documents[key].raw)
    )
    loosened = loosened_between(base, head) if base else ()
    kind = classify(base, head, change)
    if kind is Kind.INTENTION and loosened:
        kind = Kind.LOOSENING
    return ChangeFacts(
        kind,
        change,
        frozenset(contributors),
        pusher,
        tuple(signers),
        added,
        changed,
        removed,
        loosened,
        material_fields(base, head) if base else (),
    )


def material_fields(base: LoadedEstate, head: LoadedEstate) -> tuple[tuple[str, str], ...]:
    """What a change declares otherwise beyond descriptions, as (key, field), by key.

    A document that comes or goes is one entry, with the field `spec`.
    """
    from ordain.specs.differences import differences

    found: list[tuple[str, str]] = []
    for old, new in _pairs(base.documents, head.documents):
        if old is not None and new is not None:
            found += ((new.key, one.field) for one in differences(old, new) if one.material)
        else:
            found += ((one.key, "spec") for one in (old, new) if one is not None)
    return tuple(found)


def classify(base: LoadedEstate | None, head: LoadedEstate, change: Change) -> Kind:
    """The kind of a change before it is asked what is loosened; a mixed one is an intention, and
    `mixed` says what is wrong with it.
    """
    if base is None:
        return Kind.ESTATE
    parts = Parts.of(base, head, change)
    return Kind.PROMOTION if parts.machine and not parts.people else Kind.INTENTION


@dataclass(frozen=True, slots=True)
class Parts:
    """The two halves of a change: places that only the machine writes, and all others.

    Each is (where, what it is). The digest of a Dataset is in neither: people pin data, and the
    machine does so on a retrain.
    """

    machine: tuple[tuple[Location, str], ...]
    people: tuple[tuple[Location, str], ...]

    @classmethod
    def of(cls, base: LoadedEstate, head: LoadedEstate, change: Change) -> Parts:
        machine: list[tuple[Location, str]] = []
        people: list[tuple[Location, str]] = []
        files: set[str] = set()
        for old, new in _pairs(base.documents, head.documents):
            files |= {one.path for one in (old, new) if one is not None}
            for mine, where, what in _parts_of(old, new):
                (machine if mine else people).append((where, what))
        for path in change.paths:
            if is_evidence(path.path):
                machine.append((Location(path.path), "evidence"))
            elif path.path not in files:
                people.append((Location(path.path), f"the file {path.path}"))
        return cls(tuple(machine), tuple(people))


def _pairs(
    before: Mapping[str, Document], after: Mapping[str, Document]
) -> Iterator[tuple[Document | None, Document | None]]:
    """The documents that differ, as (old, new)."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is None or new is None or not same(old.raw, new.raw):
            yield old, new


def _parts_of(old: Document | None, new: Document | None) -> Iterator[tuple[bool, Location, str]]:
    """(whether only the machine writes it, where, what it is) of one document's change."""
    document = new or old
    if document is None:
        return
    if document.kind == "BreakGlass" and old is None:
        # It says why the change beside it was made, and turns a rollback into nothing else.
        return
    if document.kind == "ModelVersion":
        # Edited and removed versions are refused on their own, whatever the kind of the change.
        if old is None:
            yield True, document.location, document.key
        return
    field = _MACHINE_FIELDS.get(document.kind, "")
    written = field == "version" and not same(_field(old, field), _field(new, field))
    if written and new is not None:
        yield True, new.marks.value("spec", "version"), f"{document.key} spec.version"
    if old is None or new is None or not same(_without(old, field), _without(new, field)):
        yield False, document.location, document.key


def _field(document: Document | None, field: str) -> Any:  # noqa: ANN401 - any JSON value
    return document.raw["spec"].get(field) if document else None


def _without(document: Document, field: str) -> dict[str, Any]:
    spec = {key: value for key, value in document.raw["spec"].items() if key != field}
    return {**document.raw, "spec": spec}


def is_evidence(path: str) -> bool:
    """Whether a path holds evidence."""
    return path.startswith(FOLDER)


def integrity(base: LoadedEstate | None, head: LoadedEstate, change: Change) -> Iterator[Finding]:
    """What no change may do, whoever approves it."""
    yield from map(_refused_mode, (p for p in change.paths if p.new_mode in _REFUSED_MODES))
    if base is None:
        return
    yield from _edited_versions(base, head)
    yield from _swapped_models(base, head)
    for path in change.paths:
        if is_evidence(path.path) and path.old_blob is not None:
            yield _edited_evidence(path)
    yield from mixed(Parts.of(base, head, change))


def mixed(parts: Parts) -> Iterator[Finding]:
    """A finding for each place of the machine in a change that people wrote as well."""
    if not (parts.machine and parts.people):
        return
    others = tuple((where, f"changed beside it: {what}") for where, what in parts.people[:5])
    for where, what in parts.machine:
        yield Finding(
            code="PRO001",
            severity=Severity.ERROR,
            message=f"{what} is written by a promotion only, and this change edits other things",
            location=where,
            related=others,
            remedy="take it out of this change; the reconciler proposes the promotion afterwards",
            controls=("HR-BATCH", "E23-3.5"),
        )


def _edited_versions(base: LoadedEstate, head: LoadedEstate) -> Iterator[Finding]:
    """Versions are history, and stay when their model goes."""
    for old in base.all("ModelVersion"):
        new = head.documents.get(old.key)
        kept = new is not None and same(new.raw, old.raw)
        if kept and new is not None and new.path == old.path:
            continue
        # A moved file would look like a younger version, and its contributors be forgotten.
        verb = "removed" if new is None else "moved" if kept else "edited"
        yield Finding(
            code="PRO002",
            severity=Severity.ERROR,
            message=f"{old.key} was {verb}; a version never changes",
            location=new.location if new is not None else Location(old.path),
            remedy="restore the document as it was",
            controls=("SC-PROV", "SR262-CHANGE"),
        )


def _swapped_models(base: LoadedEstate, head: LoadedEstate) -> Iterator[Finding]:
    """A pinned version means one model's: under another model it would be served unpromoted."""
    for new in head.all("Deployment"):
        old = base.documents.get(new.key)
        if old is None or new.spec.version is None or new.spec.model == old.spec.model:
            continue
        yield Finding(
            code="PRO010",
            severity=Severity.ERROR,
            message=f"{new.key} is given the model {new.spec.model} while it pins a version",
            location=new.marks.value("spec", "model"),
            evidence=(f"model before = {old.spec.model}",),
            remedy="declare another Deployment for that model, promote it, then move the Route",
            controls=("SR262-CHANGE", "HR-BATCH"),
        )


def _edited_evidence(path: PathChange) -> Finding:
    verb = "edited" if path.new_blob else "removed"
    return Finding(
        code="PRO003",
        severity=Severity.ERROR,
        message=f"{path.path} was {verb}; evidence never changes",
        location=Location(path.path),
        remedy="restore the file as it was",
        controls=("SC-TEST",),
    )


def _refused_mode(path: PathChange) -> Finding:
    return Finding(
        code="CHG001",
        severity=Severity.ERROR,
        message=f"{path.path} is {_REFUSED_MODES[path.new_mode or '']}",
        location=Location(path.path),
        remedy="put the file itself there: an estate is what its own tree holds",
        controls=("SC-PROV",),
    )
