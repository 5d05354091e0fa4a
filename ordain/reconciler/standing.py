"""How every model stands, on three axes that never hide each other.

*Sync*: is production what git declares. *Health*: does what should run, run. *Compliance*: does the
declaration pass the policies. A model can be synced and violating, or compliant and down.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ordain.policies.gate import check
from ordain.policies.lookups import model_of
from ordain.reconciler.gating import read_side
from ordain.specs.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from ordain.compilers.resources import Waiting
    from ordain.reconciler.gating import Side
    from ordain.reconciler.passes import Planned, Reconciler
    from ordain.reconciler.state import StateStore
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Finding


@dataclass(frozen=True, slots=True)
class ModelStanding:
    """One model. `version` is what its deployments pin, empty when none does."""

    model: str
    tier: int | None
    version: str
    sync: str
    health: str
    compliance: str
    waits_for: str


@dataclass(frozen=True, slots=True)
class Standing:
    """An estate at one moment.

    `revision` is the last good commit, `head` the branch's tip, `refused` why the tip was refused.
    `emergencies` are those that nobody has approved yet, `alarms` what is wrong with them.
    """

    revision: str
    head: str
    last_pass: str
    refused: str
    servers: Mapping[str, str]
    models: tuple[ModelStanding, ...]
    next_command: str
    emergencies: tuple[dict[str, Any], ...] = ()
    alarms: tuple[dict[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The standing as data."""
        return {"format": "ordain.status/1", **asdict(self)}


def standing(reconciler: Reconciler, now: datetime) -> Standing:
    """Look at everything, touch nothing; before the first pass the tip stands for the good one."""
    source, state = reconciler.source, reconciler.state
    head = source.head()
    revision = state.get("good") or head
    side = read_side(source, revision)
    planned = reconciler.plan(side)
    refused = state.get(f"refused:{head}") if head != revision else None
    return Standing(
        revision=revision,
        head=head,
        last_pass=_last_pass(state),
        refused=refused or "",
        servers={name: seen.address for name, seen in planned.observed.servers.items()},
        models=tuple(_models(side, planned, now)),
        emergencies=tuple(one.to_json(now) for one in planned.emergencies.waiting),
        alarms=tuple(map(_alarm, planned.emergencies.findings(now))),
        next_command=_next(planned, pending=head != revision and refused is None),
    )


def _alarm(one: Finding) -> dict[str, str]:
    said = {"code": one.code, "severity": one.severity.value}
    return said | {"message": one.message, "remedy": one.remedy}


def _last_pass(state: StateStore) -> str:
    """How and when the last pass ended; one that had nothing to do counts too."""
    last, checked = state.last_pass(), state.get("checked")
    ended = (last.ended or last.started) if last is not None else ""
    if checked is not None and checked > ended:
        return f"nothing to do at {checked[:19]}"
    return "never" if last is None else f"{last.result} at {ended[:19]}"


def _models(side: Side, planned: Planned, now: datetime) -> Iterable[ModelStanding]:
    findings = check(side.estate, now, tree=side.tree).findings
    stages = [stage.to_json() for stage in planned.plan.stages]
    paths = paths_by_model(side.estate)
    for document in side.estate.all("Model"):
        name = document.name
        waits = [one for one in planned.plan.waiting if _concerns(one, name, side.estate)]
        places = _environments(side.estate, name)
        busy = any(
            stage.get("model") == name or stage.get("environment") in places for stage in stages
        )
        yield ModelStanding(
            model=name,
            tier=document.spec.tier,
            version=", ".join(_versions(side.estate, name)),
            sync="OutOfSync" if busy else "Waiting" if waits else "Synced",
            health=_health(side.estate, name, planned),
            compliance=_compliance(
                findings, paths[name], unjudged=_unjudged(side.estate, document)
            ),
            waits_for="; ".join(dict.fromkeys(one.reason for one in waits)),
        )
    for name, condition in sorted(planned.observed.inventory.items()):
        if condition == "retired":
            yield ModelStanding(name, None, "", "Retired", "Idle", "", "")


def _versions(estate: LoadedEstate, model: str) -> list[str]:
    return [
        f"{deployment.name}={deployment.spec.version}"
        for deployment in estate.all("Deployment")
        if deployment.spec.model == model and deployment.spec.version is not None
    ]


def _health(estate: LoadedEstate, model: str, planned: Planned) -> str:
    """Healthy when every environment that pins a version of the model serves and is ready."""
    wanted = _environments(estate, model) & set(planned.desired.servers)
    if not wanted:
        return "Idle"
    seen = [planned.observed.servers.get(name) for name in wanted]
    if any(one is None for one in seen):
        return "Missing"
    return "Healthy" if all(one is not None and one.ready for one in seen) else "Degraded"


def _environments(estate: LoadedEstate, model: str) -> set[str]:
    """Where a version of the model is pinned."""
    return {
        deployment.spec.environment
        for deployment in estate.all("Deployment")
        if deployment.spec.model == model and deployment.spec.version is not None
    }


def _compliance(findings: Iterable[Finding], paths: AbstractSet[str], *, unjudged: bool) -> str:
    """Violating when an error stands in a document that belongs to the model."""
    mine = [f for f in findings if f.location is not None and f.location.path in paths]
    if any(f.severity is Severity.ERROR for f in mine):
        return "Violating"
    return "Not judged" if unjudged else "Compliant"


def _unjudged(estate: LoadedEstate, model: Document) -> bool:
    """Whether a model is only listed: not trained here, and nobody has said a thing about it."""
    about = (*estate.all("Compliance"), *estate.all("ModelVersion"), *estate.all("Validation"))
    named = any(getattr(one.spec, "model", None) == model.name for one in about)
    return model.spec.training is None and not named


def paths_by_model(estate: LoadedEstate) -> dict[str, set[str]]:
    """The files of the documents that belong to each model, its Dataset's included."""
    found: dict[str, set[str]] = {}
    for document in estate.documents.values():
        model = model_of(document, estate)
        if model is not None:
            found.setdefault(model.name, set()).add(document.path)
    for model in estate.all("Model"):
        dataset = estate.get("Dataset", model.spec.dataset or "")
        if dataset is not None:
            found[model.name].add(dataset.path)
    return found


def _concerns(waiting: Waiting, model: str, estate: LoadedEstate) -> bool:
    kind, _, name = waiting.key.partition("/")
    if kind == "Model":
        return name == model
    document = estate.get(kind, name)
    return document is not None and getattr(document.spec, "model", None) == model


def _next(planned: Planned, *, pending: bool) -> str:
    """The command that goes on from here; `pending` is whether the tip was not judged yet."""
    if any(one.reason == "ApprovalPending" for one in planned.plan.waiting):
        return "ordain proposals list"
    if planned.plan.stages or pending:
        return "ordain reconcile --once"
    return "ordain monitor run"
