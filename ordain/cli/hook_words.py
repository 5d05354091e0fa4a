"""What a hook says: short, because git puts `remote: ` before each line, and never a secret.

A push that is refused gets one answer of at most twenty lines, however much is wrong with it; the
rest is counted, and the command that shows it stands at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.cli.failures import finding_line
from ordain.specs.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ordain.reconciler.pushes import RefusedUpdate
    from ordain.specs.findings import Finding

LONGEST: Final = 20
_WIDEST: Final = 400


def push_lines(refused: Sequence[RefusedUpdate]) -> list[str]:
    """Why a push is refused; nothing when it is not."""
    if not refused:
        return []
    from ordain.specs.diagnostics import cut, shown

    groups: list[tuple[list[str], str]] = []
    for one in refused:
        what = shown(one.ref) if one.ref else "this push"
        groups.append(([cut(f"ordain refuses {what}", _WIDEST)], one.command))
        groups.extend((_lines(finding), one.command) for finding in one.findings)
    code = refused[0].findings[0].code
    last = ["No ref was moved.", f"Next: ordain explain {code}"]
    room = LONGEST - len(last) - 1
    said: list[str] = []
    for number, (group, command) in enumerate(groups):
        if len(said) + len(group) > room:
            told = _told(one for one, _ in groups[:number])
            more = sum(len(one.findings) for one in refused) - told
            said.append(f"... and {more} more{command and f': {command}'}")
            break
        said += group
    return said + last


def _told(groups: Iterable[Sequence[str]]) -> int:
    return sum(not group[0].startswith("ordain refuses") for group in groups)


def finding_lines(findings: Iterable[Finding], command: str) -> list[str]:
    """Errors and warnings, the heavier first, at most twenty lines; `command` shows the rest."""
    kept = sorted(
        (one for one in findings if one.severity is not Severity.NOTE),
        key=lambda one: one.severity.rank,
    )
    said: list[str] = []
    for number, finding in enumerate(kept):
        if len(said) > LONGEST - 3:
            said.append(f"... and {len(kept) - number} more: {command}")
            break
        said += _lines(finding)
    return said


def _lines(finding: Finding) -> list[str]:
    from ordain.specs.diagnostics import cut

    return [cut(line, _WIDEST) for line in finding_line(finding).splitlines()]
