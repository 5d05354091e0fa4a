"""A validation that passes, for promotions that are made without training anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.validations import Check, ValidationReport

if TYPE_CHECKING:
    from ordain.specs.evidence import Evidence
    from ordain.specs.recipes import Recipe


def passing_validation(
    recipe: Recipe, dataset: str, evidence: Evidence, champion: str = ""
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
    return ValidationReport(
        model=recipe.model,
        artifact=evidence.artifact,
        dataset=dataset,
        data=recipe.data,
        part="test",
        rows=metric.n,
        task=evidence.task,
        checks=(check, drift),
        verdict="pass",
        champion=champion,
    )
