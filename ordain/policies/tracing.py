"""Why a rule is not content with an object: what it read, and where the value stands that decided.

The place is that of the last value which the validation came to read in the object; a value that
it had read before and reads again (a name that looks something up) is not what it came to. A rule
about an object may be broken by another document, a Deployment by its Dataset; then the place is
there, and the object is named beside it. Where a validation reads nothing that stands in a file,
what its conditions read is the reason why it was asked at all, and comes next.

A missing field has no place. The nearest key above it has; where that is the whole `spec`, the
document's name says more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel.recording import Log
from ordain.specs.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ordain.policies.cel.recording import Read
    from ordain.policies.engine import Program
    from ordain.policies.world import World
    from ordain.specs.documents import Document
    from ordain.specs.findings import Location

# What says which object it is, and not what is wrong with it.
_ENVELOPE: Final = frozenset({"apiVersion", "kind"})
_MOST_READS: Final = 6
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class Trace:
    """The place of a finding, the reads that led to it, and whether it is in the object itself."""

    location: Location
    reads: tuple[str, ...]
    elsewhere: bool = False


class _Variables(dict[str, Any]):
    """The variables of a policy, each evaluated over recording values where it is used.

    Whoever uses a variable again reads what it read: its reads are noted once more.
    """

    def __init__(self, programs: Mapping[str, Program], scope: Mapping[str, Any], log: Log) -> None:
        super().__init__()
        self._programs, self._scope, self._log = programs, scope, log
        self._found: dict[str, tuple[Any, list[Read]]] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._programs

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - any CEL value
        if name in self._found:
            value, reads = self._found[name]
            self._log.reads.extend(reads)
            return value
        before = len(self._log.reads)
        value = _run(self._programs[name], self._scope)
        self._found[name] = value, list(self._log.reads)[before:]
        return value


class _Scope(dict[str, Any]):
    """The values of the names, each recorded when it is fetched."""

    def __init__(self, values: Mapping[str, Any], log: Log) -> None:
        super().__init__(values)
        self._log = log

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - any CEL value
        value = super().__getitem__(name)
        return value if name == "variables" else self._log.root(name, value)


def _run(program: Program, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any CEL value
    if program.function is None:
        raise LookupError("this expression has no function that could be watched")
    return program.function(scope)


def trace(
    world: World,
    document: Document,
    values: Mapping[str, Any],
    programs: Sequence[Program],
    conditions: Sequence[Program],
    variables: Mapping[str, Program],
) -> Trace:
    """Run expressions again over the values of one object and see what they read.

    `programs` are those that decided; `conditions` are run where these read nothing of a file.
    """
    reads = _reads(world, values, programs, variables)
    location, elsewhere = _place(world, document, reads)
    if location is None:
        other = _reads(world, values, conditions, variables)
        location, elsewhere = _place(world, document, other)
    return Trace(location or document.location, tuple(_lines(reads)), elsewhere)


def _reads(
    world: World,
    values: Mapping[str, Any],
    programs: Iterable[Program],
    variables: Mapping[str, Program],
) -> list[Read]:
    """What the expressions read, as far as they come."""
    log = Log(world.owners)
    scope = _Scope(values, log)
    scope["variables"] = _Variables(variables, scope, log)
    for program in programs:
        try:
            _run(program, scope)
        except Exception:  # noqa: BLE001, S112 - what raised is known; here only the reads matter
            continue
    # By first occurrence, and with what was found last; what only led to a value is no read.
    found = {read.label: read for read in log.reads}
    ways = {label[:length] for label in found for length in range(1, len(label))}
    return [read for label, read in found.items() if label not in ways]


def _place(world: World, document: Document, reads: Sequence[Read]) -> tuple[Location | None, bool]:
    """The place of the last read in the object, or else in any other document."""
    # What only looked something up decides where nothing else was read.
    latest = [*reversed(reads)]
    latest.sort(key=lambda read: read.key)
    for read in latest:
        if read.document == document.key and (found := place(document, read.path)):
            return found, False
    for read in latest:
        other = world.estate.documents.get(read.document or "")
        if other is not None and other is not document and (found := place(other, read.path)):
            return found, True
    return None, False


def place(document: Document, path: Sequence[str | int]) -> Location | None:
    """Where a value stands, or what is nearest above a missing one; None for the document."""
    if not path or path[0] in _ENVELOPE or tuple(path[:2]) == ("metadata", "name"):
        return None
    depth, value = _resolve(document.raw, path)
    if depth == len(path):
        scalar = not isinstance(value, dict | list)
        return document.marks.value(*path) if scalar else document.marks.key(*path)
    return document.marks.key(*path[:depth]) if depth > 1 else document.location


def _resolve(value: Any, path: Sequence[str | int]) -> tuple[int, Any]:  # noqa: ANN401
    """How many steps of the path exist, and the value at the last of them."""
    for depth, step in enumerate(path):
        inside = isinstance(value, dict) and step in value
        within = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not (inside or within):
            return depth, value
        value = value[step]
    return len(path), value


def _lines(reads: Sequence[Read]) -> Iterator[str]:
    """The last reads as `name = value`, each once."""
    for read in reads[-_MOST_READS:]:
        yield f"{read.name} is not set" if read.missing else f"{read.name} {_said(read.value)}"


def _said(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return f"has {len(value)} {'entry' if len(value) == 1 else 'entries'}"
    if isinstance(value, list):
        return f"has {len(value)} {'item' if len(value) == 1 else 'items'}"
    if value is None or isinstance(value, bool):
        return f"= {({None: 'null', True: 'true', False: 'false'})[value]}"
    text = masked(str(value))
    return f"= {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}"
