"""How the artifact of one run differs from that of another, in words.

Two runs of one recipe are equal byte for byte, or something that the recipe does not name has
decided the result. The first thing that differs is what somebody has to look at: another split,
then other numbers in the plan, then other metrics.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.specs.evidence import Evidence, Metric

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Made:
    """What a run made: digests of artifact and members, the bytes that are at hand, evidence."""

    artifact: str
    members: Mapping[str, str]
    content: Mapping[str, bytes]
    evidence: Evidence


def differences(before: Made, after: Made) -> tuple[str, ...]:
    """Sentences, most basic first; none where the two are equal byte for byte.

    Evidence is compared without the version of ordain that wrote it, which is said on its own.
    """
    return tuple(_differences(before, after))


def _differences(before: Made, after: Made) -> Iterator[str]:
    tools = [one.evidence.environment.get("ordain", "?") for one in (before, after)]
    if tools[0] != tools[1]:
        yield f"ordain {tools[0]} made the version, this is ordain {tools[1]}"
    if before.evidence.split != after.evidence.split:
        yield f"the split was {before.evidence.split}, it is {after.evidence.split}"
    for name in sorted(before.members.keys() | after.members.keys()):
        yield from _member(name, before, after)
    yield from _metrics(before.evidence, after.evidence)
    if before.artifact == after.artifact and _bare(before.evidence) != _bare(after.evidence):
        yield "the artifact is equal, and the evidence says something else of it"


def _bare(evidence: Evidence) -> dict[str, Any]:
    """The evidence without the version of the tool."""
    found: dict[str, Any] = json.loads(evidence.to_json())
    found["environment"].pop("ordain", None)
    return found


def _member(name: str, before: Made, after: Made) -> Iterator[str]:
    digests = [one.members.get(name) for one in (before, after)]
    if digests[0] == digests[1]:
        return
    if None in digests:
        which = "the new run has" if digests[0] is None else "the version has"
        yield f"{name}: only {which} it"
        return
    contents = [one.content.get(name) for one in (before, after)]
    detail = "" if None in contents else _detail(*contents)  # type: ignore[arg-type]
    yield f"{name}: {detail or 'its bytes differ'}"


def _detail(before: bytes, after: bytes) -> str:
    """Where two JSON documents differ, and by how much at most; empty where one is no JSON."""
    try:
        found = list(_values(json.loads(before), json.loads(after), ""))
    except ValueError:
        return ""
    numbers = [(abs(b - a), path) for path, a, b in found if _are_numbers(a, b)]
    others = [path for path, a, b in found if not _are_numbers(a, b)]
    told = []
    if numbers:
        most, where = max(numbers)
        count = "1 number differs" if len(numbers) == 1 else f"{len(numbers)} numbers differ"
        told.append(f"{count}, by {most:.3g} at most ({where})")
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        told.append(f"other values at {', '.join(others[:SHOWN])}{more}")
    return "; ".join(told)


def _are_numbers(one: object, other: object) -> bool:
    return all(type(value) in (int, float) for value in (one, other))


def _values(one: Any, other: Any, path: str) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - JSON
    """Every place at which two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from _values(one.get(key), other.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _values(*pair, f"{path}[{place}]")
    elif one != other:
        yield path, one, other


def _metrics(before: Evidence, after: Evidence) -> Iterator[str]:
    old = {(one.name, one.part): one for one in before.metrics}
    for new in after.metrics:
        known = old.get((new.name, new.part))
        if known is None or _same(known, new):
            continue
        yield f"{new.name} on the {new.part} part was {known.value!r}, it is {new.value!r}"


def _same(one: Metric, other: Metric) -> bool:
    pairs = ((one.value, other.value), (one.low, other.low), (one.high, other.high))
    return all(a == b or (_is_nan(a) and _is_nan(b)) for a, b in pairs)


def _is_nan(value: float | None) -> bool:
    return value is not None and math.isnan(value)
