"""The model of a plan as an ONNX graph, in double precision from the first operator to the last.

The graph takes what a plan encodes (`encoded`, rows by encoded columns, NaN where a value is
missing) and gives what the plan scores (`scores`, rows by outputs: one probability or value, one
per class, or one per cluster) and, where there are several outputs, which of them is chosen
(`label`). It is made from the plan and from nothing else, so that every estimator that can serve
has an ONNX form, and the form is of the model that serves.

The usual converter was refused: it works in single precision, and for histogram boosting with
native categories it writes a graph without an error that scores other rows (sklearn-onnx issue
1051). Trees are one `TreeEnsemble` (ai.onnx.ml 5), because the older `TreeEnsembleRegressor` adds
up in single precision whatever it is given. Encoding stays outside: text and levels in a graph
would be a second encoder that nobody proves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

IR_VERSION: Final = 10
OPSETS: Final = {"": 21, "ai.onnx.ml": 5}
INPUT, SCORES, LABEL = "encoded", "scores", "label"

_SUM, _NO_TRANSFORM, _AT_MOST = 1, 0, 0  # Of ai.onnx.ml 5: aggregate, post_transform, node mode.
_LINKS: Final = {"logit": "Sigmoid", "softmax": "Softmax", "log": "Exp"}

Plain = dict[str, Any]


def write_onnx(plan: Mapping[str, Any]) -> bytes:
    """The ONNX form of a plan; equal plans give equal bytes.

    Raises:
        KeyError: when this is no plan of the second format.
    """
    from onnx import TensorProto, helper

    model, link = plan["model"], plan["link"]
    graph = _Graph()
    margins = _margins(graph, model)
    calibration = plan.get("calibration")
    if calibration is not None:
        margins, link = _calibrated(graph, margins, calibration)
    graph.node(_LINKS.get(link, "Identity"), [margins], SCORES, **_axis(link))
    outputs = _outputs(model)
    given = [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, ["rows", _width(plan)])]
    made = [helper.make_tensor_value_info(SCORES, TensorProto.DOUBLE, ["rows", outputs])]
    if outputs > 1:
        chooser = "ArgMin" if model["kind"] == "centres" else "ArgMax"
        graph.node(chooser, [SCORES], LABEL, axis=1, keepdims=0)
        made.append(helper.make_tensor_value_info(LABEL, TensorProto.INT64, ["rows"]))
    proto = helper.make_model(
        helper.make_graph(graph.nodes, "plan", given, made, graph.constants),
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid(*opset) for opset in OPSETS.items()],
        producer_name="ordain",
    )
    data: bytes = proto.SerializeToString(deterministic=True)
    return data


def _width(plan: Mapping[str, Any]) -> int:
    return len(plan["names"])


def _outputs(model: Plain) -> int:
    """How many numbers the model gives for one row."""
    lists = {"linear": "intercepts", "trees": "baselines", "mixture": "offsets"}
    return len(model[lists.get(model["kind"], "centres")])


def _axis(link: str) -> dict[str, int]:
    return {"axis": 1} if link == "softmax" else {}


@dataclass(slots=True)
class _Graph:
    """Nodes and constants in the order in which they are made."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:  # noqa: ANN401
        from onnx import helper

        name = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def doubles(self, values: Any) -> str:  # noqa: ANN401 - nested lists of numbers
        return self._constant(values, "float64")

    def integers(self, values: list[int]) -> str:
        return self._constant(values, "int64")

    def _constant(self, values: Any, kind: str) -> str:  # noqa: ANN401 - nested lists of numbers
        import numpy as np
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype=kind), name))
        return name


def _margins(graph: _Graph, model: Plain) -> str:
    """What stands before the link, one number per output."""
    match model["kind"]:
        case "linear":
            return _linear(graph, model)
        case "trees":
            return _trees(graph, model)
        case "centres":
            return _centres(graph, model)
        case "mixture":
            return _mixture(graph, model)
        case other:
            raise KeyError(other)


def _linear(graph: _Graph, model: Plain) -> str:
    columns = [list(column) for column in zip(*model["coefficients"], strict=True)]
    product = graph.node("MatMul", [INPUT, graph.doubles(columns)])
    return graph.node("Add", [product, graph.doubles(model["intercepts"])])


def _centres(graph: _Graph, model: Plain) -> str:
    """Distances from the differences: squares and a product would lose half of the digits."""
    distances = [
        graph.node("Sqrt", [_squares(graph, graph.node("Sub", [INPUT, graph.doubles([centre])]))])
        for centre in model["centres"]
    ]
    return graph.node("Concat", distances, axis=1)


def _squares(graph: _Graph, gaps: str) -> str:
    """The sum of squares of each row, as one column."""
    squared = graph.node("Mul", [gaps, gaps])
    return graph.node("ReduceSum", [squared, graph.integers([1])], keepdims=1)


