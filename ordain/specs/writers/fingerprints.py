"""What makes two findings the same one, run after run: a digest that moves with its line.

A forge shows a finding as new when its fingerprint is. It is made of the code, the file, and the
text of the line with the place in it marked; not of the line's number, which every edit above it
changes, and not of the message, which may hold a measured value or a number of days. Equal ones are
numbered in the order in which they stand in the file, those that are waived among the others, so
that a waiver changes no fingerprint. A finding of a whole file, or of none, falls back on its
message with the digits left out.

The name is a version: another way of computing needs another one, so that nobody compares the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ordain.specs.diagnostics import Sources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.specs.findings import Finding
    from ordain.specs.writers.checked import Checked, Waived

NAME: Final = "ordain/v1"
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Marked:
    """A finding with its fingerprint, and the waiver that covers it."""

    finding: Finding
    fingerprint: str
    waived: Waived | None = None


def marked(checked: Checked, sources: Sources | None = None) -> list[Marked]:
    """Every finding of a check, those that stand before those that are waived, in their order."""
    lines = sources or Sources(checked.tree)
    every: list[tuple[Finding, Waived | None]] = [(finding, None) for finding in checked.findings]
    every += [(one.finding, one) for one in checked.suppressed]
    prints: dict[int, str] = {}
    seen: dict[tuple[str, ...], int] = {}
    for index in sorted(range(len(every)), key=lambda index: _order(every[index][0])):
        parts = _parts(every[index][0], lines)
        seen[parts] = number = seen.get(parts, 0) + 1
        prints[index] = _digest((*parts, str(number)))
    return [Marked(finding, prints[i], waived) for i, (finding, waived) in enumerate(every)]


def heaviest_first(found: Iterable[Marked]) -> list[Marked]:
    """Those that stand by weight, then those that are waived; equals stay in their order."""
    return sorted(found, key=lambda one: (one.waived is not None, one.finding.severity.rank))


def _digest(parts: tuple[str, ...]) -> str:
    # A lone half of a surrogate pair may come from a file's name.
    return sha256("\0".join((NAME, *parts)).encode("utf-8", "surrogatepass")).hexdigest()


def _order(finding: Finding) -> tuple[str, int, int]:
    place = finding.location
    return ("", 0, 0) if place is None else (place.path, place.line, place.column)


def _parts(finding: Finding, sources: Sources) -> tuple[str, ...]:
    place = finding.location
    line = None if place is None else sources.line(place)
    if place is None or line is None:
        path = "" if place is None else place.path
        return (finding.code, path, _NUMBERS.sub("#", finding.message))
    start, end = place.column - 1, place.column - 1 + place.length
    # Indentation changes with what is around a line, the words beside a place do not.
    return (finding.code, place.path, line[:start].strip(), line[start:end], line[end:].strip())
