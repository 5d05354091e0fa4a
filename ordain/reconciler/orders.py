"""The order for a training run, made of what an estate declares.

The reconciler trains what a commit declares and `ordain train` what a work tree declares, and both
must order the same work for the same declaration. Therefore there is one function; what differs is
the ground that it stands on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ordain
from ordain.reconciler.jobs import Job
from ordain.runtime.training.order import Job as Order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ordain.specs.documents import LoadedEstate
    from ordain.specs.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Ground:
    """What an order is made of: an estate and its files.

    `store` is where its rows are and its artifact goes.
    """

    estate: LoadedEstate
    files: Mapping[str, bytes]
    store: Path


def order_job(ground: Ground, recipe: Recipe, *, champion: str | None) -> Job:
    """The order for a recipe; its rows have to be in the store by then."""
    estate = ground.estate
    document = estate.documents[f"Model/{recipe.model}"]
    dataset = estate.documents[f"Dataset/{document.spec.dataset}"]
    (settings,) = estate.all("Estate")
    order = Order(
        model=document.name,
        spec=document.spec,
        dataset=dataset.name,
        # A preview is of the data that are there now, also where nobody has pinned them yet.
        data=replace(dataset.spec, digest=recipe.data),
        recipe=recipe,
        environment=ground.files.get(settings.spec.environment_lock, b"").decode(),
        store=ground.store,
        champion=champion,
        tool=ordain.__version__,
    )
    return Job(order)
