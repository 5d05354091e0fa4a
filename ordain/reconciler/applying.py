"""Walking a plan: each stage is recorded before and after, and one failure stops only its model.

Every stage can be carried out twice, so a pass that was killed needs no repair: the next pass
observes, plans what is left, and says from where it went on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never, cast

import ordain
from ordain.compilers.serving import champion
from ordain.ledger.records import Event
from ordain.reconciler.attesting import attest, invocation_of, restore
from ordain.reconciler.errors import DriverFailed, Skipped
from ordain.reconciler.orders import Ground, order_job
from ordain.reconciler.pinned_data import Readable, ensure_snapshot, reconciling_taker
from ordain.reconciler.planning import validation_key
from ordain.reconciler.promotions import Version, last_validation, promotion_files, propose
from ordain.reconciler.stages import (
    Enrol,
    Propose,
    Rebuild,
    Retire,
    Serve,
    Stage,
    StopServing,
    Train,
    Validate,
    Withdraw,
)
from ordain.reconciler.turns import put_in_force
from ordain.reconciler.validating import order_validation
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.provenance.bom import Versioned
from ordain.specs.errors import OrdainError
from ordain.specs.people import RECONCILER
from ordain.vcs.keys import load_signer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.attesting import Attested
    from ordain.reconciler.drivers import Driver
    from ordain.reconciler.gating import Side
    from ordain.reconciler.jobs import Job
    from ordain.reconciler.outcomes import Outcome
    from ordain.reconciler.planning import Desired, Plan
    from ordain.reconciler.source import Source
    from ordain.reconciler.state import StateStore
    from ordain.specs.documents import Document
    from ordain.specs.evidence import Evidence
    from ordain.specs.validations import ValidationReport
    from ordain.vcs.keys import Signer

AnyStage = Train | Validate | Rebuild | Withdraw | Propose | Serve | StopServing | Enrol | Retire


@dataclass(frozen=True, slots=True)
class Done:
    """How a stage went: done, skipped or failed."""

    stage: Stage
    state: str
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """How a plan went."""

    done: tuple[Done, ...]

    @property
    def failed(self) -> bool:
        """Whether any stage failed."""
        return any(one.state == "failed" for one in self.done)

    @property
    def rejected(self) -> bool:
        """Whether anything was not proposed because its evidence or its training fails."""
        return any(one.state == "skipped" for one in self.done)


@dataclass(slots=True)
class Applier:
    """Everything that carrying out a stage needs.

    `servers` gives what environments should serve at the moment it is called: an emergency may have
    come after the plan.
    """

    source: Source
    state: StateStore
    ledger: Ledger
    driver: Driver
    side: Side
    desired: Desired
    clock: Callable[[], datetime]
    tell: Callable[[str], None]
    servers: Callable[[], Mapping[str, dict[str, Any]]]
    _stopped: set[str] = field(default_factory=set)

    def walk(self, plan: Plan, number: int) -> Result:
        """Carry out the stages in their order."""
        for position, stage in enumerate(plan.stages):
            self.state.write_step(number, position, stage.to_json(), "waiting", self.clock())
        return Result(
            tuple(self._step(number, place, stage) for place, stage in enumerate(plan.stages))
        )

    def _step(self, number: int, position: int, stage: Stage) -> Done:
        """One stage between its two records."""
        started = self.clock()
        data = stage.to_json()
        model = data.get("model")
        if model in self._stopped:
            state, detail = "skipped", "an earlier stage of this model did not succeed"
            self.state.write_step(number, position, data, state, started, detail)
            return Done(stage, state, detail, 0.0)
        self.state.write_step(number, position, data, "running", started)
        self._record(started, "stage.started", stage, {"pass": number})
        state, detail = self._attempt(stage, model)
        ended = self.clock()
        self.state.write_step(number, position, data, state, ended, detail)
        self._record(ended, f"stage.{state}", stage, {"pass": number, "detail": detail})
        return Done(stage, state, detail, (ended - started).total_seconds())

    def _attempt(self, stage: Stage, model: str | None) -> tuple[str, str]:
        """Carry out a stage; an expected error is an outcome, a defect is not caught."""
        try:
            return "done", self._carry_out(cast("AnyStage", stage))
        except Skipped as reason:
            state, detail = "skipped", reason.message
        except OrdainError as error:
            remedy = f" ({error.remedy})" if error.remedy else ""
            state, detail = "failed", f"{error.message}{remedy}"
        if model is not None:
            self._stopped.add(model)
        return state, detail

    def _record(self, time: datetime, kind: str, stage: Stage, data: dict[str, Any]) -> None:
        said = stage.to_json()
        subject = said.get("model") or said.get("environment") or ""
        self.ledger.record(
            Event(
                time,
                RECONCILER,
                kind,
                str(subject),
                {**said, **data, "revision": self.side.revision},
            )
        )

    def _carry_out(self, stage: AnyStage) -> str:  # noqa: PLR0911 - one return for each stage
        match stage:
            case Train():
                return self._train(stage.model, stage.recipe)
            case Validate():
                return self._validate(stage)
            case Rebuild():
                return self._rebuild(stage)
            case Propose():
                return self._propose(stage)
            case Withdraw():
                notes = self.source.forge.close(self.source.forge.proposal(stage.proposal))
                return "; ".join(("withdrawn", *notes))
            case Serve():
                return self._serve(stage.environment)
            case StopServing():
                self.driver.stop(stage.environment)
                return "stopped"
            case Enrol():
                self.state.put_model(stage.model, "active", self.clock())
                return "active"
            case Retire():
                self.state.put_model(stage.model, "retired", self.clock())
                return "retired"
            case _:
                assert_never(stage)

    def _serve(self, environment: str) -> str:
        def wanted() -> dict[str, Any]:
            return self.servers()[environment]

        restore(ArtifactStore(self.source.home.artifacts), self.side.tree, self.side.estate)
        done = put_in_force(self.driver, self.source.home, environment, wanted)
        return "; ".join(filter(None, (f"serving on {done.address}", done.warning)))

    # Training and what follows from it

    def _train(self, model: str, recipe: str) -> str:
        outcome = self.driver.train(self._job(model), self.tell)
        self.state.put_outcome(recipe, model, outcome, self.clock())
        if outcome.fate == "broken":
            raise DriverFailed(outcome.summary, remedy=outcome.remedy)
        return outcome.summary

    def _rebuild(self, stage: Rebuild) -> str:
        made = self.driver.train(self._job(stage.model), self.tell, afresh=True)
        if made.fate == "broken":
            raise DriverFailed(made.summary, remedy=made.remedy)
        if made.artifact != stage.artifact:
            name = f"{stage.model}@{stage.version}"
            message = f"{name} came out as {made.artifact}, not as {stage.artifact}"
            remedy = "the data, the lock or the machine differ; restore the artifact store"
            raise DriverFailed(message, remedy=remedy)
        return "the artifact is back, byte for byte"

    def _job(self, model: str) -> Job:
        """The order for a training run, and what it learns from in the artifact store."""
        home, side = self.source.home, self.side
        recipe = self.desired.recipes[model]
        directory = home.job(recipe.digest)
        dataset = side.estate.documents[f"Model/{model}"].spec.dataset
        self._provide(side.estate.documents[f"Dataset/{dataset}"], directory)
        return order_job(self._ground, recipe, champion=champion(side.estate, model))

    def _provide(self, dataset: Document, directory: Path) -> None:
        """Have the pinned rows of a Dataset in the artifact store."""
        home, side = self.source.home, self.side
        place = Readable(side.tree, self.source.repository.path, directory / "data")
        taker = reconciling_taker(self.source, self.clock())
        ensure_snapshot(
            dataset.name, dataset.spec, place, home.artifacts, taker=taker, tell=self.tell
        )

    @property
    def _ground(self) -> Ground:
        return Ground(self.side.estate, self.side.tree, self.source.home.artifacts)

    def _validate(self, stage: Validate) -> str:
        outcome = self._trained(stage.model, stage.recipe)
        recipe, basis = self.desired.recipes[stage.model], self.desired.bases[stage.model]
        job = order_validation(self._ground, recipe, basis, outcome.evidence)
        dataset = self.side.estate.documents[f"Dataset/{job.order.dataset}"]
        self._provide(dataset, self.source.home.validation(job.key))
        found = self.driver.validate(job, self.tell)
        self.state.put_validation(job.key, stage.model, found, self.clock())
        if found.fate == "broken":
            raise DriverFailed(found.summary, remedy=found.remedy)
        return found.summary

    def _trained(self, model: str, recipe: str) -> Outcome:
        """The outcome of a training that may be proposed."""
        outcome = self.state.outcomes().get(recipe)
        if outcome is None:
            message = f"there is no result of the recipe of {model}"
            raise DriverFailed(message, remedy="run ordain reconcile --once again")
        if outcome.fate != "proposable":
            message = f"not proposed: {outcome.summary}"
            raise Skipped(message)
        return outcome

    def _passed(self, model: str, artifact: str) -> ValidationReport:
        """The validation of an artifact that may be proposed with it."""
        key = validation_key(self.desired.bases[model], artifact)
        found = self.state.validations().get(key)
        if found is None:
            message = f"there is no validation of the artifact of {model}"
            raise DriverFailed(message, remedy="run ordain reconcile --once again")
        if found.fate != "passed":
            message = f"not proposed: {found.summary}"
            raise Skipped(message)
        return found.report

    def _propose(self, stage: Propose) -> str:
        outcome = self._trained(stage.model, stage.recipe)
        validation = self._passed(stage.model, outcome.artifact)
        signer = load_signer(self.source.home.key(RECONCILER))
        version = Version(
            stage.version,
            self.desired.recipes[stage.model],
            outcome.artifact,
            outcome.evidence,
            ordain.__version__,
            self._attest(stage, outcome.evidence, signer),
            validation,
            self.desired.bases[stage.model],
            last_validation(self.side.tree, self.side.estate, stage.model),
        )
        files = promotion_files(self.side.tree, self.side.estate, version)
        proposal = propose(self.source, self.side.revision, files, version, signer, self.clock())
        return f"proposed as {proposal.id}"

    def _attest(self, stage: Propose, evidence: Evidence, signer: Signer) -> Attested:
        """What is signed of the version and of the run that made it."""
        estate, home = self.side.estate, self.source.home
        recipe = self.desired.recipes[stage.model]
        model = estate.documents[f"Model/{stage.model}"]
        dataset = estate.documents[f"Dataset/{model.spec.dataset}"]
        versioned = Versioned(
            stage.model, stage.version, model.spec, dataset.name, dataset.spec, evidence
        )
        directory = home.job(recipe.digest)
        run = invocation_of(directory, evidence, signer, self.side.revision, self.clock())
        store = ArtifactStore(home.artifacts)
        (settings,) = estate.all("Estate")
        lock = self.side.tree.get(settings.spec.environment_lock, b"")
        return attest(store, recipe, lock, versioned, run, signer)
