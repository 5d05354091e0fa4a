"""The world of a case: what the expressions of a policy see.

A change is described by the code that describes real ones, from the documents before and after; a
case may replace what only a repository knows (who contributed, who pushed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.policies.changes import describe
from ordain.policies.testing.drafts import (
    Documents,
    DraftError,
    edited,
    edited_files,
    written,
)
from ordain.policies.testing.suites import WHEN, GivenChange, People
from ordain.policies.world import World
from ordain.specs.canonical import canonical_json, sha256
from ordain.specs.documents import LoadedEstate
from ordain.specs.evidence import evidence_path
from ordain.specs.findings import Finding, Severity
from ordain.specs.spelling import did_you_mean
from ordain.vcs.changes import Change, PathChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.testing.suites import Edits, GivenApproval, Place, Stated
    from ordain.specs.documents import Document

_MODE = "100644"


@dataclass(frozen=True, slots=True)
class Scene:
    """A world, and the documents that a change touches; None where there is no change."""

    world: World
    touched: frozenset[str] | None


@dataclass(frozen=True)
class Tree:
    """Documents, and the files beside them; a file that is None is taken away."""

    documents: Documents
    files: Mapping[str, bytes | None]

    def edited(self, edits: Edits, place: Place) -> Tree:
        """The same with the edits of a case."""
        there = {path: data for path, data in self.files.items() if data is not None}
        files = edited_files(there, edits, place)
        return Tree(edited(self.documents, edits, place), {**self.files, **files})

    def added(self, documents: Documents) -> Tree:
        """The same with further documents."""
        return Tree({**self.documents, **documents}, self.files)


def scene(base: Tree, stated: Stated, now: str | None, beside: Mapping[str, bytes]) -> Scene:
    """What a case sets up; `base` is what it edits, `beside` holds the files of the estate around.

    Raises:
        DraftError: when the language refuses what the case makes of it.
    """
    case, place = stated.case, stated.place
    old = base.edited(case.before or {}, place.at("before"))
    new = old.added(written(case.documents, place.at("documents")))
    new = new.edited(case.set, place.at("set"))
    when = case.now or now or WHEN
    files = _Files({**new.files, **_evidence(stated, new.documents)}, beside)
    head = estate_of(new.documents)
    if not case.of_change:
        return Scene(World(head, when, tree=files), None)
    before, people = estate_of(old.documents), case.by or People()
    facts = describe(
        before,
        head,
        _change(old, new),
        contributors=people.contributors,
        pusher=people.pusher,
        signers=people.signers,
    )
    change = {**facts.to_plain(), **_given(case.change or GivenChange())}
    approvals = [_approval(one, when) for one in case.approved]
    world = World(head, when, before=before, tree=files, change=change, approvals=approvals)
    return Scene(world, facts.touched)


class _Files(Mapping[str, bytes]):
    """Files of a case before those of the estate around it."""

    def __init__(self, own: Mapping[str, bytes | None], beside: Mapping[str, bytes]) -> None:
        self._own, self._beside = own, beside

    def __getitem__(self, path: str) -> bytes:
        if path not in self._own:
            return self._beside[path]
        data = self._own[path]
        if data is None:
            raise KeyError(path)
        return data

    def __iter__(self) -> Iterator[str]:
        paths = dict.fromkeys((*self._own, *self._beside))
        return (path for path in paths if self._own.get(path, b"") is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


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
        "paths": None if change.paths is None else list(change.paths),
    }
    return {name: value for name, value in given.items() if value is not None}


def _approval(given: GivenApproval, now: str) -> dict[str, Any]:
    return {
        "person": given.person,
        "role": given.role,
        "time": given.time or now,
        "key": given.key,
    }


def _change(before: Tree, after: Tree) -> Change:
    """The change of the files that documents would stand in, and of those beside them."""
    old, new = _digests(before), _digests(after)
    paths = (
        PathChange(path, old.get(path), new.get(path), _mode(path, old), _mode(path, new))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )
    return Change("1" * 40, "2" * 40, tuple(paths))


def _digests(tree: Tree) -> dict[str, str]:
    """For every file a digest of what is in it."""
    found: dict[str, list[Document]] = {}
    for document in tree.documents.values():
        found.setdefault(document.path, []).append(document)
    files = {path: sha256(data) for path, data in tree.files.items() if data is not None}
    raws = {path: [one.raw for one in held] for path, held in found.items()}
    return {**files, **{path: sha256(canonical_json(held)) for path, held in raws.items()}}


def _mode(path: str, files: Mapping[str, str]) -> str | None:
    return _MODE if path in files else None
