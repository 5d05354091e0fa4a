"""Whether the rates of two groups differ by more than chance, from counts alone.

Whoever measured says how probable a gap is without any disparity, and the gate of a promotion
computes it again from the counts of the row: a p-value that nobody can check is a word. Both call
the functions here, which need no rows and no library.

    rates     Fisher's exact test where a group has 1,000 rows or fewer, or an expected count is
              below 5; else the pooled z. The z is significant at .05 in 5.3 % of samples of 100
              without any disparity (`bench/fairness.py`), and a gate may not be
    family    step-down correction of Holm (1979) over every row that was tested
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL: Final = 5.0  # Below this expected count the normal approximation is not used,
EXACT: Final = 1_000  # nor where the smaller group has as many rows or fewer.
# Two hypergeometric chances that differ by rounding are the same chance.
_SAME: Final = 1 + 1e-7


@dataclass(frozen=True, slots=True)
class Counts:
    """Cases of a group, and those of them that are counted, such as favourable decisions."""

    favourable: int
    n: int

    @property
    def rate(self) -> float:
        return self.favourable / self.n if self.n else 0.0


def lower_rate(ours: Counts, reference: Counts) -> float:
    """The p-value of equal rates against a lower rate of ours."""
    if is_small(ours, reference):
        return fisher(ours, reference)
    return NormalDist().cdf(_pooled_z(ours, reference))


def other_rate(ours: Counts, reference: Counts) -> float:
    """The p-value of equal rates against another rate of ours, in either direction."""
    if is_small(ours, reference):
        return fisher(ours, reference, sided=2)
    return 2 * NormalDist().cdf(-abs(_pooled_z(ours, reference)))


def is_small(ours: Counts, reference: Counts) -> bool:
    """Whether the normal approximation would be wrong often enough to matter."""
    total = ours.n + reference.n
    favourable = ours.favourable + reference.favourable
    expected = min(favourable, total - favourable) * min(ours.n, reference.n) / total
    return min(ours.n, reference.n) <= EXACT or expected < SMALL


def _pooled_z(ours: Counts, reference: Counts) -> float:
    pooled = (ours.favourable + reference.favourable) / (ours.n + reference.n)
    error = math.sqrt(pooled * (1 - pooled) * (1 / ours.n + 1 / reference.n))
    return (ours.rate - reference.rate) / error


def fisher(ours: Counts, reference: Counts, *, sided: int = 1) -> float:
    """Fisher's exact test: the chance of so few favourable decisions, or of any as improbable."""
    favourable = ours.favourable + reference.favourable
    fewest = max(0, favourable - reference.n)
    logs = [
        _log_choose(ours.n, x) + _log_choose(reference.n, favourable - x)
        for x in range(fewest, min(favourable, ours.n) + 1)
    ]
    highest = max(logs)
    weights = [math.exp(value - highest) for value in logs]
    place = ours.favourable - fewest
    if sided == 1:
        counted = weights[: place + 1]
    else:
        counted = [weight for weight in weights if weight <= weights[place] * _SAME]
    return min(1.0, math.fsum(counted) / math.fsum(weights))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def holm(values: Sequence[float]) -> list[float]:
    """p-values corrected for having tested all of them (Holm 1979), in the given order."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected = [0.0] * len(values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, values[place] * (len(values) - rank)))
        corrected[place] = highest
    return corrected
