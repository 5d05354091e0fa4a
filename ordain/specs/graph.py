"""Which document names which, worked out once for a whole estate.

The graph is asked for often: for references that lead nowhere, for circles, for what a policy sees
around its object. It is made from the ties of each document, which are few and plain, so that a
document whose content is known from an earlier run need not be read for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.paths import values_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.specs.documents import Document

# kind -> (path of the reference, kind that it names)
REFERENCES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "AlertChannel": (("spec.escalation.channel", "AlertChannel"),),
    "BreakGlass": (("spec.route", "Route"), ("spec.deployment", "Deployment")),
    "Comment": (("spec.model", "Model"),),
    "Compliance": (("spec.model", "Model"),),
    "Deployment": (("spec.model", "Model"),),
    "Incident": (("spec.model", "Model"),),
    "Model": (("spec.dataset", "Dataset"), ("spec.validation.dataset", "Dataset")),
    "ModelVersion": (("spec.model", "Model"),),
    "Monitor": (("spec.deployment", "Deployment"),),
    "ReportSchedule": (("spec.models.*", "Model"), ("spec.channels.*", "AlertChannel")),
    "Route": (
        ("spec.default.deployment", "Deployment"),
        ("spec.rules.*.to.*.deployment", "Deployment"),
        ("spec.shadow.*.deployment", "Deployment"),
    ),
    "Validation": (("spec.model", "Model"),),
}

# Model and number.
Version = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Ties:
    """What a document names: keys of others, whether they exist or not, and the version of a model
    that it is (a ModelVersion) or runs (a Deployment).
    """

    links: tuple[str, ...] = ()
    version: Version | None = None


def ties_of(kind: str, raw: dict[str, Any]) -> Ties:
    """The ties of a document that has passed its schema."""
    links = [
        f"{other}/{name}"
        for path, other in REFERENCES.get(kind, ())
        for _, name in values_at(raw, path)
        if isinstance(name, str)
    ]
    spec, version = raw["spec"], None
    if kind in {"ModelVersion", "Deployment"} and spec.get("version") is not None:
        version = (spec["model"], spec["version"])
    return Ties(tuple(links), version)


@dataclass(frozen=True, slots=True)
class Graph:
    """The documents of an estate and what leads from one to another.

    `needs` is what each refers to, sorted, without what does not exist; `users` the other way
    round; `versions` the ModelVersions of each model and number, by name (one, if all is well).
    """

    ties: Mapping[str, Ties]
    needs: Mapping[str, tuple[str, ...]]
    users: Mapping[str, tuple[str, ...]]
    versions: Mapping[Version, tuple[str, ...]]


def graph_of(documents: Mapping[str, Document]) -> Graph:
    """The graph of the documents, which are given by key."""
    ties = {key: document.ties for key, document in documents.items()}
    made: dict[Version, list[str]] = {}
    for key in sorted(key for key, one in ties.items() if one.version is not None):
        version = ties[key].version
        if version is not None and documents[key].kind == "ModelVersion":
            made.setdefault(version, []).append(key)
    needs: dict[str, tuple[str, ...]] = {}
    users: dict[str, list[str]] = {}
    for key, one in ties.items():
        found = {link for link in one.links if link in documents}
        if one.version in made and documents[key].kind == "Deployment":
            found.add(made[one.version][-1])
        needs[key] = tuple(sorted(found))
        for link in found:
            users.setdefault(link, []).append(key)
    return Graph(
        ties,
        needs,
        {key: tuple(found) for key, found in users.items()},
        {version: tuple(found) for version, found in made.items()},
    )
