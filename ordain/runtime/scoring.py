"""The fitted model as data, and the standard library that runs it.

Training describes what it fitted as a *plan*: how each input becomes columns, and a linear model or
trees over these. One row is then some dozens of additions and comparisons, for which Python itself
is quicker than a numeric library with its start-up and its arrays of one. Loading scikit-learn in a
serving process was refused: 0.5 s and 100 MB for each worker, objects that need pickle, and answers
that may change with the library. The plan is proven against the fitted pipeline before anybody sees
it (`training.export`) and again by every process that serves it (parity rows).

Arithmetic is pinned, because a recorded score must be found again bit for bit years later: sums of
products go through `math.fsum` (the built-in `sum` of floats adds differently from Python 3.12 on),
trees are added in their order.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.runtime.encoding import (
    REMEDY,
    Columns,
    Input,
    agree,
    contradiction,
    read_columns,
    read_input,
)
from ordain.runtime.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FORMAT",
    "Decision",
    "Input",
    "LinearModel",
    "RowPlan",
    "Scored",
    "Tree",
    "TreeModel",
    "logistic",
]

FORMAT = "ordain.plan/2"

Node = Any  # A float (leaf) or (feature, threshold, missing_left, left node, right node).


@dataclass(frozen=True, slots=True)
class Decision:
    """Scores at or above the threshold take the upper decision."""

    threshold: float
    above: str
    below: str


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says of one row.

    `output` is the one number that is recorded: for two classes the probability of the positive
    one, for more the probability of the class that was chosen, for a regression the value, for a
    clustering the distance to the centre, or the probability, of the cluster that was chosen.
    `scores` are the probabilities of more than two classes, in the order of the plan's `classes`.
    """

    output: float
    scores: tuple[float, ...]
    decision: str | None


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Margin = intercept + coefficients · encoded."""

    coefficients: tuple[float, ...]
    intercept: float

    def margin(self, encoded: list[float]) -> float:
        """The log-odds of one encoded row; NaN where they are no number."""
        products = [a * b for a, b in zip(self.coefficients, encoded, strict=True)]
        products.append(self.intercept)
        try:
            return math.fsum(products)
        except (OverflowError, ValueError):  # Beyond the floats, or infinity minus infinity.
            return math.nan


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree as parallel arrays: node 0 is the root, a feature of -1 marks a leaf.

    A value goes left when it is <= the threshold; a missing one (NaN) where `missing_left` says.
    """

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    missing_left: tuple[bool, ...]
    value: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TreeModel:
    """Margin = baseline + the leaf of each tree, added in order."""

    baseline: float
    trees: tuple[Tree, ...]
    roots: tuple[Node, ...]

    def margin(self, encoded: list[float]) -> float:
        """The log-odds of one encoded row."""
        total = self.baseline
        for root in self.roots:
            node = root
            while type(node) is tuple:
                feature, threshold, missing_left, left, right = node
                value = encoded[feature]
                if value <= threshold:
                    node = left
                elif value == value:  # noqa: PLR0124 - only NaN differs from itself
                    node = right
                else:
                    node = left if missing_left else right
            total += node
        return total


@dataclass(frozen=True, slots=True)
class RowPlan:
    """A fitted model that scores one row.

    `names` are the encoded columns and `sources` the inputs that each of them is made from: one, or
    the two of a product.
    """

    task: str
    inputs: tuple[Input, ...]
    names: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]
    model: LinearModel | TreeModel
    decision: Decision | None
    columns: Columns

    @classmethod
    def read(cls, data: bytes) -> RowPlan:
        """The plan in these bytes.

        Raises:
            PlanError: when they are no plan, or one that contradicts itself.
        """
        try:
            raw = json.loads(data, parse_constant=_no_constant)
            agree(raw["format"] == FORMAT, f"its format is {raw['format']!r}, not {FORMAT!r}")
            return _read(raw)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            message = f"plan.json is not a plan of the format {FORMAT}: {error!r}"
            raise PlanError(message, remedy=REMEDY) from error

    def encode(self, row: Mapping[str, object]) -> list[float]:
        """The row as numbers, in the order of `names`; NaN where the model takes missing values.

        An absent key, None and NaN are missing. Keys that are no input are not looked at.

        Raises:
            RowError: when a value is not of the input's type, or a level is refused.
        """
        return self.columns.kept(self.columns.every(row))

    def margin(self, encoded: list[float]) -> float:
        """The log-odds of one encoded row."""
        return self.model.margin(encoded)

    def answer(self, row: Mapping[str, object]) -> Scored:
        """What the model says of one row, and the decision that follows from it.

        Raises:
            RowError: when a value is not of the input's type, or a level is refused.
        """
        score = logistic(self.model.margin(self.encode(row)))
        return Scored(score, (), self.decide(score))

    def score(self, row: Mapping[str, object]) -> float:
        """The output of `answer`.

        Raises:
            RowError: when a value is not of the input's type, or a level is refused.
        """
        return self.answer(row).output

    def decide(self, score: float) -> str | None:
        """The decision that follows from a score, or None where the Model declares none."""
        if self.decision is None:
            return None
        return self.decision.above if score >= self.decision.threshold else self.decision.below


