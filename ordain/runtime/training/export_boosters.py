"""The trees of LightGBM and XGBoost, read from what each library writes as JSON.

    LightGBM   compares doubles (`<=`), adds up doubles, and has the mean outcome in the leaves of
               its first trees; a value that is missing where training saw none is taken for 0
    XGBoost    compares singles (`<`) and adds up singles; the mean outcome stands apart. The plan
               compares with the greatest double that rounds to the left (`single_bound`) and
               rounds each sum to single precision as the library does (`single`). What is left is
               the link, computed in single precision there: parity is proven to 1e-6
               (`specs.parity`)

Zero as a missing value, categorical splits and linear leaves cannot be declared; a model that has
them anyway is refused and not read wrongly.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from ordain.runtime.errors import TrainingError
from ordain.runtime.training.export_trees import single_bound, tree_of

Plain = dict[str, Any]


def lightgbm(estimator: Any) -> Plain:  # noqa: ANN401 - LightGBM's
    """A model of LightGBM.

    Raises:
        TrainingError: when it holds what a plan cannot say.
    """
    raw = estimator.booster_.dump_model()
    outputs = int(raw["num_tree_per_iteration"])
    if raw.get("average_output"):
        raise _unsaid("lightgbm", "an average of trees")
    return {
        "kind": "trees",
        "baselines": [0.0] * outputs,
        "trees": [
            _flat(info["tree_structure"], place % outputs)
            for place, info in enumerate(raw["tree_info"])
        ],
    }


def _flat(root: Plain, output: int) -> Plain:
    """Nested nodes as parallel arrays, every parent before its children."""
    tree: Plain = {"output": output}
    names = ("feature", "threshold", "left", "right", "missing_left", "value")
    tree |= {name: [] for name in names}
    waiting: list[tuple[Plain, str, int]] = [(root, "", -1)]
    while waiting:
        node, side, parent = waiting.pop()
        place = len(tree["feature"])
        if side:
            tree[side][parent] = place
        for name, value in zip(names, _node(node), strict=True):
            tree[name].append(value)
        if "split_feature" in node:
            waiting += [(node["right_child"], "right", place), (node["left_child"], "left", place)]
    return tree


def _node(node: Plain) -> tuple[Any, ...]:
    if "split_feature" not in node:
        return -1, 0.0, 0, 0, False, float(node["leaf_value"])
    missing = node["missing_type"]
    if node["decision_type"] != "<=" or missing == "Zero":
        raise _unsaid("lightgbm", f"a split by {node['decision_type']} with missing {missing}")
    threshold = float(node["threshold"])
    left = bool(node["default_left"]) if missing == "NaN" else threshold >= 0.0
    return int(node["split_feature"]), threshold, 0, 0, left, 0.0


def xgboost(estimator: Any) -> Plain:  # noqa: ANN401 - XGBoost's
    """A model of XGBoost.

    Raises:
        TrainingError: when it holds what a plan cannot say.
    """
    learner = json.loads(estimator.get_booster().save_raw("json"))["learner"]
    model = learner["gradient_booster"]["model"]
    groups = max(1, int(learner["learner_model_param"]["num_class"]))
    baselines = _baselines(learner, groups)
    return {
        "kind": "trees",
        "single": True,
        "baselines": baselines,
        "trees": [
            _single(tree, int(output))
            for tree, output in zip(model["trees"], model["tree_info"], strict=True)
        ],
    }


def _baselines(learner: Plain, groups: int) -> list[float]:
    """The mean outcome as margins, in single precision as the library has it."""
    text = learner["learner_model_param"]["base_score"]
    found = [float(np.float32(part)) for part in text.strip("[]").split(",")]
    found = found * groups if len(found) == 1 else found
    match learner["objective"]["name"]:
        case "binary:logistic":
            return [float(np.float32(math.log(one / (1.0 - one)))) for one in found]
        case "count:poisson" | "reg:gamma" | "reg:tweedie":
            return [float(np.float32(math.log(one))) for one in found]
        case _:
            return found


def _single(tree: Plain, output: int) -> Plain:
    if any(tree["split_type"]) or tree.get("categories"):
        raise _unsaid("xgboost", "a split by category")
    left = np.asarray(tree["left_children"])
    conditions = np.asarray(tree["split_conditions"], dtype=np.float32)
    # A single below t is one at or below the single before t.
    before = np.nextafter(conditions, np.float32(-np.inf))
    arrays = (
        np.asarray(tree["split_indices"]),
        single_bound(before.astype(np.float64)),
        left,
        np.asarray(tree["right_children"]),
        np.asarray(tree["default_left"]).astype(bool),
    )
    return tree_of(left < 0, arrays, conditions.astype(np.float64), output)


def _unsaid(library: str, what: str) -> TrainingError:
    message = f"training: the model of {library} has {what}, which no plan can say"
    return TrainingError(message, remedy="take out the parameter that makes it")
