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

The evaluator copies a whole variable for every expression that touches it. A rule on a thousand
objects that reads `estate` therefore copies a million documents, which is why `linked` exists: it
holds the few that matter. Names that no expression mentions are not computed at all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.lookups import features_of, model_of, protected_of, version_of
from ordain.specs.evidence import evidence_path
from ordain.specs.kinds import kind_names
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
        self._by_kind: dict[str, dict[str, Any]] = {}

    def values(self, document: Document, names: Iterable[str]) -> Values:
        """The values of those names for one object."""
        return {name: self._value(name, document) for name in names}

    def _value(self, name: str, document: Document) -> Any:  # noqa: ANN401 - any JSON value
        maker = _MAKERS.get(name)
        return maker(self, document) if maker else self.constants.get(name)

    def _old(self, document: Document) -> Raw:
        return _raw(self.before.documents.get(document.key)) if self.before else None

    def _model(self, document: Document) -> Raw:
        return _raw(model_of(document, self.estate))

    def _compliance(self, document: Document) -> Raw:
        model = model_of(document, self.estate)
        users = self.estate.users(model.key) if model else ()
        written = [key for key in users if key.startswith("Compliance/")]
        return _raw(self.estate.find(max(written))) if written else None

    def _whole(self, _: Document) -> dict[str, dict[str, Any]]:
        documents = self.estate.documents
        if not self._by_kind:
            self._by_kind.update({kind: {} for kind in kind_names()})
            for document in documents.values():
                self._by_kind[document.kind][document.name] = document.raw
        return self._by_kind

    def _evidence(self, document: Document) -> Any:  # noqa: ANN401 - any JSON value
        version: Document | None = document if document.kind == "ModelVersion" else None
        if document.kind == "Deployment" and document.spec.version is not None:
            version = version_of(document, self.estate)
        data = self.tree.get(evidence_path(version.spec.evidence)) if version else None
        try:
            return None if data is None else json.loads(data)
        except ValueError:
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


_MAKERS: Final[dict[str, Callable[[World, Document], Any]]] = {
    "object": lambda _, document: document.raw,
    "oldObject": World._old,  # noqa: SLF001 - the table is part of the class
    "model": World._model,  # noqa: SLF001
    "compliance": World._compliance,  # noqa: SLF001
    "evidence": World._evidence,  # noqa: SLF001
    "linked": World.linked,
    "facts": lambda world, document: facts(document, world.estate),
    "estate": World._whole,  # noqa: SLF001
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
