"""GitHub Actions workflow commands: findings that are shown beside the lines of a pull request.

    ::error file=specs/a.yaml,line=3,endLine=3,col=5,endColumn=9,title=SPEC104::unknown field

Escaped as the runner's own toolkit does: `%`, carriage return and line feed in the message, `:` and
`,` as well in a property. GitHub shows 10 annotations of a kind per step and drops the rest without
a word, so the ten heaviest are written and the number of the others is said in a line of the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.diagnostics import cut, one_line, shown, summary_line
from ordain.specs.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.specs.findings import Finding
    from ordain.specs.writers.checked import Checked

MOST_OF_A_KIND: Final = 10
# A message is cut by GitHub at 64 kB; long before that nobody reads it.
_LONGEST: Final = 4_000
_COMMANDS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}


def render(checked: Checked) -> str:
    """One command for each finding that is shown, then one line that counts them all."""
    shown_ones = [one for severity in _COMMANDS for one in _of(checked.findings, severity)]
    lines = [_command(finding) for finding in shown_ones]
    left = len(checked.findings) - len(shown_ones)
    more = f"; {left:,} more than GitHub shows, see: ordain check" if left else ""
    waived = len(checked.suppressed)
    lines.append(f"{summary_line(checked.findings, len(checked.paths), waived)}{more}")
    return "\n".join(lines)


def _of(findings: Iterable[Finding], severity: Severity) -> list[Finding]:
    return [finding for finding in findings if finding.severity is severity][:MOST_OF_A_KIND]


def _command(finding: Finding) -> str:
    properties: dict[str, object] = {}
    place = finding.location
    if place is not None:
        properties["file"] = place.path
        if place.line:
            properties |= {"line": place.line, "endLine": place.line}
            properties |= {"col": place.column, "endColumn": place.column + place.length}
    properties["title"] = finding.code
    said = ",".join(f"{name}={escape_property(str(value))}" for name, value in properties.items())
    remedy = [f"help: {finding.remedy}"] if finding.remedy else []
    text = "\n".join([finding.message, *finding.evidence, *remedy])
    return f"::{_COMMANDS[finding.severity]} {said}::{escape_message(cut(text, _LONGEST))}"


def escape_message(text: str) -> str:
    """What stands behind the second `::`."""
    plain = shown(text.replace("\r\n", "\n"))
    return plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """The value of a property; it ends at a `,` or `:`."""
    return escape_message(one_line(text)).replace(":", "%3A").replace(",", "%2C")
