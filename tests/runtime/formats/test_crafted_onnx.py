"""An ONNX file that is not one of ours is refused by name, before a runtime opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ordain.runtime.errors import OnnxError
from ordain.runtime.formats import onnx_checks
from ordain.runtime.formats.onnx_checks import REMEDY, check_onnx, open_onnx
from ordain.runtime.formats.onnx_files import write_onnx

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.training

Plain = dict[str, Any]

TREE: Plain = {
    "output": 0,
    "feature": [0, 1, -1, -1, -1],
    "threshold": [0.1, 0.2, 0.0, 0.0, 0.0],
    "left": [1, 2, 0, 0, 0],
    "right": [4, 3, 0, 0, 0],
    "missing_left": [False] * 5,
    "value": [0.0, 0.0, 1.0, 2.0, 3.0],
}
LINEAR: Plain = {"kind": "linear", "coefficients": [[1.0, 2.0]], "intercepts": [0.5]}
TREES: Plain = {"kind": "trees", "baselines": [0.0], "trees": [TREE]}


def crafted(model: Plain, change: Callable[[Any], None]) -> bytes:
    """A good file after a change of its message."""
    proto = onnx.load_model_from_string(
        write_onnx({"names": ["a", "b"], "model": model, "link": "logit"})
    )
    change(proto)
    data: bytes = proto.SerializeToString()
    return data


def refusal(data: bytes) -> str:
    with pytest.raises(OnnxError) as caught:
        check_onnx(data)
    assert (caught.value.code, caught.value.remedy) == ("RUN112", REMEDY)
    return caught.value.message


def external(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    constant = proto.graph.initializer[0]
    constant.ClearField("raw_data")
    constant.data_location = TensorProto.EXTERNAL
    constant.external_data.add(key="location", value="../../etc/passwd")


def operator(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.graph.node[0].op_type, proto.graph.node[0].domain = "Load", "com.example"


def loop(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    body = helper.make_graph([], "body", [], [])
    node = helper.make_node("Identity", ["encoded"], ["x"])
    node.attribute.append(helper.make_attribute("body", body))
    proto.graph.node.insert(0, node)


def cycle(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    first, second = proto.graph.node[0], proto.graph.node[1]
    first.input[0] = second.output[0]


def twice(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.graph.node.append(proto.graph.node[0])


def huge(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.graph.initializer[0].dims[:] = [10**6, 10**6]


def single(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    values = numpy_helper.from_array(np.zeros(2, dtype=np.float32), "c0")
    proto.graph.initializer[0].CopyFrom(values)


def function(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.functions.add(name="f", domain="")


def metadata(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.metadata_props.add(key="a", value="b")


def opset(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.opset_import.add(domain="com.microsoft", version=1)


def inputs(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.graph.input.add(name="more")


def sparse(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.graph.sparse_initializer.add()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (external, "reads c0 from another file"),
        (
            operator,
            "uses the operator com.example.Load, which no form of ordain uses",
        ),
        (loop, "has body of the kind GRAPH, which no form of ordain has"),
        (cycle, "uses n1 before it is made"),
        (twice, "makes n0 twice"),
        (huge, "has a constant c0 of another size than it says"),
        (single, "has a constant c0 of a kind that is not read"),
        (function, "has functions, which no form of ordain has"),
        (metadata, "has metadata_props, which no form of ordain has"),
        (opset, "needs version 1 of the operators 'com.microsoft'"),
        (inputs, "takes ['encoded', 'more'] and gives ['scores']"),
        (sparse, "has a graph with sparse_initializer, which no form of ordain has"),
    ],
)
def test_a_crafted_graph_is_refused_by_name(change: Callable[[Any], None], message: str) -> None:
    assert refusal(crafted(LINEAR, change)) == f"model.onnx {message}"


def attribute(name: str, place: int, value: int) -> Callable[[Any], None]:
    def change(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
        for found in proto.graph.node[0].attribute:
            if found.name == name:
                found.ints[place] = value

    return change


def shorter(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    for found in proto.graph.node[0].attribute:
        if found.name == "leaf_weights":
            found.t.CopyFrom(numpy_helper.from_array(np.zeros(1), "weights"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (attribute("nodes_featureids", 0, 2), "it splits on no column"),
        (attribute("nodes_featureids", 0, -1), "it splits on no column"),
        (attribute("nodes_truenodeids", 0, 9), "it names place 9"),
        (attribute("nodes_falsenodeids", 0, 3), "it names place 3"),
        (attribute("nodes_truenodeids", 0, 0), "a tree runs in a circle"),
        (attribute("leaf_targetids", 1, 1), "a leaf adds to no output"),
        (attribute("tree_roots", 0, 7), "a tree names place 7 of 5"),
        (shorter, "leaf_weights has another size"),
    ],
)
def test_a_tree_that_would_read_foreign_memory_is_refused(
    change: Callable[[Any], None], message: str
) -> None:
    expected = f"model.onnx has a tree that is none: {message}"
    assert refusal(crafted(TREES, change)) == expected


def test_what_is_no_model_is_refused() -> None:
    assert refusal(b"\x08\xff\xff") == "model.onnx is no ONNX model that can be read"


def test_a_type_that_is_none_is_refused() -> None:
    def change(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
        proto.graph.input[0].type.tensor_type.elem_type = 51

    assert refusal(crafted(LINEAR, change)) == "model.onnx is no ONNX model that can be read"


def test_a_large_file_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_checks, "MAXIMUM_BYTES", 10)
    assert refusal(b"\x08" * 11) == "model.onnx has more than 10 bytes"


def test_what_contradicts_itself_is_refused_by_the_checker() -> None:
    def change(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
        proto.graph.node[0].input.append("c0")

    assert refusal(crafted(LINEAR, change)).startswith("model.onnx is no valid model: ")


def test_what_only_the_runtime_can_tell_is_its_refusal() -> None:
    def change(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
        for found in proto.graph.node[0].attribute:
            if found.name == "nodes_modes":
                found.t.CopyFrom(numpy_helper.from_array(np.full(2, 77, np.uint8), "modes"))

    with pytest.raises(OnnxError, match=r"^model\.onnx is refused by the runtime: "):
        open_onnx(crafted(TREES, change))


def doubled(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    """Thirty nodes, of which the last makes a thousand million numbers."""
    last = proto.graph.node.pop()
    start = proto.graph.initializer[-1].name
    for turn in range(30):
        name = f"d{turn}"
        proto.graph.node.append(helper.make_node("Concat", [start, start], [name], axis=0))
        start = name
    one = numpy_helper.from_array(np.array([0]), "axes")
    proto.graph.initializer.append(one)
    proto.graph.node.append(helper.make_node("ReduceSum", [start, "axes"], ["total"], keepdims=1))
    proto.graph.node.append(helper.make_node("Add", [last.input[0], "total"], ["grown"]))
    last.input[0] = "grown"
    proto.graph.node.append(last)


def outer(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    """Two constants of a few kilobytes, and the table of all their sums."""
    for name, shape in (("row", (1, 4000)), ("column", (4000, 1))):
        proto.graph.initializer.append(numpy_helper.from_array(np.zeros(shape), name))
    proto.graph.node.append(helper.make_node("Add", ["row", "column"], ["table"]))


def deep(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros((1,) * 3), "deep"))


def deep_input(proto: Any) -> None:  # noqa: ANN401 - a ModelProto
    proto.graph.input[0].type.tensor_type.shape.dim.add(dim_value=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (doubled, "makes more than 10000000 numbers of one row"),
        (outer, "makes more than 10000000 numbers of one row"),
        (deep, "has a constant deep of 3 dimensions"),
        (deep_input, "has encoded of more than 2 dimensions"),
    ],
)
def test_a_small_graph_that_would_fill_the_memory_is_refused(
    change: Callable[[Any], None], message: str
) -> None:
    assert refusal(crafted(LINEAR, change)) == f"model.onnx {message}"
