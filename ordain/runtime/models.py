"""What stands at the end of a plan: a linear model, trees, centres, or a mixture of normals.

Each gives one number per output before the link (`margins`): log-odds or the value of a linear
model or of trees, where attributions add up; distances for centres; log-densities for a mixture.
Everything that was fitted fits into one of these four, whatever library fitted it, so that what
serves, explains and exports has four cases and no list of estimators.

Trees that differ in their leaves only, one for each class, are kept as a tree for each output and
not as one with a list in every leaf: a reader of the plan then needs one rule for all of them.

Arithmetic is pinned, because a recorded score must be found again bit for bit years later: sums of
products go through `math.fsum` (the built-in `sum` of floats adds differently from Python 3.12 on),
trees are added in their order.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

from ordain.runtime.encoding import agree, contradiction, finite

Node = Any  # A float (leaf) or (feature, threshold, missing_left, left node, right node).
Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]
_SINGLE = struct.Struct("<f")


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Margin of each output = intercept + coefficients · encoded."""

    coefficients: Matrix
    intercepts: Vector

    @property
    def outputs(self) -> int:
        return len(self.intercepts)

    def margins(self, encoded: list[float]) -> list[float]:
        """One number per output; NaN where it is no number."""
        pairs = zip(self.coefficients, self.intercepts, strict=True)
        return [_linear(coefficients, intercept, encoded) for coefficients, intercept in pairs]


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree as parallel arrays: node 0 is the root, a feature of -1 marks a leaf.

    A value goes left when it is <= the threshold; a missing one (NaN) where `missing_left` says.
    Its leaves are added to one output.
    """

    feature: tuple[int, ...]
    threshold: Vector
    left: tuple[int, ...]
    right: tuple[int, ...]
    missing_left: tuple[bool, ...]
    value: Vector
    output: int = 0


@dataclass(frozen=True, slots=True)
class TreeModel:
    """Margin of each output = baseline + the leaf of each of its trees, added in order.

    `roots` are the trees of each output, ready to be walked. Where `single`, every sum is rounded
    to single precision, because the library that made the model adds up so: over a hundred trees
    the difference is more than a rounding error.
    """

    baselines: Vector
    trees: tuple[Tree, ...]
    roots: tuple[tuple[Node, ...], ...]
    single: bool = False

    @property
    def outputs(self) -> int:
        return len(self.baselines)

    def margins(self, encoded: list[float]) -> list[float]:
        """One number per output."""
        add_up = _added_in_single if self.single else _added
        return [
            add_up(baseline, _leaves(roots, encoded))
            for baseline, roots in zip(self.baselines, self.roots, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class CentresModel:
    """The Euclidean distance to each centre; the nearest one is chosen, of equals the first."""

    centres: Matrix

    @property
    def outputs(self) -> int:
        return len(self.centres)

    def margins(self, encoded: list[float]) -> list[float]:
        """The distance to each centre."""
        return [_distance(centre, encoded) for centre in self.centres]


@dataclass(frozen=True, slots=True)
class MixtureModel:
    """The logarithm of weight times normal density, for each component.

    `factors` are the Cholesky factors of the precision matrices: of each component a row per
    encoded column, or, where `diagonal`, one row of the diagonal. The density of x is
    exp(offset - |(x - mean) · factor|² / 2) (Bishop 2006, section 9.2).
    """

    means: Matrix
    factors: tuple[Matrix, ...]
    offsets: Vector
    diagonal: bool

    @property
    def outputs(self) -> int:
        return len(self.offsets)

    def margins(self, encoded: list[float]) -> list[float]:
        """The log-density of each component, with its weight."""
        return [
            offset - _squares(encoded, mean, factor, diagonal=self.diagonal) / 2.0
            for mean, factor, offset in zip(self.means, self.factors, self.offsets, strict=True)
        ]


Fitting = LinearModel | TreeModel | CentresModel | MixtureModel


def _linear(coefficients: Vector, intercept: float, encoded: list[float]) -> float:
    products = [a * b for a, b in zip(coefficients, encoded, strict=True)]
    products.append(intercept)
    return linear_sum(products)


def linear_sum(products: list[float]) -> float:
    """What products and an intercept add up to; NaN where that is no number."""
    try:
        return math.fsum(products)
    except (OverflowError, ValueError):  # Beyond the floats, or infinity minus infinity.
        return math.nan


def _leaves(roots: tuple[Node, ...], encoded: list[float]) -> list[float]:
    """The leaf of each tree that a row ends in."""
    leaves = []
    for root in roots:
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
        leaves.append(node)
    return leaves


def _added(total: float, leaves: list[float]) -> float:
    for leaf in leaves:
        total += leaf
    return total


def _added_in_single(total: float, leaves: list[float]) -> float:
    write, read = _SINGLE.pack, _SINGLE.unpack
    for leaf in leaves:
        (total,) = read(write(total + leaf))
    return total


def _distance(centre: Vector, encoded: list[float]) -> float:
    gaps = [value - middle for value, middle in zip(encoded, centre, strict=True)]
    return math.sqrt(_norm(gaps))


def _norm(gaps: list[float]) -> float:
    """The sum of the squares; infinity where it is beyond the floats."""
    try:
        return math.fsum([gap * gap for gap in gaps])
    except OverflowError:
        return math.inf


def _squares(encoded: list[float], mean: Vector, factor: Matrix, *, diagonal: bool) -> float:
    gaps = [value - middle for value, middle in zip(encoded, mean, strict=True)]
    if diagonal:
        turned = [gap * scale for gap, scale in zip(gaps, factor[0], strict=True)]
    else:
        columns = zip(*factor, strict=True)
        turned = [
            math.fsum([a * b for a, b in zip(gaps, column, strict=True)]) for column in columns
        ]
    return _norm(turned)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def read_model(raw: dict[str, Any], width: int) -> Fitting:
    """The model of a plan over this many encoded columns.

    Raises:
        PlanError: when it contradicts itself.
        ValueError, TypeError, KeyError: when it has not the shape of a model.
    """
    match raw["kind"]:
        case "linear":
            return _read_linear(raw, width)
        case "trees":
            return _read_trees(raw, width)
        case "centres":
            centres = _matrix(raw["centres"])
            agree(bool(centres), "there is no centre")
            agree(_even(centres, width), "centres do not agree with columns")
            return CentresModel(centres)
        case "mixture":
            return _read_mixture(raw, width)
        case other:
            raise contradiction(f"a model of the kind {other!r} is not known")


def _vector(values: Any) -> Vector:  # noqa: ANN401 - what JSON holds
    return tuple(map(finite, values))


def _matrix(rows: Any) -> Matrix:  # noqa: ANN401 - what JSON holds
    return tuple(map(_vector, rows))


def _even(rows: Matrix, width: int) -> bool:
    return all(len(row) == width for row in rows)


def _read_linear(raw: dict[str, Any], width: int) -> LinearModel:
    coefficients, intercepts = _matrix(raw["coefficients"]), _vector(raw["intercepts"])
    agree(bool(intercepts), "there is no output")
    agree(len(coefficients) == len(intercepts), "coefficients do not agree with intercepts")
    agree(_even(coefficients, width), "coefficients do not agree with columns")
    return LinearModel(coefficients, intercepts)


def _read_mixture(raw: dict[str, Any], width: int) -> MixtureModel:
    means, offsets = _matrix(raw["means"]), _vector(raw["offsets"])
    factors = tuple(map(_matrix, raw["factors"]))
    diagonal = raw["diagonal"] is True
    agree(bool(offsets), "there is no output")
    agree(len(means) == len(factors) == len(offsets), "components do not agree with each other")
    agree(_even(means, width), "means do not agree with columns")
    height = 1 if diagonal else width
    good = all(len(factor) == height and _even(factor, width) for factor in factors)
    agree(good, "factors do not agree with columns")
    return MixtureModel(means, factors, offsets, diagonal)


def _read_trees(raw: dict[str, Any], width: int) -> TreeModel:
    baselines = _vector(raw["baselines"])
    agree(bool(baselines), "there is no output")
    trees = tuple(_tree(tree, width, len(baselines)) for tree in raw["trees"])
    roots = tuple(
        tuple(_root(tree) for tree in trees if tree.output == output)
        for output in range(len(baselines))
    )
    return TreeModel(baselines, trees, roots, raw.get("single") is True)


def _tree(raw: dict[str, Any], width: int, outputs: int) -> Tree:
    tree = Tree(
        feature=tuple(map(int, raw["feature"])),
        threshold=_vector(raw["threshold"]),
        left=tuple(map(int, raw["left"])),
        right=tuple(map(int, raw["right"])),
        missing_left=tuple(map(bool, raw["missing_left"])),
        value=_vector(raw["value"]),
        output=int(raw["output"]),
    )
    size = len(tree.feature)
    arrays = (tree.threshold, tree.left, tree.right, tree.missing_left, tree.value)
    agree(size > 0 and all(len(array) == size for array in arrays), "a tree has uneven arrays")
    agree(all(-1 <= feature < width for feature in tree.feature), "a tree splits on no column")
    agree(0 <= tree.output < outputs, "a tree adds to no output")
    return tree


def _root(tree: Tree) -> Node:
    """The tree as nested tuples, built from the last node to the first.

    A child must stand after its parent, which also means that no walk can go in circles, and have
    one parent only: whoever walks all of a tree would else see each of its nodes many times.
    """
    nodes: list[Node] = list(tree.value)
    children: set[int] = set()
    for index in range(len(nodes) - 1, -1, -1):
        if tree.feature[index] < 0:
            continue
        left, right = tree.left[index], tree.right[index]
        agree(index < left < len(nodes) and index < right < len(nodes), "a tree is no tree")
        agree(left != right and children.isdisjoint((left, right)), "a node has two parents")
        children.update((left, right))
        nodes[index] = (
            tree.feature[index],
            tree.threshold[index],
            tree.missing_left[index],
            nodes[left],
            nodes[right],
        )
    return nodes[0]


# ── links ────────────────────────────────────────────────────────────────────────────────────────


def logistic(margin: float) -> float:
    """The probability of a log-odds; neither end overflows."""
    if margin >= 0.0:
        return 1.0 / (1.0 + math.exp(-margin))
    odds = math.exp(margin)
    return odds / (1.0 + odds)


def softmax(margins: list[float]) -> list[float]:
    """Probabilities that add up to 1; the greatest margin is taken off, so that none overflows."""
    top = max(margins)
    weights = [math.exp(margin - top) for margin in margins]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def exponential(margin: float) -> float:
    """The value of a logarithm; infinity where it is beyond the floats."""
    try:
        return math.exp(margin)
    except OverflowError:
        return math.inf
