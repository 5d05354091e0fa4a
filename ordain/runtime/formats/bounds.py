"""What the numbers of a stored pipeline may say, checked once it is built and before it scores.

Trees are arrays of indices, and their libraries walk them without looking: an index beyond the end
reads foreign memory, a child that is its own ancestor never ends. No list of types can see that.
Every tree of the pipeline is therefore walked here once, from the root, in Python.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEAF = -1  # What the arrays of scikit-learn and XGBoost say instead of a child, and nothing else.
CATEGORIES = 256  # Bits of a set of categories in histogram boosting.


def check_bounds(loaded: Any) -> None:  # noqa: ANN401 - any object
    """Walk every tree in it.

    Raises:
        ValueError: when a tree is none.
    """
    for found in _objects(loaded):
        match type(found).__name__:
            case "DecisionTreeClassifier" | "DecisionTreeRegressor":
                _check_tree(found)
            case "ExtraTreeClassifier" | "ExtraTreeRegressor":
                _check_tree(found)
            case "HistGradientBoostingClassifier" | "HistGradientBoostingRegressor":
                _check_boosting(found)
            case "Booster" if type(found).__module__.startswith("lightgbm"):
                _check_lightgbm(found)
            case "Booster":
                _check_xgboost(found)
            case _:
                _check_forest(found)


def _objects(root: Any) -> Iterator[Any]:  # noqa: ANN401 - any object
    """Every object with attributes that can be reached; each once."""
    waiting, seen = [root], set()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, dict):
            waiting.extend(found.values())
        elif isinstance(found, list | tuple | set):
            waiting.extend(found)
        elif hasattr(found, "__dict__") and not isinstance(found, type):
            yield found
            waiting.extend(vars(found).values())
        elif getattr(getattr(found, "dtype", None), "hasobject", False):
            waiting.extend(found.ravel().tolist())


def _check_forest(found: Any) -> None:  # noqa: ANN401 - any object
    """The trees of a forest look at the columns that the forest is given."""
    for tree in getattr(found, "estimators_", ()):
        if tree.n_features_in_ != found.n_features_in_:
            raise ValueError("a tree of the forest looks at other columns")


def _check_tree(estimator: Any) -> None:  # noqa: ANN401 - sklearn's
    tree = getattr(estimator, "tree_", None)
    if tree is None:  # What a forest makes its trees from has none itself.
        return
    if not 0 < tree.node_count <= tree.capacity or tree.n_features != estimator.n_features_in_:
        raise ValueError("a tree has another size than it says")
    left, right, feature = (
        getattr(tree, name).tolist() for name in ("children_left", "children_right", "feature")
    )
    for node, (low, high) in enumerate(zip(left, right, strict=True)):
        if (low == LEAF) != (high == LEAF):
            raise ValueError("a node of a tree has one child")
        if low != LEAF:
            _refuse_beyond(feature[node], estimator.n_features_in_)
    depth = walk(left, right, [low == LEAF for low in left])
    if depth != tree.max_depth:  # What room for the way of a row is made by.
        raise ValueError(f"a tree has the depth {depth}, and says {tree.max_depth}")


def _check_boosting(estimator: Any) -> None:  # noqa: ANN401 - sklearn's
    columns = getattr(estimator, "n_features_in_", None)
    if columns is None:  # Not fitted.
        return
    mapper = estimator._bin_mapper  # noqa: SLF001 - what a stored file filled
    categorical = [bool(one) for one in mapper.is_categorical_]
    if not len(mapper.bin_thresholds_) == len(categorical) == columns:
        raise ValueError("a boosted model has bins of other columns")
    if estimator._preprocessor is not None:  # noqa: SLF001 - as above
        # It could hand on fewer columns than the trees look at.
        raise ValueError("a boosted model changes its columns")
    _check_categories(estimator, mapper.bin_thresholds_, categorical)
    for stage in estimator._predictors:  # noqa: SLF001 - what a stored file filled
        for predictor in stage:
            nodes = predictor.nodes
            leaf = nodes["is_leaf"].astype(bool).tolist()
            for node in nodes[~nodes["is_leaf"].astype(bool)]:
                _refuse_beyond(int(node["feature_idx"]), estimator.n_features_in_)
                if node["is_categorical"]:
                    if not categorical[node["feature_idx"]]:
                        raise ValueError("a tree splits a number by categories")
                    _refuse_beyond(int(node["bitset_idx"]), len(predictor.raw_left_cat_bitsets))
            walk(nodes["left"].tolist(), nodes["right"].tolist(), leaf)


def _check_categories(
    estimator: Any,  # noqa: ANN401 - sklearn's
    thresholds: Sequence[Any],
    categorical: Sequence[bool],
) -> None:
    """Categories are places in a set of 256 bits."""
    for values, is_category in zip(thresholds, categorical, strict=True):
        if is_category and not all(0 <= value < CATEGORIES for value in values):
            raise ValueError("a boosted model has a category beyond its sets")
    for stage in estimator._predictors:  # noqa: SLF001 - as above
        for predictor in stage:
            sets = predictor.raw_left_cat_bitsets
            if sets.ndim != 2 or sets.shape[1] * 32 != CATEGORIES:  # noqa: PLR2004 - sets, words
                raise ValueError("a tree has sets of categories of another size")


def _check_lightgbm(booster: Any) -> None:  # noqa: ANN401 - lightgbm's
    """The text that LightGBM writes: inner nodes from 0 on, leaf n as -(n + 1)."""
    columns = booster.num_feature()
    for block in booster.model_to_string().split("\nTree=")[1:]:
        said = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        leaves = int(said["num_leaves"])
        left, right, feature = (
            [int(value) for value in said.get(name, "").split()]
            for name in ("left_child", "right_child", "split_feature")
        )
        if not len(left) == len(right) == len(feature) == leaves - 1:
            raise ValueError("a tree has another size than it says")
        for column in feature:
            _refuse_beyond(column, columns)
        if leaves > 1:
            low, high = ([_node(child, leaves) for child in side] for side in (left, right))
            walk([*low, *[0] * leaves], [*high, *[0] * leaves], _leaves(leaves))


def _node(child: int, leaves: int) -> int:
    """Inner nodes first, then the leaves."""
    place = child if child >= 0 else leaves - 2 - child
    _refuse_beyond(place, 2 * leaves - 1)
    return place


def _leaves(leaves: int) -> list[bool]:
    return [False] * (leaves - 1) + [True] * leaves


def _check_xgboost(booster: Any) -> None:  # noqa: ANN401 - xgboost's
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    columns = int(learner["learner_model_param"]["num_feature"])
    for tree in learner["gradient_booster"]["model"]["trees"]:
        left, right = tree["left_children"], tree["right_children"]
        leaf = [child == LEAF for child in left]
        for column, ends in zip(tree["split_indices"], leaf, strict=True):
            if not ends:
                _refuse_beyond(column, columns)
        walk(left, right, leaf)


def _refuse_beyond(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise ValueError(f"a tree names place {index} of {size}")


def walk(
    left: Sequence[int],
    right: Sequence[int],
    leaf: Sequence[bool],
    root: int = 0,
    *,
    shared_leaves: bool = False,
) -> int:
    """The depth of a tree of which every node is reached at most once, and none lies outside.

    Raises:
        ValueError: naming the place.
    """
    seen: set[int] = set()
    waiting, deepest = [(root, 0)], 0
    while waiting:
        node, depth = waiting.pop()
        _refuse_beyond(node, len(leaf))
        deepest = max(deepest, depth)
        if leaf[node] and shared_leaves:
            continue
        if node in seen:
            raise ValueError("a tree runs in a circle")
        seen.add(node)
        if not leaf[node]:
            waiting += ((left[node], depth + 1), (right[node], depth + 1))
    return deepest
