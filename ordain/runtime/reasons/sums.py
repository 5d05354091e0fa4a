"""Shapley values of a linear model, in closed form.

A column of one input adds w · (x - mean of the background) to that input. A product of two inputs
is a game of two, by the definition: with x the row, b a background row and E the mean over these,
nobody is worth E[b_u b_v], u alone x_u E[b_v], v alone E[b_u] x_v, both x_u x_v. Each earns the
mean of what it adds as the first and as the second one: for u, half of what the column adds and
half of the tilt w · (x_u E[b_v] - E[b_u] x_v).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.scoring import RowPlan

    Encoded = list[list[float]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of one input, with its mean over the background."""

    place: int
    source: str
    weight: float
    mean: float


@dataclass(frozen=True, slots=True)
class Product:
    """A column that multiplies two others; means of these and of the product."""

    places: tuple[int, int]
    sources: tuple[str, str]
    weight: float
    means: tuple[float, float]
    mean: float


@dataclass(frozen=True, slots=True)
class Sums:
    """One output of a linear model, made ready for a background."""

    inputs: tuple[str, ...]
    columns: tuple[Column, ...]
    products: tuple[Product, ...]

    @classmethod
    def of(cls, plan: RowPlan, weights: Sequence[float], every: Encoded, kept: Encoded) -> Sums:
        """For background rows with all columns, and with those that the model takes."""
        columns, products = [], []
        described = zip(plan.sources, plan.columns.operands, weights, strict=True)
        for place, (sources, operands, weight) in enumerate(described):
            if operands is None:
                mean = _mean([row[place] for row in kept])
                columns.append(Column(place, sources[0], weight, mean))
                continue
            u, v = operands
            means = _mean([row[u] for row in every]), _mean([row[v] for row in every])
            mean = _mean([row[u] * row[v] for row in every])
            products.append(Product(operands, (sources[0], sources[1]), weight, means, mean))
        return cls(tuple(given.name for given in plan.inputs), tuple(columns), tuple(products))

    def explain(self, every: Sequence[float], kept: Sequence[float]) -> dict[str, float]:
        """What each input adds to the margin of one row."""
        parts: dict[str, list[float]] = {name: [] for name in self.inputs}
        for column in self.columns:
            parts[column.source].append(column.weight * (kept[column.place] - column.mean))
        for product in self.products:
            u, v = (every[place] for place in product.places)
            mean_u, mean_v = product.means
            whole = product.weight * (u * v - product.mean)
            tilt = product.weight * (u * mean_v - mean_u * v)
            one, two = product.sources
            parts[one].append((whole + tilt) / 2)
            parts[two].append((whole - tilt) / 2)
        return {name: math.fsum(values) for name, values in parts.items()}


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)
