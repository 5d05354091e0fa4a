"""The validation that a promotion must carry, judged again from the tree.

A version is promoted on two documents: the evidence, which its training measured, and the
validation, which a second process measured on the artifact as a server would load it. This is the
judge of the second. It believes neither the verdict of the document nor that of a single part: what
decides is asked of every check again, the gates of the Model of the base are held against the
numbers of the validation by the same functions as against those of the evidence, and every other
limit of the base by `limits_held`.

Which rows had to be looked at is declared: a Dataset of its own and its pin, or the test part of
the rows that the version learnt from. A validation of other rows, of another artifact, or against
another version than the one now running is about something else, however good it is; so is one of
edge cases or reason codes that the tree does not hold. That a version runs and could not be
compared in behaviour (another task, or it cannot be loaded) is no fault of the new: somebody looks.

Refused: to judge versions that are in the base already. A rollback must work when the rules have
become stricter since, and a version without a validation is one of a time before there were any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ordain.policies.acceptance import Case, accept, protected_columns
from ordain.policies.limits_held import Held, limits_missed
from ordain.policies.lookups import version_of
from ordain.specs.canonical import sha256
from ordain.specs.evidence import MAXIMUM_BYTES, Metric, classes_of, evidence_path
from ordain.specs.features import with_protected
from ordain.specs.findings import Finding, Location, Severity, Verdict
from ordain.specs.trees import file_in
from ordain.specs.validation_verdicts import STOPPING, blockers
from ordain.specs.validations import (
    ValidationDocumentError,
    ValidationReport,
    read_validation,
    texts_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.evidence import Evidence

TEST: Final = "test"
_AGAIN: Final = "let the reconciler validate and propose again"
_CONTROLS: Final = {
    "PRO011": ("HR-BATCH", "SR262-VAL-OUT"),
    "PRO012": ("HR-BATCH", "SC-PROV"),
    "PRO013": ("HR-BATCH", "SR262-VAL-OUT", "SS123-4.1"),
    "PRO014": ("HR-BATCH", "SR262-VAL-OUT"),
}
_MEASURED: Final = ("performance", "champion")


@dataclass(frozen=True, slots=True)
class Promoted:
    """A version that a change adds, with the estate before it and the files after it."""

    version: Document
    base: LoadedEstate
    tree: Mapping[str, bytes]


def validated(promoted: Promoted, evidence: Evidence) -> Iterator[Finding]:
    """What keeps the validation of a new version from carrying its promotion."""
    found = read_report(promoted.version, promoted.tree)
    if isinstance(found, Finding):
        yield found
        return
    wrong = tuple(_about_something_else(promoted, found))
    if wrong:
        message = f"the validation of {promoted.version.key} is about something else"
        yield _error("PRO012", message, _place(promoted.version), _AGAIN, *wrong)
        return
    yield from _did_not_pass(promoted, evidence, found)
    yield from _uncompared(promoted, found)
    yield from _gates(promoted, evidence, found)


def read_report(version: Document, tree: Mapping[str, bytes]) -> ValidationReport | Finding:
    """The validation that a version names, or what is wrong with it."""
    place = _place(version)
    if version.spec.validation is None:
        message = f"{version.key} names no validation of its artifact"
        return _error("PRO011", message, version.location, _AGAIN)
    path = evidence_path(version.spec.validation)
    data = file_in(tree, path)
    if data is None:
        message = f"{path}, the validation of {version.key}, is not in this tree"
        return _error("PRO011", message, place, "restore the file from git, or propose again")
    if len(data) > MAXIMUM_BYTES:
        message = f"{path} has {len(data)} bytes, more than {MAXIMUM_BYTES}"
        return _error("PRO011", message, Location(path), "let the reconciler write validations")
    try:
        return read_validation(data, path)
    except ValidationDocumentError as error:
        return _error("PRO011", error.message, Location(path), error.remedy)


def _place(version: Document) -> Location:
    return version.marks.value("spec", "validation")


def _error(code: str, message: str, location: Location, remedy: str, *evidence: str) -> Finding:
    return Finding(
        code, Severity.ERROR, message, location, evidence, remedy, controls=_CONTROLS[code]
    )


def _about_something_else(promoted: Promoted, report: ValidationReport) -> Iterator[str]:
    """What the validation is about and should not be, a line for each."""
    spec, model = promoted.version.spec, promoted.base.get("Model", promoted.version.spec.model)
    if model is None:
        return
    dataset, data, part = rows_of(promoted, model)
    running = running_artifact(promoted.base, spec.model) or "none"
    claims = {
        "model": (report.model, spec.model),
        "artifact": (report.artifact, spec.artifact),
        "task": (report.task, model.spec.task),
        "dataset": (report.dataset, dataset),
        "data": (report.data, data),
        "part": (report.part or "all rows", part or "all rows"),
        "champion": (report.champion or "none", running),
    }
    if report.behaviour is not None:
        claims["champion of the behaviour"] = (report.behaviour.champion, running)
    for name, path in texts_of(model.spec).items():
        text = None if path is None else file_in(promoted.tree, path)
        claims[name] = (report.inputs.get(name, "none"), "none" if text is None else sha256(text))
    for name, (measured, expected) in claims.items():
        if measured != expected:
            yield f"{name} = {measured}, expected {expected}"


def rows_of(promoted: Promoted, model: Document) -> tuple[str, str, str]:
    """The Dataset, its digest and the part that a version has to be validated on."""
    other = model.spec.validation.dataset
    if other is None:
        return model.spec.dataset, promoted.version.spec.inputs.data, TEST
    declared = promoted.base.get("Dataset", other)
    return other, (declared.spec.digest if declared else None) or "no pinned digest", ""


def running_artifact(estate: LoadedEstate, model: str) -> str | None:
    """The artifact of the version that the first deployment of a model runs."""
    for deployment in estate.all("Deployment"):
        if deployment.spec.model == model and deployment.spec.version is not None:
            version = version_of(deployment, estate)
            return None if version is None else str(version.spec.artifact)
    return None


def _did_not_pass(
    promoted: Promoted, evidence: Evidence, report: ValidationReport
) -> Iterator[Finding]:
    version = promoted.version
    found = (*blockers(report), *_missed(promoted, evidence, report))
    if not found and report.verdict in STOPPING:
        found = (f"the document itself says {report.verdict}",)
    if found:
        message = f"the validation of {version.key} did not pass: {found[0]}"
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        remedy = (
            "mend the model or its data and train again; limits change in a change of their own"
        )
        yield _error("PRO013", message + more, _place(version), remedy, *found)


def _missed(promoted: Promoted, evidence: Evidence, report: ValidationReport) -> Iterator[str]:
    """The limits of the base that the document does not keep."""
    model = promoted.base.get("Model", promoted.version.spec.model)
    if model is None:
        return
    names = (report.dataset, model.spec.dataset or "")
    rows, own = (promoted.base.get("Dataset", name) for name in names)
    found = [one.spec for one in (rows, own) if one is not None]
    protected = frozenset(name for one in found for name in protected_columns(one))
    spec, classes = rows.spec if rows else None, classes_of(evidence)
    yield from limits_missed(Held(report, model.spec, spec, promoted.tree, classes, protected))


def _uncompared(promoted: Promoted, report: ValidationReport) -> Iterator[Finding]:
    """What would be decided otherwise than by the version that runs, and nobody can tell."""
    if report.champion and report.behaviour is None:
        version = promoted.version
        message = (
            f"the validation of {version.key} does not show what would be decided otherwise than "
            "by the version now running"
        )
        remedy = "look at both versions by hand before you approve; the validation says why"
        why = tuple(one.reason for one in report.checks if one.section == "champion" and one.reason)
        place = _place(version)
        yield Finding(
            "PRO014", Severity.WARNING, message, place, why, remedy, controls=_CONTROLS["PRO014"]
        )


def _gates(promoted: Promoted, evidence: Evidence, report: ValidationReport) -> Iterator[Finding]:
    """The acceptance gates of the base, held against what the validation measured.

    What the evidence counted of the rows (shares of classes) is what the gates go by here too.
    """
    model = promoted.base.get("Model", promoted.version.spec.model)
    if model is None:
        return
    dataset = promoted.base.get("Dataset", report.dataset)
    shown = replace(
        evidence,
        metrics=tuple(_metrics(report)),
        fairness=report.fairness,
        verdict=Verdict.PASS.value,
        task=report.task,
    )
    champion = running_artifact(promoted.base, model.name) is not None
    own = promoted.base.get("Dataset", model.spec.dataset)
    spec = with_protected(dataset.spec, own.spec if own else None) if dataset else None
    name, place = f"{model.name}, validation", _place(promoted.version)
    yield from accept(Case(name, model.spec, spec, shown, champion, place, again=True))


def _metrics(report: ValidationReport) -> Iterator[Metric]:
    for one in report.checks:
        if one.section in _MEASURED and not one.subject and one.value is not None:
            yield Metric(
                one.name, TEST, one.value, one.low, one.high, one.confidence, one.n,
                one.limit, one.verdict,
            )  # fmt: skip
