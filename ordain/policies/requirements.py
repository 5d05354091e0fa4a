"""Whose approval a change needs.

That follows from what the change touches: a promotion from the tier of its models, an intention
from its kinds, from the files that documents name, and from what it loosens. On top of that come
the reviews of paths that the Organization asks for. Everything is read from both sides of the
change: what either of them asks for is needed, so that nobody takes a requirement away in the
change that it is about.

A model of tier 1 takes three people: who runs the business, who runs the machines, and who answers
for the rules. So does moving its traffic to a less material model, or that model's few approvals
would decide about it. The key of the machine signs every promotion, so a change of it takes two.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.changes import Kind
from ordain.policies.emergencies import only_traces, traces
from ordain.policies.files import file_roles
from ordain.policies.reviews import reviews_all
from ordain.policies.separation import REVIEWER, Requirement
from ordain.specs.canonical import same
from ordain.specs.findings import Location
from ordain.specs.patterns import matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ordain.policies.changes import ChangeFacts
    from ordain.specs.documents import Document, LoadedEstate

QUORUM: Final[dict[int, tuple[str, ...]]] = {
    1: ("manager", "cto", "compliance-manager"),
    2: ("manager",),
    3: ("manager",),
}
# Beside the CTO, for what no one person may change.
SECOND: Final = "manager or compliance-manager"
BY_KIND: Final = {
    "Route": "manager",
    "Deployment": "manager",
    "Waiver": "compliance-manager",
    "Organization": "cto",
    "Policy": "cto",
    "PolicySet": "cto",
    "Estate": "cto",
    "BreakGlass": "manager",
}
_AFTERWARDS: Final = ("HR-SOD", "SR262-CHANGE")
SECTIONS: Final = ("fairness_bias", "consent_privacy", "risk_monitoring_plan")


def required(
    facts: ChangeFacts,
    base: LoadedEstate | None,
    head: LoadedEstate,
    *,
    reviewed: bool = False,
    generated: str | None = None,
) -> tuple[Requirement, ...]:
    """The approvals that a change needs; the first commit of an estate needs none.

    The root commit is not approved but trusted: the daemon's own configuration names it. With
    `reviewed` every change needs one of somebody, as it does where a side's forge says so. Nobody
    approves `generated`, a file that is right to the byte: whoever approves the documents has.
    """
    if base is None or facts.kind is Kind.ESTATE:
        return ()
    if only_traces(facts, head):
        reason = "an emergency is approved by somebody else than who acted"
        (place, *_) = (one.location for one in traces(facts, head))
        afterwards = Requirement((REVIEWER,), reason, (), _AFTERWARDS, place)
        return (afterwards, *_merged(_reviews(facts, base, head)))
    promoted = facts.kind is Kind.PROMOTION
    own = _quorums(facts, base, head) if promoted else _intentions(facts, base, head, generated)
    found = (*(own if promoted else _merged(own)), *_merged(_reviews(facts, base, head)))
    found = tuple(dict.fromkeys(found))
    every = reviewed or any(map(_reviews_every_change, (base, head)))
    if not found and every and facts.change.paths:
        reason = "every change is looked at by somebody who did not contribute"
        return (Requirement((REVIEWER,), reason, (), ("HR-SOD",)),)
    return found


def _reviews_every_change(estate: LoadedEstate) -> bool:
    return any(reviews_all(one.spec.forge) for one in estate.all("Estate"))


def _quorums(facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate) -> Iterator[Requirement]:
    models: dict[str, Document] = {}
    for key in (*facts.added, *facts.changed):
        document = head.documents[key]
        if document.kind in ("ModelVersion", "Deployment"):
            models.setdefault(document.spec.model, document)
    for name, document in sorted(models.items()):
        tier = _tier(name, base, head)
        yield Requirement(
            roles=QUORUM[tier],
            reason=f"the promotion of {name}, a model of tier {tier}",
            subjects=(f"Model/{name}",),
            controls=("HR-SOD", "HR-BATCH", "SR262-CHALLENGE"),
            location=document.location,
        )


def _tier(model: str, base: LoadedEstate, head: LoadedEstate) -> int:
    """The most material tier that the model has before or after; 1 where nothing is known."""
    found = [document.spec.tier for e in (base, head) if (document := e.get("Model", model))]
    return min(found, default=1)


def _intentions(
    facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate, generated: str | None
) -> Iterator[Requirement]:
    for key in sorted({*facts.added, *facts.changed, *facts.removed}):
        old, new = base.documents.get(key), head.documents.get(key)
        document = new or old
        if document is None:
            continue
        place = document.location
        role = BY_KIND.get(document.kind)
        excluded = _beneficiaries(old, new) if document.kind == "Organization" else frozenset()
        if role:
            controls = ("HR-SOD", "HR-BASEPOLICY") if role == "cto" else ("HR-SOD",)
            yield Requirement((role,), f"{key} changes", (key,), controls, place, excluded)
        if document.kind == "Organization" and _machine(old) != _machine(new):
            reason = f"the keys of the reconciler in {key} change"
            controls = ("HR-SOD", "HR-BASEPOLICY")
            yield Requirement(("cto", SECOND), reason, (key,), controls, place, excluded)
    yield from _traffic(facts, base, head)
    yield from _files([one for one in facts.change.names if one != generated], base, head)
    yield from _compliance(facts, base, head)
    for one in facts.loosened:
        reason = f"{one.subject} is loosened from {one.before} to {one.after}"
        controls = ("HR-LOOSEN", "HR-SOD")
        yield Requirement(("compliance-manager",), reason, (one.key,), controls, one.location)


def _traffic(facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate) -> Iterator[Requirement]:
    """The quorum of the more material model where traffic goes to a less material one, too."""
    for key in sorted(facts.touched):
        document = head.documents[key]
        before = _in_place_of(document, base)
        if all(_aim(one) == _aim(document) for one in before):
            continue
        old = {_tier(name, base, head) for one in before for name in _answering(one, base)}
        new = {_tier(name, base, head) for name in _answering(document, head)}
        tier = min(old | new, default=1)
        if old and max(new, default=1) > tier:
            reason = f"{key} moves traffic of tier {tier} to a model of tier {max(new)}"
            place = document.location
            yield Requirement(QUORUM[tier], reason, (key,), ("HR-SOD", "SR262-CHANGE"), place)


def _in_place_of(document: Document, base: LoadedEstate) -> tuple[Document, ...]:
    """What answered where a Route or Deployment does: itself, and a Route of its endpoint."""
    if document.kind not in ("Route", "Deployment"):
        return ()
    return tuple(
        one
        for one in base.all(document.kind)
        if one.key == document.key
        or (one.kind == "Route" and _endpoint(one) == _endpoint(document))
    )


def _endpoint(route: Document) -> tuple[str | None, str]:
    return route.spec.environment, route.spec.endpoint


def _aim(document: Document) -> Any:  # noqa: ANN401 - what decides which model answers
    spec = document.spec
    return (spec.default, spec.rules) if document.kind == "Route" else spec.model


def _answering(document: Document, estate: LoadedEstate) -> Iterator[str]:
    """The models that answer at a Route or in a Deployment; a shadow never answers."""
    if document.kind == "Deployment":
        yield document.spec.model
        return
    shares = (share.deployment for rule in document.spec.rules for share in rule.to)
    for name in (document.spec.default.deployment, *shares):
        deployment = estate.get("Deployment", name)
        if deployment is not None:
            yield deployment.spec.model


def _machine(document: Document | None) -> Any:  # noqa: ANN401 - keys, or none
    return document.spec.reconciler.keys if document else None


def _files(paths: Iterable[str], base: LoadedEstate, head: LoadedEstate) -> Iterator[Requirement]:
    """Files that are no documents, and decide as much."""
    for path, role in file_roles(paths, base, head):
        controls = ("HR-SOD", "HR-BASEPOLICY") if role == "cto" else ("HR-SOD",)
        yield Requirement((role,), f"{path} changes", (), controls, Location(path))


def _reviews(facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate) -> Iterator[Requirement]:
    """What either side wants to be looked at, whatever else the change needs."""
    for estate in (base, head):
        for organization in estate.all("Organization"):
            for review in organization.spec.reviews:
                for path in matching(review.paths, facts.change.names):
                    reason = f"{organization.key} asks for reviews of {path}"
                    place = Location(path)
                    yield Requirement(tuple(sorted(review.roles)), reason, (), location=place)


def _compliance(
    facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate
) -> Iterator[Requirement]:
    """Sections belong to the model: neither another document of it nor another model hides them."""
    from ordain.policies.compliance import compliance_of

    changed = {*facts.added, *facts.changed, *facts.removed}
    before, after = compliance_of(base), compliance_of(head)
    for model in sorted(before.keys() | after.keys()):
        old, new = before.get(model, ()), after.get(model, ())
        if same(_sections(old), _sections(new)):
            continue
        documents = {one.key: one for one in (*old, *new) if one.key in changed}
        for key, document in sorted(documents.items()):
            yield Requirement(
                ("compliance-manager",), f"{key} changes", (key,), location=document.location
            )


def _sections(documents: Iterable[Document]) -> list[list[Any]]:
    """The sections of one model, document by document, because the last by name is in force."""
    found = [[one.raw["spec"].get(section) for section in SECTIONS] for one in documents]
    written = [any(section is not None for section in sections) for sections in found]
    return found if any(written) else []


def _beneficiaries(old: Document | None, new: Document | None) -> frozenset[str]:
    """The people whose own entry changes: nobody widens their own power, or keys, by approving."""
    entries = [
        {person.name: person for person in document.spec.people} if document else {}
        for document in (old, new)
    ]
    before, after = entries
    names = before.keys() | after.keys()
    return frozenset(name for name in names if before.get(name) != after.get(name))


def _merged(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """One requirement per set of roles: one manager may approve three routes at once."""
    found: dict[tuple[str, ...], Requirement] = {}
    for one in requirements:
        seen = found.get(one.roles)
        if seen is None:
            found[one.roles] = one
            continue
        reasons = dict.fromkeys([*seen.reason.split("; "), one.reason])
        found[one.roles] = replace(
            seen,
            reason="; ".join(reasons),
            subjects=tuple(dict.fromkeys([*seen.subjects, *one.subjects])),
            controls=tuple(dict.fromkeys([*seen.controls, *one.controls])),
            excluded=seen.excluded | one.excluded,
        )
    return tuple(found[roles] for roles in sorted(found))
