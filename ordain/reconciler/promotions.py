"""A promotion: one signed commit by the machine that pins a version and its evidence.

It holds the new ModelVersion, the evidence and the validation under their digests, and the version
number in every Deployment of the model, and nothing else, so that the gate can tell it from a
change by people. The commit's time is the only thing in it that neither the recipe nor the
validation decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.specs.canonical import sha256
from ordain.specs.diagnostics import one_line
from ordain.specs.document_edits import set_in_document
from ordain.specs.evidence import evidence_path
from ordain.specs.validation_text import record_lines, validation_lines
from ordain.specs.validations import ValidationDocumentError, read_validation
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ordain.reconciler.attesting import Attested
    from ordain.reconciler.source import Source
    from ordain.specs.documents import LoadedEstate
    from ordain.specs.evidence import Evidence
    from ordain.specs.recipes import Recipe
    from ordain.specs.validations import ValidationReport
    from ordain.vcs.forge import Proposal
    from ordain.vcs.keys import Signer

BRANCH = "ordain/promote/"
MACHINE = Identity("ordain reconciler", "reconciler@ordain.invalid")
_TRAILER = "Ordain-Recipe: "
_BASIS = "Ordain-Validation: "
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Version:
    """What is promoted; `basis` is what its validation depends on beside the artifact.

    `last` is the validation of the newest version of before.
    """

    number: int
    recipe: Recipe
    artifact: str
    evidence: Evidence
    tool: str
    attested: Attested | None = None
    validation: ValidationReport | None = None
    basis: str = ""
    last: ValidationReport | None = None


def last_validation(
    tree: Mapping[str, bytes], estate: LoadedEstate, model: str
) -> ValidationReport | None:
    """The validation of the newest version of a model; None where it has none that can be read."""
    versions = [one.spec for one in estate.all("ModelVersion") if one.spec.model == model]
    newest = max(versions, key=lambda one: one.version, default=None)
    if newest is None or newest.validation is None:
        return None
    path = evidence_path(newest.validation)
    try:
        return read_validation(tree[path], path) if path in tree else None
    except ValidationDocumentError:
        return None


def promotion_files(
    tree: Mapping[str, bytes], estate: LoadedEstate, version: Version
) -> dict[str, bytes]:
    """The files of the promotion by path: version, what was measured and signed, deployments."""
    model = version.recipe.model
    path = f"specs/versions/{model}/{version.number}.yaml"
    files = {path: _document(version), version.evidence.path: version.evidence.to_json()}
    if version.validation is not None:
        files[version.validation.path] = version.validation.to_json()
    if version.attested is not None:
        files |= version.attested.files()
    for deployment in estate.all("Deployment"):
        if deployment.spec.model == model:
            data = files.get(deployment.path, tree[deployment.path])
            files[deployment.path] = set_in_document(
                data, deployment, ("spec", "version"), version.number
            )
    return files


def propose(
    source: Source,
    onto: str,
    files: dict[str, bytes],
    version: Version,
    signer: Signer,
    now: datetime,
) -> Proposal:
    """Commit the files on top of `onto`, signed by the machine, and open the proposal."""
    repository = source.repository
    tree = repository.write_tree(onto, dict(files))
    name = f"{version.recipe.model}-{version.number}"
    title = f"Promote {version.recipe.model} to version {version.number}"
    body = _body(version)
    commit = repository.write_commit(tree, (onto,), f"{title}\n\n{body}", MACHINE, now, signer)
    return source.forge.open_proposal(f"{BRANCH}{name}", commit, title, body)


def recipe_of_proposal(proposal: Proposal) -> str:
    """The recipe digest that a promotion names, empty when it names none."""
    return _trailer(proposal, _TRAILER)


def basis_of_proposal(proposal: Proposal) -> str:
    """The basis of the validation that a promotion names, empty when it names none."""
    return _trailer(proposal, _BASIS)


def _trailer(proposal: Proposal, name: str) -> str:
    lines = proposal.body.splitlines()
    return next((line.removeprefix(name) for line in lines if line.startswith(name)), "")


def model_of_proposal(proposal: Proposal) -> str:
    """The model of a promotion's branch `ordain/promote/<model>-<number>`."""
    return proposal.branch.removeprefix(BRANCH).rpartition("-")[0]


