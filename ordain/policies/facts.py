"""What is computed about an object, because no expression could say it.

An expression sees documents as they are written. Which columns a model learns from, what a lock
pins and who somebody is takes a walk through several of them, or a file that is no document. Such a
walk is made here, once; what it means is left to the policies.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.lookups import features_of, protected_of
from ordain.specs.paths import values_at
from ordain.specs.recipes import recipe_from_inputs
from ordain.specs.references import PEOPLE
from ordain.specs.routes import rule_fields
from ordain.specs.trees import file_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.specs.documents import Document, LoadedEstate

Values = dict[str, Any]

# A version that can be installed only one way: no range, no wildcard, no address.
_EXACT: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][A-Za-z0-9._+!-]*)")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def facts(document: Document, estate: LoadedEstate) -> Values:
    """What is computed about one object from the documents of its estate."""
    match document.kind:
        case "Model":
            return {
                "features": list(features_of(document, estate)),
                "protected": list(protected_of(document, estate)),
            }
        case "ModelVersion":
            return {"recipe": recipe_from_inputs(document.spec.model, document.spec.inputs).digest}
        case "Route":
            return {"fields": sorted(rule_fields(document.raw["spec"].get("rules", ())))}
        case _:
            return {}


def locks(estate: LoadedEstate, tree: Mapping[str, bytes]) -> dict[str, list[Values]]:
    """The lines of the environment lock by its path; a lock that is not there has no entry."""
    paths = {document.spec.environment_lock for document in estate.all("Estate")}
    found = ((path, file_in(tree, path)) for path in sorted(paths))
    return {path: list(lock_lines(data)) for path, data in found if data is not None}


def lock_lines(data: bytes) -> Iterator[Values]:
    """Each line that asks for a package: its name, its version where that is exact, the text."""
    for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        exact, name = _EXACT.fullmatch(text), _NAME.match(text)
        yield {
            "line": number,
            "text": text,
            "name": name[0].lower() if name else "",
            "version": exact[2] if exact else "",
            "exact": exact is not None,
        }


def directory(*estates: LoadedEstate | None) -> dict[str, Values]:
    """The roles and teams of every person, in any of these trees.

    Before and after a change together: whoever changes team in the change that needs another team
    belongs to both.
    """
    found: dict[str, dict[str, set[str]]] = {}
    for estate in estates:
        for organization in estate.all("Organization") if estate else ():
            for person in organization.spec.people:
                entry = found.setdefault(person.name, {"roles": set(), "teams": set()})
                entry["roles"].update(person.roles)
                entry["teams"].add(person.team)
    return {
        name: {field: sorted(values) for field, values in entry.items()}
        for name, entry in sorted(found.items())
    }


def named_in(*documents: Document | None) -> set[str]:
    """The people whom these documents name."""
    return {
        name
        for document in documents
        if document is not None
        for pattern in PEOPLE.get(document.kind, ())
        for _, name in values_at(document.raw, pattern)
        if isinstance(name, str)
    }


def named_in_change(change: Values | None, approvals: Iterable[Values]) -> set[str]:
    """The people who made, brought in and approved a change."""
    if change is None:
        return set()
    pusher = change.get("pusher")
    people = {*change.get("contributors", ()), *([pusher] if pusher else [])}
    return people | {approval["person"] for approval in approvals}
