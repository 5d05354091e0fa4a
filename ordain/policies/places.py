"""Where in a file the value stands that an expression reads.

A finding without a place makes its reader search. Until evaluation records what it reads, the place
is found from the text: of all paths that the expression mentions (its variables included), the
deepest one that exists in the document, because a guard (`object.spec.tier > 2 || ...`) is
shallower than what it guards. Where no mentioned path exists the place is the nearest key above a
missing one; then what the policy's conditions read, which is why the rule applies; then the
document's name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.specs.documents import Document
    from ordain.specs.findings import Location

_ROOTS = "object|oldObject|model|compliance|evidence|facts|params"
_SEGMENT = r"\.\??[A-Za-z_]\w*\b(?!\s*\()|\[\s*\??(?:\"[^\"]+\"|'[^']+'|\d+)\s*\]"
_PATH = re.compile(rf"(?<![\w.])({_ROOTS})((?:{_SEGMENT})+)")
_STEP = re.compile(r"\.\??([A-Za-z_]\w*)|\[\s*\??(?:\"([^\"]+)\"|'([^']+)'|(\d+))\s*\]")
_MENTION = re.compile(r"\bvariables\.([A-Za-z_]\w*)")

# A path of the envelope says which object it is, not what is wrong with it.
_ENVELOPE = frozenset({"apiVersion", "kind", "metadata"})
_MAXIMUM_READS = 6
_MAXIMUM_TEXT = 80

Path = tuple[str | int, ...]


def paths_in(expression: str) -> Iterator[tuple[str, Path]]:
    """The paths that an expression mentions, in order, as (root name, steps)."""
    for root, rest in _PATH.findall(expression):
        steps = (
            int(number) if number else name or double or single
            for name, double, single, number in _STEP.findall(rest)
        )
        yield root, tuple(steps)


def with_variables(expression: str, variables: Mapping[str, str]) -> str:
    """The expression together with the text of every variable that it uses, directly or not."""
    seen: dict[str, str] = {}
    waiting = _MENTION.findall(expression)
    while waiting:
        name = waiting.pop()
        if name in variables and name not in seen:
            seen[name] = variables[name]
            waiting.extend(_MENTION.findall(variables[name]))
    return " ".join([expression, *seen.values()])


def resolve(value: Any, path: Path) -> tuple[int, Any]:  # noqa: ANN401 - any JSON value
    """How many steps of the path exist, and the value at the last of them."""
    for depth, step in enumerate(path):
        inside = isinstance(value, dict) and step in value
        within = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not (inside or within):
            return depth, value
        value = value[step]
    return len(path), value


def place_of(document: Document, *expressions: str) -> Location:
    """The best place for a finding on this document; the first expression that gives one counts."""
    for expression in expressions:
        path = _deepest(document, expression)
        if path:
            _, found = resolve(document.raw, path)
            scalar = not isinstance(found, dict | list)
            return document.marks.value(*path) if scalar else document.marks.key(*path)
    return document.location


def _deepest(document: Document, expression: str) -> Path:
    """The deepest path that exists whole, or else the longest part of one below `spec`."""
    whole: Path = ()
    partial: Path = ()
    for root, path in paths_in(expression):
        if root != "object" or path[0] in _ENVELOPE:
            continue
        depth, _ = resolve(document.raw, path)
        if depth == len(path) > len(whole):
            whole = path
        elif depth > max(len(partial), 1):
            partial = path[:depth]
    return whole or partial


def reads_of(values: Mapping[str, Any], expression: str) -> tuple[str, ...]:
    """The plain values that the expression reads, as `name = value` lines."""
    return tuple(_lines(values, expression))[:_MAXIMUM_READS]


def _lines(values: Mapping[str, Any], expression: str) -> Iterable[str]:
    seen = dict.fromkeys(paths_in(expression))
    for root, path in seen:
        depth, found = resolve(values.get(root), path)
        name = ".".join(map(str, (root, *path)))
        if depth < len(path):
            yield f"{name} is not set"
        elif not isinstance(found, dict | list):
            yield f"{name} = {_short(found)}"


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON scalar
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = str(value)
    return text if len(text) <= _MAXIMUM_TEXT else text[: _MAXIMUM_TEXT - 1] + "…"
