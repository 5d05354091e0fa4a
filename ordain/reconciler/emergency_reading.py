"""Which statements count, and what has become of each.

A statement has an effect when it is signed by a manager of the last good commit. That is asked
once, when our own record first sees it; from then on it is in force until the change that it
proposes has passed the gate, or a manager has ended it. A key that expires at midnight, or a
manager who leaves, must not put a stopped route back into production. Nor must whoever deletes a
statement: what our own record has holds without it, an order and an end alike.

Whether a change has brought the document of an emergency to git is remembered when that change
passes the gate, and can be found again by judging the history. A commit that was refused settles
nothing, however it is reverted afterwards.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ordain.reconciler.declared import declared
from ordain.reconciler.emergencies import (
    LIMIT,
    NONE,
    Emergencies,
    Emergency,
    Recorded,
    RefusedStatement,
    Settled,
    document_path,
    told_by,
    told_of,
    unapproved,
)
from ordain.reconciler.emergency_memory import Stranger
from ordain.reconciler.emergency_refs import objection_to
from ordain.reconciler.gating import read_side
from ordain.reconciler.history import merged_by
from ordain.reconciler.people import organization_of
from ordain.specs.errors import OrdainError
from ordain.specs.findings import Severity
from ordain.vcs.emergencies import END, PREFIX, ROLLBACK, STOP, Unsound, read_statements
from ordain.vcs.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ordain.reconciler.emergency_memory import Memory
    from ordain.reconciler.gating import Side
    from ordain.reconciler.source import Source
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Finding
    from ordain.vcs.emergencies import Signed, Statement


def read_emergencies(
    source: Source, side: Side, memory: Memory | Stranger, now: datetime
) -> Emergencies:
    """Every emergency as it stands; `side` is the last good commit. Writes nothing.

    Raises:
        GitError: the repository cannot be read.
        SpecError: that commit does not say who its people are.
    """
    found = list(read_statements(source.repository))
    recorded = memory.recorded(source.root_commit)
    if not (found or recorded):
        return NONE
    court = _Court(source, side, memory, now)
    heard = [court.hear(one) for one in found]
    refused = [one for one in heard if isinstance(one, RefusedStatement)]
    # What somebody has signed is told first, because only so many are told one by one.
    sound = {one.proof for one in found if not isinstance(one, Unsound)}
    refused.sort(key=lambda one: one.proof not in sound)
    good = [one for one in heard if isinstance(one, Emergency)]
    here = {one.signed.commit for one in good}
    good += (one for one in recorded if one.signed.commit not in here)
    valid = sorted(
        good,
        key=lambda one: (one.seen, not one.recorded, one.signed.ref),
    )
    first: dict[str, Emergency] = {}
    again = [one for one in valid if first.setdefault(one.id, one) is not one]
    refused += (RefusedStatement(one.id, "it was given before", one.signed.proof) for one in again)
    acts = [one for one in first.values() if one.statement.action != END]
    ends = [one for one in first.values() if one.statement.action == END]
    return Emergencies(tuple(_with_ends(acts, ends, court)), tuple(refused), tuple(ends))


def _with_ends(
    acts: Iterable[Emergency], ends: Iterable[Emergency], court: _Court
) -> Iterator[Emergency]:
    """Each with its end and its approval, and with what keeps it from having an effect."""
    ended: dict[str, Signed | Recorded] = {}
    for one in ends:
        ended.setdefault(one.statement.name, one.signed)
    for one in acts:
        end = ended.get(one.id)
        approved = _settled(one.statement, None if end is None else end.statement, court)
        obstacle = obstacle_to(one.statement, court.side.estate)
        routes: tuple[str, ...] = ()
        if approved is None and end is None and one.statement.action == STOP:
            routes = court.routes(one.statement)
            obstacle = "" if routes else obstacle
        if approved is None and end is None and not obstacle:
            obstacle = court.overtaken(one.statement)
        yield Emergency(one.signed, one.seen, one.recorded, approved, end, obstacle, routes)


@dataclass(frozen=True, slots=True)
class _Court:
    """Asks of every statement whether it counts."""

    source: Source
    side: Side
    memory: Memory | Stranger
    now: datetime

    def hear(self, one: Signed | Unsound) -> Emergency | RefusedStatement:
        if isinstance(one, Unsound):
            name = one.ref.removeprefix(PREFIX).partition("/")[0]
            return RefusedStatement(name, one.reason, one.proof)
        if one.statement.estate != self.source.root_commit:
            return RefusedStatement(one.statement.id, "it is of another estate", one.proof)
        known = self.memory.seen(one)
        if known is not None:
            return Emergency(one, known, recorded=True)
        reason = self._refusal(one)
        if reason:
            return RefusedStatement(one.statement.id, reason, one.proof)
        return Emergency(one, self.now, recorded=False)

    def _refusal(self, one: Signed) -> str:
        """Why a statement that we see for the first time has no effect; empty when it has."""
        said = one.statement
        objection = objection_to(one, organization_of(self.side.estate), self.now)
        if objection:
            return objection
        if not self._knows(said.revision):
            return f"it was given on {said.revision[:12]}, which is not of this history"
        return ""

    def overtaken(self, said: Statement) -> str:
        """What was approved for a Deployment since it was rolled back; empty if nothing was.

        A promotion has the approvals of its tier, and the order has none; whatever goes back
        further is in force by an approval of its own. A commit that was refused overtakes nothing,
        whatever is declared after it was mended, nor does an earlier order that is merged later.
        """
        deployment = self.side.estate.get("Deployment", said.name)
        if said.action != ROLLBACK or deployment is None:
            return ""
        repository, span = self.source.repository, f"{said.revision}..{self.side.revision}"
        with suppress(GitError):
            then = self._then(said, "Deployment", deployment)
            before = 0 if then is None else then.spec.version or 0
            for commit, version in declared(repository, deployment, span):
                moved = not (said.version or 0) <= (version or 0) <= before
                if moved and self.memory.has_passed(commit):
                    return f"{commit[:12]} has brought {deployment.key} to version {version} since"
        return ""

    def routes(self, said: Statement) -> tuple[str, ...]:
        """The routes that a stop is of now: what it names, and what answers in its place.

        A name is text; people were harmed at an endpoint.
        """
        now = self.side.estate.get("Route", said.name)
        names = [] if now is None else [now.name]
        then = self._then(said, "Route", now)
        if then is not None:
            place = (then.spec.endpoint, then.spec.environment)
            names += (
                one.name
                for one in self.side.estate.all("Route")
                if (one.spec.endpoint, one.spec.environment) == place
            )
        return tuple(dict.fromkeys(names))

    def _then(self, said: Statement, kind: str, now: Document | None) -> Document | None:
        """What an order is about as it was then; all is read only where its file was another."""
        from ordain.specs.estates import load_estate

        with suppress(OrdainError):
            if now is not None:
                data = self.source.repository.read(said.revision, now.path)
                found = load_estate({now.path: data}).get(kind, said.name)
                if found is not None:
                    return found
        with suppress(OrdainError):
            return read_side(self.source, said.revision).estate.get(kind, said.name)
        return None

    def _knows(self, revision: str) -> bool:
        repository = self.source.repository
        try:
            return any(
                repository.is_ancestor(revision, tip)
                for tip in (self.side.revision, self.source.head())
            )
        except GitError:
            return False


def obstacle_to(said: Statement, estate: LoadedEstate) -> str:
    """Why an order means nothing in an estate; empty when it does."""
    if said.action == STOP:
        known = estate.get("Route", said.name) is not None
        return "" if known else f"there is no Route {said.name} any more"
    deployment = estate.get("Deployment", said.name)
    if deployment is None:
        return f"there is no Deployment {said.name} any more"
    if not estate.versions(deployment.spec.model, said.version or 0):
        return f"there is no version {said.version} of {deployment.spec.model}"
    return ""


def overdue_by_claim(source: Source, side: Side, now: datetime) -> Iterator[Finding]:
    """The emergencies that nobody has approved in time, from git alone: for whoever has no record
    of ours, as a pipeline has not. The only time there is what the statements claim, so it is a
    warning, and it is about the estate and not about the change that is judged.
    """
    found = read_emergencies(source, side, Stranger(), now)
    for one in found.waiting:
        stated = one.statement.time
        if (
            now > stated + LIMIT
            and merged_by(source.repository, side.revision, document_path(one.id)) is None
        ):
            yield replace(
                unapproved(replace(one, seen=stated)),
                severity=Severity.WARNING,
                evidence=(f"stated = {stated:%Y-%m-%d %H:%M} UTC", f"proof = {one.signed.proof}"),
            )


# What has passed the gate


def records(document: Document | None, said: Statement, end: Statement | None) -> bool:
    """Whether a document is the trace of an order, ended or not, with every word of it."""
    return document is not None and told_by(document) in (told_of(said), told_of(said, end))


def _settled(said: Statement, end: Statement | None, court: _Court) -> Settled | None:
    found = court.memory.settled(said, end)
    if found is None and records(court.side.estate.get("BreakGlass", said.id), said, end):
        # It is in a commit that has passed, and nobody remembers when: as late as it can be.
        return Settled(court.side.revision, court.now)
    return found
