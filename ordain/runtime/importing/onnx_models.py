"""An ONNX file of somebody else: looked through, described, and never run here.

The graph of an artifact of ours is held against what our own writer writes (`formats.onnx_checks`).
A file from elsewhere may use any standard operator, so what is refused is what reaches outside of
it: tensors in other files, operators of a vendor's library, functions of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.errors import ImportRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_EXTERNAL: Final = 1  # TensorProto.DataLocation


@dataclass(frozen=True, slots=True)
class Described:
    """What the file says of itself; each input and output is `name: type[shape]`."""

    names: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operators: tuple[str, ...]
    producer: str


def describe_onnx(data: bytes, path: str) -> Described:
    """What is in an ONNX file that stands on its own.

    Raises:
        ImportRefused: saying what is wrong with it, or what it reaches for.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise ImportRefused(f"{path} is no ONNX model", remedy="export it again") from error
    _refuse_reaching(model, path)
    try:
        # Shapes are not inferred: a kilobyte of nodes can have more of them than there is memory.
        onnx.checker.check_model(model)
    except MemoryError as error:
        message = f"{path} asks for more memory than there is"
        raise ImportRefused(message, remedy="export a smaller model") from error
    except (onnx.checker.ValidationError, ValueError) as error:  # ValueError: a type that is none.
        message = f"{path} is no valid ONNX model: {str(error).partition(chr(10))[0]}"
        raise ImportRefused(message, remedy="export it again") from error
    constants = {tensor.name for tensor in model.graph.initializer}
    given = [one for one in model.graph.input if one.name not in constants]
    return Described(
        tuple(one.name for one in given),
        tuple(_shown(one, path) for one in given),
        tuple(_shown(one, path) for one in model.graph.output),
        tuple(sorted({node.op_type for node in _nodes(model.graph)})),
        f"{model.producer_name} {model.producer_version}".strip(),
    )


def _refuse_reaching(model: Any, path: str) -> None:  # noqa: ANN401 - a ModelProto
    if model.functions:
        message = f"{path} defines functions of its own"
        raise ImportRefused(message, remedy="export it with them inlined")
    if model.training_info:
        # Graphs of its own, which run when the model is trained on.
        message = f"{path} holds graphs for training"
        raise ImportRefused(message, remedy="export it for inference only")
    for node in _nodes(model.graph):
        if node.domain not in DOMAINS:
            message = f"{path} needs the operators of {node.domain!r}, which are no standard ones"
            raise ImportRefused(message, remedy="export it with standard operators only")
    for tensor in _tensors(model.graph):
        if tensor.data_location == _EXTERNAL or tensor.external_data:
            message = f"{path} keeps the tensor {tensor.name!r} in another file"
            raise ImportRefused(message, remedy="export it as one file")


def _graphs(graph: Any) -> Iterator[Any]:  # noqa: ANN401 - a GraphProto
    """A graph and all that stand inside of its nodes."""
    waiting = [graph]
    while waiting:
        one = waiting.pop()
        yield one
        for node in one.node:
            for attribute in node.attribute:
                waiting.extend(attribute.graphs)
                if attribute.HasField("g"):
                    waiting.append(attribute.g)


def _nodes(graph: Any) -> Iterator[Any]:  # noqa: ANN401 - a GraphProto
    for one in _graphs(graph):
        yield from one.node


def _tensors(graph: Any) -> Iterator[Any]:  # noqa: ANN401 - a GraphProto
    for one in _graphs(graph):
        yield from one.initializer
        sparse = list(one.sparse_initializer)
        for node in one.node:
            for attribute in node.attribute:
                yield from attribute.tensors
                sparse.extend(attribute.sparse_tensors)
                if attribute.HasField("t"):
                    yield attribute.t
                if attribute.HasField("sparse_tensor"):
                    sparse.append(attribute.sparse_tensor)
        for each in sparse:
            yield from (each.values, each.indices)


def _shown(value: Any, path: str) -> str:  # noqa: ANN401 - a ValueInfoProto
    import onnx

    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type"):
        return str(value.name)
    try:
        name = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
    except ValueError as error:
        message = f"{path}: {value.name!r} has the type {kind.elem_type}, which ONNX does not know"
        raise ImportRefused(message, remedy="export it again") from error
    shape = [str(one.dim_value or one.dim_param or "?") for one in kind.shape.dim]
    return f"{value.name}: {name}[{', '.join(shape)}]"
