from __future__ import annotations

import resource
from typing import Any

import pytest

from ordain.runtime.errors import ImportRefused
from ordain.runtime.importing.onnx_models import describe_onnx

pytestmark = pytest.mark.training


def model(**changed: Any) -> Any:  # noqa: ANN401 - a ModelProto
    """One Add over two columns."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])
    node = helper.make_node(
        changed.get("op", "Add"), ["x", "one"], ["y"], domain=changed.get("domain", "")
    )
    one = numpy_helper.from_array(np.ones(2, dtype=np.float32), "one")
    graph = helper.make_graph([node], "g", [given], [made], [one])
    opsets = [helper.make_opsetid("", 17)]
    if changed.get("domain"):
        opsets.append(helper.make_opsetid(changed["domain"], 1))
    return helper.make_model(graph, producer_name="somebody", opset_imports=opsets, ir_version=8)


def test_inputs_outputs_and_operators_are_described() -> None:
    found = describe_onnx(model().SerializeToString(), "m.onnx")
    assert (found.inputs, found.outputs) == (("x: float[n, 2]",), ("y: float[n, 2]",))
    assert (found.names, found.operators, found.producer) == (("x",), ("Add",), "somebody")


def test_bytes_of_another_format_are_no_model() -> None:
    for data in (b"\x80\x04K\x01.", b"PK\x03\x04", b"hello"):
        with pytest.raises(ImportRefused, match=r"m\.onnx is no"):
            describe_onnx(data, "m.onnx")


def test_operators_of_a_vendor_are_refused() -> None:
    data = model(domain="com.example").SerializeToString()
    with pytest.raises(ImportRefused, match=r"needs the operators of 'com\.example'"):
        describe_onnx(data, "m.onnx")


def test_a_graph_that_contradicts_itself_is_refused() -> None:
    data = model(op="NoSuchOperator").SerializeToString()
    with pytest.raises(ImportRefused, match=r"m\.onnx is no valid ONNX model"):
        describe_onnx(data, "m.onnx")


def test_a_tensor_in_another_file_is_refused_also_inside_of_a_branch() -> None:
    from onnx import TensorProto, helper

    outside = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[1])
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="/etc/passwd")
    plain = model()
    plain.graph.initializer.append(outside)
    nested = model()
    branch = helper.make_graph([], "inner", [], [], [outside])
    nested.graph.node[0].attribute.append(helper.make_attribute("then_branch", branch))
    for one in (plain, nested):
        with pytest.raises(ImportRefused, match="keeps the tensor 'weights' in another file"):
            describe_onnx(one.SerializeToString(), "m.onnx")


def test_functions_of_its_own_are_refused() -> None:
    one = model()
    one.functions.add(name="f", domain="")
    with pytest.raises(ImportRefused, match="defines functions of its own"):
        describe_onnx(one.SerializeToString(), "m.onnx")


def test_a_type_that_onnx_does_not_know_is_one_clear_refusal() -> None:
    one = model()
    one.graph.input[0].type.tensor_type.elem_type = 77
    with pytest.raises(ImportRefused) as caught:
        describe_onnx(one.SerializeToString(), "m.onnx")
    assert caught.value.message == "m.onnx: 'x' has the type 77, which ONNX does not know"
    one = model()
    one.graph.input.add(name="z").type.tensor_type.elem_type = 77
    one.graph.input[1].type.tensor_type.shape.dim.add(dim_value=1)
    with pytest.raises(ImportRefused) as caught:
        describe_onnx(one.SerializeToString(), "m.onnx")
    assert "77" in caught.value.message


def test_graphs_for_training_are_refused() -> None:
    one = model()
    one.training_info.add().algorithm.node.add(op_type="Add", domain="com.example")
    with pytest.raises(ImportRefused) as caught:
        describe_onnx(one.SerializeToString(), "m.onnx")
    assert caught.value.message == "m.onnx holds graphs for training"


@pytest.mark.parametrize("part", ["values", "indices"])
def test_a_sparse_tensor_in_another_file_is_refused(part: str) -> None:
    from onnx import AttributeProto

    for kind in (AttributeProto.SPARSE_TENSOR, AttributeProto.SPARSE_TENSORS):
        one = model()
        attribute = one.graph.node[0].attribute.add(name="sparse_value", type=kind)
        single = kind == AttributeProto.SPARSE_TENSOR
        sparse = attribute.sparse_tensor if single else attribute.sparse_tensors.add()
        tensor = getattr(sparse, part)
        tensor.name = "weights"
        tensor.external_data.add(key="location", value="/etc/passwd")
        with pytest.raises(ImportRefused, match="keeps the tensor 'weights' in another file"):
            describe_onnx(one.SerializeToString(), "m.onnx")


def test_a_name_with_a_colon_is_the_whole_name() -> None:
    one = model()
    one.graph.input[0].name = one.graph.node[0].input[0] = "x:0"
    found = describe_onnx(one.SerializeToString(), "m.onnx")
    assert (found.names, found.inputs) == (("x:0",), ("x:0: float[n, 2]",))


def test_a_kilobyte_of_nodes_takes_no_memory() -> None:
    """Each node doubles the number of dimensions; whoever infers them needs all memory there is."""
    from onnx import TensorProto, helper

    given = helper.make_tensor_value_info("x0", TensorProto.INT64, [2, 2])
    made = helper.make_tensor_value_info("y", TensorProto.INT64, [])
    nodes = [helper.make_node("Gather", [f"x{i}", f"x{i}"], [f"x{i + 1}"]) for i in range(22)]
    nodes.append(helper.make_node("Size", ["x22"], ["y"]))
    opsets = [helper.make_opsetid("", 17)]
    graph = helper.make_graph(nodes, "g", [given], [made])
    data = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert describe_onnx(data, "m.onnx").operators == ("Gather", "Size")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50_000