def _mixture(graph: _Graph, model: Plain) -> str:
    densities = []
    for mean, factor, offset in zip(
        model["means"], model["factors"], model["offsets"], strict=True
    ):
        gaps = graph.node("Sub", [INPUT, graph.doubles([mean])])
        turn = "Mul" if model["diagonal"] else "MatMul"
        turned = graph.node(turn, [gaps, graph.doubles(factor)])
        half = graph.node("Mul", [_squares(graph, turned), graph.doubles([0.5])])
        densities.append(graph.node("Sub", [graph.doubles([offset]), half]))
    return graph.node("Concat", densities, axis=1)


def _calibrated(graph: _Graph, margins: str, calibration: Plain) -> tuple[str, str]:
    """What a calibration makes of the margin, and the link that is left.

    Lines between points are the sum of what each piece adds: its slope times how much of it lies
    below the margin. Nothing is subtracted from anything near it, so that no digit is lost.
    """
    if calibration["method"] == "sigmoid":
        steep = graph.node("Mul", [margins, graph.doubles([calibration["slope"]])])
        return graph.node("Add", [steep, graph.doubles([calibration["intercept"]])]), "logit"
    x, y = calibration["x"], calibration["y"]
    lows, highs = graph.doubles([x[:-1]]), graph.doubles([x[1:]])
    above = graph.node("Max", [margins, lows])
    inside = graph.node("Sub", [graph.node("Min", [above, highs]), lows])
    points = pairwise(zip(x, y, strict=True))
    slopes = [[(y1 - y0) / (x1 - x0)] for (x0, y0), (x1, y1) in points]
    added = graph.node("MatMul", [inside, graph.doubles(slopes)])
    return graph.node("Add", [added, graph.doubles([y[0]])]), "identity"


# ── trees ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Ensemble:
    """The attributes of one TreeEnsemble: splits and leaves, each numbered on their own."""

    roots: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    true_leaf: list[int] = field(default_factory=list)
    false: list[int] = field(default_factory=list)
    false_leaf: list[int] = field(default_factory=list)
    missing_true: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, tree: Plain) -> None:
        self.roots.append(len(self.features))
        if tree["feature"][0] < 0:
            self._stump(tree["value"][0], tree["output"])
            return
        places = self._places(tree)
        for node, column in enumerate(tree["feature"]):
            if column >= 0:
                self._split(tree, node, places)

    def _places(self, tree: Plain) -> list[int]:
        """The number of each node of the plan, among the splits or among the leaves."""
        places, splits = [], len(self.features)
        for node, column in enumerate(tree["feature"]):
            if column >= 0:
                places.append(splits)
                splits += 1
            else:
                places.append(self._leaf(tree["value"][node], tree["output"]))
        return places

    def _split(self, tree: Plain, node: int, places: list[int]) -> None:
        low, high = tree["left"][node], tree["right"][node]
        self.features.append(tree["feature"][node])
        self.splits.append(tree["threshold"][node])
        self.missing_true.append(int(tree["missing_left"][node]))
        self.true.append(places[low])
        self.true_leaf.append(int(tree["feature"][low] < 0))
        self.false.append(places[high])
        self.false_leaf.append(int(tree["feature"][high] < 0))

    def _leaf(self, value: float, output: int) -> int:
        self.targets.append(output)
        self.weights.append(value)
        return len(self.weights) - 1

    def _stump(self, value: float, output: int) -> None:
        """A tree of one leaf: a split whose ends are the same leaf, because a root has to split."""
        leaf = self._leaf(value, output)
        self.features.append(0)
        self.splits.append(0.0)
        self.missing_true.append(0)
        self.true.append(leaf)
        self.true_leaf.append(1)
        self.false.append(leaf)
        self.false_leaf.append(1)


def _trees(graph: _Graph, model: Plain) -> str:
    ensemble = _Ensemble()
    for tree in model["trees"]:
        ensemble.add(tree)
    if not ensemble.roots:
        ensemble.add({"feature": [-1], "value": [0.0], "output": 0})
    total = graph.node("TreeEnsemble", [INPUT], **_attributes(ensemble, len(model["baselines"])))
    return graph.node("Add", [total, graph.doubles(model["baselines"])])


def _attributes(ensemble: _Ensemble, outputs: int) -> dict[str, Any]:
    import numpy as np
    from onnx import numpy_helper

    modes = np.full(len(ensemble.features), _AT_MOST, dtype=np.uint8)
    return {
        "domain": "ai.onnx.ml",
        "aggregate_function": _SUM,
        "post_transform": _NO_TRANSFORM,
        "n_targets": outputs,
        "tree_roots": ensemble.roots,
        "nodes_featureids": ensemble.features,
        "nodes_splits": numpy_helper.from_array(np.array(ensemble.splits), "splits"),
        "nodes_modes": numpy_helper.from_array(modes, "modes"),
        "nodes_truenodeids": ensemble.true,
        "nodes_trueleafs": ensemble.true_leaf,
        "nodes_falsenodeids": ensemble.false,
        "nodes_falseleafs": ensemble.false_leaf,
        "nodes_missing_value_tracks_true": ensemble.missing_true,
        "leaf_targetids": ensemble.targets,
        "leaf_weights": numpy_helper.from_array(np.array(ensemble.weights), "weights"),
    }
