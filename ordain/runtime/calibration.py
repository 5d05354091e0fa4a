"""From what a model adds up to how often the outcome comes true.

A calibration takes the place of the link: it is a function of the margin, which grows and never
falls, and its value is the probability. A function of the probability was refused. Near 0 and 1 all
of a model's confidence lies in digits that a probability does not keep, and some libraries compute
their links in single precision, so that plan and pipeline would stand on two sides of a step.

Reasons stay where they were, in the margin: what moves it up never moves the probability down.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ordain.runtime.encoding import agree, contradiction, finite
from ordain.runtime.models import logistic

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """1 / (1 + exp(-(slope · margin + intercept))), as Platt 1999 has it with other signs."""

    slope: float
    intercept: float

    def __call__(self, margin: float) -> float:
        """The probability of the positive outcome."""
        return logistic(self.slope * margin + self.intercept)


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Straight lines between points, and beyond the outer ones their values.

    `slopes` has one entry for each point, 0 for the last, so that what is no number stays none.
    """

    margins: tuple[float, ...]
    shares: tuple[float, ...]
    slopes: tuple[float, ...]

    def __call__(self, margin: float) -> float:
        """The probability of the positive outcome."""
        if margin <= self.margins[0]:
            return self.shares[0]
        if margin >= self.margins[-1]:
            return self.shares[-1]
        place = bisect_right(self.margins, margin) - 1
        return self.slopes[place] * (margin - self.margins[place]) + self.shares[place]


Calibration = Sigmoid | Isotonic


def read_calibration(raw: Mapping[str, Any] | None) -> Calibration | None:
    """The entry `calibration` of a plan.

    Raises:
        PlanError: when it is none, or one that falls anywhere.
    """
    if raw is None:
        return None
    match raw.get("method"):
        case "sigmoid":
            found = Sigmoid(finite(raw["slope"]), finite(raw["intercept"]))
            agree(found.slope > 0.0, "its calibration does not rise")
            return found
        case "isotonic":
            return _isotonic(tuple(map(finite, raw["x"])), tuple(map(finite, raw["y"])))
        case other:
            raise contradiction(f"calibration {other!r} is not known")


def _isotonic(margins: tuple[float, ...], shares: tuple[float, ...]) -> Isotonic:
    agree(len(margins) == len(shares) > 1, "the points of its calibration are no pairs")
    agree(all(a < b for a, b in pairwise(margins)), "the margins of its calibration do not ascend")
    agree(all(a <= b for a, b in pairwise(shares)), "its calibration falls")
    agree(shares[0] >= 0.0 and shares[-1] <= 1.0, "its calibration gives no probabilities")
    points = pairwise(zip(margins, shares, strict=True))
    slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in points]
    return Isotonic(margins, shares, tuple(map(finite, (*slopes, 0.0))))
