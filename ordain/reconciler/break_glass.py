"""What a manager does in an emergency: stop a route, roll a deployment back, end either.

Nobody is asked first, so the order of the steps is what has to hold. The signed statement comes
first, because from then on every pass completes what is not done yet; then our own record; then the
serving processes, directly and without waiting for a pass that is going on; the proposal and the
remote last, because neither is needed for the effect.

Going back means an older version that ran before, whose promotion has passed the gate. A version
that nobody has approved is no way out of an emergency, and one that was withdrawn is none either.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.compilers.serving import amended
from ordain.ledger.errors import LedgerError
from ordain.ledger.records import Event
from ordain.policies.emergencies import MANAGER
from ordain.reconciler.attesting import restore
from ordain.reconciler.declared import declared, ran_before
from ordain.reconciler.desire import servers_of
from ordain.reconciler.emergency_events import record_emergencies
from ordain.reconciler.emergency_memory import Memory
from ordain.reconciler.emergency_proposals import propose_act, propose_end, publish
from ordain.reconciler.emergency_reading import read_emergencies
from ordain.reconciler.errors import Busy, DriverFailed, EmergencyRefused, StateDamaged
from ordain.reconciler.gating import read_side
from ordain.reconciler.people import find_person, organization_of
from ordain.reconciler.review import actor_of
from ordain.reconciler.turns import PERSON_SECONDS, InForce, put_in_force
from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.errors import ArtifactError, RunError
from ordain.specs.routes import environment_of
from ordain.specs.spelling import did_you_mean
from ordain.vcs.emergencies import (
    END,
    STOP,
    Statement,
    fit_reason,
    write_statement,
)
from ordain.vcs.git import Repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.drivers import Driver
    from ordain.reconciler.emergencies import Emergencies, Emergency
    from ordain.reconciler.gating import Side
    from ordain.reconciler.review import Reviewer
    from ordain.reconciler.source import Source
    from ordain.reconciler.state import StateStore
    from ordain.specs.documents import Document
    from ordain.vcs.keys import Actor

# How long a person waits for a remote that may be the very thing that is broken.
REMOTE_SECONDS = 5.0
_BEFORE = "ordain reconcile --once"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done to what, why, and by whom; `version` None is the one that ran before."""

    action: str
    name: str
    reason: str
    by: Reviewer
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """An order that was carried out.

    `environment` is where it takes effect, `address` where that serves now, empty when nothing
    serves there; `warnings` say what is left for the next pass.
    """

    emergency: Emergency
    environment: str
    address: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """The estate as people in an emergency find it: the last good commit and what serves it."""

    source: Source
    state: StateStore
    ledger: Ledger
    driver: Driver
    clock: Callable[[], datetime]

    def act(self, order: Order) -> Acted:
        """Stop a route or roll a deployment back, now.

        Raises:
            EmergencyRefused: the person, the key, the reason, or what is asked for is not right;
                nothing was written.
            DriverFailed: it is ordered and recorded, and not in force yet.
        """
        side = self._good()
        actor = self._manager(side, order.by)
        document, version = self._target(side, order)
        said = self._statement(side, order, version, document.name)
        said = propose_act(self.source, side, said, actor)
        return self._carry_out(side, said, actor, self._environment(side, document))

    def end(self, identifier: str, reason: str, by: Reviewer) -> Acted:
        """End an emergency: what git declares is served again. The approval is missing still.

        Raises:
            EmergencyRefused: there is none that could be ended, or the person may not.
            DriverFailed: it is ended and recorded, and still served as before.
        """
        side = self._good()
        actor = self._manager(side, by)
        one = named(self._emergencies(side), identifier)
        _refuse_settled(one)
        order = Order(END, one.id, reason, by)
        said = self._statement(side, order, None, one.id)
        said = propose_end(self.source, said, one, actor)
        kind = "Route" if one.statement.action == STOP else "Deployment"
        document = side.estate.get(kind, one.statement.name)
        environment = "" if document is None else self._environment(side, document)
        return self._carry_out(side, said, actor, environment)

    def look(self) -> Emergencies:
        """Every emergency as it stands now; nothing is written, and no pass has to be before it."""
        side = read_side(self.source, self.state.get("good") or self.source.head())
        return self._emergencies(side)

    # Who and what

    def _good(self) -> Side:
        good = self.state.get("good")
        if good is None:
            message = "no commit has passed the gate here yet, so nothing is served"
            raise EmergencyRefused(message, remedy=f"run it where production is: {_BEFORE}")
        return read_side(self.source, good)

    def _emergencies(self, side: Side) -> Emergencies:
        now = self.clock()
        return read_emergencies(self.source, side, Memory(self.state, self.ledger, now), now)

    def _manager(self, side: Side, by: Reviewer) -> Actor:
        roles = find_person(organization_of(side.estate), by.person).roles
        if MANAGER not in roles:
            message = f"{by.person} is no manager (has: {', '.join(roles)})"
            raise EmergencyRefused(message, remedy="ask a manager; one is enough")
        return actor_of(self.source, side, by, self.clock())

    def _target(self, side: Side, order: Order) -> tuple[Document, int | None]:
        """The document that is acted on, and the version that a rollback goes to."""
        kind = "Route" if order.action == STOP else "Deployment"
        document = side.estate.get(kind, order.name)
        if document is None:
            names = [one.name for one in side.estate.all(kind)]
            hint = did_you_mean(order.name, names) or f"one of: {', '.join(names) or 'none'}"
            message = f"there is no {kind} {order.name!r} in {side.revision[:12]}"
            raise EmergencyRefused(message, remedy=hint)
        if order.action == STOP:
            return document, None
        return document, self._version(side, document, order.version)

    def _version(self, side: Side, deployment: Document, wanted: int | None) -> int:
        """The version to go back to: approved, older than the one that runs, in the store."""
        measures = self._emergencies(side).measures
        running = measures.versions.get(deployment.name, deployment.spec.version)
        model = deployment.spec.model
        steps = declared(self.source.repository, deployment, side.revision)
        versions = [number for _, number in steps if number is not None]
        before = ran_before(versions, running, side.estate, model)
        version = wanted or next(iter(before), None)
        if version is None:
            message = f"no version of {model} ran before the one of {deployment.name}"
            raise EmergencyRefused(message, remedy="stop the route: ordain stop ROUTE")
        if version == running:
            message = f"{deployment.name} runs version {version} of {model} already"
            raise EmergencyRefused(message, remedy="name another one with --to")
        known = side.estate.versions(model, version)
        if not known:
            made = sorted(
                one.spec.version
                for one in side.estate.all("ModelVersion")
                if one.spec.model == model
            )
            message = f"no version {version} of {model} was ever approved"
            raise EmergencyRefused(message, remedy=f"one of: {', '.join(map(str, made)) or 'none'}")
        if version not in before:
            message = (
                f"version {version} of {model} did not run before version {running} of"
                f" {deployment.name}, or was moved away from"
            )
            hint = f"one of: {', '.join(map(str, before))}" if before else "ordain stop ROUTE"
            raise EmergencyRefused(message, remedy=hint)
        document = side.estate.documents[known[-1]]
        store = ArtifactStore(self.source.home.artifacts)
        try:
            restore(store, side.tree, side.estate)
            load_artifact(store, document.spec.artifact)
        except ArtifactError as error:
            message = f"version {version} of {model} cannot be served: {error.message}"
            raise EmergencyRefused(message, remedy="name another one with --to") from error
        return version

    def _environment(self, side: Side, document: Document) -> str:
        if document.kind == "Deployment":
            return str(document.spec.environment)
        (settings,) = side.estate.all("Estate")
        names = [one.name for one in settings.spec.environments]
        return environment_of(document.spec, names) or ""

    def _statement(self, side: Side, order: Order, version: int | None, name: str) -> Statement:
        try:
            reason = fit_reason(order.reason)
        except ValueError as error:
            raise EmergencyRefused(
                str(error), remedy="say in one line why it cannot wait"
            ) from error
        return Statement(
            action=order.action,
            name=name,
            version=version,
            reason=reason,
            person=order.by.person,
            role=MANAGER,
            time=self.clock().replace(microsecond=0),
            estate=self.source.root_commit,
            revision=side.revision,
            proposal="",
        )

    # What is done

    def _carry_out(self, side: Side, said: Statement, actor: Actor, environment: str) -> Acted:
        write_statement(self.source.repository, said, actor)
        found = self._emergencies(side)
        warnings = [*self._record(found), *_elsewhere(side, environment)]
        try:
            done = self._serve(side, said, environment)
        except (DriverFailed, RunError) as error:
            message = f"{said.id} is ordered, and is not in force yet: {error.message}"
            remedy = "every pass tries again; `ordain down` ends all serving of this machine"
            raise DriverFailed(message, remedy=remedy) from error
        warnings += filter(None, [done.warning])
        path = self.source.repository.path
        with Repository.open(path, network_timeout=REMOTE_SECONDS) as hurried:
            warnings += publish(self.source, found, hurried)
        name = said.name if said.action == END else said.id
        return Acted(named(found, name), environment, done.address, tuple(warnings))

    def _record(self, found: Emergencies) -> tuple[str, ...]:
        """Write down what was ordered; a record that is full must not keep a route going."""
        now = self.clock()
        memory = Memory(self.state, self.ledger, now)
        try:
            home, patience = self.source.home, PERSON_SECONDS
            record_emergencies(found, memory, self.ledger, home, now, patience=patience)
        except (LedgerError, StateDamaged, Busy) as error:
            return (f"our own record could not be written ({error.message}); the next pass does",)
        return ()

    def _serve(self, side: Side, said: Statement, environment: str) -> InForce:
        """Bring what serves now to what it should be; what is down starts with the next pass."""
        if environment not in self.driver.servers(()) or environment not in self._wanted(side):
            return InForce("")
        done = self._put_in_force(side, said.action, environment)
        data = {"about": said.id, "environment": environment, "address": done.address}
        event = Event(self.clock(), said.person, "emergency.applied", said.subject, data)
        # It is served already; that it could not be written down is said of the order itself.
        with suppress(LedgerError):
            self.ledger.record(event)
        return done

    def _put_in_force(self, side: Side, action: str, environment: str) -> InForce:
        """Change what serves now and nothing else: what is declared beyond it may be what is
        broken. Where that cannot be done, and when an emergency ends, all of it is served.
        """

        def declared() -> dict[str, Any]:
            return self._wanted(side)[environment]

        def changed() -> dict[str, Any]:
            running, measures = self.driver.running(environment), self._emergencies(side).measures
            slots = declared()["deployments"]
            rolled = {name: slots[name] for name in measures.versions if name in slots}
            return declared() if running is None else amended(running, measures, rolled)

        home, patience = self.source.home, PERSON_SECONDS
        if action != END:
            with suppress(DriverFailed, RunError):
                return put_in_force(self.driver, home, environment, changed, patience=patience)
        return put_in_force(self.driver, home, environment, declared, patience=patience)

    def _wanted(self, side: Side) -> dict[str, dict[str, Any]]:
        keys, measures = self.state.routing_keys(), self._emergencies(side).measures
        return servers_of(side.estate, self.source.home, keys, measures)[0]


