"""The first page: a verdict per part, the verdict over all of them, and a sentence on each.

The overall verdict is the worst of the parts. A part of which nothing is known is `insufficient`,
and so is then the whole: a model that nobody has watched has not passed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.reports import tasks
from ordain.reports.texts import count, moment, number, plural, verdict_of
from ordain.specs.findings import Severity, Verdict
from ordain.specs.validation_verdicts import blockers, sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ordain.reports.facts import ReportInput
    from ordain.specs.kinds.validation import Validation


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the report, its verdict, and the sentence that the summary gives it."""

    title: str
    anchor: str
    verdict: Verdict
    sentence: str


def parts(facts: ReportInput) -> tuple[Part, ...]:
    """The parts that are judged, in the order of the report.

    Fairness compares decisions; a model that makes none neither passes nor fails it, and neither
    does one whose groups were compared although no gate asks for it. An unsigned
    preview has not run and nobody was asked about it, so it is judged by what was measured.
    """
    judged = tasks.decides(facts.model) and not tasks.informs(facts)
    fairness = (_fairness(facts),) if judged else ()
    validation = (_validation(facts),) if validates(facts) else ()
    if facts.preview is not None:
        return (_performance(facts), *validation, *fairness, _findings(facts))
    return (
        _performance(facts),
        *validation,
        *fairness,
        _drift(facts),
        _approvals(facts),
        _findings(facts),
        _ledger(facts),
    )


def overall(found: Iterable[Part]) -> Verdict:
    """The worst verdict of the parts."""
    return Verdict.worst(part.verdict for part in found)


def headline(found: Sequence[Part]) -> str:
    """Which parts decide, in one sentence."""
    worst = overall(found)
    named = [part.title.lower() for part in found if part.verdict is worst]
    if len(named) == len(found):
        return f"The same for all {len(found)} parts."
    return f"Decided by {', '.join(named)}; the parts are judged below."


def _performance(facts: ReportInput) -> Part:
    title, anchor = "Performance", "performance"
    if facts.evidence is None:
        return Part(title, anchor, Verdict.INSUFFICIENT, "No evidence is recorded.")
    limited = [metric for metric in facts.evidence.metrics if metric.limit]
    if not limited:
        sentence = f"{plural(len(facts.evidence.metrics), 'metric')} measured, no limit declared."
        return Part(title, anchor, verdict_of(facts.evidence.verdict), sentence)
    verdict = Verdict.worst(verdict_of(metric.verdict) for metric in limited)
    passed = sum(metric.verdict == Verdict.PASS for metric in limited)
    first = limited[0]
    sentence = (
        f"{passed} of {plural(len(limited), 'limit')} met; {first.name} is "
        f"{number(first.value)} on {count(first.n)} rows of the {first.part} part."
    )
    return Part(title, anchor, verdict, sentence)


def validates(facts: ReportInput) -> bool:
    """Whether there is a validation to speak of; versions of before there were any have none."""
    named = facts.version is not None and facts.version.validation is not None
    return facts.validation is not None or named or bool(facts.records)


def _validation(facts: ReportInput) -> Part:
    title, anchor = "Validation", "validation"
    verdicts = [Verdict.INSUFFICIENT]
    sentence = "The validation of this version cannot be read."
    if facts.validation is not None:
        found = facts.validation
        verdicts = [verdict_of(found.verdict)]
        deciding = sum(one.deciding for one in sections(found))
        limits = f"{plural(deciding, 'check')} that decide" + ("s" if deciding == 1 else "")
        sentence = f"{limits} on {count(found.rows)} rows of {found.dataset}."
        stopping = blockers(found)
        sentence += f" {stopping[0]}." if stopping else ""
    if facts.records:
        newest = facts.records[-1]
        sentence += f" The validator {newest.validator} says {newest.outcome}."
        stop = newest.outcome == "rejected" or any(map(is_open_and_high, facts.records))
        verdicts.append(Verdict.FAIL if stop else Verdict.PASS)
    return Part(title, anchor, Verdict.worst(verdicts), sentence)


