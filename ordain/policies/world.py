"""What an expression can see.

| name | what it is |
|---|---|
| `object` | the document as it is written, without defaults: optional fields need `.?` |
| `oldObject` | the same document in the base of the change, or null |
| `model` | the Model that the object belongs to (a Route: that of its default), or null |
| `compliance` | the Compliance document of that model, or null |
| `evidence` | the evidence on exactly the version that the object is or runs, or null |
| `linked` | a list for each kind: what the object depends on, however far, and what directly |
|  | depends on it |
| `facts` | what is computed about the object: the `features` of a Model and the `protected` |
|         | columns of its Dataset, the request `fields` of a Route |
| `estate` | every document, by kind and name |
| `change` | kind, contributors, pusher, paths, added, changed, removed, loosened; or null |
| `approvals` | the approvals that count: person, role, time, key |
| `params`, `variables` | of the policy |
| `now` | RFC 3339 text; `timestamp(now)` makes a time of it |

`linked` holds the few documents that matter to an object, so that a rule on a thousand objects need
not search `estate`, which holds a million pairs then. A name is computed when an expression reads
it, and once for each object.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.lookups import features_of, model_of, protected_of, versions_of
from ordain.specs.evidence import evidence_path
from ordain.specs.kinds import kind_names
from ordain.specs.references import dependencies
from ordain.specs.routes import rule_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ordain.specs.documents import Document, LoadedEstate

Values = dict[str, Any]
Raw = dict[str, Any] | None


class World:
    """One tree, and the change that leads to it where there is one.

    `tree` holds the files of the estate by path; only evidence is read from it. `change` and
    `approvals` are plain values.
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
        self.constants = {"now": now, "change": change, "approvals": list(approvals)}

    @cached_property
    def owners(self) -> dict[int, str]:
        """The key of a document by the `id` of its values, for whoever finds these somewhere."""
        trees = [self.estate.documents, self.before.documents if self.before else {}]
        return {id(one.raw): key for documents in reversed(trees) for key, one in documents.items()}

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
        model = model_of(document, self.estate)
        return _raw(self._sections.get(model.name)) if model else None

    @cached_property
    def _sections(self) -> dict[str, Document]:
        return {document.spec.model: document for document in self.estate.all("Compliance")}

    @cached_property
    def _by_kind(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {kind: {} for kind in kind_names()}
        for document in self.estate.documents.values():
            found[document.kind][document.name] = document.raw
        return found

    @cached_property
    def versions(self) -> dict[tuple[str, int], Document]:
        """Every ModelVersion by model and number."""
        return versions_of(self.estate)

    def _evidence(self, document: Document) -> Any:  # noqa: ANN401 - any JSON value
        version: Document | None = document if document.kind == "ModelVersion" else None
        if document.kind == "Deployment" and document.spec.version is not None:
            version = self.versions.get((document.spec.model, document.spec.version))
        data = self.tree.get(evidence_path(version.spec.evidence)) if version else None
        try:
            return None if data is None else json.loads(data)
        except ValueError:
            return None

    @cached_property
    def _down(self) -> dict[str, tuple[str, ...]]:
        return dependencies(self.estate)

    @cached_property
    def _up(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, below in self._down.items():
            for one in below:
                found.setdefault(one, []).append(key)
        return found

    def linked(self, document: Document) -> dict[str, list[Any]]:
        """What the object depends on and what directly depends on it, by kind, by name."""
        keys = set(self._below(document.key)) | set(self._up.get(document.key, ()))
        keys.discard(document.key)
        found: dict[str, list[Any]] = {kind: [] for kind in kind_names()}
        for key in sorted(keys & self.estate.documents.keys()):
            found[key.partition("/")[0]].append(self.estate.documents[key].raw)
        return found

    def _below(self, key: str) -> Iterator[str]:
        seen, waiting = {key}, [key]
        while waiting:
            for below in self._down.get(waiting.pop(), ()):
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
    "linked": World.linked,
    "facts": lambda world, document: facts(document, world.estate),
    "estate": lambda world, _: world._by_kind,  # noqa: SLF001
}


def _raw(document: Document | None) -> Raw:
    return document.raw if document else None


def facts(document: Document, estate: LoadedEstate) -> Values:
    """What is computed about an object, because no expression could say it."""
    match document.kind:
        case "Model":
            return {
                "features": list(features_of(document, estate)),
                "protected": list(protected_of(document, estate)),
            }
        case "Route":
            return {"fields": sorted(rule_fields(document.raw["spec"].get("rules", ())))}
        case _:
            return {}
