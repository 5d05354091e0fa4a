"""What is computed about an object, because no expression could say it.

An expression sees documents as they are written. Which columns a model learns from, what a lock
pins and who somebody is takes a walk through several of them, or a file that is no document. Such a
walk is made here, once; what it means is left to the policies.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize

from ordain.policies.lookups import features_of, protected_of, proxies_of
from ordain.specs.loader import parse
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
_WORD: Final = re.compile(r"[^\W_]+")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def facts(document: Document, estate: LoadedEstate) -> Values:
    """What is computed about one object from the documents of its estate."""
    match document.kind:
        case "Model":
            return {
                "features": list(features_of(document, estate)),
                "protected": list(protected_of(document, estate)),
                "proxies": proxies_of(document, estate),
                "alternatives": searches_alternatives(document),
            }
        case "ModelVersion":
            recipe = recipe_from_inputs(document.spec.model, document.spec.inputs)
            model = estate.get("Model", document.spec.model)
            protected = () if model is None else protected_of(model, estate)
            return {"recipe": recipe.digest, "protected": list(protected)}
        case "Route":
            fields = sorted(rule_fields(document.raw["spec"].get("rules", ())))
            return {"fields": fields, "sensitive": sensitive(fields, document, estate)}
        case _:
            return {}


def sensitive(fields: Iterable[str], route: Document, estate: LoadedEstate) -> Values:
    """What protected attribute each of these request fields is, or is a declared proxy for.

    All Datasets of all models count that the route leads to, in the dark too. Names are compared
    without case and punctuation, since the field of a request is called what its sender likes.
    """
    known: dict[str, set[str]] = {}
    for dataset in _data_of(route, estate):
        for name, column in dataset.spec.columns.items():
            attributes = [name] if column.role == "protected" else column.proxy_for
            known.setdefault(plain_name(name), set()).update(attributes)
            # An attribute that no column holds may be in a request all the same.
            for attribute in column.proxy_for:
                known.setdefault(plain_name(attribute), set()).add(attribute)
    found = ((field, known.get(plain_name(field))) for field in fields)
    return {field: sorted(attributes) for field, attributes in found if attributes}


def searches_alternatives(model: Document) -> bool:
    """Whether a search for a less discriminatory alternative is part of the training."""
    training = model.raw["spec"].get("training") or {}
    return (training.get("automl") or {}).get("alternatives") is not None


def _data_of(route: Document, estate: LoadedEstate) -> Iterator[Document]:
    """The Datasets of the models that a route leads to."""
    keys = [key for key in estate.needs(route.key) if key.startswith("Deployment/")]
    models = {model for key in keys for model in estate.needs(key) if model.startswith("Model/")}
    for key in sorted({data for model in models for data in estate.needs(model)}):
        found = estate.find(key)
        if found is not None and found.kind == "Dataset":
            yield found


def plain_name(name: str) -> str:
    """A name by its letters and digits alone: `Marital-Status` and `marital_status` are one.

    Letters that Unicode holds to be the same in another form (full width, ligatures) are one too.
    """
    return "".join(one for one in normalize("NFKC", name).casefold() if one.isalnum())


def reasons_in(model: Document, tree: Mapping[str, bytes]) -> list[Values]:
    """The reasons of a model from its file, each with its words as one text; none where unreadable.

    Whether the file is right is asked by training; here is asked what its texts say.
    """
    path = model.spec.explanation.reasons
    data = None if path is None else file_in(tree, path)
    return [] if data is None else _reasons(data, path)


# Models of one product line share a file, and a rule asks for each of them.
@lru_cache(maxsize=64)
def _reasons(data: bytes, path: str) -> list[Values]:
    nodes = parse(data, path).nodes
    listed = nodes[0].value.get("reasons") if nodes and isinstance(nodes[0].value, dict) else None
    return [
        {
            "code": str(one.get("code", "")),
            "text": str(one.get("text", "")),
            "words": f" {' '.join(_WORD.findall(str(one.get('text', '')).casefold()))} ",
            "features": [name for name in one.get("features") or () if isinstance(name, str)],
        }
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("features") or [], list)
    ]


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
