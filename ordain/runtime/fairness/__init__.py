"""Are groups of people decided about alike? Measured on decisions, outcomes and scores.

    groups -> samples -> metrics (rates, significance, power) -> judging -> comparing; alternatives

Training asks for the rows of its test part, a validation for its own; both get the same rows from
`rows_of`. What a gate means and the verdict on a row stand in `ordain.specs.fairness`, because the
gate of a promotion judges them again. `alternatives` looks among candidates for one that is about
as good and less discriminatory.

Refused: a library of fairness metrics at run time. They give values without a test, a correction or
a smallest sample, and serve here as oracles of the tests. Cut-offs per group were refused as well:
they are disparate treatment.
"""

from __future__ import annotations

from ordain.runtime.fairness.comparing import rows_of
from ordain.runtime.fairness.samples import Decided

__all__ = ["Decided", "rows_of"]
