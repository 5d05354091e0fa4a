"""Trees as parallel arrays, and thresholds of libraries that look at values in single precision.

scikit-learn's single trees and forests, and XGBoost, round a value to single precision before they
compare it. The plan compares in double precision, so each threshold becomes the greatest double
that single precision still rounds to its left side: the same rows go left, for every double.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

Plain = dict[str, Any]
_BEYOND = 2.0**128  # Rounding goes on above the greatest single as if this one were the next.


def tree_of(leaf: Any, arrays: tuple[Any, ...], value: Any, output: int) -> Plain:  # noqa: ANN401
    """Parallel arrays of one tree; what a leaf or a split does not use is zero."""
    feature, threshold, left, right, missing_left = arrays
    return {
        "output": output,
        "feature": np.where(leaf, -1, feature).astype(int).tolist(),
        "threshold": np.where(leaf, 0.0, threshold).tolist(),
        "left": np.where(leaf, 0, left).astype(int).tolist(),
        "right": np.where(leaf, 0, right).astype(int).tolist(),
        "missing_left": (~leaf & missing_left).tolist(),
        "value": np.where(leaf, value, 0.0).tolist(),
    }


def single_bound(threshold: Any) -> Any:  # noqa: ANN401 - arrays of the same shape
    """The greatest double x with float32(x) <= threshold, for each threshold.

    Single precision rounds to the nearest, of two equally near to the one with an even last digit
    (IEEE 754): up to the middle between the greatest single at or below the threshold and the next
    one, and the middle itself where that single is the even one.
    """
    declared = np.asarray(threshold, dtype=np.float64)
    threshold = np.where(np.isinf(declared), 0.0, declared)
    with np.errstate(over="ignore"):
        below = threshold.astype(np.float32)
        below = np.where(
            below.astype(np.float64) > threshold,
            np.nextafter(below, np.float32(-np.inf)),
            below,
        )
        above = np.nextafter(below, np.float32(np.inf)).astype(np.float64)
    low = below.astype(np.float64)
    above = np.where(np.isinf(above), _BEYOND, above)
    middle = low + (above - low) / 2.0
    even = below.view(np.uint32) % 2 == 0
    bound = np.where(even, middle, np.nextafter(middle, -np.inf))
    # A split that only parts missing from present values has an infinite threshold.
    largest = sys.float_info.max
    return np.where(np.isinf(declared), np.clip(declared, -largest, largest), bound)


def pruned(tree: Plain) -> Plain:
    """The same tree without splits of which both sides are leaves of one value.

    A class that only some branches of a tree know is zero in all others: kept for each class, a
    tree of ten classes would be ten times as large, and so would its explanation take.
    """
    feature, value = list(tree["feature"]), list(tree["value"])
    for node in range(len(feature) - 1, -1, -1):
        left, right = tree["left"][node], tree["right"][node]
        parts_leaves = feature[node] >= 0 and feature[left] == feature[right] == -1
        if parts_leaves and value[left] == value[right]:
            feature[node], value[node] = -1, value[left]
    return _renumbered(tree | {"feature": feature, "value": value})


def _renumbered(tree: Plain) -> Plain:
    """Only what can be reached from the root, every parent before its children."""
    kept = [0]
    places = {0: 0}
    for node in kept:
        if tree["feature"][node] >= 0:
            for child in (tree["left"][node], tree["right"][node]):
                places[child] = len(kept)
                kept.append(child)
    leaf = [tree["feature"][node] < 0 for node in kept]
    found: Plain = {"output": tree["output"]}
    for name, none in (("feature", -1), ("threshold", 0.0), ("missing_left", False)):
        values = [tree[name][node] for node in kept]
        found[name] = [none if end else one for one, end in zip(values, leaf, strict=True)]
    for name in ("left", "right"):
        found[name] = [
            0 if end else places[tree[name][node]] for node, end in zip(kept, leaf, strict=True)
        ]
    found["value"] = [tree["value"][node] for node in kept]
    return found
