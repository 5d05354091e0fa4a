"""Where one document leads to another, asked in one place for the whole room and the compilers.

Nothing here judges: an answer that does not exist is None or empty, and whoever asked decides what
that means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.canonical import sha256
from ordain.specs.features import feature_names, protected_names
from ordain.specs.recipes import Recipe, recipe_of
from ordain.specs.trees import file_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.specs.documents import Document, LoadedEstate


def model_of(document: Document, estate: LoadedEstate) -> Document | None:
    """The Model that a document belongs to; a Route belongs to that of its default deployment."""
    match document.kind:
        case "Model":
            return document
        case "ModelVersion" | "Deployment" | "Compliance" | "Validation":
            return estate.get("Model", document.spec.model)
        case "Monitor":
            deployment = estate.get("Deployment", document.spec.deployment)
        case "Route":
            deployment = estate.get("Deployment", document.spec.default.deployment)
        case _:
            return None
    return estate.get("Model", deployment.spec.model) if deployment else None


def versions_of(estate: LoadedEstate) -> dict[tuple[str, int], Document]:
    """Every ModelVersion of an estate by model and number."""
    return {(one.spec.model, one.spec.version): one for one in estate.all("ModelVersion")}


def version_of(deployment: Document, estate: LoadedEstate) -> Document | None:
    """The ModelVersion that a Deployment runs."""
    spec = deployment.spec
    found = estate.versions(spec.model, spec.version) if spec.version is not None else ()
    return estate.find(found[-1]) if found else None


def features_of(model: Document, estate: LoadedEstate) -> tuple[str, ...]:
    """The columns that training uses as features, in the order of the Dataset."""
    dataset = estate.get("Dataset", model.spec.dataset) if model.spec.dataset else None
    return feature_names(model.spec.features, dataset.spec) if dataset else ()


def protected_of(model: Document, estate: LoadedEstate) -> tuple[str, ...]:
    """The protected columns of the Dataset that a model learns from."""
    dataset = estate.get("Dataset", model.spec.dataset) if model.spec.dataset else None
    return protected_names(dataset.spec) if dataset else ()


def proxies_of(model: Document, estate: LoadedEstate) -> dict[str, list[str]]:
    """The declared proxies of the Dataset that a model learns from, each with its attributes."""
    dataset = estate.get("Dataset", model.spec.dataset) if model.spec.dataset else None
    columns = dataset.spec.columns.items() if dataset else ()
    return {name: list(column.proxy_for) for name, column in columns if column.proxy_for}


def recipe_in(estate: LoadedEstate, model: str, tree: Mapping[str, bytes]) -> Recipe | None:
    """The recipe of a model in a tree; without an environment lock that of an empty one."""
    document = estate.get("Model", model)
    if document is None or document.spec.dataset is None:
        return None
    dataset = estate.get("Dataset", document.spec.dataset)
    if dataset is None:
        return None
    environment = environment_digest(estate, tree)
    return recipe_of(model, document.spec, dataset.spec, environment)


def environment_digest(estate: LoadedEstate, tree: Mapping[str, bytes]) -> str:
    """The digest of the environment lock's bytes; of no bytes where there is no lock."""
    paths = [document.spec.environment_lock for document in estate.all("Estate")]
    return sha256((file_in(tree, paths[0]) if paths else None) or b"")
