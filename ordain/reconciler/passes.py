"""One reconcile pass: fetch, gate, compile, observe, plan, apply.

`plan`, `apply`, `status` and the daemon all begin here and stop at different points, so that what a
person is shown is what the machine would do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ordain.ledger.records import Event
from ordain.reconciler.anchors import accept, anchor_and_remember
from ordain.reconciler.applying import Applier, Result
from ordain.reconciler.desire import desire, servers_of
from ordain.reconciler.emergencies import NONE, Emergencies
from ordain.reconciler.emergency_events import record_emergencies, remember_documents
from ordain.reconciler.emergency_memory import Memory
from ordain.reconciler.emergency_proposals import publish
from ordain.reconciler.emergency_reading import read_emergencies
from ordain.reconciler.errors import AnchorInvalid, Busy
from ordain.reconciler.gating import Gated, Refusal, Side, gate_history, read_side
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.reconciler.planning import (
    Desired,
    Observed,
    Plan,
    SeenProposal,
    make_plan,
)
from ordain.reconciler.promotions import (
    BRANCH,
    basis_of_proposal,
    model_of_proposal,
    recipe_of_proposal,
)
from ordain.reconciler.recollections import recollected, to_record
from ordain.reconciler.saved_plans import refuse_stale
from ordain.reconciler.source import pin_trust
from ordain.reconciler.statuses import hold, say, untold, verdicts
from ordain.reconciler.turns import PASS_SECONDS
from ordain.reconciler.verdicts import keep_refusal, keep_verdict
from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.errors import ArtifactError
from ordain.specs.errors import FindingsError, OrdainError
from ordain.specs.findings import blocking
from ordain.specs.people import RECONCILER
from ordain.vcs.errors import ForgeError, GitError
from ordain.vcs.signatures import signed_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.drivers import Driver
    from ordain.reconciler.source import Source
    from ordain.reconciler.state import StateStore
    from ordain.specs.findings import Finding

UNWELL = frozenset(
    {"TrainingFailed", "EvidenceFails", "ValidationBroken", "ValidationFails", "ArtifactMissing"}
)
_GOOD = "good"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and everything that it was made from."""

    side: Side
    desired: Desired
    observed: Observed
    plan: Plan
    emergencies: Emergencies = NONE


