"""What git declares at one commit, in the terms of a plan."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ordain.compilers.local import train
from ordain.compilers.resources import Resource, Waiting
from ordain.compilers.serving import NO_MEASURES, Measures, served, trusted_keys
from ordain.reconciler.attesting import is_believed
from ordain.reconciler.planning import Desired, Running, Wanted
from ordain.reconciler.routing_keys import keys_in_force
from ordain.reconciler.validating import basis_of
from ordain.runtime.provenance.dsse import read_keys
from ordain.specs.recipes import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ordain.reconciler.home import Home
    from ordain.reconciler.state import RoutingKey
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.model_version import ModelVersion


def desire(
    revision: str,
    estate: LoadedEstate,
    tree: Mapping[str, bytes],
    home: Home,
    keys: Iterable[RoutingKey],
    measures: Measures = NO_MEASURES,
) -> Desired:
    """The desired state of one commit on this machine, with what people did in an emergency."""
    (settings,) = estate.all("Estate")
    waiting: list[Waiting] = []
    recipes: dict[str, Recipe] = {}
    for one in train(estate, tree.get(settings.spec.environment_lock, b"")):
        if isinstance(one, Resource):
            recipes[one.name] = Recipe(**one.spec["recipe"])
        else:
            waiting.append(one)
    servers, without = servers_of(estate, home, keys, measures)
    versions = _versions(estate)
    believed = partial(is_believed, tree, trusted=read_keys(trusted_keys(estate)))
    models = [_wanted(model, recipes, versions, believed) for model in estate.all("Model")]
    bases = _bases(estate, tree, [recipes[one.model] for one in models if _is_new(one)], waiting)
    return Desired(
        revision=revision,
        models=tuple(replace(one, basis=bases.get(one.model)) for one in models),
        recipes=recipes,
        bases=bases,
        running=tuple(_running(estate, versions, measures)),
        servers=servers,
        waiting=(*waiting, *without),
    )


def _is_new(wanted: Wanted) -> bool:
    """Whether a version is to be made; one that is made already needs no validation."""
    return wanted.recipe is not None and wanted.made is None


def _bases(
    estate: LoadedEstate,
    tree: Mapping[str, bytes],
    recipes: Iterable[Recipe],
    waiting: list[Waiting],
) -> dict[str, str]:
    """What the validation of each model depends on beside its artifact."""
    bases: dict[str, str] = {}
    for recipe in recipes:
        basis = basis_of(estate, tree, recipe)
        if isinstance(basis, Waiting):
            waiting.append(basis)
        else:
            bases[recipe.model] = basis
    return bases


def servers_of(
    estate: LoadedEstate, home: Home, keys: Iterable[RoutingKey], measures: Measures
) -> tuple[dict[str, dict[str, Any]], tuple[Waiting, ...]]:
    """What each environment of this machine serves, and what has to wait."""
    servers: dict[str, dict[str, Any]] = {}
    waiting: list[Waiting] = []
    (settings,) = estate.all("Estate")
    for environment in settings.spec.environments:
        if environment.target != "local":
            message = f"the target {environment.target} is compiled, not applied, by this version"
            waiting.append(Waiting(f"Environment/{environment.name}", "NotApplied", message))
            continue
        found = served(estate, environment.name, measures)
        waiting += found.waiting
        if found.routes:
            config = found.config(environment, host=environment.host, port=environment.port)
            servers[environment.name] = _completed(config, home, keys)
    return servers, tuple(waiting)


def _versions(estate: LoadedEstate) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for document in estate.all("ModelVersion"):
        found.setdefault(document.spec.model, []).append(document)
    return found


def _wanted(
    model: Document,
    wanted: Mapping[str, Recipe],
    versions: Mapping[str, list[Document]],
    believed: Callable[[ModelVersion], bool],
) -> Wanted:
    """The recipe of a model, and the newest version that was made by it and can be loaded.

    A version whose statement is missing, or signed by a key that was revoked since, is as good as
    not made: it is proposed again, with the same artifact and new papers.
    """
    recipe = wanted.get(model.name)
    mine = versions.get(model.name, [])
    digest = None if recipe is None else recipe.digest
    made = [one.spec.version for one in mine if one.spec.recipe == digest and believed(one.spec)]
    newest = max((one.spec.version for one in mine), default=0)
    return Wanted(model.name, digest, max(made, default=None), newest)


def _running(
    estate: LoadedEstate, versions: Mapping[str, list[Document]], measures: Measures
) -> Iterable[Running]:
    """The versions that deployments pin, or were rolled back to."""
    seen = set()
    for deployment in estate.all("Deployment"):
        wanted = measures.versions.get(deployment.name, deployment.spec.version)
        for version in versions.get(deployment.spec.model, ()):
            spec = version.spec
            if spec.version == wanted and (spec.model, spec.version) not in seen:
                seen.add((spec.model, spec.version))
                yield Running(spec.model, spec.version, spec.recipe, spec.artifact)


def _completed(spec: Mapping[str, Any], home: Home, keys: Iterable[RoutingKey]) -> dict[str, Any]:
    """A server configuration with what only this machine knows."""
    return {
        **spec,
        "artifacts": str(home.artifacts),
        "ledger": str(home.ledger),
        # Every answer waits until its record is on disk; weaker levels must be declared first.
        "durability": "durable",
        "keys": keys_in_force(keys),
    }
