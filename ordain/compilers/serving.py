"""What one environment serves: the part of a server's configuration that the estate decides.

A route is served when its default deployment has an approved version. A rule of it may point at a
deployment that has none yet; the server then answers with the route's fallback, so such rules stay.
Host paths, keys and the ledger's place are not of the estate, and whoever applies the resource adds
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.compilers.errors import CompileError
from ordain.compilers.resources import NO_APPROVED_VERSION, NOT_ONLINE, Waiting
from ordain.policies.lookups import versions_of
from ordain.specs.routes import environment_of

if TYPE_CHECKING:
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.estate import Environment

FORMAT: Final = "ordain.server/1"


@dataclass(frozen=True, slots=True)
class Served:
    """Deployments with a version, routes that can be answered, and what waits."""

    deployments: dict[str, dict[str, Any]]
    routes: list[dict[str, Any]]
    waiting: tuple[Waiting, ...]
    documents: tuple[Document, ...]

    def config(self, environment: Environment, *, host: str, port: int) -> dict[str, Any]:
        """The server's configuration, without what belongs to the host."""
        return {
            "format": FORMAT,
            "environment": environment.name,
            "host": host,
            "port": port,
            "deployments": self.deployments,
            "routes": self.routes,
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


def served(estate: LoadedEstate, environment: str) -> Served:
    """Everything that the environment serves online."""
    versions = versions_of(estate)
    deployments: dict[str, dict[str, Any]] = {}
    documents: list[Document] = []
    waiting: list[Waiting] = []
    for document in estate.all("Deployment"):
        if document.spec.environment != environment:
            continue
        slot = _slot(document, versions)
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
            routes.append(_route(route, deployments))
        else:
            message = f"its default deployment {default} has no approved version"
            waiting.append(Waiting(route.key, NO_APPROVED_VERSION, message))
    return Served(deployments, routes, tuple(waiting), tuple(documents))


def _slot(
    document: Document, versions: dict[tuple[str, int], Document]
) -> dict[str, Any] | Waiting:
    """What a deployment runs, or why it runs nothing."""
    spec = document.spec
    if spec.mode != "online":
        return Waiting(document.key, NOT_ONLINE, f"{spec.mode} deployments cannot be run yet")
    version = versions.get((spec.model, spec.version or 0))
    if version is None:
        message = f"no version of {spec.model} is approved for {document.name} yet"
        return Waiting(document.key, NO_APPROVED_VERSION, message)
    return {"model": spec.model, "version": spec.version, "artifact": version.spec.artifact}


def champion(estate: LoadedEstate, model: str) -> str | None:
    """The artifact of the newest version of a model that a Deployment runs."""
    running = [one.spec.version or 0 for one in estate.all("Deployment") if one.spec.model == model]
    version = versions_of(estate).get((model, max(running, default=0)))
    return version.spec.artifact if version else None


def _route(document: Document, deployments: dict[str, dict[str, Any]]) -> dict[str, Any]:
    raw = document.raw["spec"]
    shadow = [one for one in raw.get("shadow", []) if one["deployment"] in deployments]
    return {
        "name": document.name,
        "endpoint": raw["endpoint"],
        "rules": raw.get("rules", []),
        "default": raw["default"],
        "shadow": shadow,
        "fallback": raw.get("fallback"),
        "keys": document.spec.access.keys,
    }
