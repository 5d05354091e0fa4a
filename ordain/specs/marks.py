"""Where the nodes of a file stand.

Marks are kept as two code-point offsets, packed into one machine word per node in the order in
which the nodes were read: a file of ninety lines costs a kilobyte. Lines, columns and lengths are
computed from the text when a finding asks for them, and a node is found again by walking the values
in the same order. Refused: a mark object per node, which costs ten times the memory of the values
for a file that most often has no finding at all.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordain.specs.documents import Step


class Source:
    """The text of one file; knows the line and column of an offset."""

    __slots__ = ("_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._starts: list[int] | None = None

    def location(self, start: int, end: int) -> Location:
        """The place from one code-point offset to another, cut at the end of the first line."""
        if self._starts is None:
            breaks = re.finditer(r"\r\n|\n|\r", self.text)
            self._starts = [0, *(found.end() for found in breaks)]
        line = bisect_right(self._starts, start)
        first = self._starts[line - 1]
        last = self._starts[line] if line < len(self._starts) else len(self.text)
        shown = self.text[start : min(end, last)].rstrip()
        return Location(self.path, line, start - first + 1, max(1, len(shown)))


@dataclass(slots=True)
class Nodes:
    """The offsets of every node of a file, in the order of the events.

    `aliases` leads from an alias to the node it stands for, or to -1 where that one is gone.
    """

    offsets: array[int] = field(default_factory=lambda: array("Q"))
    aliases: dict[int, int] = field(default_factory=dict)
    _keys: dict[int, dict[str, int]] = field(default_factory=dict)
    _items: dict[int, list[int]] = field(default_factory=dict)

    def size(self, value: Any, at: int) -> int:  # noqa: ANN401 - any YAML value
        """How many nodes a value takes that begins with node `at`."""
        if at in self.aliases:
            return 1
        if isinstance(value, dict):
            behind = at + 1
            for inner in value.values():
                behind += 1 + self.size(inner, behind + 1)
            return behind - at
        if isinstance(value, list):
            behind = at + 1
            for inner in value:
                behind += self.size(inner, behind)
            return behind - at
        return 1

    def key(self, mapping: dict[str, Any], at: int, name: str) -> int:
        """The node of a key of the mapping that begins at `at`; its value is the next node.

        A mapping is walked once, however many of its keys are asked for, and as far as it goes: a
        builder may ask for the keys of one that is still growing.
        """
        known = self._keys.setdefault(at, {})
        if name not in known:
            new: list[str] = []
            for key in reversed(mapping):
                if key in known:
                    break
                new.append(key)
            behind = at + 1
            if known:
                last = next(reversed(known))
                behind = known[last] + 1
                behind += self.size(mapping[last], behind)
            for key in reversed(new):
                known[key] = behind
                behind += 1 + self.size(mapping[key], behind + 1)
        return known[name]

    def item(self, items: list[Any], at: int, index: int) -> int:
        """The node of an item of the sequence that begins at `at`, all of which is there."""
        known = self._items.get(at)
        if known is None:
            known = self._items[at] = []
            behind = at + 1
            for value in items:
                known.append(behind)
                behind += self.size(value, behind)
        return known[index]

    def forget(self, at: int) -> None:
        """Drop every node from `at` on."""
        del self.offsets[at:]
        for kept in (self.aliases, self._keys):
            for node in list(_newest(kept, at)):
                del kept[node]


def _newest(kept: dict[int, Any], at: int) -> Iterator[int]:
    """The entries from node `at` on.

    They were made last, except for that of the mapping in which something is being forgotten.
    """
    others = 0
    for node in reversed(kept):
        if node >= at:
            yield node
        elif others:
            return
        else:
            others = 1


class LaterMarks:
    """The marks of document `at` of a file, made when the first place is asked for."""

    __slots__ = ("_at", "_of_file")

    def __init__(self, of_file: Callable[[int], NodeMarks], at: int) -> None:
        self._of_file = of_file
        self._at = at

    @property
    def made(self) -> NodeMarks:
        """The marks themselves."""
        return self._of_file(self._at)

    def key(self, *path: Step) -> Location:
        """The place of a key."""
        return self._of_file(self._at).key(*path)

    def value(self, *path: Step) -> Location:
        """The place of a value."""
        return self._of_file(self._at).value(*path)

    def span(self, *path: Step) -> tuple[int, int]:
        """The code-point offsets of a value."""
        return self._of_file(self._at).span(*path)


@dataclass(frozen=True, slots=True)
class NodeMarks:
    """Where the keys and values of one document stand; see `documents.Marks`."""

    source: Source
    nodes: Nodes
    root: int
    document: Any

    def key(self, *path: Step) -> Location:
        """The place of a key; of the item where the last step counts one."""
        key, _ = self._find(path)
        return self._location(key)

    def value(self, *path: Step) -> Location:
        """The place of a value."""
        key, value = self._find(path)
        # An empty value (`tier:`) is nothing that could be underlined.
        start, end = self._span(value)
        return self._location(value if end > start or value == self.root else key)

    def span(self, *path: Step) -> tuple[int, int]:
        """The code-point offsets of a value, from its first letter to behind its last one."""
        value = self.document
        for step in path:
            value = value[step]
        return self._extent(self._find(path)[1], value)

    def _extent(self, node: int, value: Any) -> tuple[int, int]:  # noqa: ANN401 - any YAML value
        """The offsets of a value; a block collection ends where its last value does."""
        start, end = self._span(node)
        flow = self.source.text[start : start + 1] in ("{", "[")
        if flow or not value or not isinstance(value, dict | list) or node in self.nodes.aliases:
            return start, end
        if isinstance(value, dict):
            key = next(reversed(value))
            last, inside = value[key], self.nodes.key(value, node, key) + 1
        else:
            last, inside = value[-1], self.nodes.item(value, node, len(value) - 1)
        return start, self._extent(inside, last)[1]

    def _find(self, path: tuple[Step, ...]) -> tuple[int, int]:
        """The nodes of the key and of the value at a path, or of the nearest enclosing ones."""
        key = at = self.root
        value = self.document
        for step in path:
            inside = self.nodes.aliases.get(at, at)
            if inside < 0 or not _holds(value, step):
                break
            if isinstance(value, dict):
                key = self.nodes.key(value, inside, str(step))
                at = key + 1
            else:
                key = at = self.nodes.item(value, inside, int(step))
            value = value[step]
        return key, at

    def _span(self, node: int) -> tuple[int, int]:
        packed = self.nodes.offsets[node]
        return packed >> 32, packed & 0xFFFFFFFF

    def _location(self, node: int) -> Location:
        return self.source.location(*self._span(node))


def _holds(value: Any, step: Step) -> bool:  # noqa: ANN401 - any YAML value
    """Whether a value has this key or item."""
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)