def _document(version: Version) -> bytes:
    """The ModelVersion as YAML; JSON scalars are YAML scalars, so json does the quoting."""
    import json

    recipe = version.recipe
    spec: dict[str, Any] = {
        "model": recipe.model,
        "version": version.number,
        "recipe": recipe.digest,
        "inputs": {
            "spec": recipe.spec,
            "dataset": recipe.dataset,
            "data": recipe.data,
            "environment": recipe.environment,
            "seed": recipe.seed,
            "threads": recipe.threads,
        },
        "artifact": version.artifact,
        "evidence": version.evidence.digest,
        "split": version.evidence.split,
        "metrics": {
            metric.name: metric.value
            for metric in version.evidence.metrics
            if metric.part == "test"
        },
        **({} if version.validation is None else {"validation": version.validation.digest}),
        **_provenance(version.attested),
        "tool": version.tool,
    }
    lines = [
        "# Written by the reconciler; an edit is refused.",
        "apiVersion: ordain.dev/v1",
        "kind: ModelVersion",
        "metadata:",
        f"  name: {recipe.model}-{version.number}",
        "spec:",
    ]
    for key, value in spec.items():
        if isinstance(value, dict):
            lines.append(f"  {key}:" if value else f"  {key}: {{}}")
            lines.extend(f"    {name}: {json.dumps(item)}" for name, item in value.items())
        else:
            lines.append(f"  {key}: {json.dumps(value)}")
    return ("\n".join(lines) + "\n").encode()


def _provenance(attested: Attested | None) -> dict[str, dict[str, str]]:
    if attested is None:
        return {}
    signed = {"statement": attested.statement, "bom": attested.bom}
    return {"provenance": {name: sha256(data) for name, data in signed.items()}}


def _body(version: Version) -> str:
    """The facts that a person reads first; the trailers are what the reconciler finds it by."""
    evidence = version.evidence
    lines = [f"Evidence: {evidence.verdict} ({evidence.path})", ""]
    for metric in evidence.metrics:
        if metric.part != "test":
            continue
        interval = ""
        if metric.low is not None and metric.high is not None:
            interval = f" [{metric.low:.4f}, {metric.high:.4f}]"
        limit = f", {metric.limit}: {metric.verdict}" if metric.limit else ""
        lines.append(f"- {metric.name} {metric.value:.4f}{interval}, n = {metric.n}{limit}")
    for row in evidence.fairness:
        kind = "ratio" if row.maximum is None else "difference"
        value = f"no {kind}" if row.value is None else f"{kind} {row.value:.3f}"
        lines.append(
            f"- {row.named} {row.attribute}={row.group} against {row.reference}:"
            f" {value}, n = {row.n}: {'for information' if row.informs else row.verdict}"
        )
    if version.validation is not None:
        lines += ["", *validation_lines(version.validation, version.last)]
        lines += ["", *record_lines(version.validation)]
    lines += _limitations(evidence)
    lines += ["", f"{_TRAILER}{version.recipe.digest}", f"Ordain-Artifact: {version.artifact}"]
    if version.basis:
        lines.append(f"{_BASIS}{version.basis}")
    return "\n".join(lines)


def _limitations(evidence: Evidence) -> list[str]:
    """What the numbers cannot show; one line each, because a line could be a trailer."""
    told = [f"- {one_line(one)}" for one in evidence.limitations[:_TOLD]]
    more = len(evidence.limitations) - _TOLD
    if more > 0:
        told.append(f"- and {more} more in the evidence")
    return ["", "What this does not show:", "", *told] if told else []
