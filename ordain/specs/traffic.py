"""Where requests go: environments, endpoints and shares of the traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity
from ordain.specs.paths import Path, values_at
from ordain.specs.routes import SHADOW, environment_of
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.specs.documents import Document, LoadedEstate

_ALL: Final = 100
_DEPLOYMENTS = (
    "spec.default.deployment",
    "spec.rules.*.to.*.deployment",
    "spec.shadow.*.deployment",
)


class Traffic:
    """Environments exist, routes stay inside of one, and no two claim the same endpoint."""

    def __init__(self, estate: LoadedEstate) -> None:
        self._estate = estate
        self._claims: dict[tuple[str | None, str], Document] = {}

    def of(self, document: Document) -> Iterator[Finding]:
        """What is wrong with the way that requests take, at one document."""
        if document.kind == "Estate":
            yield from _twice(document)
        if document.kind in {"Deployment", "Route"} and (environments := self._environments()):
            yield from _unknown(document, environments)
            if document.kind == "Route":
                yield from self._route(document, environments)

    def _route(self, route: Document, environments: tuple[str, ...]) -> Iterator[Finding]:
        yield from _check_shares(route)
        environment = environment_of(route.spec, environments)
        if environment is None:
            yield _ambiguous(route, environments)
        yield from _elsewhere(self._estate, route, environment)
        first = self._claimed(environments).get((environment, route.spec.endpoint), route)
        if first is not route:
            yield _claimed(route, first)

    def _environments(self) -> tuple[str, ...]:
        found = self._estate.all("Estate")
        return tuple(dict.fromkeys(place.name for one in found for place in one.spec.environments))

    def _claimed(self, environments: tuple[str, ...]) -> Mapping[tuple[str | None, str], Document]:
        """The first route, by name, of each environment and endpoint."""
        routes = self._estate.all("Route")
        if not self._claims:
            for route in reversed(routes):
                place = environment_of(route.spec, environments)
                self._claims[place, route.spec.endpoint] = route
        return self._claims


def _unknown(document: Document, environments: Iterable[str]) -> Iterator[Finding]:
    name = document.spec.environment
    if name is not None and name not in environments:
        remedy = did_you_mean(name, environments) or f"declared: {', '.join(environments)}"
        message = f"there is no environment `{name}`"
        yield _error("REF006", document, ("spec", "environment"), message, remedy)


def _ambiguous(route: Document, environments: Iterable[str]) -> Finding:
    message = "the route says not in which environment it is"
    remedy = f"add `environment:` with one of {', '.join(environments)}"
    place = route.marks.key("spec")
    return Finding("REF006", Severity.ERROR, message, place, remedy=remedy)


def _elsewhere(estate: LoadedEstate, route: Document, environment: str | None) -> Iterator[Finding]:
    """Deployments of a route that stand in another environment."""
    for pattern in _DEPLOYMENTS:
        for path, name in values_at(route.raw, pattern):
            deployment = estate.get("Deployment", str(name))
            if deployment is None or environment in (None, deployment.spec.environment):
                continue
            message = (
                f"the deployment `{name}` is in `{deployment.spec.environment}`, "
                f"its route in `{environment}`"
            )
            place = deployment.marks.value("spec", "environment")
            yield Finding(
                "REF006",
                Severity.ERROR,
                message,
                route.marks.value(*path),
                remedy="name a deployment of the same environment",
                related=((place, "the deployment is here"),),
            )


def _check_shares(route: Document) -> Iterator[Finding]:
    """The weights of every rule sum to 100, and none of its deployments comes twice."""
    names: dict[str, int] = {}
    for at, rule in enumerate(route.spec.rules):
        path: Path = ("spec", "rules", at, "to")
        total = sum(share.weight for share in rule.to)
        if total != _ALL:
            weights = " + ".join(str(share.weight) for share in rule.to)
            message = f"the weights of this rule sum to {total}, not to 100"
            place = route.marks.key(*path)
            yield Finding(
                "REF005",
                Severity.ERROR,
                message,
                place,
                (f"{weights} = {total}",),
                "change the weights; a share without one has 100",
            )
        deployments = [share.deployment for share in rule.to]
        for index, name in enumerate(deployments):
            if name in deployments[:index]:
                message = f"the deployment `{name}` stands in this rule twice"
                where = (*path, index, "deployment")
                yield _error("REF005", route, where, message, "add its weights up")
        if rule.name is not None and (reserved := _reserved(rule.name)):
            where = (*path[:-1], "name")
            yield _error("REF014", route, where, reserved, "give the rule another name")
        if rule.name is not None and names.setdefault(rule.name, at) != at:
            message = f"there are two rules named `{rule.name}`"
            yield _error("REF013", route, (*path[:-1], "name"), message, "rename one of the two")


def _reserved(name: str) -> str:
    """Why the ledger would take the name of a rule for something else; empty where it would not."""
    if name == SHADOW:
        return f"`{name}` is what the ledger calls predictions that never answered"
    if name.isdigit():
        return f"`{name}` would be taken for the position of a rule"
    return ""


def _claimed(route: Document, first: Document) -> Finding:
    return Finding(
        "REF007",
        Severity.ERROR,
        f"the endpoint {route.spec.endpoint} is already the one of the route `{first.name}`",
        route.marks.value("spec", "endpoint"),
        remedy="give one of the two another endpoint or environment",
        related=((first.marks.value("spec", "endpoint"), "first here"),),
    )


def _twice(document: Document) -> Iterator[Finding]:
    """Environments are found by name."""
    seen: dict[str, Path] = {}
    for path, name in values_at(document.raw, "spec.environments.*.name"):
        first = seen.setdefault(str(name), path)
        if first != path:
            yield Finding(
                "REF013",
                Severity.ERROR,
                f"there are two of the environment `{name}`",
                document.marks.value(*path),
                remedy="rename or remove one of the two",
                related=((document.marks.value(*first), "first here"),),
            )


def _error(code: str, document: Document, path: Path, message: str, remedy: str) -> Finding:
    place = document.marks.value(*path)
    return Finding(code, Severity.ERROR, message, place, remedy=remedy)
