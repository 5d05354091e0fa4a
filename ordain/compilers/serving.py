"""What one environment serves: the part of a server's configuration that the estate decides.

A route is served when its default deployment has an approved version. A rule of it may point at a
deployment that has none yet; the server then answers with the route's fallback, so such rules stay.
Host paths, keys and the ledger's place are not of the estate, and whoever applies the resource adds
them.

A route that people stopped in an emergency stays declared and is told so: its endpoint answers with
the fallback, or that it was stopped. What only stopped routes point at is not loaded, because a
model that cannot be loaded any more may be the very reason for the stop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordain.compilers.errors import CompileError
from ordain.compilers.resources import NO_APPROVED_VERSION, NOT_ONLINE, Waiting
from ordain.policies.lookups import versions_of
from ordain.specs.routes import environment_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.estate import Environment

FORMAT: Final = "ordain.server/1"


@dataclass(frozen=True, slots=True)
class Measures:
    """What people did in an emergency on top of what the estate declares.

    `stopped` maps a route to the name of its emergency, `versions` a deployment to the version that
    it was rolled back to.
    """

    stopped: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)


NO_MEASURES: Final = Measures()


@dataclass(frozen=True, slots=True)
class Served:
    """Deployments with a version, routes that can be answered, and what waits."""

    deployments: dict[str, dict[str, Any]]
    routes: list[dict[str, Any]]
    waiting: tuple[Waiting, ...]
    documents: tuple[Document, ...]
    trusted: list[str]

    def config(self, environment: Environment, *, host: str, port: int) -> dict[str, Any]:
        """The server's configuration, without what belongs to the host."""
        idle = _targets(self.routes, stopped=True) - _targets(self.routes, stopped=False)
        return {
            "format": FORMAT,
            "environment": environment.name,
            "host": host,
            "port": port,
            "deployments": {k: v for k, v in self.deployments.items() if k not in idle},
            "routes": self.routes,
            "trusted": self.trusted,
        }


def environment_named(estate: LoadedEstate, name: str) -> Environment:
    """An environment of the Estate.

    Raises:
        CompileError: when the Estate has no such environment.
    """
    known: dict[str, Environment] = {
        one.name: one for document in estate.all("Estate") for one in document.spec.environments
    }
    if name not in known:
        remedy = f"declared: {', '.join(known) or 'none'}"
        raise CompileError(f"there is no environment `{name}`", remedy=remedy)
    return known[name]


def amended(
    config: Mapping[str, Any], measures: Measures, slots: Mapping[str, Any]
) -> dict[str, Any]:
    """A server's configuration with what people did in an emergency, and nothing else changed.

    `slots` are the deployments that were rolled back. This is for a server that cannot be given all
    that the estate declares by now.
    """
    known: dict[str, Any] = config["deployments"]
    rolled = {name: slot for name, slot in slots.items() if name in known}
    routes = [_stopped(route, measures) for route in config["routes"]]
    idle = _targets(routes, stopped=True) - _targets(routes, stopped=False)
    deployments = {name: slot for name, slot in (known | rolled).items() if name not in idle}
    return {**config, "deployments": deployments, "routes": routes}


def _stopped(route: dict[str, Any], measures: Measures) -> dict[str, Any]:
    name = measures.stopped.get(route["name"])
    return route if name is None else {**route, "stopped": name, "shadow": []}


def stopped_by(estate: LoadedEstate) -> dict[str, str]:
    """The routes that documents of the estate keep stopped, and by which one."""
    return {
        one.spec.route: one.name
        for one in estate.all("BreakGlass")
        if one.spec.action == "stop" and one.spec.route and one.spec.ended_at is None
    }


def served(estate: LoadedEstate, environment: str, measures: Measures = NO_MEASURES) -> Served:
    """Everything that the environment serves online, as far as no emergency keeps it from it."""
    versions = versions_of(estate)
    stopped = {**stopped_by(estate), **measures.stopped}
    deployments: dict[str, dict[str, Any]] = {}
    documents: list[Document] = []
    waiting: list[Waiting] = []
    for document in estate.all("Deployment"):
        if document.spec.environment != environment:
            continue
        wanted = measures.versions.get(document.name, document.spec.version)
        slot = _slot(document, wanted, versions)
        if isinstance(slot, Waiting):
            waiting.append(slot)
        else:
            deployments[document.name] = slot
            documents.append(document)
    routes: list[dict[str, Any]] = []
    names = [one.name for found in estate.all("Estate") for one in found.spec.environments]
    for route in estate.all("Route"):
        if environment_of(route.spec, names) != environment:
            continue
        default = route.spec.default.deployment
        if default in deployments:
            routes.append(_route(route, deployments, stopped.get(route.name)))
        else:
            message = f"its default deployment {default} has no approved version"
            waiting.append(Waiting(route.key, NO_APPROVED_VERSION, message))
    trusted = trusted_keys(estate)
    return Served(deployments, routes, tuple(waiting), tuple(documents), trusted)


def _slot(
    document: Document, wanted: int | None, versions: dict[tuple[str, int], Document]
) -> dict[str, Any] | Waiting:
    """What a deployment runs, or why it runs nothing."""
    spec = document.spec
    if spec.mode != "online":
        return Waiting(document.key, NOT_ONLINE, f"{spec.mode} deployments cannot be run yet")
    version = versions.get((spec.model, wanted or 0))
    if version is None:
        message = f"no version of {spec.model} is approved for {document.name} yet"
        return Waiting(document.key, NO_APPROVED_VERSION, message)
    slot = {"model": spec.model, "version": wanted, "artifact": version.spec.artifact}
    made = version.spec.provenance
    return slot if made is None else {**slot, "statement": made.statement}


def trusted_keys(estate: LoadedEstate) -> list[str]:
    """The public keys of the reconciler that are not revoked, without their comments.

    An expired key still speaks for what it signed while it held: the document that names the
    statement was judged when it came, by keys and history. Nobody can date a statement back into
    git.
    """
    keys = [key for one in estate.all("Organization") for key in one.spec.reconciler.keys]
    return [" ".join(key.public.split()[:2]) for key in keys if not key.revoked]


def champion(estate: LoadedEstate, model: str) -> str | None:
    """The artifact of the newest version of a model that a Deployment runs."""
    running = [one.spec.version or 0 for one in estate.all("Deployment") if one.spec.model == model]
    version = versions_of(estate).get((model, max(running, default=0)))
    return version.spec.artifact if version else None


def _targets(routes: list[dict[str, Any]], *, stopped: bool) -> set[str]:
    """The deployments that the stopped routes, or the others, may ask."""
    found: set[str] = set()
    for route in routes:
        if ("stopped" in route) is stopped:
            shares = [share for rule in route["rules"] for share in rule["to"]]
            asked = (*shares, *route["shadow"], route["default"])
            found |= {one["deployment"] for one in asked}
    return found


def _route(
    document: Document, deployments: dict[str, dict[str, Any]], stopped: str | None
) -> dict[str, Any]:
    """One route; a stopped one has no shadows, because there is nothing to compare them with."""
    raw = document.raw["spec"]
    shadow = [one for one in raw.get("shadow", []) if one["deployment"] in deployments]
    mark = {} if stopped is None else {"stopped": stopped}
    return {
        **mark,
        "name": document.name,
        "endpoint": raw["endpoint"],
        "rules": raw.get("rules", []),
        "default": raw["default"],
        "shadow": shadow if stopped is None else [],
        "fallback": raw.get("fallback"),
        "keys": document.spec.access.keys,
    }
