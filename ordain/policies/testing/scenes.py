"""The world of a case: what the expressions of a policy see.

A change is described by the code that describes real ones, from the documents before and after; a
case may replace what only a repository knows (who contributed, who pushed).
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ordain.policies.changes import describe
from ordain.policies.testing.drafts import Documents, DraftError, edited, written
from ordain.policies.testing.suites import WHEN, GivenChange
from ordain.policies.world import World
from ordain.specs.canonical import canonical_json, sha256
from ordain.specs.documents import LoadedEstate
from ordain.specs.evidence import evidence_path
from ordain.specs.findings import Finding, Severity
from ordain.specs.spelling import did_you_mean
from ordain.vcs.changes import Change, PathChange

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from ordain.policies.testing.suites import GivenApproval, Stated
    from ordain.specs.documents import Document

_MODE = "100644"


@dataclass(frozen=True, slots=True)
class Scene:
    """A world, and the documents that a change touches; None where there is no change."""

    world: World
    touched: frozenset[str] | None


def scene(base: Documents, stated: Stated, now: str | None, tree: Mapping[str, bytes]) -> Scene:
    """What a case sets up; `base` are the documents that it edits, `tree` the files beside them.

    Raises:
        DraftError: when the language refuses what the case makes of them.
    """
    case, place = stated.case, stated.place
    old = edited(base, case.old or {}, place.at("old"))
    new = {**base, **written(case.documents, place.at("documents"))}
    new = edited(new, case.set, place.at("set"))
    when = case.now or now or WHEN
    files = ChainMap(_evidence(stated, new), cast("MutableMapping[str, bytes]", tree))
    head = estate_of(new)
    if not case.of_change:
        return Scene(World(head, when, tree=files), None)
    before = estate_of(old)
    facts = describe(before, head, _change(old, new))
    change = {**facts.to_plain(), **_given(case.change or GivenChange())}
    approvals = [_approval(one, when) for one in case.approvals]
    world = World(head, when, before=before, tree=files, change=change, approvals=approvals)
    return Scene(world, facts.touched)


def estate_of(documents: Documents) -> LoadedEstate:
    """Documents as if they had been loaded."""
    return LoadedEstate(documents, (), tuple(sorted({one.path for one in documents.values()})))


def _evidence(stated: Stated, documents: Documents) -> dict[str, bytes]:
    """The files of the evidence that a case gives, by path.

    Raises:
        DraftError: when it is on something that is no ModelVersion of the case.
    """
    files: dict[str, bytes] = {}
    versions = [key for key, one in documents.items() if one.kind == "ModelVersion"]
    for key, content in stated.case.evidence.items():
        if key not in versions:
            message = f"the case has evidence on {key}, which is no ModelVersion of it"
            remedy = did_you_mean(key, versions) or "name a ModelVersion, as ModelVersion/NAME"
            place = stated.place.at("evidence", key).key
            raise DraftError((Finding("TEST003", Severity.ERROR, message, place, remedy=remedy),))
        files[evidence_path(documents[key].spec.evidence)] = canonical_json(content)
    return files


def _given(change: GivenChange) -> dict[str, Any]:
    """What a case says about its change, under the names that expressions use."""
    given = {
        "kind": change.kind,
        "contributors": sorted(change.contributors),
        "pusher": change.pusher,
        "paths": None if change.paths is None else list(change.paths),
    }
    return {name: value for name, value in given.items() if value is not None}


def _approval(given: GivenApproval, now: str) -> dict[str, Any]:
    return {
        "person": given.person,
        "role": given.role or given.person,
        "time": given.time or now,
        "key": given.key,
    }


def _change(before: Documents, after: Documents) -> Change:
    """The change of the files that documents would stand in."""
    old, new = _files(before), _files(after)
    paths = (
        PathChange(path, old.get(path), new.get(path), _mode(path, old), _mode(path, new))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )
    return Change("1" * 40, "2" * 40, tuple(paths))


def _files(documents: Documents) -> dict[str, str]:
    """For every file a digest of the documents in it."""
    found: dict[str, list[Document]] = {}
    for document in documents.values():
        found.setdefault(document.path, []).append(document)
    return {path: sha256(canonical_json([one.raw for one in held])) for path, held in found.items()}


def _mode(path: str, files: Mapping[str, str]) -> str | None:
    return _MODE if path in files else None
