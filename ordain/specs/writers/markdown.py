"""A comment on a pull request: the verdict, what is wrong, whose approval is missing.

The first line is a hidden mark with the digest of what follows, so that whoever posts it finds the
comment of the run before, and leaves it alone when nothing has changed. The time is not part of the
digest, because it changes every time.

Findings quote files that a stranger may have written; `markup` sees to it that nothing in them
means anything here. A comment holds 65,536 characters; rows are written, heaviest first, as long as
there is room, and the number of the others is said.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ordain.specs.diagnostics import summary_line
from ordain.specs.findings import Severity, Verdict
from ordain.specs.writers.markup import code, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ordain.specs.findings import Finding
    from ordain.specs.writers.checked import Checked, Waived

MARK: Final = "<!-- ordain:check"
MOST_BYTES: Final = 60_000
_APPROVALS: Final = "SOD-"
SIGNS: Final = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "💬"}
_WORDS: Final = {
    Verdict.PASS: "✅ ordain: pass",
    Verdict.WARN: "⚠️ ordain: warn",
    Verdict.FAIL: "❌ ordain: fail",
    Verdict.INSUFFICIENT: "❔ ordain: insufficient",
}


def render(checked: Checked) -> str:
    """The whole comment, not more than 60 kB."""
    head, foot = f"{MARK} sha256:{'0' * 64} -->\n", as_of(checked)
    body = compose(checked, MOST_BYTES - len(head.encode()) - len(foot.encode()))
    digest = sha256(body.encode("utf-8", "replace")).hexdigest()
    return f"{MARK} sha256:{digest} -->\n{body}{foot}"


def compose(checked: Checked, room: int) -> str:
    """Everything but the mark and the time, in at most `room` bytes."""
    foot = foot_of(checked)
    return f"{sections(checked, room - _size(foot))}{foot}"


def sections(checked: Checked, room: int) -> str:
    """The verdict and what it rests on, in at most `room` bytes."""
    missing = [one for one in checked.findings if one.code.startswith(_APPROVALS)]
    others = [one for one in checked.findings if not one.code.startswith(_APPROVALS)]
    head = _head(checked)
    page = _Page(room - _size(head))
    # Missing approvals are few and what a reader can act on, so they come first.
    page.section("#### Approvals\n\n", map(_approval, _heaviest(missing)), "approvals")
    page.table("#### Findings", ("", "code", "where", "what"), map(_row, _heaviest(others)))
    page.table(
        "#### Waived",
        ("code", "where", "what", "waiver", "until", "by", "why"),
        map(_waived, checked.suppressed),
    )
    page.details("Evidence", map(_evidence, _heaviest(others)))
    return f"{head}{page.text}"


class _Page:
    """Text that grows up to a size; of what has no room the number is said."""

    # Kept for the lines that say how much was left out.
    _RESERVE: Final = 200

    def __init__(self, room: int) -> None:
        self._left = room - 4 * self._RESERVE
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def section(self, title: str, rows: Iterable[str], what: str, end: str = "") -> None:
        """A title and lines below it; nothing at all without lines."""
        lines = [row for row in rows if row]
        if not lines:
            return
        self._left -= _size(title) + _size(end) + 1
        kept = self._kept(lines)
        left = len(lines) - len(kept)
        more = f"\n… and {left:,} more {what} that have no room here: `ordain check`\n"
        self._parts += [title, *kept, more if left else "", end, "\n"]

    def table(self, title: str, header: Sequence[str], rows: Iterable[str]) -> None:
        lines = f"| {' | '.join(header)} |\n|{'---|' * len(header)}\n"
        self.section(f"{title}\n\n{lines}", rows, "rows")

    def details(self, title: str, rows: Iterable[str]) -> None:
        head = f"<details><summary>{title}</summary>\n\n"
        self.section(head, rows, "findings", end="\n</details>\n")

    def _kept(self, lines: Sequence[str]) -> list[str]:
        kept = []
        for line in lines:
            size = _size(line)
            if size > self._left:
                break
            self._left -= size
            kept.append(line)
        return kept


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _heaviest(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.severity.rank)


def _head(checked: Checked) -> str:
    said = summary_line(checked.findings, len(checked.paths), len(checked.suppressed))
    return f"### {_WORDS[checked.verdict]}\n\n{said}\n\n"


def foot_of(checked: Checked) -> str:
    """What was judged by how many policies, and how to do it again."""
    judged = f"commit {code(checked.revision[:12])}" if checked.revision else "the work tree"
    base = f" against {code(checked.base[:12])}" if checked.base else ""
    command = " ".join(checked.command)
    asked = len(checked.policy_names)
    policies = f", {asked} {'policy' if asked == 1 else 'policies'}" if asked else ""
    return (
        f"<sub>Judged: {judged}{base}{policies}. Reproduce: {code(command)}."
        f" Meaning of a code: <code>ordain explain CODE</code>.</sub>\n"
    )


def as_of(checked: Checked) -> str:
    """The last line: the time of the verdict, and what gave it."""
    return f"\n<sub>As of {checked.instant} by ordain {checked.tool_version}.</sub>\n"


def _row(finding: Finding) -> str:
    remedy = f"<br>→ {plain(finding.remedy)}" if finding.remedy else ""
    cells = (SIGNS[finding.severity], code(finding.code), _where(finding), plain(finding.message))
    return f"| {' | '.join(cells)}{remedy} |\n"


def _waived(one: Waived) -> str:
    finding = one.finding
    what = (code(finding.code), _where(finding), plain(finding.message), code(one.waiver))
    who = map(plain, (one.expires, one.approved_by, one.reason))
    return f"| {' | '.join((*what, *who))} |\n"


def _approval(finding: Finding) -> str:
    remedy = f" → {plain(finding.remedy)}" if finding.remedy else ""
    return f"- {SIGNS[finding.severity]} {plain(finding.message)}{remedy}\n"


def _evidence(finding: Finding) -> str:
    said = [plain(text) for text in finding.evidence]
    said += [f"controls: {plain(', '.join(finding.controls))}"] if finding.controls else []
    if not said:
        return ""
    return f"- {code(finding.code)} {_where(finding)}<br>{'<br>'.join(said)}\n"


def _where(finding: Finding) -> str:
    return "" if finding.location is None else code(str(finding.location))
