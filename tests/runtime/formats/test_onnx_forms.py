"""The ONNX form of a plan scores as the plan does, in double precision, and is always the same."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
import pytest

from ordain.runtime.formats.onnx_checks import open_onnx
from ordain.runtime.formats.onnx_files import write_onnx

pytestmark = pytest.mark.training

Plain = dict[str, Any]

NAMES = ["a", "b", "c"]
ROWS = np.random.default_rng(3).normal(size=(500, 3))
GAPS = np.where(np.random.default_rng(4).random((500, 3)) < 0.2, np.nan, ROWS)


def plan(model: Plain, link: str) -> Plain:
    return {"names": NAMES, "model": model, "link": link}


LINEAR: Plain = {
    "kind": "linear",
    "coefficients": [[0.5, -1.0, 2.0], [0.1, 0.2, 0.3], [3.0, 0.0, -0.1]],
    "intercepts": [0.1, -0.2, 0.3],
}
FIRST = {
    "kind": "linear",
    "coefficients": LINEAR["coefficients"][:1],
    "intercepts": [0.1],
}
TREES = {
    "kind": "trees",
    "baselines": [0.25, -0.5],
    "trees": [
        {
            "output": 0,
            "feature": [0, -1, 2, -1, -1],
            "threshold": [0.1, 0.0, -0.3, 0.0, 0.0],
            "left": [1, 0, 3, 0, 0],
            "right": [2, 0, 4, 0, 0],
            "missing_left": [True, False, False, False, False],
            "value": [0.0, 0.1, 0.0, 0.2, 0.3],
        },
        {
            "output": 1,
            "feature": [-1],
            "threshold": [0.0],
            "left": [0],
            "right": [0],
            "missing_left": [False],
            "value": [0.7],
        },
        {
            "output": 1,
            "feature": [1, -1, -1],
            "threshold": [1.7976931348623157e308, 0.0, 0.0],
            "left": [1, 0, 0],
            "right": [2, 0, 0],
            "missing_left": [False, False, False],
            "value": [0.0, 1e-17, 1e17],
        },
    ],
}
CENTRES = {"kind": "centres", "centres": [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [-1.0, 2.0, 0.5]]}
FULL = {
    "kind": "mixture",
    "means": [[0.0, 0.5, 1.0], [1.0, -1.0, 0.0]],
    "factors": [
        [[1.0, 0.5, 0.0], [0.0, 2.0, 0.1], [0.0, 0.0, 0.7]],
        [[0.3, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.5]],
    ],
    "offsets": [-1.0, -2.5],
    "diagonal": False,
}
DIAGONAL = FULL | {"factors": [[[1.0, 2.0, 0.5]], [[0.3, 1.0, 1.5]]], "diagonal": True}


def margins(model: Plain, row: Any) -> list[float]:  # noqa: ANN401 - an array
    """The plan's own arithmetic, written out."""
    match model["kind"]:
        case "linear":
            pairs = zip(model["coefficients"], model["intercepts"], strict=True)
            return [math.fsum([*map(float, np.multiply(c, row)), i]) for c, i in pairs]
        case "trees":
            totals = list(model["baselines"])
            for tree in model["trees"]:
                totals[tree["output"]] += leaf(tree, row)
            return totals
        case "centres":
            return [math.dist(centre, row) for centre in model["centres"]]
        case _:
            parts = zip(model["means"], model["factors"], model["offsets"], strict=True)
            return [offset - density(row - mean, factor) / 2 for mean, factor, offset in parts]


def leaf(tree: Plain, row: Any) -> float:  # noqa: ANN401 - an array
    node = 0
    while tree["feature"][node] >= 0:
        value = row[tree["feature"][node]]
        missing = tree["missing_left"][node]
        left = missing if math.isnan(value) else value <= tree["threshold"][node]
        node = tree["left" if left else "right"][node]
    return float(tree["value"][node])


def density(gap: Any, factor: Any) -> float:  # noqa: ANN401 - arrays
    turned = gap * factor[0] if len(factor) == 1 else gap @ np.array(factor)
    return float(np.sum(turned**2))


def linked(values: list[float], link: str) -> list[float]:
    match link:
        case "logit":
            return [1 / (1 + math.exp(-value)) for value in values]
        case "softmax":
            weights = [math.exp(value - max(values)) for value in values]
            return [weight / math.fsum(weights) for weight in weights]
        case "log":
            return [math.exp(value) for value in values]
        case _:
            return values


@pytest.mark.parametrize(
    ("model", "link", "rows"),
    [
        (FIRST, "logit", ROWS),
        (FIRST, "identity", ROWS),
        (FIRST, "log", ROWS),
        (LINEAR, "softmax", ROWS),
        (TREES, "softmax", GAPS),
        (TREES, "identity", GAPS),
        (CENTRES, "none", ROWS),
        (FULL, "softmax", ROWS),
        (DIAGONAL, "softmax", ROWS),
    ],
)
def test_the_form_scores_as_the_plan_does(model: Plain, link: str, rows: Any) -> None:  # noqa: ANN401
    score = open_onnx(write_onnx(plan(model, link)))
    expected = np.array([linked(margins(model, row), link) for row in rows])
    found = score(rows)
    assert (found.dtype.name, found.shape) == ("float64", expected.shape)
    assert np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected))) < 1e-14


def test_thresholds_and_sums_are_double() -> None:
    """Singles would take both rows left, and would lose the small leaf beside the large one."""
    tree: Plain = {
        "output": 0,
        "feature": [0, -1, -1],
        "threshold": [0.1, 0.0, 0.0],
        "left": [1, 0, 0],
        "right": [2, 0, 0],
        "missing_left": [False] * 3,
        "value": [0.0, 1.0, 1.0 + 2**-40],
    }
    model = {"kind": "trees", "baselines": [2.0**-45], "trees": [tree]}
    score = open_onnx(write_onnx({"names": ["a"], "model": model, "link": "identity"}))
    found = score(np.array([[0.1], [np.nextafter(0.1, 1.0)]]))
    assert found.tolist() == [[1.0 + 2**-45], [1.0 + 2**-40 + 2**-45]]


def test_a_model_without_trees_is_its_baseline() -> None:
    model: Plain = {"kind": "trees", "baselines": [0.5], "trees": []}
    score = open_onnx(write_onnx(plan(model, "identity")))
    assert score(GAPS[:3]).tolist() == [[0.5]] * 3


@pytest.mark.parametrize(
    ("model", "link", "chosen"),
    [(LINEAR, "softmax", np.argmax), (CENTRES, "none", np.argmin)],
)
def test_the_form_says_which_output_is_chosen(model: Plain, link: str, chosen: Any) -> None:  # noqa: ANN401
    import onnxruntime

    data = write_onnx(plan(model, link))
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    scores, label = session.run(["scores", "label"], {"encoded": ROWS})
    assert label.tolist() == chosen(scores, axis=1).tolist()


def test_one_output_has_no_label() -> None:
    model = onnx.load_model_from_string(write_onnx(plan(FIRST, "logit")))
    assert [value.name for value in model.graph.output] == ["scores"]


def test_equal_plans_give_equal_bytes_without_traces_of_the_machine() -> None:
    data = write_onnx(plan(TREES, "softmax"))
    assert write_onnx(plan(TREES, "softmax")) == data
    model = onnx.load_model_from_string(data)
    assert (model.producer_name, model.producer_version, model.doc_string) == ("ordain", "", "")
    assert {opset.domain: opset.version for opset in model.opset_import} == {
        "": 21,
        "ai.onnx.ml": 5,
    }
