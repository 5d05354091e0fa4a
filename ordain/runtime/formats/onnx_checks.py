"""An ONNX form, looked through before a runtime opens it, and scored in one thread.

A graph is no program, but a file can make its reader work: name a file outside of itself that is
then read, an operator of a library that is then loaded, numbers that fill the memory, nodes that
wait for each other. What `onnx_files` writes has none of this, so everything else is refused: the
operators, the one input, the outputs and the order of nodes are those of the writer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.errors import OnnxError
from ordain.runtime.formats.bounds import walk
from ordain.runtime.formats.onnx_files import INPUT, LABEL, OPSETS, SCORES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Scorer = Callable[[Floats], Floats]

MAXIMUM_BYTES: Final = 256_000_000
MAXIMUM_NUMBERS: Final = 10_000_000
MAXIMUM_SIDES: Final = 2
REMEDY: Final = "train the recipe again, and never open this file with another tool"

_OPERATORS: Final = frozenset(
    {
        ("", name)
        for name in (
            "Add",
            "ArgMax",
            "ArgMin",
            "Concat",
            "Exp",
            "Identity",
            "MatMul",
            "Max",
            "Min",
            "Mul",
            "ReduceSum",
            "Sigmoid",
            "Softmax",
            "Sqrt",
            "Sub",
        )
    }
    | {("ai.onnx.ml", "TreeEnsemble")}
)
_WIDTHS: Final = {2: 1, 7: 8, 11: 8}  # Bytes of UINT8, INT64 and DOUBLE in TensorProto.DataType.
_PARTS: Final = frozenset({"ir_version", "opset_import", "producer_name", "graph"})
_GRAPH: Final = frozenset({"node", "name", "initializer", "input", "output"})
_ATTRIBUTES: Final = frozenset({"INT", "INTS", "TENSOR"})


def check_onnx(data: bytes) -> Any:  # noqa: ANN401 - a ModelProto
    """The graph in these bytes, once it is one that this tool writes.

    Raises:
        OnnxError: naming what is not.
    """
    import onnx
    from google.protobuf.message import DecodeError

    if len(data) > MAXIMUM_BYTES:
        raise _refused(f"has more than {MAXIMUM_BYTES} bytes")
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise _refused("is no ONNX model that can be read") from error
    try:
        _check_parts(model)
        _check_constants(model.graph)
        _check_nodes(model.graph)
        onnx.checker.check_model(model, full_check=True)
        _check_sizes(onnx.shape_inference.infer_shapes(model, strict_mode=True).graph)
    except (TypeError, ValueError) as error:  # A text or a type in it is none.
        raise _refused("is no ONNX model that can be read") from error
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise _refused(f"is no valid model: {str(error).splitlines()[0]}") from error
    return model


def _refused(what: str) -> OnnxError:
    return OnnxError(f"model.onnx {what}", remedy=REMEDY)


def _fields(message: Any) -> set[str]:  # noqa: ANN401 - any protobuf message
    return {descriptor.name for descriptor, _ in message.ListFields()}


def _check_parts(model: Any) -> None:  # noqa: ANN401 - a ModelProto
    for name in sorted(_fields(model) - _PARTS):
        raise _refused(f"has {name}, which no form of ordain has")
    for name in sorted(_fields(model.graph) - _GRAPH):
        raise _refused(f"has a graph with {name}, which no form of ordain has")
    for opset in model.opset_import:
        if OPSETS.get(opset.domain) != opset.version:
            raise _refused(f"needs version {opset.version} of the operators {opset.domain!r}")
    given = [value.name for value in model.graph.input]
    made = [value.name for value in model.graph.output]
    if given != [INPUT] or made not in ([SCORES], [SCORES, LABEL]):
        raise _refused(f"takes {given} and gives {made}")
    for value in (*model.graph.input, *model.graph.output):
        if len(value.type.tensor_type.shape.dim) > MAXIMUM_SIDES:
            raise _refused(f"has {value.name} of more than {MAXIMUM_SIDES} dimensions")


def _check_constants(graph: Any) -> None:  # noqa: ANN401 - a GraphProto
    for constant in graph.initializer:
        _check_tensor(constant)


def _check_tensor(tensor: Any) -> None:  # noqa: ANN401 - a TensorProto
    """Numbers inside the file, exactly as many as its shape says."""
    if tensor.external_data or tensor.data_location:
        raise _refused(f"reads {tensor.name} from another file")
    width = _WIDTHS.get(tensor.data_type)
    if len(tensor.dims) > MAXIMUM_SIDES:
        raise _refused(f"has a constant {tensor.name} of {len(tensor.dims)} dimensions")
    if width is None or _fields(tensor) - {"dims", "data_type", "name", "raw_data"}:
        raise _refused(f"has a constant {tensor.name} of a kind that is not read")
    if any(side < 0 for side in tensor.dims) or math.prod(tensor.dims) * width != len(
        tensor.raw_data
    ):
        raise _refused(f"has a constant {tensor.name} of another size than it says")


def _check_nodes(graph: Any) -> None:  # noqa: ANN401 - a GraphProto
    """Each operator is known, and takes only what stands before it."""
    known = {INPUT, *(constant.name for constant in graph.initializer)}
    for node in graph.node:
        if (node.domain, node.op_type) not in _OPERATORS:
            name = f"{node.domain or 'ai.onnx'}.{node.op_type}"
            raise _refused(f"uses the operator {name}, which no form of ordain uses")
        for name in node.input:
            if name not in known:
                raise _refused(f"uses {name} before it is made")
        if known.intersection(node.output):
            raise _refused(f"makes {node.output[0]} twice")
        known.update(node.output)
        _check_attributes(node, _columns(graph))


def _check_sizes(graph: Any) -> None:  # noqa: ANN401 - a GraphProto with shapes
    """What the nodes make of one row is bounded: a file of a kilobyte can double it at will."""
    shapes = {
        value.name: value.type.tensor_type.shape.dim
        for value in (*graph.value_info, *graph.output)
        if value.type.tensor_type.HasField("shape")
    }
    total = 0
    for node in graph.node:
        for name in node.output:
            if name not in shapes:
                raise _refused(f"makes {name} of a size that nobody can tell")
            total += math.prod(side.dim_value or 1 for side in shapes[name])
    if total > MAXIMUM_NUMBERS:
        raise _refused(f"makes more than {MAXIMUM_NUMBERS} numbers of one row")


def _columns(graph: Any) -> int:  # noqa: ANN401 - a GraphProto
    """How many encoded columns the graph says that it takes."""
    sides = graph.input[0].type.tensor_type.shape.dim
    return int(sides[1].dim_value) if len(sides) == 2 else 0  # noqa: PLR2004 - rows and columns


def _check_attributes(node: Any, columns: int) -> None:  # noqa: ANN401 - a NodeProto
    for attribute in node.attribute:
        kind = attribute.AttributeType.Name(attribute.type)
        if kind not in _ATTRIBUTES:
            raise _refused(f"has {attribute.name} of the kind {kind}, which no form of ordain has")
        if kind == "TENSOR":
            _check_tensor(attribute.t)
    if node.op_type == "TreeEnsemble":
        try:
            _check_trees({attribute.name: attribute for attribute in node.attribute}, columns)
        except (KeyError, ValueError) as error:
            raise _refused(f"has a tree that is none: {error}") from error


def _check_trees(said: dict[str, Any], columns: int) -> None:
    """Every tree ends, and names no column, node, leaf or output that there is not."""
    nodes, leaves = len(said["nodes_featureids"].ints), len(said["leaf_targetids"].ints)
    sizes = {name: _size(said[name]) for name in said if name.startswith(("nodes_", "leaf_"))}
    for name, size in sizes.items():
        if size != (nodes if name.startswith("nodes_") else leaves):
            raise ValueError(f"{name} has another size")
    if not all(0 <= column < columns for column in said["nodes_featureids"].ints):
        raise ValueError("it splits on no column")
    if not all(0 <= target < said["n_targets"].i for target in said["leaf_targetids"].ints):
        raise ValueError("a leaf adds to no output")
    left, right = (
        [_place(*end, nodes, leaves) for end in zip(said[ids].ints, said[kind].ints, strict=True)]
        + [0] * leaves
        for ids, kind in (
            ("nodes_truenodeids", "nodes_trueleafs"),
            ("nodes_falsenodeids", "nodes_falseleafs"),
        )
    )
    leaf = [False] * nodes + [True] * leaves
    for root in said["tree_roots"].ints:
        walk(left, right, leaf, root, shared_leaves=True)


def _size(attribute: Any) -> int:  # noqa: ANN401 - an AttributeProto
    return math.prod(attribute.t.dims) if attribute.t.dims else len(attribute.ints)


def _place(index: int, leaf: int, nodes: int, leaves: int) -> int:
    """Splits first, then the leaves."""
    if not 0 <= index < (leaves if leaf else nodes):
        raise ValueError(f"it names place {index}")
    return nodes + index if leaf else index


def open_onnx(data: bytes) -> Scorer:
    """What scores encoded rows (float64, rows by columns) in one thread.

    Raises:
        OnnxError: when it is not one that this tool writes, or the runtime refuses it.
    """
    check_onnx(data)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    broken = _errors()
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except broken as error:
        raise _refused(f"is refused by the runtime: {str(error).splitlines()[0]}") from error

    def score(encoded: Floats) -> Floats:
        found: Floats = session.run([SCORES], {INPUT: encoded})[0]
        return found

    return score


def _errors() -> tuple[type[Exception], ...]:
    """What the runtime raises for a model; it has no common base but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names: Iterable[str] = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf")
    others: Iterable[str] = ("NotImplemented", "RuntimeException", "NoSuchFile", "EPFail")
    return tuple(getattr(state, name) for name in (*names, *others))
