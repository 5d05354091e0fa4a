"""A validation that passes, for promotions that are made without training anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.canonical import sha256
from ordain.specs.validations import Check, ValidationReport, texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.specs.evidence import Evidence
    from ordain.specs.kinds.model import Model
    from ordain.specs.recipes import Recipe


def passing_validation(
    recipe: Recipe,
    model: Model,
    evidence: Evidence,
    tree: Mapping[str, bytes],
    champion: str | None = None,
) -> ValidationReport:
    """What a validation would have measured on the test part: the same as the training."""
    (metric,) = evidence.metrics
    check = Check(
        section="performance",
        name=metric.name,
        value=metric.value,
        low=metric.low,
        high=metric.high,
        n=metric.n,
        limit="lower >= 0.95",
        verdict="pass",
    )
    drift = Check("drift", "psi", "(score)", 0.01, n=metric.n, limit="< 0.25", verdict="pass")
    told = (
        Check("explanations", "agreement", "", 0.9, n=100, limit=">= 0.8", verdict="pass"),
        Check("explanations", "flips", "", 0.95, n=100, limit=">= 0.9", verdict="pass"),
    )
    return ValidationReport(
        model=recipe.model,
        artifact=evidence.artifact,
        dataset=str(model.dataset),
        data=recipe.data,
        part="test",
        rows=metric.n,
        task=evidence.task,
        checks=(check, drift, *(told if model.explanation.reasons else ())),
        verdict="pass",
        champion=champion or "",
        inputs={name: sha256(tree[path]) for name, path in texts_of(model).items() if path},
    )
