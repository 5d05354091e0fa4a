"""What a hook says: short, because git puts `remote: ` before each line, and never a secret.

A push that is refused gets one answer of at most twenty lines, however much is wrong with it; the
rest is counted, and the command that shows it stands at the end.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from ordain.cli.failures import finding_line
from ordain.specs.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ordain.reconciler.pushes import RefusedUpdate
    from ordain.specs.findings import Finding

LONGEST: Final = 20
_WIDEST: Final = 400


def check_command(base: str | None, head: str) -> str:
    """What shows everything that is found in a commit, or in what merging it would change."""
    onto = [] if base is None else ["--base", base]
    return shlex.join(("ordain", "check", *onto, "--rev", head[:12]))


def push_lines(refused: Sequence[RefusedUpdate], commands: Mapping[str, str]) -> list[str]:
    """Why a push is refused; nothing when it is not.

    `commands` show by ref, at the desk of whoever pushes, what has no room here.
    """
    if not refused:
        return []
    from ordain.specs.diagnostics import cut, shown

    groups: list[list[str]] = []
    refs = [one.ref for one in refused for _ in (one, *one.findings)]
    for one in refused:
        if one.ref:
            groups.append([cut(f"ordain refuses {shown(one.ref)}", _WIDEST)])
        else:
            groups.append(["ordain refuses this push"])
        groups.extend(_lines(finding) for finding in one.findings)
    code = refused[0].findings[0].code
    last = ["No ref was moved.", f"Next: ordain explain {code}"]
    room = LONGEST - len(last) - 1
    said: list[str] = []
    for number, group in enumerate(groups):
        if len(said) + len(group) > room:
            more = sum(len(one.findings) for one in refused) - _told(groups[:number])
            whole = commands.get(refs[number], "")
            said.append(f"... and {more} more{f': {whole}' if whole else ''}")
            break
        said += group
    return said + last


def _told(groups: Sequence[Sequence[str]]) -> int:
    return sum(not group[0].startswith("ordain refuses") for group in groups)


def finding_lines(findings: Iterable[Finding], *, whole: str) -> list[str]:
    """Errors and warnings, the heavier first, at most twenty lines; `whole` shows all of them."""
    kept = sorted(
        (one for one in findings if one.severity is not Severity.NOTE),
        key=lambda one: one.severity.rank,
    )
    said: list[str] = []
    for number, finding in enumerate(kept):
        if len(said) > LONGEST - 3:
            said.append(f"... and {len(kept) - number} more: {whole}")
            break
        said += _lines(finding)
    return said


def _lines(finding: Finding) -> list[str]:
    from ordain.specs.diagnostics import cut

    return [cut(line, _WIDEST) for line in finding_line(finding).splitlines()]
