"""What a promotion must prove, from the tree alone.

The gate holds the recipe of the tree against the recipe that the version says it was made by, the
evidence against its digest and its claims, and the measured values against the declared limits. The
validation of the artifact is judged beside it (`validated`), and what validators have written on
the artifact in `challenges`. The gate never reads an artifact: whoever has the repository can run
it again. That the machine really wrote the commit is known by its key, and the key is verified
where commits are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.policies.acceptance import Case, accept
from ordain.policies.changes import is_evidence
from ordain.policies.lookups import recipe_in, version_of, versions_of
from ordain.policies.validated import Promoted, validated
from ordain.specs.canonical import sha256
from ordain.specs.evidence import (
    MAXIMUM_BYTES,
    Evidence,
    EvidenceError,
    evidence_path,
    read_evidence,
)
from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.people import RECONCILER
from ordain.specs.recipes import recipe_from_inputs
from ordain.specs.trees import file_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.policies.changes import ChangeFacts
    from ordain.specs.documents import Document, LoadedEstate

_CONTROLS: Final = {
    "PRO004": ("SC-SIGN", "HR-SOD"),
    "PRO005": ("SC-PROV", "SR262-INV"),
    "PRO006": ("SC-PROV", "E23-3.5"),
    "PRO007": ("SC-TEST", "SC-PROV"),
    "PRO008": ("SC-PROV", "AIA-10"),
    "PRO009": ("SC-TEST",),
}
_AGAIN: Final = "let the reconciler propose the promotion again"


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion and both its trees; `tree` holds the files of head by path."""

    base: LoadedEstate
    head: LoadedEstate
    facts: ChangeFacts
    tree: Mapping[str, bytes]

    @property
    def added(self) -> tuple[Document, ...]:
        """The versions that it adds."""
        documents = (self.head.documents[key] for key in self.facts.added)
        return tuple(one for one in documents if one.kind == "ModelVersion")


Outcome = tuple[str, Finding]


def prove(promotion: Promotion) -> Iterator[Outcome]:
    """The findings of a promotion, each with the key of the object it is about."""
    yield from _signed(promotion)
    yield from _numbered(promotion)
    yield from _stray_evidence(promotion)
    yield from _stray_data(promotion)
    for version in promotion.added:
        # What was measured is said of this version: a waiver of it excuses no later one.
        yield from ((version.key, one) for one in _same_recipe(promotion, version))
        yield from ((version.key, one) for one in _evidence(promotion, version))
        yield from ((version.key, one) for one in _provenance(promotion, version))


def _error(code: str, message: str, location: Location, remedy: str, *evidence: str) -> Finding:
    return Finding(
        code, Severity.ERROR, message, location, evidence, remedy, controls=_CONTROLS[code]
    )


def _signed(promotion: Promotion) -> Iterator[Outcome]:
    """Every commit of a promotion that adds a version or evidence bears the reconciler's key."""
    signers = promotion.facts.signers
    if not _machine_made(promotion) or (signers and set(signers) == {RECONCILER}):
        return
    key, location = _first(promotion)
    names = ", ".join(name or "nobody" for name in signers) or "nobody"
    message = f"versions and evidence must be signed by the reconciler; signed by {names}"
    yield key, _error("PRO004", message, location, _AGAIN)


def _machine_made(promotion: Promotion) -> bool:
    """Whether the machine must have written it.

    A change that only moves a Deployment to another version that exists may be signed by a person:
    that is a rollback.
    """
    evidence = any(is_evidence(path.path) for path in promotion.facts.change.paths)
    return bool(promotion.added) or evidence


def _first(promotion: Promotion) -> tuple[str, Location]:
    if promotion.added:
        return promotion.added[0].key, promotion.added[0].location
    path = promotion.facts.change.names[0]
    return path, Location(path)


def _numbered(promotion: Promotion) -> Iterator[Outcome]:
    """The number of a new version is the next one of its model."""
    last: dict[str, int] = {}
    for model, number in versions_of(promotion.base):
        last[model] = max(number, last.get(model, 0))
    for version in promotion.added:
        model, number = version.spec.model, version.spec.version
        expected = last.get(model, 0) + 1
        if number != expected:
            message = f"{version.key} is version {number} of {model}; the next one is {expected}"
            place = version.marks.value("spec", "version")
            yield version.key, _error("PRO005", message, place, _AGAIN)
        last[model] = max(number, last.get(model, 0))


def _same_recipe(promotion: Promotion, version: Document) -> Iterator[Finding]:
    """The version was made by the recipe that the tree declares."""
    expected = recipe_in(promotion.head, version.spec.model, promotion.tree)
    stated = recipe_from_inputs(version.spec.model, version.spec.inputs)
    place = version.marks.value("spec", "recipe")
    if expected is None:
        message = f"{version.spec.model} has no recipe: no training, or data that is not pinned"
        yield _error("PRO006", message, place, "pin the data with `ordain pin`")
        return
    if stated == expected and version.spec.recipe == expected.digest:
        return
    different = [
        f"{name} = {getattr(stated, name)}, in the tree {getattr(expected, name)}"
        for name in ("spec", "dataset", "data", "environment", "seed", "threads")
        if getattr(stated, name) != getattr(expected, name)
    ]
    message = f"{version.key} was made by another recipe than this tree declares"
    remedy = "let the reconciler train and propose again; what is declared has changed"
    yield _error("PRO006", message, place, remedy, *different)


