"""What the Dataset says of which decision is good for the person.

The output is the probability of the positive outcome; where that outcome is the favourable one, low
outputs are the bad ones. Of more than two classes the favourable one has the name that a plan gives
it, which is how YAML writes the value: `true`, and 1 also where the column holds 1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ordain.runtime.reasons.ranking import Side
    from ordain.specs.kinds.dataset import Target


def unfavourable_side(target: Target | None) -> Side:
    """On which side of the threshold the decision is bad; above it where nothing is declared."""
    if target is None or target.favourable is None:
        return "above"
    return "below" if target.favourable == target.positive else "above"


def favourable_class(target: Target | None) -> str | None:
    """The class that is good for the person; None where none is declared."""
    if target is None or target.favourable is None:
        return None
    value = target.favourable
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
