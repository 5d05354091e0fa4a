"""The recipe of a model: everything that decides what training makes.

The weights of a model are not in git; what is in git is the recipe, and a version is in sync when
the recipe it was made by equals the recipe that the tree declares now. The recipe is computed from
the tree alone, so that the gate, a laptop and an examiner get the same digest as the reconciler.
The version of ordain is not part of it: a new tool alone never retrains a bank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.specs.canonical import digest
from ordain.specs.plain import material_digest

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model
    from ordain.specs.kinds.model_version import Inputs


@dataclass(frozen=True, slots=True)
class Recipe:
    """What goes into one training run; every digest is `sha256:...`."""

    model: str
    spec: str
    dataset: str
    data: str
    environment: str
    seed: int
    threads: int

    @property
    def digest(self) -> str:
        """The identity of the run: equal recipes are the same work."""
        return digest(
            {
                "format": "ordain.recipe/1",
                "model": self.model,
                "spec": self.spec,
                "dataset": self.dataset,
                "data": self.data,
                "environment": self.environment,
                "seed": self.seed,
                "threads": self.threads,
            }
        )


def recipe_of(
    name: str, model: Model, dataset: Dataset, environment: str, *, material: str | None = None
) -> Recipe | None:
    """The recipe of a model, or None where there is nothing to train yet.

    `environment` is the digest of the environment lock, `material` that of the dataset where it is
    known already: many models learn from one. A model without training (an external one) and a
    dataset without a pinned digest have no recipe.
    """
    if model.training is None or dataset.digest is None:
        return None
    return Recipe(
        model=name,
        spec=material_digest(model),
        dataset=material or material_digest(dataset),
        data=dataset.digest,
        environment=environment,
        seed=model.training.seed,
        threads=model.training.threads,
    )


def recipe_from_inputs(model: str, inputs: Inputs) -> Recipe:
    """The recipe that a ModelVersion says it was made by."""
    return Recipe(
        model=model,
        spec=inputs.spec,
        dataset=inputs.dataset,
        data=inputs.data,
        environment=inputs.environment,
        seed=inputs.seed,
        threads=inputs.threads,
    )
