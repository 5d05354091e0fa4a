"""What a case expects, against what was found: exactly that, no more and no less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.policies.testing.suites import Expected
from ordain.specs.findings import Finding, Severity
from ordain.specs.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.policies.testing.suites import Stated
    from ordain.specs.diagnostics import Sources
    from ordain.specs.findings import Location


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with the key of its object."""

    key: str
    finding: Finding


def unmet(stated: Stated, found: Sequence[Found], sources: Sources) -> Iterator[Finding]:
    """What differs, as findings on the case."""
    left = [one for one in found if one.finding.code not in stated.case.also]
    missing = [Expected(code=code) for code in stated.case.also if code not in _codes(found)]
    for expected in stated.case.expected:
        match = next((one for one in left if _fits(expected, one, sources)), None)
        if match is None:
            missing.append(expected)
        else:
            left.remove(match)
    for expected in missing:
        near = next((one for one in left if one.finding.code == expected.code), None)
        if near is not None:
            left.remove(near)
        # Where something else is found, that is said, and it says what was expected.
        if near is not None or not left:
            yield _missing(stated, expected, near, sources)
    for one in left:
        yield _unexpected(stated, one, sources)


def _codes(found: Sequence[Found]) -> set[str]:
    return {one.finding.code for one in found}


def _fits(expected: Expected, found: Found, sources: Sources) -> bool:
    return found.finding.code == expected.code and not list(_differences(expected, found, sources))


def _differences(expected: Expected, found: Found, sources: Sources) -> Iterator[str]:
    """How a finding of the right code is not the one that is expected."""
    place, message = found.finding.location, found.finding.message
    if expected.on is not None and expected.on != found.key:
        yield f"expected on {expected.on}, found on {found.key}"
    text = pointed_at(place, sources)
    # What is found is shown without passwords, and so is what is expected.
    if expected.at is not None and not _same_text(masked(_text(expected.at)), text):
        yield f"expected at `{masked(_text(expected.at))}`, found at `{text}` ({place})"
    line = place.line if place else 0
    if expected.line is not None and expected.line != line:
        yield f"expected on line {expected.line}, found on line {line}"
    if expected.message is not None and expected.message not in message:
        yield f"expected in its message: {expected.message}; found: {message}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _same_text(expected: str, found: str) -> bool:
    """Quotes around a scalar are no part of what it says."""
    return expected == found or expected == found.strip("\"'")


def pointed_at(place: Location | None, sources: Sources) -> str:
    """The text that a place underlines."""
    line = sources.line(place) if place is not None else None
    if place is None or line is None:
        return ""
    return line[place.column - 1 : place.column - 1 + place.length]


def _missing(stated: Stated, expected: Expected, near: Found | None, sources: Sources) -> Finding:
    """A finding that is not there, or not as it should be."""
    if near is None:
        message = f"{stated.name}: expected {expected.code}, found nothing of it"
        return Finding("TEST001", Severity.ERROR, message, stated.place.key, remedy=_MEND)
    evidence = (*_differences(expected, near, sources), *near.finding.evidence)
    message = f"{stated.name}: {expected.code} is found, but not as expected"
    return Finding(
        "TEST001",
        Severity.ERROR,
        message,
        stated.place.key,
        evidence,
        _MEND,
        related=_related(near),
    )


def _unexpected(stated: Stated, found: Found, sources: Sources) -> Finding:
    """A finding that nobody asked for, with the reads that led to it."""
    codes = (*(one.code for one in stated.case.expected), *stated.case.also)
    wanted = ", ".join(codes) or "no finding"
    message = f"{stated.name}: expected {wanted}, found {found.finding.code}"
    text = pointed_at(found.finding.location, sources)
    evidence = (
        f"message = {found.finding.message}",
        *((f"at = {text}",) if text else ()),
        *found.finding.evidence,
    )
    return Finding(
        "TEST002",
        Severity.ERROR,
        message,
        stated.place.key,
        evidence,
        _MEND,
        related=_related(found),
    )


def _related(found: Found) -> tuple[tuple[Location, str], ...]:
    place = found.finding.location
    here = ((place, f"{found.finding.code} is found here"),) if place is not None else ()
    return (*here, *found.finding.related)


_MEND = "mend the policy, or what the case expects of it"
