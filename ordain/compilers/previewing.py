"""What `ordain serve --local` serves: routes of an estate, answered by previews of its models.

The resource has the shape of a server's configuration and says that it is a preview, which every
answer repeats. Routes keep their rules and fallbacks. They ask for no routing key, because the
server listens on loopback and there is nothing of the estate's to protect; they have no shadows,
which nobody would compare with anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.compilers.errors import CompileError
from ordain.compilers.serving import FORMAT
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ordain.specs.documents import Document, LoadedEstate

HOST: Final = "127.0.0.1"
# A preview is no version, and versions begin at 1.
NO_VERSION: Final = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """The models that have to be trained, and the routes that they answer."""

    models: tuple[str, ...]
    routes: tuple[dict[str, Any], ...]
    deployments: Mapping[str, str]


def tried(estate: LoadedEstate, name: str | None) -> Tried:
    """What is served for the name of a Route or Model; without one, all that can be.

    A Model that no Route leads to answers at `/v1/MODEL`.

    Raises:
        CompileError: there is no such Route or Model, or nothing that is trained here.
    """
    trained = {one.name for one in estate.all("Model") if one.spec.training is not None}
    slots = {one.name: one.spec.model for one in estate.all("Deployment")}
    known = {one: model for one, model in slots.items() if model in trained}
    led = [one for one in estate.all("Route") if one.spec.default.deployment in known]
    alone = sorted(trained - {known[one.spec.default.deployment] for one in led})
    if name is not None:
        led, alone = _named(estate, name, led, alone, known)
    if not led and not alone:
        message = "nothing of this estate is trained here" if name is None else _untrained(name)
        raise CompileError(message, remedy="declare `training` on a Model")
    routes = [*_distinct(map(_route, led)), *map(_bare, alone)]
    asked = {one for route in routes for one in targets(route)}
    deployments = {one: known[one] for one in sorted(asked & known.keys())}
    deployments |= {one: one for one in alone}
    return Tried(tuple(sorted(set(deployments.values()))), tuple(routes), deployments)


def config_of(found: Tried, artifacts: Mapping[str, str], port: int) -> dict[str, Any]:
    """The server's configuration without places of the host; `artifacts` are by model."""
    return {
        "format": FORMAT,
        "preview": True,
        "environment": "preview",
        "host": HOST,
        "port": port,
        "deployments": {
            name: {"model": model, "version": NO_VERSION, "artifact": artifacts[model]}
            for name, model in found.deployments.items()
        },
        "routes": list(found.routes),
    }


def _named(
    estate: LoadedEstate,
    name: str,
    led: list[Document],
    alone: list[str],
    known: Mapping[str, str],
) -> tuple[list[Document], list[str]]:
    """What of it belongs to one Route, or else to one Model."""
    if estate.get("Route", name) is not None:
        return [one for one in led if one.name == name], []
    if estate.get("Model", name) is None:
        names = [one.name for kind in ("Route", "Model") for one in estate.all(kind)]
        remedy = did_you_mean(name, names) or f"one of: {', '.join(names) or 'none'}"
        raise CompileError(f"there is no Route or Model {name!r}", remedy=remedy)
    mine = [one for one in led if known[one.spec.default.deployment] == name]
    return mine, [one for one in alone if one == name]


def _untrained(name: str) -> str:
    return f"{name} leads to no model that is trained here"


def _distinct(routes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One route for each endpoint: environments may have the same ones, and this is one server."""
    found: dict[str, dict[str, Any]] = {}
    for route in routes:
        found.setdefault(route["endpoint"], route)
    return list(found.values())


def _route(document: Document) -> dict[str, Any]:
    raw = document.raw["spec"]
    return {
        "name": document.name,
        "endpoint": raw["endpoint"],
        "rules": raw.get("rules", []),
        "default": raw["default"],
        "shadow": [],
        "fallback": raw.get("fallback"),
        "keys": "none",
    }


def _bare(model: str) -> dict[str, Any]:
    return {
        "name": model,
        "endpoint": f"/v1/{model}",
        "rules": [],
        "default": {"deployment": model},
        "shadow": [],
        "fallback": None,
        "keys": "none",
    }


def targets(route: Mapping[str, Any]) -> set[str]:
    """The deployments that a route may ask."""
    shares = [share for rule in route["rules"] for share in rule["to"]]
    return {one["deployment"] for one in (*shares, route["default"])}
