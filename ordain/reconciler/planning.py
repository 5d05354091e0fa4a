"""From what git declares and what is there to the list of stages that makes them equal.

Pure: no clock, no disk, no process. The order of the list is the order of the work: retire first
(it only writes a tombstone), then make what is missing, propose it, and touch the serving processes
last, so that a failure before leaves production as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ordain.compilers.resources import Waiting
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
from ordain.specs.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.reconciler.outcomes import Outcome, Validated
    from ordain.specs.recipes import Recipe

FORMAT = "ordain.plan-file/1"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model as git declares it: the recipe it should be made by, None where nothing is trained.

    `made` is the version whose recipe is the wanted one and whose provenance a server would
    believe; `newest` the highest version number. `basis` is the digest of everything but the
    artifact that a validation of it depends on, None where it cannot be validated yet.
    """

    model: str
    recipe: str | None
    made: int | None
    newest: int
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A version that a deployment pins, and whether it could be made again from this tree."""

    model: str
    version: int
    recipe: str
    artifact: str


@dataclass(frozen=True, slots=True)
class Desired:
    """What git declares at one commit.

    `servers` maps an environment to its configuration, `recipes` a model to its whole recipe,
    `bases` to what a validation of it depends on beside the artifact.
    """

    revision: str
    models: tuple[Wanted, ...]
    running: tuple[Running, ...]
    servers: Mapping[str, dict[str, Any]]
    waiting: tuple[Waiting, ...] = ()
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeenServer:
    """A serving supervisor as it was found."""

    config: str
    ready: bool
    detail: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class SeenProposal:
    """An open promotion as it was found; `basis` is that of its validation."""

    id: str
    model: str
    recipe: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What is there: training outcomes by recipe, servers, proposals, inventory, lost artifacts,
    validations by their key.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    servers: Mapping[str, SeenServer] = field(default_factory=dict)
    proposals: tuple[SeenProposal, ...] = ()
    inventory: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    validations: Mapping[str, Validated] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of everything that a plan depends on besides git."""
        return digest(
            {
                "outcomes": {recipe: result.fate for recipe, result in self.outcomes.items()},
                "validations": {key: result.fate for key, result in self.validations.items()},
                "servers": {
                    name: [server.config, server.ready] for name, server in self.servers.items()
                },
                "proposals": sorted([p.id, p.model, p.recipe] for p in self.proposals),
                "inventory": dict(self.inventory),
                "missing": sorted(self.missing),
            }
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages that make production equal to git, and what has to wait."""

    revision: str
    observed: str
    stages: tuple[Stage, ...]
    waiting: tuple[Waiting, ...]

    def to_json(self) -> dict[str, Any]:
        """The plan as it is saved and compared."""
        return {
            "format": FORMAT,
            "revision": self.revision,
            "observed": self.observed,
            "stages": [stage.to_json() for stage in self.stages],
            "waiting": [[one.key, one.reason, one.message] for one in self.waiting],
        }


def validation_key(basis: str, artifact: str) -> str:
    """The identity of a validation: equal keys are the same work."""
    return digest({"basis": basis, "artifact": artifact})


def make_plan(desired: Desired, observed: Observed) -> Plan:
    """The plan for one commit and one observation."""
    waiting = list(desired.waiting)
    stages = [*_inventory(desired, observed)]
    # What is proposed is signed for by its artifact, so a lost one is made again before.
    stages.extend(_rebuilds(desired, observed, waiting))
    for wanted in desired.models:
        stages.extend(_model(wanted, observed, waiting))
    stages.extend(_servers(desired, observed))
    return Plan(desired.revision, observed.digest, tuple(stages), tuple(waiting))


def _inventory(desired: Desired, observed: Observed) -> Iterator[Stage]:
    declared = {wanted.model for wanted in desired.models}
    for name in sorted(declared):
        if observed.inventory.get(name) != "active":
            yield Enrol(name)
    for name, state in sorted(observed.inventory.items()):
        if state == "active" and name not in declared:
            yield Retire(name)
    for proposal in observed.proposals:
        if proposal.model not in declared:
            yield Withdraw(proposal.id, proposal.model)


def _model(wanted: Wanted, observed: Observed, waiting: list[Waiting]) -> Iterator[Stage]:
    """Train, validate and propose what is not made yet; a made version is never proposed twice."""
    open_ones = [one for one in observed.proposals if one.model == wanted.model]
    for one in open_ones:
        if wanted.made is not None or not _is_of(one, wanted):
            yield Withdraw(one.id, wanted.model)
    if wanted.recipe is None or wanted.made is not None:
        return
    outcome = observed.outcomes.get(wanted.recipe)
    if outcome is not None and outcome.fate != "proposable":
        reason = "TrainingFailed" if outcome.fate == "broken" else "EvidenceFails"
        waiting.append(Waiting(f"Model/{wanted.model}", reason, outcome.summary))
        return
    proposed = next((one for one in open_ones if _is_of(one, wanted)), None)
    if proposed is not None:
        message = f"{proposed.id} waits for approval: ordain proposals show {proposed.id}"
        waiting.append(Waiting(f"Model/{wanted.model}", "ApprovalPending", message))
        return
    if outcome is None:
        yield Train(wanted.model, wanted.recipe)
    if wanted.basis is not None:
        yield from _validated(wanted, wanted.basis, wanted.recipe, observed, waiting)


def _is_of(proposal: SeenProposal, wanted: Wanted) -> bool:
    """Whether a promotion is of the wanted recipe, validated as it would be now."""
    return proposal.recipe == wanted.recipe and proposal.basis == (wanted.basis or "")


def _validated(
    wanted: Wanted, basis: str, recipe: str, observed: Observed, waiting: list[Waiting]
) -> Iterator[Stage]:
    """Validate what was trained, and propose it unless it is known not to pass."""
    outcome = observed.outcomes.get(recipe)
    artifact = "" if outcome is None else outcome.artifact
    found = observed.validations.get(validation_key(basis, artifact)) if artifact else None
    if found is not None and found.fate != "passed":
        reason = "ValidationBroken" if found.fate == "broken" else "ValidationFails"
        waiting.append(Waiting(f"Model/{wanted.model}", reason, found.summary))
        return
    if found is None:
        yield Validate(wanted.model, recipe, artifact)
    yield Propose(wanted.model, wanted.newest + 1, recipe)


def _rebuilds(desired: Desired, observed: Observed, waiting: list[Waiting]) -> Iterator[Stage]:
    recipes = {wanted.model: wanted.recipe for wanted in desired.models}
    for run in desired.running:
        if run.artifact not in observed.missing:
            continue
        if recipes.get(run.model) == run.recipe:
            yield Rebuild(run.model, run.version, run.recipe, run.artifact)
            continue
        wrong = "is missing from the store or was changed"
        message = f"the artifact of {run.model}@{run.version} {wrong}: restore it"
        waiting.append(Waiting(f"Model/{run.model}", "ArtifactMissing", message))


def _servers(desired: Desired, observed: Observed) -> Iterator[Stage]:
    for environment, config in sorted(desired.servers.items()):
        wanted = digest(config)
        seen = observed.servers.get(environment)
        if seen is None:
            yield Serve(environment, wanted, running=False, reason=_routes(config))
        elif seen.config != wanted:
            yield Serve(environment, wanted, running=True, reason=_routes(config))
        elif not seen.ready:
            yield Serve(environment, wanted, running=True, reason=seen.detail or "it is not ready")
    for environment in sorted(observed.servers):
        if environment not in desired.servers:
            yield StopServing(environment)


def _routes(config: dict[str, Any]) -> str:
    """What a server configuration serves, in words."""
    versions = ", ".join(
        f"{name} = {slot['model']}@{slot['version']}"
        for name, slot in sorted(config.get("deployments", {}).items())
    )
    routes = ", ".join(sorted(route["endpoint"] for route in config.get("routes", ())))
    return f"{routes or 'no route'} ({versions or 'no version'})"
