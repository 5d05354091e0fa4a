"""The order for a validation, made of what a commit declares and of what its training made.

A validation is keyed by what it depends on: the artifact, and the basis, which is everything else.
The basis is known before anything is trained, so that a plan can say what will be validated; it
holds no place of this machine and not the version of ordain, which alone makes no work anew.

Which rows are looked at is a question of the language and answered in `specs` (`rows_declared`),
because the gate asks it as well. Rows of another Dataset have to be pinned, as those of a training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import ordain
from ordain.compilers.resources import DIGEST_NOT_PINNED, Waiting
from ordain.compilers.serving import champion
from ordain.reconciler.attempts import VALIDATION
from ordain.reconciler.errors import DriverFailed
from ordain.reconciler.jobs import Subject, named_text
from ordain.reconciler.outcomes import Validated
from ordain.reconciler.planning import validation_key
from ordain.runtime.validation.order import ValidationOrder, write_order
from ordain.specs.canonical import digest, sha256
from ordain.specs.plain import material_digest, to_plain
from ordain.specs.validations import ValidationDocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ordain.reconciler.orders import Ground
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.evidence import Evidence
    from ordain.specs.recipes import Recipe

TEST = "test"


@dataclass(frozen=True, slots=True)
class ValidationJob:
    """A validation: the order that it reads, and the key of the work."""

    order: ValidationOrder
    key: str

    @property
    def module(self) -> str:
        return "ordain.runtime.validation"

    @property
    def noun(self) -> str:
        return "validation"

    @property
    def threads(self) -> int:
        return self.order.threads

    @property
    def subject(self) -> Subject:
        return Subject(self.order.model, self.key, self.order.champion)

    def lay_out(self, directory: Path) -> None:
        """Write `job.json`."""
        write_order(directory, self.order)

    def made(self, directory: Path, result: dict[str, Any]) -> Validated | None:
        """The document that the result names, if it is about what was ordered."""
        text = named_text(directory / VALIDATION, result.get("validation"))
        if text is None:
            return None
        try:
            made = Validated.success(text)
        except ValidationDocumentError:
            return None
        about = (made.report.artifact, made.report.dataset, made.report.part)
        ordered = (self.order.artifact, self.order.dataset, self.order.part)
        return made if about == ordered else None

    def broken(self, message: str, remedy: str) -> Validated:
        """A validation that broke."""
        return Validated.failure(message, remedy)


@dataclass(frozen=True, slots=True)
class Examined:
    """The rows that a validation looks at: a Dataset, its pin, and the part (empty for all)."""

    dataset: Document
    data: str
    part: str


def examined(estate: LoadedEstate, model: Document, recipe: Recipe) -> Examined | Waiting:
    """The rows that a Model is validated on, or why it has to wait for them."""
    other = model.spec.validation.dataset
    if other is None:
        dataset = estate.documents[f"Dataset/{model.spec.dataset}"]
        return Examined(dataset, recipe.data, TEST)
    found = estate.get("Dataset", other)
    if found is None or found.spec.digest is None:
        message = f"the data of {other}, on which {model.name} is validated, is not pinned"
        return Waiting(model.key, DIGEST_NOT_PINNED, f"{message}; run `ordain pin {other}`")
    return Examined(found, found.spec.digest, "")


def basis_of(estate: LoadedEstate, files: Mapping[str, bytes], recipe: Recipe) -> str | Waiting:
    """The digest of all that a validation of the recipe's artifact depends on beside it."""
    model = estate.documents[f"Model/{recipe.model}"]
    rows = examined(estate, model, recipe)
    if isinstance(rows, Waiting):
        return rows
    texts = (_text(files, path) for path in _paths(model))
    # What is asked of reasons is no part of a recipe; a default adds nothing to a basis.
    gates = to_plain(model.spec.explanation.gates)
    return digest(
        {
            **({"reasons": gates} if gates else {}),
            "recipe": recipe.digest,
            "declared": to_plain(model.spec.validation),
            "dataset": [rows.dataset.name, material_digest(rows.dataset.spec)],
            "data": rows.data,
            "part": rows.part,
            "champion": champion(estate, model.name),
            "texts": [None if text is None else sha256(text.encode()) for text in texts],
        }
    )


def order_validation(
    ground: Ground, recipe: Recipe, basis: str, evidence: Evidence
) -> ValidationJob:
    """The order for the artifact that a training made; its rows have to be in the store by then.

    Raises:
        DriverFailed: its rows are not pinned, of which a plan would have said so.
    """
    estate = ground.estate
    model = estate.documents[f"Model/{recipe.model}"]
    rows = examined(estate, model, recipe)
    if isinstance(rows, Waiting):
        raise DriverFailed(rows.message)
    (settings,) = estate.all("Estate")
    edge_cases, reasons = (_text(ground.files, path) for path in _paths(model))
    order = ValidationOrder(
        model=model.name,
        spec=model.spec,
        artifact=evidence.artifact,
        dataset=rows.dataset.name,
        data=replace(rows.dataset.spec, digest=rows.data),
        part=rows.part,
        split=evidence.split if rows.part else None,
        champion=champion(estate, model.name),
        edge_cases=edge_cases,
        reasons=reasons,
        environment=ground.files.get(settings.spec.environment_lock, b"").decode(),
        store=ground.store,
        seed=recipe.seed,
        tool=ordain.__version__,
        own=None if rows.part else estate.documents[f"Dataset/{model.spec.dataset}"].spec,
    )
    return ValidationJob(order, validation_key(basis, evidence.artifact))


def _paths(model: Document) -> tuple[str | None, str | None]:
    """The files that a validation reads: edge cases, reason codes."""
    return model.spec.validation.edge_cases, model.spec.explanation.reasons


def _text(files: Mapping[str, bytes], path: str | None) -> str | None:
    data = None if path is None else files.get(path)
    return None if data is None else data.decode()
