"""What the gate asks of the trace of an emergency.

Whoever acts in an emergency decides alone, and somebody else has to say afterwards that it was
right. The document is therefore signed by the manager that it names, who is a contributor by that
and approves nothing of it, and any other person in a role that approves will do: the quorum of a
tier is for what was never approved, and a rollback goes to what was. That makes the rollback of a
BreakGlass no way round a quorum: two people, and a version that the base has already and that is
older than the one that runs.

Only a change that holds nothing else has this. Whatever stands beside it is judged as always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.policies.changes import ChangeFacts
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Location

KIND: Final = "BreakGlass"
MANAGER: Final = "manager"
_CONTROLS: Final = ("HR-SOD", "SR262-CHANGE")


def traces(facts: ChangeFacts, head: LoadedEstate) -> tuple[Document, ...]:
    """The documents of emergencies that a change adds."""
    return tuple(head.documents[key] for key in facts.added if key.startswith(f"{KIND}/"))


def only_traces(facts: ChangeFacts, head: LoadedEstate) -> bool:
    """Whether a change holds documents of emergencies, what they say was done, and no more."""
    found = traces(facts, head)
    touched = {*facts.added, *facts.changed, *facts.removed} - {one.key for one in found}
    if touched and facts.kind != "promotion":
        # More of a Deployment than its version is changed.
        return False
    others = touched - {f"Deployment/{one.spec.deployment}" for one in found}
    paths = {head.documents[key].path for key in (*facts.added, *facts.changed)}
    return bool(found) and not others and set(facts.change.names) <= paths


def emergencies(
    facts: ChangeFacts,
    base: LoadedEstate | None,
    head: LoadedEstate,
    roles: Mapping[str, frozenset[str]],
) -> Iterator[Finding]:
    """What is wrong with the traces of emergencies in a change; `roles` are those that count."""
    if base is None:
        return
    for key in facts.changed:
        if key.startswith(f"{KIND}/"):
            yield _edited(head.documents[key])
    yield from map(_displaced, _left(base, head))
    for one in traces(facts, head):
        yield from _of_who_acted(one, facts, roles)
        if one.spec.action == "rollback":
            yield from _goes_back(one, facts, base, head)


def _of_who_acted(
    one: Document, facts: ChangeFacts, roles: Mapping[str, frozenset[str]]
) -> Iterator[Finding]:
    """Whom it names are managers, and signed what the change does to it, and nobody else did."""
    place = one.marks.value("spec", "requestedBy")
    named = {one.spec.requested_by: "ordered"}
    if one.spec.ended_by is not None:
        named.setdefault(one.spec.ended_by, "ended")
    wrote = facts.wrote.get(one.key, frozenset())
    for person, done in named.items():
        if MANAGER not in roles.get(person, frozenset()):
            message = f"{one.key} was {done} by {person}, who is no manager"
            yield _error("EMG004", message, place, "a manager orders: ordain stop, ordain rollback")
        elif person not in wrote:
            message = f"{one.key} is not signed by {person}, whom it names"
            remedy = "let the person who acted make the change: ordain stop, ordain rollback"
            yield _error("EMG004", message, place, remedy)
    for person in sorted(wrote - named.keys()):
        message = f"{one.key} is written by {person}, who did not act"
        remedy = "propose the commit of who acted as it is, and nothing on top of it"
        yield _error("EMG004", message, place, remedy)


def _goes_back(
    one: Document, facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate
) -> Iterator[Finding]:
    """A rollback goes to a version that is approved, and to the one that the document names."""
    place = one.marks.value("spec", "version")
    deployment = head.get("Deployment", one.spec.deployment)
    if deployment is None:
        return
    if not base.versions(deployment.spec.model, one.spec.version):
        message = f"{one.key} goes back to version {one.spec.version}, which was never approved"
        yield _error("EMG005", message, place, "go back to a version that has a ModelVersion")
    if deployment.key not in facts.changed:
        return
    if one.spec.ended_at is not None:
        message = f"{one.key} is ended, and {deployment.key} changes beside it"
        remedy = f"leave {deployment.key} as it is, or change it in a proposal of its own"
        yield _error("EMG005", message, place, remedy)
    elif deployment.spec.version != one.spec.version:
        message = (
            f"{one.key} goes back to version {one.spec.version}, and {deployment.key} does not"
        )
        yield _error("EMG005", message, place, "let document and Deployment name one version")
    elif not _older(deployment, base):
        message = f"{one.key} goes to version {one.spec.version}, which is not older than what runs"
        remedy = "go back to an older version, or stop the route; a newer one takes its quorum"
        yield _error("EMG005", message, place, remedy)


def _older(deployment: Document, base: LoadedEstate) -> bool:
    """Whether a Deployment goes back; a newer version may have been withdrawn for its harm."""
    running = base.documents[deployment.key].spec.version
    return running is not None and deployment.spec.version < running


def _left(base: LoadedEstate, head: LoadedEstate) -> Iterator[Document]:
    """The stops that hold before and after, and whose route goes or answers elsewhere."""
    for one in head.all(KIND):
        route = base.get("Route", one.spec.route or "")
        held = one.spec.ended_at is None and base.get(KIND, one.name) is not None
        if route is None or not held:
            continue
        now = head.get("Route", route.name)
        if now is None or now.spec.endpoint != route.spec.endpoint:
            yield one


def _displaced(document: Document) -> Finding:
    message = (
        f"{document.key} keeps Route/{document.spec.route} stopped, and it leaves its endpoint"
    )
    remedy = "remove the document as well, or let the route stay where it is"
    return _error("EMG005", message, document.location, remedy)


def _edited(document: Document) -> Finding:
    message = f"{document.key} was edited; the trace of an emergency never changes"
    return _error("EMG005", message, document.location, "restore it, or remove it as a whole")


def _error(code: str, message: str, location: Location, remedy: str) -> Finding:
    return Finding(code, Severity.ERROR, message, location, remedy=remedy, controls=_CONTROLS)
