"""What an expression can see.

| name | what it is |
|---|---|
| `object` | the document as it is written, without defaults: optional fields need `.?` |
| `oldObject` | the same document in the base of the change, or null |
| `model` | the Model that the object belongs to (a Route: that of its default), or null |
| `compliance` | the Compliance document of that model, or null |
| `evidence` | the evidence on exactly the version that the object is or runs, or null |
| `validation` | the validation of exactly that version, or null |
| `validations` | the records of validators on exactly the artifact of that version, oldest first |
| `linked` | a list for each kind: what the object depends on, however far, and what directly |
|  | depends on it |
| `facts` | what is computed about the object: the `features` of a Model, the `protected` columns |
|         | of its Dataset, the declared `proxies` with what they may tell, its `reasons` (code, |
|         | text, words, features), whether training searches `alternatives`; the request `fields` |
|         | of a Route, and which of them are `sensitive`, with the protected attributes that they |
|         | are or tell; the `recipe` that the inputs of a ModelVersion give, and the `protected` |
|         | columns of the Dataset of its Model; of every object the |
|         | `people` whom it, the sections of its model and the change name: by name, with their |
|         | `roles` and `teams` before and after; |
|         | of the Estate the lines of each environment lock (`locks`, by path) |
| `estate` | every document, by kind and name |
| `change` | kind, digest, contributors, pusher, signers (for each commit a person, the reconciler |
|  | or null), paths, added, changed, removed, loosened, and `material`: a list of |
|  | {object, field} of what is more than a description; or null |
| `approvals` | the approvals that count, one for each person: person, time, key, the `roles` in |
|  | which they spoke and the first of these as `role` |
| `params`, `variables` | of the policy |
| `now` | RFC 3339 text; `timestamp(now)` makes a time of it |

`linked` holds the few documents that matter to an object, so that a rule on a thousand objects need
not search `estate`, which holds a million pairs then; what a rule asks of all of them together
stands in `facts`. A name is computed when an expression reads it, and once for each object.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.challenges import records_on
from ordain.policies.facts import (
    directory,
    facts,
    locks,
    named_in,
    named_in_change,
    reasons_in,
)
from ordain.policies.lookups import model_of, version_of
from ordain.specs.evidence import evidence_path
from ordain.specs.kinds import kind_names
from ordain.specs.trees import file_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ordain.specs.documents import Document, LoadedEstate

Values = dict[str, Any]
Raw = dict[str, Any] | None


def _by_person(approvals: Iterable[Values]) -> list[Values]:
    """One row for each person, with all the roles that they spoke in."""
    found: dict[str, Values] = {}
    for one in approvals:
        row = found.setdefault(one["person"], {**one, "roles": []})
        if one["role"] not in row["roles"]:
            row["roles"].append(one["role"])
    return list(found.values())


class World:
    """One tree, and the change that leads to it where there is one.

    `tree` holds the files of the estate by path; only evidence and the environment lock are read
    from it. `change` and `approvals` are plain values; a person's approvals in several roles become
    one, because expressions count them.
    """

    def __init__(
        self,
        estate: LoadedEstate,
        now: str,
        *,
        before: LoadedEstate | None = None,
        tree: Mapping[str, bytes] | None = None,
        change: Values | None = None,
        approvals: Iterable[Values] = (),
    ) -> None:
        self.estate = estate
        self.before = before
        self.tree = {} if tree is None else tree
        self.constants: Values = {"now": now, "change": change, "approvals": _by_person(approvals)}
        self._by_kind: dict[str, dict[str, Any]] = {}
        self._owners: dict[int, str] = {}
        self._met: dict[int, int] = {}
        self._directory: dict[str, Values] = {}

    @property
    def owners(self) -> dict[int, str]:
        """The key of a document by the `id` of its values, for whoever finds these somewhere.

        What nobody has read can be found nowhere; with a cache that is nearly everything.
        """
        for estate in filter(None, (self.before, self.estate)):
            known = self._met.get(id(estate), 0)
            self._owners.update((id(one.raw), one.key) for one in estate.met[known:])
            self._met[id(estate)] = len(estate.met)
        return self._owners

    def values(self, document: Document, names: Iterable[str]) -> Values:
        """The values of those names for one object."""
        return {name: self.value(name, document) for name in names}

    def value(self, name: str, document: Document) -> Any:  # noqa: ANN401 - any JSON value
        """The value of one name for one object."""
        maker = _MAKERS.get(name)
        return maker(self, document) if maker else self.constants.get(name)

    def _old(self, document: Document) -> Raw:
        return _raw(self.before.documents.get(document.key)) if self.before else None

    def _model(self, document: Document) -> Raw:
        return _raw(model_of(document, self.estate))

    def _compliance(self, document: Document) -> Raw:
        return _raw(self._sections_of(document))

    def _sections_of(self, document: Document) -> Document | None:
        model = model_of(document, self.estate)
        users = self.estate.users(model.key) if model else ()
        written = [key for key in users if key.startswith("Compliance/")]
        return self.estate.find(max(written)) if written else None

    def _facts(self, document: Document) -> Values:
        found = facts(document, self.estate) | {"people": self._people(document)}
        if document.kind == "Estate":
            found["locks"] = locks(self.estate, self.tree)
        if document.kind == "Model":
            found["reasons"] = reasons_in(document, self.tree)
        return found

    def _people(self, document: Document) -> Values:
        # Asked every time, since an estate may note who asks it; put together once.
        if self.estate.all("Organization") and not self._directory:
            self._directory.update(directory(self.before, self.estate))
        names = named_in(document, self._sections_of(document)) | self._involved
        return {name: self._directory[name] for name in sorted(names & self._directory.keys())}

    @cached_property
    def _involved(self) -> set[str]:
        return named_in_change(self.constants["change"], self.constants["approvals"])

    def _whole(self, _: Document) -> dict[str, dict[str, Any]]:
        documents = self.estate.documents
        if not self._by_kind:
            self._by_kind.update({kind: {} for kind in kind_names()})
            for document in documents.values():
                self._by_kind[document.kind][document.name] = document.raw
        return self._by_kind

    def _evidence(self, document: Document) -> Any:  # noqa: ANN401 - any JSON value
        version = self._version(document)
        return self._paper(version.spec.evidence if version else None)

    def _validation(self, document: Document) -> Any:  # noqa: ANN401 - any JSON value
        version = self._version(document)
        return self._paper(version.spec.validation if version else None)

    def _validations(self, document: Document) -> list[Any]:
        version = self._version(document)
        if version is None:
            return []
        return [one.raw for one in records_on(self.estate, version.spec.artifact)]

    def _version(self, document: Document) -> Document | None:
        """The version that the object is or runs."""
        if document.kind == "Deployment" and document.spec.version is not None:
            return version_of(document, self.estate)
        return document if document.kind == "ModelVersion" else None

    def _paper(self, digest: str | None) -> Any:  # noqa: ANN401 - any JSON value
        """What a file in `evidence/` holds, null where nothing can be read."""
        data = None if digest is None else file_in(self.tree, evidence_path(digest))
        try:
            return None if data is None else json.loads(data)
        except (ValueError, RecursionError):
            return None

    def linked(self, document: Document) -> dict[str, list[Any]]:
        """What the object depends on and what directly depends on it, by kind, by name."""
        keys = {*self._below(document.key), *self.estate.users(document.key)}
        keys.discard(document.key)
        found: dict[str, list[Any]] = {kind: [] for kind in kind_names()}
        for key in sorted(keys):
            linked = self.estate.find(key)
            if linked is not None:
                found[linked.kind].append(linked.raw)
        return found

    def _below(self, key: str) -> Iterator[str]:
        seen, waiting = {key}, [key]
        while waiting:
            for below in self.estate.needs(waiting.pop()):
                if below not in seen:
                    seen.add(below)
                    waiting.append(below)
                    yield below


class Scope(dict[str, Any]):
    """The values of one object by name, each computed when it is first read."""

    __slots__ = ("_document", "_world")

    def __init__(self, world: World, document: Document) -> None:
        super().__init__()
        self._world, self._document = world, document

    def __missing__(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        value = self[name] = self._world.value(name, self._document)
        return value


_MAKERS: Final[dict[str, Callable[[World, Document], Any]]] = {
    "object": lambda _, document: document.raw,
    "oldObject": World._old,  # noqa: SLF001 - the table is part of the class
    "model": World._model,  # noqa: SLF001
    "compliance": World._compliance,  # noqa: SLF001
    "evidence": World._evidence,  # noqa: SLF001
    "validation": World._validation,  # noqa: SLF001
    "validations": World._validations,  # noqa: SLF001
    "linked": World.linked,
    "facts": World._facts,  # noqa: SLF001
    "estate": World._whole,  # noqa: SLF001
}


def _raw(document: Document | None) -> Raw:
    return document.raw if document else None
