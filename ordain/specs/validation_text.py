"""A validation in the few lines that a person reads before approving.

Three hundred checks help nobody decide. What is shown is the verdict of each section, what does not
pass, and who would be decided otherwise than by the version now running. The lines are Markdown
that can be read as it stands, because they are in the commit of a promotion as well as under a pull
request. No text of the estate begins a line or ends a cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.diagnostics import one_line, plural
from ordain.specs.findings import Verdict
from ordain.specs.validation_verdicts import blockers, sections, told, uncompared

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ordain.specs.evidence import FairnessRow
    from ordain.specs.validations import Behaviour, Check, Shift, ValidationReport

# A promotion is read before it is merged; what is beyond this stands in the document.
_MOST: Final = 20
_SHORT: Final = 19
_FEWEST: Final = 0.0005
SHIFTS: Final = (
    "who",
    "rows",
    "gain",
    "lose",
    "favourable before",
    "favourable now",
    "change (95 % interval)",
    "p",
    "p (Holm)",
)
GROUPS: Final = ("group", "measure", "rows", "value", "interval", "limit", "verdict", "why")


def validation_lines(report: ValidationReport, last: ValidationReport | None = None) -> list[str]:
    """The lines of a promotion about its validation; `last` is that of the version before."""
    part = f", {report.part} part" if report.part else ""
    where = f"{plural(report.rows, 'row')} of {one_line(report.dataset)}{part}"
    lines = [
        f"Validation: {report.verdict} on {where} ({report.path})",
        "",
        _rows(report, last),
        "",
    ]
    rows = [(one.name, one.said, str(one.deciding), str(one.checks)) for one in sections(report)]
    lines += table(("section", "verdict", "checks that decide", "checks"), rows)
    lines += _listed("Does not pass:", blockers(report))
    lines += _listed("Asks for a look:", [told(one) for one in _warned(report)])
    if groups := open_groups(report):
        lines += ["", "Groups that do not pass, or ask for a look:", ""]
        lines += table(GROUPS, [group_cells(one) for one in groups])
    if report.behaviour is not None:
        lines += ["", *behaviour_lines(report.behaviour)]
    elif reason := uncompared(report):
        lines += [
            "",
            f"Decisions against the version now running: not compared, {one_line(reason)}",
        ]
    return lines


def _rows(report: ValidationReport, last: ValidationReport | None) -> str:
    """Which rows they were, and whether the version before was validated on the same ones."""
    named = f"Rows: {one_line(report.dataset)} {report.data[:_SHORT]}"
    if last is None:
        return named
    if (last.data, last.part, last.rows) == (report.data, report.part, report.rows):
        return f"{named}, as for the version before"
    before = f"{one_line(last.dataset)} {last.data[:_SHORT]}, {plural(last.rows, 'row')}"
    return f"{named}; other ones than for the version before ({before})"


def record_lines(report: ValidationReport) -> list[str]:
    """The record that a validator writes on it, to be copied: both digests have to be exact."""
    fields = {
        "model": report.model,
        "artifact": report.artifact,
        "evidence": report.digest,
        "validator": "NAME",
        "outcome": "approved",
        "performedOn": "DAY",
    }
    told = [f"      {name}: {one_line(value)}" for name, value in fields.items()]
    return ["The record of a validator on it (kind: Validation):", "", "    spec:", *told]


def behaviour_lines(behaviour: Behaviour) -> list[str]:
    """Who is decided otherwise than by the version now running, and why they are refused."""
    lines = ["Decisions against the version now running:", ""]
    lines += table(SHIFTS, [shift_cells(one) for one in behaviour.shifts])
    reasons = [(name, share(theirs), share(ours)) for name, ours, theirs in behaviour.reasons]
    if reasons:
        lines += ["", "First reasons of unfavourable decisions:", ""]
        lines += table(("reason", "before", "now"), reasons)
    return lines


def shift_cells(one: Shift) -> tuple[str, ...]:
    """One row of the table of decisions, as text."""
    return (
        one.subject or "all rows",
        f"{one.n:,}",
        f"{one.up:,}",
        f"{one.down:,}",
        share(one.rate_champion),
        share(one.rate),
        _change(one),
        _chance(one.p_value),
        "" if one.p_holm is None else _chance(one.p_holm),
    )


def _change(one: Shift) -> str:
    """The difference of the rates with its interval."""
    gap = f"{one.rate - one.rate_champion:+.1%}"
    if one.low is None or one.high is None:
        return gap
    return f"{gap}, {one.low:+.1%} to {one.high:+.1%}"


def _chance(value: float) -> str:
    return f"< {_FEWEST:g}" if value < _FEWEST else f"{value:.3f}"


def open_groups(report: ValidationReport) -> list[FairnessRow]:
    """The rows of fairness that a gate is declared for and that do not pass, the worst first."""
    order = [Verdict.FAIL.value, Verdict.INSUFFICIENT.value, Verdict.WARN.value]
    rows = [one for one in report.fairness if not one.informs and one.verdict in order]
    return sorted(rows, key=lambda one: order.index(one.verdict))


def group_cells(one: FairnessRow) -> tuple[str, ...]:
    """A row of fairness as text."""
    interval = "" if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}"
    return (
        f"{one.attribute}={one.group} against {one.reference}",
        one.named,
        f"{one.n:,} against {one.n_reference:,}",
        "not known" if one.value is None else f"{one.value:.3f}",
        interval,
        one.limited,
        one.verdict,
        one.reason,
    )


def share(value: float) -> str:
    """A share in per cent with one decimal."""
    return f"{value:.1%}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown, cut at a number of rows that can be read."""
    shown = [_row(one) for one in rows[:_MOST]]
    rest = len(rows) - _MOST
    more = [_row((f"and {rest} more in the document", *[""] * (len(header) - 1)))]
    return [_row(header), f"|{' --- |' * len(header)}", *shown, *(more if rest > 0 else [])]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Text that neither ends its cell nor its line."""
    return one_line(text).replace("|", "\\|")


def _listed(title: str, found: Sequence[str]) -> list[str]:
    told = [f"- {one_line(one)}" for one in found[:_MOST]]
    if len(found) > _MOST:
        told.append(f"- and {len(found) - _MOST} more in the document")
    return ["", title, "", *told] if told else []


def _warned(report: ValidationReport) -> list[Check]:
    return [one for one in report.checks if one.limit and one.verdict == Verdict.WARN.value]
