"""How far the plan that serves may differ from the fitted pipeline, where a Model does not say.

The trainer proves it and the gate judges it again; the limit of both is this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ordain.specs.kinds.model import Model

EXACT: Final = 1e-9
SINGLE: Final = 1e-6  # Adding up in single precision keeps about seven digits.
_IN_SINGLE_PRECISION: Final = frozenset({"xgboost"})


def plan_limit(model: Model) -> float:
    """The largest difference that is accepted between pipeline and plan."""
    declared = model.acceptance.parity.plan
    if declared is not None:
        return declared
    training = model.training
    if training is None:
        return EXACT
    names = {training.estimator} if training.automl is None else set(training.automl.families)
    return EXACT if _IN_SINGLE_PRECISION.isdisjoint(names) else SINGLE