@dataclass(frozen=True, slots=True)
class PassReport:
    """What a pass found and did.

    `resumed` is the pass that was interrupted before; `warnings` say what it had to do without;
    `damage` says what is wrong with the ledger, empty when nothing is; `alarms` what is wrong with
    emergencies.
    """

    head: str
    gated: Gated
    planned: Planned | None
    result: Result
    resumed: int | None = None
    warnings: tuple[str, ...] = ()
    damage: str = ""
    alarms: tuple[Finding, ...] = ()

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Commits after the good one that were refused."""
        return self.gated.refused

    @property
    def exit_code(self) -> int:
        """0 when all is well or waits for people, 1 for a refusal, 2 for a failed stage."""
        if self.result.failed:
            return 2
        found = self.gated.refused or self.damage or blocking(self.alarms)
        trouble = found or self.result.rejected or self.unwell
        return 1 if trouble else 0

    @property
    def unwell(self) -> bool:
        """Whether something waits that only people can mend."""
        waiting = () if self.planned is None else self.planned.plan.waiting
        return any(one.reason in UNWELL for one in waiting)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """An estate, its stores and the hands that work for it.

    `tell` gets lines of progress. Training that broke (a full disk, a missing file) is tried again
    after `retry_after`: at once when a person asks for a pass, later when the daemon goes round.
    """

    source: Source
    state: StateStore
    ledger: Ledger
    driver: Driver
    clock: Callable[[], datetime]
    tell: Callable[[str], None]
    retry_after: timedelta = timedelta()

    def run(self, *, expected: dict[str, Any] | None = None) -> PassReport:
        """One pass over the protected branch, recorded whatever happens.

        `expected` is a saved plan; without it, whatever is planned now is carried out.

        Raises:
            PlanStale: the plan is not the expected one.
            Untrusted: the history is not the one that was trusted.
        """
        unreachable = self._fetch()
        pin_trust(self.source, self.state)
        head = self.source.head()
        gated = self.gate(head)
        if gated.good is None:
            return PassReport(head, gated, None, Result(()), warnings=unreachable)
        side = read_side(self.source, gated.good)
        if any(one.spec.forge.type != "git" for one in side.estate.all("Estate")):
            hold(self.state, verdicts(gated))
        planned = self.plan(side)
        alarms = self.note(planned.emergencies)
        if expected is not None:
            refuse_stale(expected, planned.plan)
        report = self.carry_out(head, gated, planned)
        unpublished = () if unreachable else publish(self.source, planned.emergencies)
        told, odd = self._tell_host(side), self.source.forge.unreadable
        warnings = (*unreachable, *told, *odd, *report.warnings, *unpublished)
        return replace(report, warnings=warnings, alarms=alarms)

    def note(self, found: Emergencies) -> tuple[Finding, ...]:
        """Write down what is new about emergencies, and say what is wrong with them."""
        now, home = self.clock(), self.source.home
        memory = Memory(self.state, self.ledger, now)
        try:
            late = record_emergencies(found, memory, self.ledger, home, now, patience=PASS_SECONDS)
        except Busy as error:
            # What is stuck elsewhere must not keep production from following git.
            self.tell(f"emergencies are not written down yet: {error.message}")
            late = ()
        return (*found.findings(now), *late)

    def _fetch(self) -> tuple[str, ...]:
        """Ask the remote; production must not depend on its being up, so go on without it."""
        try:
            self.source.fetch()
        except (GitError, ForgeError) as error:
            return (f"going on with what was fetched last: {error.message}",)
        return ()

    def _tell_host(self, good: Side) -> tuple[str, ...]:
        """Set commit statuses where there is a host; it is told, and never asked."""
        try:
            host = self.source.host_of(good.estate)
        except ForgeError as error:
            return untold(self.state, error)
        return () if host is None else say(host, self.state)

    def gate(self, head: str) -> Gated:
        """Judge what is new on the branch, remember and record the verdicts."""
        good, moment = self.state.get(_GOOD), self.clock()
        passed = self._passed() if good is None else {}
        heard = recollected(self.ledger.events(kind="gate.passed")) if good is None else {}
        gated = gate_history(self.source, good, head, moment, passed=passed, heard=heard)
        memory = Memory(self.state, self.ledger, moment)
        remember_documents(self.source, gated.judged, memory, self.ledger, passed)
        for judged in gated.judged:
            seen = passed.get(judged.revision, moment)
            data = {**keep_verdict(self.source, judged, seen), **to_record(judged.told)}
            self._record("gate.passed", judged.revision, data)
        for refusal in gated.refused:
            if self.state.get(f"refused:{refusal.revision}") is None:
                seen = passed.get(refusal.revision, moment)
                self._record(
                    "gate.refused", refusal.revision, keep_refusal(self.source, refusal, seen)
                )
                reason = next((f.message for f in refusal.findings), "")
                self.state.put(f"refused:{refusal.revision}", reason)
        if gated.good is not None:
            self.state.put(_GOOD, gated.good)
        return gated

    def _passed(self) -> dict[str, datetime]:
        """When each commit passed the gate for the first time, by our own record."""
        found: dict[str, datetime] = {}
        for event in self.ledger.events(kind="gate.passed"):
            found.setdefault(event.subject, event.time)
        return found

    def plan(self, side: Side) -> Planned:
        """Compare what a commit declares with what is there.

        Raises:
            FindingsError: the estate of that commit cannot be read whole.
        """
        if blocking(side.estate.findings):
            message = f"the estate at {side.revision[:12]} cannot be read whole"
            raise FindingsError(message, side.estate.findings, remedy="see: ordain check")
        keys = self.state.routing_keys()
        emergencies = self.emergencies(side)
        home, measures = self.source.home, emergencies.measures
        desired = desire(side.revision, side.estate, side.tree, home, keys, measures)
        observed = self.observe(desired, side)
        return Planned(side, desired, observed, make_plan(desired, observed), emergencies)

    def emergencies(self, side: Side) -> Emergencies:
        """The emergencies of this moment, as the people of a commit may order them."""
        now = self.clock()
        return read_emergencies(self.source, side, Memory(self.state, self.ledger, now), now)

    def _servers(self, side: Side) -> dict[str, dict[str, Any]]:
        """What environments should serve at this moment."""
        keys, measures = self.state.routing_keys(), self.emergencies(side).measures
        return servers_of(side.estate, self.source.home, keys, measures)[0]

    def observe(self, desired: Desired, side: Side) -> Observed:
        """Look at everything that a plan depends on."""
        store = ArtifactStore(self.source.home.artifacts)
        since = self.clock() - self.retry_after
        return Observed(
            outcomes=self.state.outcomes(failed_since=since),
            validations=self.state.validations(failed_since=since),
            servers=self.driver.servers(desired.servers),
            proposals=tuple(self._proposals(side)),
            inventory=self.state.models(),
            missing=frozenset(
                one.artifact for one in desired.running if not _is_whole(store, one.artifact)
            ),
        )

    def _proposals(self, side: Side) -> Iterator[SeenProposal]:
        """Open promotions; one that the machine did not sign is of no recipe, whatever it says.

        Anybody who may push can take the branch of a promotion; believed, it would keep the real
        one from ever being proposed.
        """
        allowed, now = allowed_keys(organization_of(side.estate)), self.clock()
        for one in self.source.forge.seen_proposals():
            if not one.branch.startswith(BRANCH):
                continue
            mine = signed_by(self.source.repository, one.head, allowed, now) == RECONCILER
            recipe, basis = (recipe_of_proposal(one), basis_of_proposal(one)) if mine else ("", "")
            yield SeenProposal(one.id, model_of_proposal(one), recipe, basis)

    def carry_out(self, head: str, gated: Gated, planned: Planned) -> PassReport:
        """Apply a plan; an empty one leaves no trace but the time it was made."""
        resumed = self._interrupted()
        number = self.state.begin_pass(planned.side.revision, self.clock())
        result, ended = Result(()), "failed"
        try:
            result = self._applier(planned).walk(planned.plan, number)
            ended = "failed" if result.failed else "done"
        finally:
            self.state.end_pass(number, ended, "", self.clock())
        if not planned.plan.stages:
            self.state.drop_pass(number, self.clock())
        report = PassReport(head, gated, planned, result, resumed)
        try:
            accept(self.source, allowed_keys(organization_of(planned.side.estate)), self.clock())
            anchor_and_remember(self.source, self.ledger, self.state, self.clock())
        except AnchorInvalid as error:
            return replace(report, damage=error.message)
        except OrdainError as error:
            warning = f"the ledger could not be anchored: {error.message}"
            return replace(report, warnings=(warning,))
        return report

    def _applier(self, planned: Planned) -> Applier:
        return Applier(
            source=self.source,
            state=self.state,
            ledger=self.ledger,
            driver=self.driver,
            side=planned.side,
            desired=planned.desired,
            clock=self.clock,
            tell=self.tell,
            servers=lambda: self._servers(planned.side),
        )

    def _interrupted(self) -> int | None:
        last = self.state.last_pass()
        if last is None or last.result != "running":
            return None
        self._record("pass.resumed", last.revision, {"pass": last.id})
        return last.id

    def _record(self, kind: str, subject: str, data: Mapping[str, Any]) -> None:
        self.ledger.record(Event(self.clock(), RECONCILER, kind, subject, data))


def _is_whole(store: ArtifactStore, artifact: str) -> bool:
    """Whether an artifact can be loaded, every byte of it as it was made."""
    try:
        load_artifact(store, artifact)
    except ArtifactError:
        return False
    return True
