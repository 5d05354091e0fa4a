"""The estate on this machine: a training job per model, one server per environment.

One process hosts all routes of an environment, so that a laptop runs an estate of fifty models in
the memory of one. Metadata of a Model (purpose, owner, labels) is no part of a training's identity;
see `resources`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ordain.compilers.resources import (
    DIGEST_NOT_PINNED,
    EXTERNAL,
    Resource,
    Waiting,
    in_order,
)
from ordain.compilers.serving import environment_named, served
from ordain.specs.canonical import sha256
from ordain.specs.plain import material_digest
from ordain.specs.recipes import Recipe, recipe_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import Document, LoadedEstate


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What the tree decides beside its documents.

    `lock` is the environment lock: the bytes of the file that the Estate names, empty without one.
    """

    lock: bytes = b""


@dataclass(frozen=True, slots=True)
class Compiled:
    """Desired resources, in the order in which they can be made, and documents that wait."""

    resources: tuple[Resource, ...]
    waiting: tuple[Waiting, ...]


def compile_local(
    estate: LoadedEstate, environment: str, settings: LocalSettings | None = None
) -> Compiled:
    """The resources of one environment on this machine.

    Raises:
        CompileError: when the Estate has no such environment.
    """
    place = environment_named(estate, environment)
    trainings = list(train(estate, (settings or LocalSettings()).lock))
    found = served(estate, environment)
    resources = [one for one in trainings if isinstance(one, Resource)]
    if found.routes:
        config = found.config(place, host=place.host, port=place.port)
        resources.append(Resource("Server", environment, config))
    waiting = [one for one in trainings if isinstance(one, Waiting)]
    return Compiled(in_order(tuple(resources)), (*waiting, *found.waiting))


def train(estate: LoadedEstate, lock: bytes) -> Iterator[Resource | Waiting]:
    """The training of every model, or why there is none.

    The digest of the resource is that of its recipe, so that equal recipes are the same work.
    """
    environment = sha256(lock)
    material = {one.name: material_digest(one.spec) for one in estate.all("Dataset")}
    for model in estate.all("Model"):
        if model.spec.training is None:
            how = "was imported and is only kept" if model.spec.imported else "is only observed"
            message = f"{model.name} is trained elsewhere: it {how}"
            yield Waiting(model.key, EXTERNAL, message)
            continue
        dataset = estate.get("Dataset", model.spec.dataset) if model.spec.dataset else None
        recipe = (
            recipe_of(
                model.name,
                model.spec,
                dataset.spec,
                environment,
                material=material[dataset.name],
            )
            if dataset
            else None
        )
        if dataset is None or recipe is None:
            name = model.spec.dataset
            message = f"the data of {name} is not pinned; run `ordain pin {name}`"
            yield Waiting(model.key, DIGEST_NOT_PINNED, message)
        else:
            yield _training(model, dataset, recipe)


def _training(model: Document, dataset: Document, recipe: Recipe) -> Resource:
    spec: dict[str, Any] = {
        "recipe": asdict(recipe),
        "model": model.raw["spec"],
        "dataset": {"name": dataset.name, "spec": dataset.raw["spec"]},
    }
    return Resource("Training", model.name, spec, identity=recipe.digest)
