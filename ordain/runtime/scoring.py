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
    Encoder,
    Input,
    agree,
    contradiction,
    read_encoder,
    read_input,
    width_of,
)
from ordain.runtime.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "FORMAT",
    "CentreModel",
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
    """Margin of an output = its intercept + its coefficients · encoded."""

    coefficients: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]

    def margins(self, encoded: list[float]) -> list[float]:
        """One per output; NaN where they are no number."""
        rows = zip(self.coefficients, self.intercepts, strict=True)
        return [_dot(weights, encoded, intercept) for weights, intercept in rows]


def _dot(weights: tuple[float, ...], encoded: list[float], intercept: float) -> float:
    products = [a * b for a, b in zip(weights, encoded, strict=True)]
    products.append(intercept)
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
    output: int


@dataclass(frozen=True, slots=True)
class TreeModel:
    """Margin of an output = its baseline + the leaf of each of its trees, added in order."""

    baselines: tuple[float, ...]
    trees: tuple[Tree, ...]
    roots: tuple[Node, ...]

    def margins(self, encoded: list[float]) -> list[float]:
        """One per output."""
        totals = list(self.baselines)
        for tree, root in zip(self.trees, self.roots, strict=True):
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
            totals[tree.output] += node
        return totals


@dataclass(frozen=True, slots=True)
class CentreModel:
    """The chosen cluster is that of the nearest centre."""

    centres: tuple[tuple[float, ...], ...]

    def distances(self, encoded: list[float]) -> list[float]:
        """Euclidean, one per centre."""
        return [math.dist(centre, encoded) for centre in self.centres]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """A fitted model that scores one row.

    `names` are the encoded columns and `sources` the inputs that each of them came from.
    """

    task: str
    classes: tuple[str, ...]
    inputs: tuple[Input, ...]
    names: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]
    model: LinearModel | TreeModel | CentreModel
    link: str
    decision: Decision | None
    encoders: tuple[Encoder, ...]

    @classmethod
    def read(cls, data: bytes) -> RowPlan:
        """The plan in these bytes.

        Raises:
            PlanError: when they are no plan, or one that contradicts itself.
        """
        try:
            raw = json.loads(data, parse_constant=_no_constant)
            if raw["format"] == "ordain.plan/1":
                raw = _newer(raw)
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
        encoded: list[float] = []
        for encoder in self.encoders:
            encoder(row, encoded)
        return encoded

    def margins(self, encoded: list[float]) -> list[float]:
        """One per output, before the link."""
        if isinstance(self.model, CentreModel):
            raise contradiction("a clustering has no margins")
        return self.model.margins(encoded)

    def margin(self, encoded: list[float]) -> float:
        """The only one of `margins`."""
        (margin,) = self.margins(encoded)
        return margin

    def answer(self, row: Mapping[str, object]) -> Scored:
        """What the model says of one row, and the decision that follows from it.

        Raises:
            RowError: when a value is not of the input's type, or a level is refused.
        """
        encoded = self.encode(row)
        if isinstance(self.model, CentreModel):
            distances = self.model.distances(encoded)
            nearest = distances.index(min(distances))
            return Scored(distances[nearest], (), self.classes[nearest])
        margins = self.model.margins(encoded)
        if self.classes:
            scores = tuple(softmax(margins) if self.link == "softmax" else margins)
            best = scores.index(max(scores))
            return Scored(scores[best], scores, self.classes[best])
        (margin,) = margins
        if self.task == "regression":
            return Scored(exponential(margin) if self.link == "log" else margin, (), None)
        score = logistic(margin) if self.link == "logit" else margin
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


def exponential(margin: float) -> float:
    """The value of a logarithm; infinity where it is beyond the floats."""
    try:
        return math.exp(margin)
    except OverflowError:
        return math.inf


def softmax(margins: Sequence[float]) -> list[float]:
    """Probabilities of margins; no end overflows."""
    largest = max(margins)
    odds = [math.exp(margin - largest) for margin in margins]
    total = math.fsum(odds)
    return [one / total for one in odds]


def _newer(raw: dict[str, Any]) -> dict[str, Any]:
    model = dict(raw["model"])
    if model["kind"] == "linear":
        model |= {"coefficients": [model["coefficients"]], "intercepts": [model["intercept"]]}
    elif model["kind"] == "trees":
        model |= {
            "baselines": [model["baseline"]],
            "trees": [tree | {"output": 0} for tree in model["trees"]],
        }
    sources = [[source] for source in raw["sources"]]
    return raw | {"format": FORMAT, "classes": [], "sources": sources, "model": model}


def _no_constant(name: str) -> float:
    raise contradiction(f"{name} is no number of JSON")


def _read(raw: dict[str, Any]) -> RowPlan:
    tasks = ("classification", "regression", "clustering")
    agree(raw["task"] in tasks, f"task {raw['task']!r} cannot be scored")
    links = ("logit", "softmax", "identity", "log", "none")
    agree(raw["link"] in links, f"link {raw['link']!r} is not known")
    agree(raw["calibration"] is None, "a calibration is not known")
    inputs = {given["name"]: read_input(given) for given in raw["inputs"]}
    agree(len(inputs) == len(raw["inputs"]), "an input is listed twice")
    encoders = tuple(read_encoder(column, inputs) for column in raw["columns"])
    sources = tuple(
        (column["input"],) for column in raw["columns"] for _ in range(width_of(column))
    )
    names = tuple(raw["names"])
    agree(sources == tuple(map(tuple, raw["sources"])), "sources do not agree with columns")
    agree(len(names) == len(sources), "names do not agree with columns")
    model = _model(raw["model"], len(names))
    return RowPlan(
        raw["task"],
        tuple(raw["classes"]),
        tuple(inputs.values()),
        names,
        sources,
        model,
        raw["link"],
        _decision(raw["decision"]),
        encoders,
    )


def _decision(raw: dict[str, Any] | None) -> Decision | None:
    if raw is None:
        return None
    return Decision(float(raw["threshold"]), str(raw["above"]), str(raw["below"]))


def _model(raw: dict[str, Any], width: int) -> LinearModel | TreeModel | CentreModel:
    match raw["kind"]:
        case "linear":
            coefficients = tuple(tuple(map(float, one)) for one in raw["coefficients"])
            agree(
                all(len(one) == width for one in coefficients),
                "coefficients do not agree with columns",
            )
            return LinearModel(coefficients, tuple(map(float, raw["intercepts"])))
        case "trees":
            trees = tuple(_tree(tree, width) for tree in raw["trees"])
            return TreeModel(tuple(map(float, raw["baselines"])), trees, tuple(map(_root, trees)))
        case "centres":
            return CentreModel(tuple(tuple(map(float, one)) for one in raw["centres"]))
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
        output=int(raw["output"]),
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
