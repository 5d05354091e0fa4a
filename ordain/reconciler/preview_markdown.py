"""A preview as the comment under a pull request.

A forge cuts comments at 65,536 characters, so this one ends before 60,000 bytes and says how many
rows it left out and where they are. The first line is a comment that nobody sees: it names the
digest of the content, by which a bot finds its own comment and sees that nothing has changed.

It stands below the comment of the check, so it uses the same signs. No text of the estate means
anything here, neither names and values, which stand in the letters of code, nor sentences (see
`specs.writers.markup`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ordain.reconciler.preview import change_class
from ordain.reconciler.preview_text import values_of
from ordain.reconciler.preview_validations import REASONS, SECTIONS, SHIFTS
from ordain.specs.canonical import digest
from ordain.specs.diagnostics import plural
from ordain.specs.writers.markdown import SIGNS
from ordain.specs.writers.markup import code, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ordain.reconciler.preview import Need, Preview

LIMIT: Final = 60_000
MARK: Final = "<!-- ordain:plan "
# What must stand below the tables, whatever they hold.
_RESERVED: Final = 1_000
_LONGEST: Final = 200
_SHORT: Final = 12


@dataclass(slots=True)
class _Page:
    """Lines up to a limit; rows that find no place are counted."""

    limit: int
    lines: list[str] = field(default_factory=list)
    size: int = 0
    left_out: int = 0

    def add(self, *lines: str) -> bool:
        """Put lines on the page together, or none of them."""
        size = sum(len(line.encode()) + 1 for line in lines)
        if self.size + size > self.limit:
            return False
        self.lines += lines
        self.size += size
        return True

    def table(
        self,
        title: str,
        header: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        share: float = 0.5,
    ) -> None:
        """A section with a table in at most this share of what is left; nothing without rows."""
        end = self.size + (self.limit - self.size) * share
        found = [f"| {' | '.join(row)} |" for row in rows]
        if not found:
            return
        rule = f"|{' --- |' * len(header)}"
        begun = self.add("", f"#### {title}", "", f"| {' | '.join(header)} |", rule)
        for number, row in enumerate(found):
            if not (begun and self.size < end and self.add(row)):
                self.left_out += len(found) - number
                return


def render_markdown(preview: Preview, *, limit: int = LIMIT) -> str:
    """The preview as Markdown of at most `limit` bytes, with a line break at its end."""
    command = f"ordain plan --base {preview.base[:_SHORT]} --rev {preview.head[:_SHORT]}"
    page = _Page(limit - _RESERVED)
    page.add(f"{MARK}{digest(preview.to_json())} -->")
    page.add(f"### ordain plan: {preview.verdict_line}", "", f"**{preview.summary}**")
    kind = preview.kind.value
    page.add("", f"Merging `{preview.head[:_SHORT]}` into `{preview.base[:_SHORT]}`: {kind}.")
    if not preview.complete:
        page.add("", "Documents with errors are left out, so this is not all that would change.")
    _needs(page, preview)
    _findings(page, preview)
    _production(page, preview)
    _validations(page, preview)
    _loosened(page, preview)
    _declared(page, preview)
    if page.left_out:
        rows = plural(page.left_out, "row")
        page.lines += ["", f"**{rows} found no place here.** All of it: {code(command)}"]
    page.lines += ["", f"<sub>The same again: {code(command)}</sub>"]
    return "\n".join(page.lines) + "\n"


def render_inside(preview: Preview, *, limit: int) -> str:
    """What changes and who must say yes, for a comment that tells verdict and findings itself."""
    page = _Page(limit - _RESERVED)
    page.add("### What merging changes", "", f"**{preview.summary}**")
    if not preview.complete:
        page.add("", "Documents with errors are left out, so this is not all that would change.")
    _needs(page, preview, "Who approves")
    _production(page, preview)
    _validations(page, preview)
    _loosened(page, preview)
    _declared(page, preview)
    if page.left_out:
        page.lines += ["", f"**{plural(page.left_out, 'row')} found no place here.**"]
    return "\n".join(page.lines) + "\n"


def _needs(page: _Page, preview: Preview, title: str = "Approvals") -> None:
    rows = [
        (code(", ".join(one.roles)), _state(one), _who(one), plain(one.reason))
        for one in preview.needs
    ]
    page.table(title, ("role", "state", "who can", "why"), rows)
    given = [(code(person), code(role), "counts") for person, role in preview.approvals]
    refused = [
        (code(one.approval.person), code(one.approval.role), f"does not count: {plain(one.reason)}")
        for one in preview.refused
    ]
    page.table("Approvals so far", ("person", "role", ""), [*given, *refused])


def _state(need: Need) -> str:
    if not need.missing:
        return "given"
    # In a row of one role it is said already which one.
    alone = len(need.roles) == 1
    return "**missing**" if alone else f"**missing**: {code(', '.join(need.missing))}"


def _who(need: Need) -> str:
    """The people; whose role is not said again where the row is about one."""
    found = [
        (f"{code(role)}: " if len(need.roles) > 1 else "")
        + (code(", ".join(people)) if people else "nobody")
        for role, people in need.candidates
    ]
    return "; ".join(found)


def _findings(page: _Page, preview: Preview) -> None:
    found = sorted(preview.findings, key=lambda one: one.severity.rank)
    rows = [
        (
            SIGNS[one.severity],
            code(one.code),
            code(str(one.location)) if one.location is not None else "",
            plain(one.message),
            plain(one.remedy),
        )
        for one in found
    ]
    page.table("Findings", ("", "code", "place", "what", "remedy"), rows)


def _production(page: _Page, preview: Preview) -> None:
    retrains = [
        (
            "~",
            code(f"Model/{one.model}"),
            f"is trained: {plain('; '.join((*one.causes, *one.keeps)))}",
        )
        for one in preview.retrains
    ]
    effects = [(f"{one.symbol}", code(one.subject), plain(one.text)) for one in preview.effects]
    rows = [*retrains, *effects]
    page.table("In production", ("", "what", "what happens"), [_symbol(row) for row in rows])
    if preview.complete and not rows:
        page.add("", "Nothing is trained, served or watched otherwise.")


def _symbol(row: tuple[str, ...]) -> tuple[str, ...]:
    """A row whose symbol stands in code: a lone plus or minus would begin a list."""
    return (f"`{row[0]}`", *row[1:])


def _validations(page: _Page, preview: Preview) -> None:
    """What was measured before the promotion, and who is decided otherwise."""
    for title, header, rows in (
        ("Validation", SECTIONS, [row for one in preview.validations for row in one.sections()]),
        ("Decisions", SHIFTS, [row for one in preview.validations for row in one.shifts()]),
        ("Reasons", REASONS, [row for one in preview.validations for row in one.reasons()]),
    ):
        page.table(title, header, [(code(row[0]), *map(plain, row[1:])) for row in rows])


def _loosened(page: _Page, preview: Preview) -> None:
    rows = [
        (code(one.key), code(one.field), code(one.before), code(one.after))
        for one in preview.loosened
    ]
    page.table("Loosened limits", ("object", "field", "before", "after"), rows)


def _declared(page: _Page, preview: Preview) -> None:
    rows: list[tuple[str, ...]] = []
    for one in preview.objects:
        if not one.fields:
            rows.append((one.symbol, code(one.key), "", "", "", ""))
        rows += (
            (
                one.symbol,
                code(one.key),
                code(each.field),
                *map(code, values_of(each, _LONGEST)),
                change_class(each),
            )
            for each in one.fields
        )
    rows += ((symbol, code(path), "", "", "", "") for symbol, path in preview.files)
    header = ("", "object", "field", "before", "after", "class")
    page.table("Declared otherwise", header, [_symbol(row) for row in rows], share=1)