def logistic(margin: float) -> float:
    """The probability of a log-odds; neither end overflows."""
    if margin >= 0.0:
        return 1.0 / (1.0 + math.exp(-margin))
    odds = math.exp(margin)
    return odds / (1.0 + odds)


def _no_constant(name: str) -> float:
    raise contradiction(f"{name} is no number of JSON")


def _read(raw: dict[str, Any]) -> RowPlan:
    agree(raw["task"] == "classification", f"task {raw['task']!r} cannot be scored")
    agree(raw["link"] == "logit", f"link {raw['link']!r} is not known")
    agree(raw["calibration"] is None, "a calibration is not known")
    inputs = {given["name"]: read_input(given) for given in raw["inputs"]}
    agree(len(inputs) == len(raw["inputs"]), "an input is listed twice")
    columns = read_columns(raw["columns"], raw["keep"], inputs)
    names = tuple(raw["names"])
    sources = tuple(tuple(found) for found in raw["sources"])
    agree(columns.sources == sources, "sources do not agree with columns")
    agree(len(names) == len(sources), "names do not agree with columns")
    model = _model(raw["model"], len(names))
    return RowPlan(
        raw["task"],
        tuple(inputs.values()),
        names,
        columns.sources,
        model,
        _decision(raw["decision"]),
        columns,
    )


def _decision(raw: dict[str, Any] | None) -> Decision | None:
    if raw is None:
        return None
    return Decision(float(raw["threshold"]), str(raw["above"]), str(raw["below"]))


def _model(raw: dict[str, Any], width: int) -> LinearModel | TreeModel:
    match raw["kind"]:
        case "linear":
            coefficients = tuple(map(float, raw["coefficients"]))
            agree(len(coefficients) == width, "coefficients do not agree with columns")
            return LinearModel(coefficients, float(raw["intercept"]))
        case "trees":
            trees = tuple(_tree(tree, width) for tree in raw["trees"])
            return TreeModel(float(raw["baseline"]), trees, tuple(map(_root, trees)))
        case other:
            raise contradiction(f"a model of the kind {other!r} is not known")


def _tree(raw: dict[str, Any], width: int) -> Tree:
    tree = Tree(
        feature=tuple(map(int, raw["feature"])),
        threshold=tuple(map(float, raw["threshold"])),
        left=tuple(map(int, raw["left"])),
        right=tuple(map(int, raw["right"])),
        missing_left=tuple(map(bool, raw["missing_left"])),
        value=tuple(map(float, raw["value"])),
    )
    size = len(tree.feature)
    arrays = (tree.threshold, tree.left, tree.right, tree.missing_left, tree.value)
    agree(size > 0 and all(len(array) == size for array in arrays), "a tree has uneven arrays")
    agree(all(-1 <= feature < width for feature in tree.feature), "a tree splits on no column")
    return tree


def _root(tree: Tree) -> Node:
    """The tree as nested tuples, built from the last node to the first.

    A child must stand after its parent, which also means that no walk can go in circles.
    """
    nodes: list[Node] = list(tree.value)
    for index in range(len(nodes) - 1, -1, -1):
        if tree.feature[index] < 0:
            continue
        left, right = tree.left[index], tree.right[index]
        agree(index < left < len(nodes) and index < right < len(nodes), "a tree is no tree")
        nodes[index] = (
            tree.feature[index],
            tree.threshold[index],
            tree.missing_left[index],
            nodes[left],
            nodes[right],
        )
    return nodes[0]
