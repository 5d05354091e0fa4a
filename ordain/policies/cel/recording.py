"""Containers that remember what was read from them.

When a rule is violated its function runs once more, over these instead of plain dicts and lists.
They behave alike, so that the same code gives the same answer, and every read leaves a trace: which
value of which document, or that it was not there. `&&`, `||` and the loops stop at what decides, so
the last reads are what the answer rests on; the author of a policy has nothing to do for it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, SupportsIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]
_MOST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Read:
    """One value that was read, or found missing.

    `label` says how the expression came to it (`object`, `spec`, `tier`); `document` is the key of
    the document that holds it, at `path`, where it is in one.
    """

    label: Path
    document: str | None
    path: Path
    value: Any
    missing: bool = False

    @property
    def name(self) -> str:
        """Such as `object.spec.acceptance.metrics[0].min`."""
        parts = (f"[{one}]" if isinstance(one, int) else f".{one}" for one in self.label)
        return "".join(parts).removeprefix(".")


class Log:
    """The last reads, in order; `owners` gives the key of a document by the `id` of its values."""

    def __init__(self, owners: Mapping[int, str]) -> None:
        self.reads: deque[Read] = deque(maxlen=_MOST)
        self._owners = owners

    def add(self, read: Read) -> None:
        """Note a read; on the way to a value only the value itself counts."""
        if self.reads and self.reads[-1].label == read.label[:-1]:
            self.reads.pop()
        self.reads.append(read)

    def recorded(self, value: Any, label: Path, document: str | None, path: Path) -> Any:  # noqa: ANN401 - any CEL value
        """The value, with everything that is read from it to be noted."""
        if isinstance(value, dict):
            owner = self._owners.get(id(value))
            place = (document, path) if owner is None else (owner, ())
            return RecordedMap(value, self, label, *place)
        if isinstance(value, list):
            return RecordedList(value, self, label, document, path)
        return value

    def root(self, name: str, value: Any) -> Any:  # noqa: ANN401
        """The value of a name of the environment."""
        if not isinstance(value, dict | list):
            self.add(Read((name,), None, (), value))
        return self.recorded(value, (name,), None, ())


class RecordedMap(dict[str, Any]):
    """A dict that notes what is read."""

    __slots__ = ("_document", "_label", "_log", "_path")

    def __init__(
        self, value: Mapping[str, Any], log: Log, label: Path, document: str | None, path: Path
    ) -> None:
        super().__init__(value)
        self._log, self._label, self._document, self._path = log, label, document, path

    def _note(self, key: str, value: Any, *, missing: bool = False) -> None:  # noqa: ANN401
        label, path = (*self._label, key), (*self._path, key)
        self._log.add(Read(label, self._document, path, value, missing))

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        if not super().__contains__(key):
            self._note(key, None, missing=True)
            raise KeyError(key)
        value = super().__getitem__(key)
        self._note(key, value)
        return self._log.recorded(value, (*self._label, key), self._document, (*self._path, key))

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401
        """As `dict.get`."""
        if super().__contains__(key):
            return self[key]
        self._note(key, None, missing=True)
        return default

    def __contains__(self, key: object) -> bool:
        found = super().__contains__(key)
        if isinstance(key, str):
            self._note(key, super().get(key), missing=not found)
        return found


class RecordedList(list[Any]):
    """A list that notes what is read."""

    __slots__ = ("_document", "_label", "_log", "_path")

    def __init__(
        self, value: list[Any], log: Log, label: Path, document: str | None, path: Path
    ) -> None:
        super().__init__(value)
        self._log, self._label, self._document, self._path = log, label, document, path

    def _item(self, at: int) -> Any:  # noqa: ANN401 - any JSON value
        value = super().__getitem__(at)
        label, path = (*self._label, at), (*self._path, at)
        self._log.add(Read(label, self._document, path, value))
        return self._log.recorded(value, label, self._document, path)

    def __getitem__(self, at: SupportsIndex | slice) -> Any:  # noqa: ANN401
        return super().__getitem__(at) if isinstance(at, slice) else self._item(at.__index__())

    def __iter__(self) -> Iterator[Any]:
        return (self._item(at) for at in range(len(self)))
