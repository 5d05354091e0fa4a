"""The schema of a stored pipeline, looked through node by node before skops sees it.

skops builds an object from a tree of nodes; each names a loader, a module and a class. Its own
check asks which types are new to it and lets the caller trust them by name. Here the question is
the other one: a node passes when loader, module and class stand in `allowed_types` together, and
when it has exactly the keys that its loader reads. Nodes have no `__id__`: skops takes the first
node of an id for all others of it, so that what was looked at need not be what is built.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.errors import SkopsError
from ordain.runtime.formats.allowed_types import ALLOWED, FUNCTIONS, KEY_TYPES, PINNED
from ordain.runtime.formats.archives import SCHEMA
from ordain.runtime.formats.arrays import refuse_objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROTOCOL: Final = 2
MAXIMUM_NODES: Final = 2_000_000
MAXIMUM_DEPTH: Final = 60
REMEDY: Final = "train the recipe again, and never open this file with another tool"

_NAMED: Final = frozenset({"__class__", "__loader__", "__module__"})
_KEYS: Final[dict[str, tuple[frozenset[str], ...]]] = {
    "BytearrayNode": (frozenset({"file"}),),
    "DTypeNode": (frozenset({"content"}),),
    "DefaultDictNode": (frozenset({"content"}),),
    "DictNode": (frozenset({"content", "key_types"}),),
    "FunctionNode": (frozenset(),),
    "JsonNode": (frozenset({"content", "is_json"}),),
    "ListNode": (frozenset({"content"}),),
    "LossNode": (frozenset({"__reduce__", "content"}),),
    "NdArrayNode": (frozenset({"file", "type"}), frozenset({"content", "shape", "type"})),
    "ObjectNode": (frozenset(), frozenset({"content"})),
    "PartialNode": (frozenset({"content"}),),
    "SetNode": (frozenset({"content"}),),
    "SliceNode": (frozenset({"content"}),),
    "TreeNode": (frozenset({"__reduce__", "content"}),),
    "TupleNode": (frozenset({"content"}),),
    "TypeNode": (frozenset(),),
}

Node = dict[str, Any]


def refused(what: str) -> SkopsError:
    """The error of a pipeline that is not opened."""
    return SkopsError(f"pipeline.skops {what}", remedy=REMEDY)


def check_members(members: Mapping[str, bytes]) -> Node:
    """The schema of these members of an archive, once nothing in them can run.

    Raises:
        SkopsError: naming what stands in it and is not allowed.
    """
    schema = _parse(members[SCHEMA])
    if schema.pop("protocol", None) != PROTOCOL:
        raise refused(f"is not of the protocol {PROTOCOL}")
    used = {name for node in _walk(schema) if (name := _check(node, members)) is not None}
    for name in members.keys() - {SCHEMA} - used:
        raise refused(f"holds {name}, which nothing in it names")
    return schema


def _parse(data: bytes) -> Node:
    try:
        schema = json.loads(data, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise refused(f"has a {SCHEMA} that cannot be read") from error
    if not isinstance(schema, dict):
        raise refused(f"has a {SCHEMA} that is no object")
    return schema


def _no_twins(pairs: list[tuple[str, Any]]) -> Node:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is written twice")
    return found


def _walk(root: Node) -> Iterator[Node]:
    """Every node, without recursion; a node is handed out after its keys are known to be right."""
    waiting: list[tuple[Any, int]] = [(root, 0)]
    count = 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if count > MAXIMUM_NODES or depth > MAXIMUM_DEPTH:
            raise refused("is too large or too deep to be a fitted pipeline")
        _refuse_unknown(node)
        yield node
        waiting.extend((child, depth + 1) for child in _children(node))


def _refuse_unknown(node: Any) -> None:  # noqa: ANN401 - any JSON value
    if not isinstance(node, dict) or not node.keys() >= _NAMED:
        raise refused("has a node that names no type")
    entry = (node["__loader__"], node["__module__"], node["__class__"])
    if not all(isinstance(part, str) for part in entry) or entry not in ALLOWED:
        loader, module, name = entry
        raise refused(f"names {module}.{name} as a {loader}, which no pipeline of ordain holds")
    if (node.keys() - _NAMED) not in _KEYS[entry[0]]:
        raise refused(f"has a {entry[0]} with other keys than it is read by")


def _children(node: Node) -> list[Any]:
    """The nodes below this one, by what its loader reads."""
    content = node.get("content")
    found: list[Any] = []
    match node["__loader__"]:
        case "DictNode":
            found = [node["key_types"], *_mapping(content).values()]
        case "ListNode" | "TupleNode" | "SetNode":
            found = _sequence(content)
        case "DefaultDictNode":
            found = _named(content, "default_factory", "main")
        case "PartialNode":
            found = _named(content, "args", "func", "kwds", "namespace")
        case "TreeNode" | "LossNode":
            found = [content, *_named(node["__reduce__"], "args")]
        case "NdArrayNode" if node["type"] == "json":
            found = [node["shape"], *_sequence(content)]
        case "DTypeNode" | "ObjectNode":
            found = [] if content is None else [content]
    return found


def _mapping(content: Any) -> Node:  # noqa: ANN401 - any JSON value
    if not isinstance(content, dict):
        raise refused("has a node whose content is no object")
    return content


def _sequence(content: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(content, list):
        raise refused("has a node whose content is no list")
    return content


def _named(content: Any, *names: str) -> list[Any]:  # noqa: ANN401 - any JSON value
    found = _mapping(content)
    if found.keys() != set(names):
        raise refused("has a node with other parts than it is read by")
    return list(found.values())


def _check(node: Node, members: Mapping[str, bytes]) -> str | None:
    """What one node says beside its type; the name of the member that it reads, if any."""
    match node["__loader__"]:
        case "DictNode":
            _check_keys(node)
        case "JsonNode":
            _check_json(node)
        case "PartialNode":
            _check_partial(node)
        case "SliceNode":
            _check_slice(node)
        case "ObjectNode":
            _check_pinned(node)
        case "NdArrayNode" if node["type"] != "json":
            return _array(node, members)
        case "BytearrayNode":
            return _member(node, members, ".bin")
        case _:
            pass
    return None


def _check_keys(node: Node) -> None:
    """One type per key, each of which only converts text."""
    kinds = node["key_types"]
    listed = kinds.get("content") if isinstance(kinds, dict) else None
    if not isinstance(listed, list) or len(listed) != len(_mapping(node["content"])):
        raise refused("has a dict whose keys have no types")
    for kind in listed:
        if not isinstance(kind, dict) or kind.get("__loader__") != "TypeNode":
            raise refused("has a dict whose keys have no types")
        module, name = str(kind.get("__module__")), str(kind.get("__class__"))
        if (module, name) not in KEY_TYPES:
            raise refused(f"has a dict whose keys are {module}.{name}")


def _check_json(node: Node) -> None:
    try:
        json.loads(node["content"])
    except (ValueError, TypeError, RecursionError) as error:
        raise refused("has a value that is no JSON") from error


def _check_partial(node: Node) -> None:
    """A function with some of its arguments: the function has to be one that is allowed."""
    function = node["content"].get("func") if isinstance(node["content"], dict) else None
    if not isinstance(function, dict) or function.get("__loader__") != "FunctionNode":
        raise refused("has a partial of something that is no function")
    module, name = str(function.get("__module__")), str(function.get("__class__"))
    if (module, name) not in FUNCTIONS:
        raise refused(f"has a partial of {module}.{name}, which no pipeline of ordain holds")


def _check_slice(node: Node) -> None:
    values = _named(node["content"], "start", "step", "stop")
    if not all(value is None or type(value) is int for value in values):
        raise refused("has a slice that is none")


def _check_pinned(node: Node) -> None:
    """Settings that would make an allowed object read files or call what the file names."""
    name = (node["__module__"], node["__class__"])
    pinned = PINNED.get(name, {})
    state = node.get("content")
    attributes = state.get("content") if isinstance(state, dict) else None
    for attribute, value in pinned.items():
        found = attributes.get(attribute) if isinstance(attributes, dict) else None
        if isinstance(found, dict) and found.get("content") == value:
            continue
        message = f"has a {name[1]} whose {attribute} is another than {value}"
        raise refused(message)


def _array(node: Node, members: Mapping[str, bytes]) -> str:
    if node["type"] != "numpy" or "file" not in node:
        raise refused(f"has an array of the kind {node['type']!r}")
    name = _member(node, members, ".npy")
    try:
        refuse_objects(members[name])
    except ValueError as error:
        raise refused(f"has an array that {error}") from error
    return name


def _member(node: Node, members: Mapping[str, bytes], ending: str) -> str:
    name = node["file"]
    if not isinstance(name, str) or name not in members or not name.endswith(ending):
        raise refused(f"names {name!r}, which is not in it")
    return name