def _elsewhere(side: Side, environment: str) -> tuple[str, ...]:
    """What a person has to do where this machine changes nothing."""
    (settings,) = side.estate.all("Estate")
    targets = {one.name: one.target for one in settings.spec.environments}
    target = targets.get(environment, "local")
    if target == "local":
        return ()
    return (f"{environment} is of the target {target}, where nothing is changed from here",)


def named(found: Emergencies, identifier: str) -> Emergency:
    """The emergency of an id.

    Raises:
        EmergencyRefused: there is none.
    """
    for one in found.all:
        if one.id == identifier:
            return one
    names = [one.id for one in found.all]
    hint = did_you_mean(identifier, names) or "see: ordain emergencies list"
    raise EmergencyRefused(f"there is no emergency {identifier!r}", remedy=hint)


def _refuse_settled(one: Emergency) -> None:
    if one.ended is not None:
        message = f"{one.id} was ended by {one.ended.statement.person}"
        raise EmergencyRefused(message, remedy="see: ordain emergencies list")
    if one.approved is None:
        return
    how = "promote another version"
    if one.statement.action == STOP:
        how = f"remove the document BreakGlass/{one.id} in a change that a manager approves"
    message = f"{one.id} was approved and merged, so git decides now"
    raise EmergencyRefused(message, remedy=how)