def _evidence(promotion: Promotion, version: Document) -> Iterator[Finding]:
    found = read_for(version, promotion.tree)
    if isinstance(found, Finding):
        yield found
        return
    # The limits of the base count; the head cannot differ, or this would be no promotion.
    model = promotion.base.get("Model", version.spec.model)
    if model is None:
        message = f"{version.key} is a version of a model that the base does not declare"
        yield _error("PRO005", message, version.marks.value("spec", "model"), _AGAIN)
        return
    dataset = promotion.base.get("Dataset", model.spec.dataset) if model.spec.dataset else None
    place = version.marks.value("spec", "evidence")
    champion = is_running(promotion.base, model.name)
    spec = dataset.spec if dataset else None
    yield from accept(Case(model.name, model.spec, spec, found, champion, place))
    yield from validated(Promoted(version, promotion.base, promotion.tree), found)


def read_for(version: Document, tree: Mapping[str, bytes]) -> Evidence | Finding:
    """The evidence of a version, or what is wrong with it."""
    path = evidence_path(version.spec.evidence)
    place = version.marks.value("spec", "evidence")
    data = file_in(tree, path)
    if data is None:
        message = f"{path}, the evidence of {version.key}, is not in this tree"
        return _error("PRO007", message, place, "restore the file from git, or propose again")
    evidence = _read(data, path)
    if isinstance(evidence, Finding):
        return evidence
    spec = version.spec
    claims = {
        "model": (evidence.model, spec.model),
        "recipe": (evidence.recipe, spec.recipe),
        "artifact": (evidence.artifact, spec.artifact),
        "split": (evidence.split, spec.split),
    }
    wrong = [
        f"{name} = {measured}, in the version {stated}"
        for name, (measured, stated) in claims.items()
        if measured != stated
    ]
    if wrong:
        message = f"the evidence of {version.key} is about something else"
        return _error("PRO007", message, place, _AGAIN, *wrong)
    return evidence


def _read(data: bytes, path: str) -> Evidence | Finding:
    if len(data) > MAXIMUM_BYTES:
        message = f"{path} has {len(data)} bytes, more than {MAXIMUM_BYTES}"
        return _error("PRO007", message, Location(path), "let the reconciler write evidence")
    try:
        return read_evidence(data, path)
    except EvidenceError as error:
        return _error("PRO007", error.message, Location(path), error.remedy)


def is_running(estate: LoadedEstate, model: str) -> bool:
    """Whether a Deployment runs a version of the model."""
    return any(
        document.spec.model == model and document.spec.version is not None
        for document in estate.all("Deployment")
    )


def _stray_evidence(promotion: Promotion) -> Iterator[Outcome]:
    """Evidence comes with the version that it is about."""
    expected = {path for version in promotion.added for path in _papers(version)}
    for path in promotion.facts.change.names:
        if is_evidence(path) and path not in expected:
            message = f"{path} belongs to no version of this change"
            yield path, _error("PRO009", message, Location(path), "take the file out")


def _papers(version: Document) -> Iterator[str]:
    """The files in `evidence/` that a version names."""
    yield evidence_path(version.spec.evidence)
    if version.spec.validation is not None:
        yield evidence_path(version.spec.validation)
    yield from _signed_papers(version)


def _signed_papers(version: Document) -> Iterator[str]:
    if version.spec.provenance is not None:
        yield evidence_path(version.spec.provenance.statement)
        yield evidence_path(version.spec.provenance.bom)


def _provenance(promotion: Promotion, version: Document) -> Iterator[Finding]:
    """What is signed of a version is in the tree, under the digest that the version names.

    No server loads a version without it, so that one merged without it would end its serving.
    """
    if version.spec.provenance is None:
        message = f"{version.key} names no provenance"
        yield _error("PRO007", message, version.location, _AGAIN)
        return
    for path in _signed_papers(version):
        data = file_in(promotion.tree, path)
        if data is None or evidence_path(sha256(data)) != path:
            what = "is not in this tree" if data is None else "does not hold what its name promises"
            message = f"{path}, which {version.key} names, {what}"
            yield _error("PRO007", message, version.location, _AGAIN)


def _stray_data(promotion: Promotion) -> Iterator[Outcome]:
    """A new digest of a Dataset comes with a version that was made from it."""
    models = (promotion.head.get("Model", one.spec.model) for one in promotion.added)
    used = {model.spec.dataset for model in models if model is not None}
    for key in promotion.facts.changed:
        dataset = promotion.head.documents[key]
        if dataset.kind == "Dataset" and dataset.name not in used:
            message = f"the data of {key} changes, and no version of this change was made from it"
            place = dataset.marks.value("spec", "digest")
            yield key, _error("PRO008", message, place, "pin the data in a change of its own")


def serving_evidence(estate: LoadedEstate, tree: Mapping[str, bytes]) -> Iterator[Outcome]:
    """The evidence of every version that a Deployment runs is in the tree and says so."""
    found = (one for document in estate.all("Deployment") for one in run_by(document, estate, tree))
    yield from dict.fromkeys(found)


def run_by(
    deployment: Document, estate: LoadedEstate, tree: Mapping[str, bytes]
) -> Iterator[Outcome]:
    """What is wrong with the evidence of the version that one Deployment runs."""
    version = version_of(deployment, estate)
    found = read_for(version, tree) if version is not None else None
    if version is not None and isinstance(found, Finding):
        yield version.key, found