def is_open_and_high(record: Validation) -> bool:
    """Whether a validator holds something against the artifact that must not serve."""
    return any(one.status == "open" and one.severity == "high" for one in record.findings)


def _fairness(facts: ReportInput) -> Part:
    title, anchor = "Fairness", "fairness"
    if facts.evidence is None or not facts.evidence.fairness:
        return Part(title, anchor, Verdict.INSUFFICIENT, "No group was compared.")
    rows = facts.evidence.fairness
    tally = _tally(verdict_of(row.verdict) for row in rows)
    verdict = Verdict.worst(verdict_of(row.verdict) for row in rows)
    return Part(title, anchor, verdict, f"{plural(len(rows), 'group')} compared: {tally}.")


def _drift(facts: ReportInput) -> Part:
    title, anchor = "Drift in production", "drift"
    drift = facts.drift
    if drift is None:
        return Part(title, anchor, Verdict.INSUFFICIENT, "No window has been evaluated.")
    tally = _tally([feature.verdict for feature in drift.features])
    # What the model gave decides as well, and is no feature that the tally would show.
    moved = (one for one in drift.outputs if one.verdict is not Verdict.PASS)
    given = "".join(f"; {one.feature}: {one.verdict.value}" for one in moved)
    largest = drift.features[0] if drift.features else drift.output
    sentence = (
        f"{plural(len(drift.features) + drift.left_out, 'feature')} on {count(drift.rows)} rows: "
        f"{tally}; the largest index is {number(largest.psi)} ({largest.feature}){given}."
    )
    return Part(title, anchor, drift.verdict, sentence)


def _approvals(facts: ReportInput) -> Part:
    title, anchor = "Approvals", "approvals"
    if facts.approvals is None:
        return Part(title, anchor, Verdict.INSUFFICIENT, "Approvals were not looked up.")
    if not facts.approvals:
        return Part(title, anchor, Verdict.INSUFFICIENT, "Nobody has approved this version.")
    last = max(approval.time for approval in facts.approvals)
    people = ", ".join(f"{one.person} ({one.role})" for one in facts.approvals)
    return Part(title, anchor, Verdict.PASS, f"Approved by {people}, last on {moment(last)}.")


def _findings(facts: ReportInput) -> Part:
    title, anchor = "Open findings", "findings"
    if facts.findings is None:
        return Part(title, anchor, Verdict.INSUFFICIENT, "Findings were not looked up.")
    severities = {finding.severity for finding in facts.findings}
    verdict = Verdict.PASS
    if Severity.ERROR in severities:
        verdict = Verdict.FAIL
    elif Severity.WARNING in severities:
        verdict = Verdict.WARN
    sentence = f"{plural(len(facts.findings), 'finding')} open." if facts.findings else "None open."
    return Part(title, anchor, verdict, sentence)


def _ledger(facts: ReportInput) -> Part:
    title, anchor = "Ledger", "ledger"
    if facts.ledger is None:
        return Part(title, anchor, Verdict.INSUFFICIENT, "The ledger was not verified.")
    sentence = (
        f"{plural(facts.ledger.records, 'record')} in {plural(len(facts.ledger.chains), 'chain')} "
        f"verified, {plural(len(facts.ledger.findings), 'finding')}."
    )
    verdict = Verdict.PASS if facts.ledger.ok else Verdict.FAIL
    return Part(title, anchor, verdict, sentence)


def _tally(verdicts: Iterable[Verdict]) -> str:
    """Such as `2 pass, 1 insufficient`; the worst first."""
    found = Counter(verdicts)
    order = (Verdict.FAIL, Verdict.WARN, Verdict.INSUFFICIENT, Verdict.PASS)
    return ", ".join(f"{found[one]} {one.value}" for one in order if found[one]) or "none"
