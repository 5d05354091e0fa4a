"""Whether outcomes that were seen can speak for those that were not.

Training measures the coverage and puts it into the evidence; the gate decides by it. Neither may
know the other, and both must reach one verdict, so the question is asked here. What the evidence
holds is taken apart with suspicion: whoever wrote it may not have been the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.specs.kinds.dataset import Feedback

FEWEST = 10  # With fewer, the interval of any share is wider than half of all that is possible.
ABSENT = "the evidence does not say whose outcomes were seen"


@dataclass(frozen=True, slots=True)
class Band:
    """Cases whose scores lie in one range: all, those with an outcome, and those of them that were
    let through by chance.
    """

    n: int
    labelled: int
    explored: int


def claim_gap(data: Mapping[str, Any], loop: Feedback) -> str:
    """Why a claim on all cases is not shown by this evidence, or an empty text.

    It is shown where every outcome was seen, or where in each band of scores that was not seen
    whole ten outcomes were seen by chance, and in these bands together a share of at least
    `minExploration` of the cases.
    """
    try:
        bands = [_band(one) for one in data["coverage"]["bands"]]
    except (KeyError, TypeError, ValueError):
        return ABSENT
    if not bands:
        return ABSENT
    partly = [band for band in bands if band.labelled < band.n]
    if not partly:
        return ""
    blind = sum(band.explored < FEWEST for band in partly)
    if blind:
        return (
            f"{blind} of {len(bands)} score bands have fewer than {FEWEST} outcomes that were seen "
            "by chance"
        )
    least = float(Decimal(loop.min_exploration.removesuffix("%")) / 100)
    share = sum(band.explored for band in partly) / sum(band.n for band in partly)
    if share < least:
        return (
            f"{share:.2%} of the cases of score bands that were not seen whole were seen by "
            f"chance, {loop.min_exploration} are needed"
        )
    return ""


def _band(raw: Mapping[str, Any]) -> Band:
    """A band that can be true.

    Raises:
        ValueError: when it cannot.
    """
    numbers = [raw[name] for name in ("explored", "labelled", "n")]
    if any(type(number) is not int for number in numbers) or not 0 <= numbers[0] <= numbers[1]:
        raise ValueError(numbers)
    if not max(1, numbers[1]) <= numbers[2]:
        raise ValueError(numbers)
    return Band(numbers[2], numbers[1], numbers[0])
