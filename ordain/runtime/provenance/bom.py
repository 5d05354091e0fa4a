"""What a model is made of and what was measured on it, as a CycloneDX bill of materials.

Source: CycloneDX 1.6 (ECMA-424), `machine-learning-model` components and their model card. Every
value comes from the Model, the Dataset or the evidence; what none of them says is left out, because
an empty heading in a model card reads as if somebody had looked. There is no time in it, so that
the same version has the same bill.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.provenance.statements import package_url
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from ordain.specs.evidence import Evidence, FairnessRow, Metric
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model

SPEC_VERSION: Final = "1.6"
PAYLOAD: Final = "application/vnd.cyclonedx+json"
_LEARNING: Final = {
    "classification": "supervised",
    "regression": "supervised",
    "clustering": "unsupervised",
}


@dataclass(frozen=True, slots=True)
class Versioned:
    """A version of a model with the documents that it was made from.

    `evidence.artifact` names the artifact, `data` is the name of the Dataset.
    """

    name: str
    number: int
    model: Model
    data: str
    dataset: Dataset
    evidence: Evidence


def bill_of_materials(made: Versioned) -> bytes:
    """The bill as canonical JSON."""
    reference = f"model/{made.name}@{made.number}"
    packages = [
        {
            "type": "platform" if name == "python" else "library",
            "bom-ref": package_url(name, version),
            "name": name,
            "version": version,
            "purl": package_url(name, version),
        }
        for name, version in sorted(made.evidence.environment.items())
    ]
    rows = _rows(made)
    depends = [rows["bom-ref"], *(one["bom-ref"] for one in packages)]
    return canonical_json(
        {
            "bomFormat": "CycloneDX",
            "specVersion": SPEC_VERSION,
            # The same version has the same serial number (RFC 9562, section 5.5).
            "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, made.evidence.digest).urn,
            "version": 1,
            "metadata": {"component": _component(made, reference, rows["bom-ref"])},
            "components": [rows, *packages],
            "dependencies": [{"ref": reference, "dependsOn": depends}],
        }
    )


def _component(made: Versioned, reference: str, rows: str) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": reference,
        "name": made.name,
        "version": str(made.number),
        "description": made.model.purpose,
        "hashes": [_hash(made.evidence.artifact)],
        "modelCard": {
            "modelParameters": _parameters(made.model, rows, made.evidence.search),
            "quantitativeAnalysis": {
                "performanceMetrics": [_metric(one) for one in made.evidence.metrics]
            },
            "considerations": _considerations(made),
        },
        "properties": _properties(made),
    }


def _parameters(model: Model, rows: str, searched: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "approach": {"type": _LEARNING[model.task]},
        "task": model.task,
        "datasets": [{"ref": rows}],
    }
    if model.training is not None and model.training.estimator is not None:
        found["modelArchitecture"] = model.training.estimator
    elif searched:
        found["modelArchitecture"] = searched["chosen"]["estimator"]
    return found


def _metric(metric: Metric) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": metric.name,
        "value": repr(metric.value),
        "slice": metric.part,
    }
    if metric.low is not None and metric.high is not None:
        bounds = {"lowerBound": repr(metric.low), "upperBound": repr(metric.high)}
        found["confidenceInterval"] = bounds
    return found


def _considerations(made: Versioned) -> dict[str, Any]:
    found: dict[str, Any] = {"useCases": [made.model.purpose]}
    if made.evidence.limitations:
        found["technicalLimitations"] = list(made.evidence.limitations)
    if made.evidence.fairness:
        found["fairnessAssessments"] = [_assessed(row) for row in made.evidence.fairness]
    return found


def _assessed(row: FairnessRow) -> dict[str, str]:
    value = "no value" if row.value is None else f"{row.value:.4f}"
    harms = f"{row.named} against {row.reference}: {value}, n = {row.n}, verdict {row.verdict}"
    return {"groupAtRisk": f"{row.attribute}={row.group}", "harms": harms}


def _rows(made: Versioned) -> dict[str, Any]:
    """The rows; their digest is over columns, so it is a property and no hash of a file."""
    digest = str(made.evidence.data.get("digest", ""))
    component: dict[str, Any] = {
        "type": "data",
        "bom-ref": f"data/{made.data}",
        "name": made.data,
        "data": [{"type": "dataset", "name": made.data}],
        "properties": [{"name": "ordain:logicalDigest", "value": digest}],
    }
    if made.dataset.licence:
        component["licenses"] = [{"license": {"name": made.dataset.licence}}]
    if made.dataset.provenance:
        component["description"] = made.dataset.provenance
    return component


def _properties(made: Versioned) -> list[dict[str, str]]:
    evidence = made.evidence
    values = {
        "recipe": evidence.recipe,
        "split": evidence.split,
        "evidence": evidence.digest,
        "verdict": evidence.verdict,
    }
    return [{"name": f"ordain:{name}", "value": value} for name, value in values.items()]


def _hash(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest.removeprefix("sha256:")}
