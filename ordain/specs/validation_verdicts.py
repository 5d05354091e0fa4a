"""What a validation says as a whole, by section, and what keeps it from passing.

The document says its own verdict. Whoever decides on it asks here instead: the gate, the
reconciler before it proposes, and the pages that people read. So that what is refused and what is
shown cannot differ, the rule of the verdict itself stands in `validations.verdict_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Verdict
from ordain.specs.validations import SECTIONS, unjudged, verdict_of

if TYPE_CHECKING:
    from ordain.specs.validations import Check, ValidationReport

NO_CHAMPION: Final = "there is no champion yet"
STOPPING: Final = frozenset({Verdict.FAIL.value, Verdict.INSUFFICIENT.value})


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a validation: its verdict, how many checks it has and how many decide.

    The verdict of a section in which nothing decides is empty: it informs.
    """

    name: str
    verdict: str
    deciding: int
    checks: int
    measured: bool = True

    @property
    def said(self) -> str:
        """Its verdict, or what it is worth where nothing decides."""
        return self.verdict or ("for information" if self.measured else "not measured")


def sections(report: ValidationReport) -> tuple[Section, ...]:
    """The sections that a validation has, in their order; fairness, of rows, is the last."""
    found = []
    named = dict.fromkeys((*SECTIONS, *(one.section for one in report.checks)))
    for name in named:
        checks = [one for one in report.checks if one.section == name]
        deciding = [one for one in checks if one.limit]
        verdict = verdict_of(deciding, ()).value if deciding else ""
        if checks:
            measured = any(one.value is not None for one in checks)
            found.append(Section(name, verdict, len(deciding), len(checks), measured))
    if report.fairness:
        gated = [one for one in report.fairness if not one.informs]
        verdict = verdict_of((), gated).value if gated else ""
        found.append(Section("fairness", verdict, len(gated), len(report.fairness)))
    return tuple(found)


def blockers(report: ValidationReport) -> tuple[str, ...]:
    """What keeps a validation from passing, a line for each; see `verdict_of` for the rule."""
    checks = (told(one) for one in report.checks if one.limit and one.verdict in STOPPING)
    rows = (
        f"fairness: {row.metric} of {row.attribute}={row.group} is {_number(row.value)}: fail"
        for row in report.fairness
        if row.verdict == Verdict.FAIL.value and not row.informs
    )
    gates = (
        f"fairness: no group of {rows[0].named} by {rows[0].attribute} could be judged: "
        f"{rows[0].group}: {rows[0].reason}"
        for rows in unjudged(report.fairness)
    )
    return (*checks, *rows, *gates)


def uncompared(report: ValidationReport) -> str:
    """Why decisions were not compared with the version now running; empty where nothing is to say.

    Whoever approves has to know that they see no difference because nobody could look for one.
    """
    if report.behaviour is not None:
        return ""
    found = (one for one in report.checks if one.section == "champion" and one.value is None)
    return next((one.reason for one in found if one.reason not in ("", NO_CHAMPION)), "")


def told(one: Check) -> str:
    """A check in one line."""
    subject = f" of {one.subject}" if one.subject else ""
    why = f", {one.reason}" if one.reason else ""
    limit = f" ({one.limit})" if one.limit else ""
    return f"{one.section}: {one.name}{subject} is {_number(one.value)}{limit}: {one.verdict}{why}"


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4g}"
