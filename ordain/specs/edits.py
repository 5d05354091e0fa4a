"""Changing one value of a document and no other byte.

A promotion writes a version, `ordain pin` writes a digest, into a file that people wrote: comments,
order, quotes and line ends are theirs. So nothing is dumped. The place of the value is taken from
the marks, the text is cut there, and the result is read again: an edit that would say anything but
what was asked for is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.specs.errors import SpecError
from ordain.specs.loader import Node, parse

if TYPE_CHECKING:
    from ordain.specs.documents import Step

_STEP = 2
# Truth values to the readers of YAML 1.1 that others may point at the file; text to us.
_YAML_1_1 = frozenset(("yes", "no", "on", "off"))
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./:+-]*")


class EditError(SpecError):
    """The edit cannot be made without changing what stands around it."""

    code = "SPEC002"


@dataclass(frozen=True, slots=True)
class _Place:
    """A mapping that is to be changed, in the text of its file."""

    text: str
    node: Node
    path: tuple[Step, ...]

    @property
    def value(self) -> Any:  # noqa: ANN401 - any YAML value
        found = self.node.value
        for step in self.path:
            found = found[step]
        return found


def set_value(text: str, document: int, path: tuple[Step, ...], value: Any) -> str:  # noqa: ANN401
    """The text with one value set, everything else as it was.

    `document` counts from 0; `value` is a scalar, or a mapping of scalars. A scalar that is there
    is replaced; a key that is not there is added at the end of its mapping, together with the
    mappings that lead to it.

    Raises:
        EditError: when the text is broken, the document or an item of a list does not exist, or
            the place cannot be changed without changing others (an alias, a collection).
    """
    # Offsets do not count the mark of the byte order.
    body = text.removeprefix("\ufeff")
    node = _document(body, document)
    expected = _changed(node.value, path, value)
    parent = _deepest(node, path)
    rest = path[len(parent) :]
    if not rest:
        raise EditError(f"{_dotted(path)} holds more than one value", remedy="change it by hand")
    at = _Place(body, node, parent)
    new = _replace(at, path, value) if _has(at.value, rest[0]) else _insert(at, rest, value)
    _prove(new, document, expected, path)
    return text[: len(text) - len(body)] + new


def _document(text: str, number: int) -> Node:
    parsed = parse(text.encode(), "")
    if parsed.findings:
        finding = parsed.findings[0]
        raise EditError(
            f"the file cannot be read: {finding.message}",
            location=finding.location,
            remedy="mend the file first",
        )
    if number >= len(parsed.nodes) or not isinstance(parsed.nodes[number].value, dict):
        raise EditError(f"there is no document number {number}", remedy="count from 0")
    return parsed.nodes[number]


def _deepest(node: Node, path: tuple[Step, ...]) -> tuple[Step, ...]:
    """The path of the innermost collection on the way that is there."""
    value = node.value
    for depth, step in enumerate(path):
        if not _has(value, step):
            if isinstance(value, dict) and isinstance(step, str):
                return path[:depth]
            raise EditError(f"{_dotted(path[: depth + 1])} does not exist", remedy="add it by hand")
        if not isinstance(value[step], dict | list):
            return path[:depth]
        value = value[step]
    return path


def _has(value: Any, step: Step) -> bool:  # noqa: ANN401 - any YAML value
    if isinstance(value, list):
        return isinstance(step, int) and 0 <= step < len(value)
    return isinstance(value, dict) and step in value


def _changed(value: Any, path: tuple[Step, ...], new: Any) -> Any:  # noqa: ANN401 - any YAML value
    """What the document must say after the edit."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(step, int):
        return [_changed(item, rest, new) if at == step else item for at, item in enumerate(value)]
    inside = value if isinstance(value, dict) else {}
    return {**inside, step: _changed(inside.get(str(step)), rest, new)}


def _replace(at: _Place, path: tuple[Step, ...], value: Any) -> str:  # noqa: ANN401
    """Another scalar in the place of a scalar."""
    if len(path) > len(at.path) + 1 or isinstance(value, dict):
        where = _dotted(path[: len(at.path) + 1])
        raise EditError(f"{where} has a value that is no mapping", remedy="remove the value first")
    start, end = at.node.marks.span(*path)
    # A block scalar ends in line breaks, which are not its own.
    end = start + len(at.text[start:end].rstrip())
    # An empty value (`version:`) stands right behind its colon.
    space = " " if start == end and at.text[start - 1 : start] == ":" else ""
    return at.text[:start] + space + _scalar(value) + at.text[end:]


def _insert(at: _Place, rest: tuple[Step, ...], value: Any) -> str:  # noqa: ANN401
    """A new key at the end of a mapping."""
    start, _ = at.node.marks.span(*at.path)
    if at.text[start : start + 1] != "{":
        return _insert_block(at, rest, value, start)
    entry = _flow(rest, value)
    if not at.value:
        return at.text[: start + 1] + entry + at.text[start + 1 :]
    # In front of a comma or comment that may follow, because both are allowed to follow again.
    _, end = at.node.marks.span(*at.path, list(at.value)[-1])
    return f"{at.text[:end]}, {entry}{at.text[end:]}"


def _insert_block(at: _Place, rest: tuple[Step, ...], value: Any, start: int) -> str:  # noqa: ANN401
    """New lines under the last line of a block mapping, indented like its keys."""
    newline = "\r\n" if "\r\n" in at.text else "\n"
    column = start - (at.text.rfind("\n", 0, start) + 1)
    lines = newline.join(_block(rest, value, " " * column))
    _, last = at.node.marks.span(*at.path)
    end = at.text.find("\n", last - 1)
    if end < 0:
        return f"{at.text}{newline}{lines}"
    return f"{at.text[: end + 1]}{lines}{newline}{at.text[end + 1 :]}"


def _flow(rest: tuple[Step, ...], value: Any) -> str:  # noqa: ANN401
    key, deeper = rest[0], rest[1:]
    return f"{_scalar(key)}: {'{' + _flow(deeper, value) + '}' if deeper else _inline(value)}"


def _inline(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{_scalar(key)}: {_inline(item)}" for key, item in value.items()) + "}"
        )
    return _scalar(value)


def _block(rest: tuple[Step, ...], value: Any, indent: str) -> list[str]:  # noqa: ANN401
    key, deeper = rest[0], rest[1:]
    head = f"{indent}{_scalar(key)}:"
    inner = indent + " " * _STEP
    if deeper:
        return [head, *_block(deeper, value, inner)]
    if isinstance(value, dict) and value:
        return [head, *(line for name in value for line in _block((name,), value[name], inner))]
    return [f"{head} {_inline(value)}"]


def _scalar(value: Any) -> str:  # noqa: ANN401 - a scalar
    """A scalar as YAML; quoted like JSON wherever plain text would be read as something else."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _YAML_1_1:
        nodes = parse(f"[{value}]".encode(), "").nodes
        if nodes and nodes[0].value == [value]:
            return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _prove(text: str, document: int, expected: Any, path: tuple[Step, ...]) -> None:  # noqa: ANN401
    """Read the result again: it must say what was asked for and nothing else."""
    parsed = parse(text.encode(), "")
    said = parsed.nodes[document].value if document < len(parsed.nodes) else None
    if parsed.findings or said != expected:
        message = f"{_dotted(path)} cannot be set without changing something else"
        raise EditError(message, remedy="change it by hand")


def _dotted(path: tuple[Step, ...]) -> str:
    return ".".join(str(step) for step in path) or "the document"
