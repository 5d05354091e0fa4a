"""Curves of a number: scikit-learn's B-splines between quantiles of the training part.

The library makes the columns, from knots that are chosen here. Its own choice interpolates between
values and keeps equal quantiles, and a knot that stands twice, or a hair beside another, is a
column of zeros or a step. Here a knot is a value that occurs, and knots keep a distance.

`SplineTransformer` itself is not stored: it holds a `BSpline` of SciPy, whose private arrays a
compiled loop reads without looking. The step is a function with its knots, which makes a fresh one
each time, so that whatever a file says goes through the checks of both libraries.

Beyond the outer knots a curve keeps the value that it has there. A line that goes on was refused:
where nothing was seen it would say the most.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.training.features import Floats
    from ordain.specs.kinds.model import Model

CURVE = "curve"
APART = 1e-6  # Of the range. Nearer knots would make polynomials of enormous coefficients.

KNOTS, DEGREE = 20, 3  # The most that the language takes.

Steps = list[tuple[str, Any]]


def bend(model: Model, values: Floats, chain: Steps) -> Steps:
    """The step that makes curves of what the chain makes of these values.

    None for a feature that has fewer different values than there would be knots: a curve through
    so few points is no better known than a line, and a column of 0 and 1 has no curve at all.
    """
    declared = model.preprocessing.numeric.splines
    if declared is None:
        return []
    column = values.reshape(-1, 1)
    found = np.ravel(Pipeline(chain).fit_transform(column) if chain else column)
    if len(np.unique(found)) < declared.knots:
        return []
    knots = knots_of(found, declared.knots)
    arguments = {"knots": knots, "degree": declared.degree}
    return [(CURVE, FunctionTransformer(curves, kw_args=arguments))]


def knots_of(values: Floats, count: int) -> list[float]:
    """Quantiles at equal steps, the ends among them, without those that lie on each other.

    Each is a value that occurs: the smallest that as large a share does not exceed (definition 1 of
    Hyndman and Fan 1996).
    """
    found = np.quantile(values, np.linspace(0.0, 1.0, count), method="inverted_cdf").tolist()
    first, last = found[0], found[-1]
    apart = APART * (last - first)
    knots = [first]
    for knot in found[1:-1]:
        if knot - knots[-1] > apart and last - knot > apart:
            knots.append(knot)
    return [*knots, last]


def curves(values: Floats, knots: Sequence[float], degree: int) -> Floats:
    """The columns of a number, one less than the basis has, because that adds up to one.

    Raises:
        ValueError: when a stored pipeline asks for more than a Model can declare, which would fill
            the memory.
    """
    if not 1 <= degree <= DEGREE or not 2 <= len(knots) <= KNOTS:  # noqa: PLR2004 - both ends
        raise ValueError(f"a curve of {len(knots)} knots and the degree {degree} is none")
    made: Floats = _spline(knots, degree).transform(values)
    return made


def curve_width(step: Steps) -> int:
    """How many columns the step makes."""
    if not step:
        return 0
    arguments = step[0][1].kw_args
    return len(arguments["knots"]) + int(arguments["degree"]) - 2


def pieces_of(knots: Sequence[float], degree: int) -> list[list[list[float]]]:
    """The columns as polynomials of the distance from the knot on the left, by piece.

    The coefficient of a power is that derivative at the knot, divided by its factorial (Taylor; a
    piece is a polynomial, so nothing is left out). The highest power is first. On a piece only as
    many columns as the degree and one more are not zero, and the last of the basis is left out.
    """
    (basis,) = _spline(knots, degree).bsplines_
    found = []
    for piece, knot in enumerate(knots[:-1]):
        rows = [basis(knot, nu=power) / math.factorial(power) for power in range(degree, -1, -1)]
        columns = np.array(rows)[:, piece : piece + degree + 1].T.tolist()
        found.append(columns)
    found[-1].pop()
    return found


def _spline(knots: Sequence[float], degree: int) -> SplineTransformer:
    """Fitted on its knots, which are all that it learns."""
    column = np.asarray(knots, dtype=np.float64).reshape(-1, 1)
    made = SplineTransformer(
        degree=degree, knots=column, extrapolation="constant", include_bias=False
    )
    return made.fit(column)
