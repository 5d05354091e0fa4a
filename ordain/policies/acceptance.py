"""Evidence against what the model declares, computed again.

The evidence says itself what its verdict is, and the gate does not believe it: limits are read from
the Model of the base, values from the evidence, and the comparison is made here. What was not
measured is insufficient, and for a required metric insufficient blocks. A fairness row that is
insufficient (a group too small to say anything) asks for a look, because no sample of the estate
can make that group larger; it is never a pass.

Metrics of one task mean nothing in another, and a threshold parts two outcomes only. Evidence that
is of another task than the Model declares, or of more classes than its decision can tell apart, is
refused whatever its numbers are.

The difference to the champion is a row of its own (`roc_auc_delta`), measured on the same rows and
counted so that more is better. The first version of a model has no champion to be held against.

Where outcomes exist only after a certain decision (`target.feedback`), a gate is about all cases
unless it says otherwise, and is met only by evidence that shows outcomes seen by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ordain.specs.coverage import claim_gap
from ordain.specs.evidence import classes_of
from ordain.specs.fairness import (
    OF_COUNTS,
    is_ratio,
    limit_of,
    overstated,
    subject_name,
    subjects_of,
    too_small,
    uncorrected,
    verdict_on,
    within_name,
)
from ordain.specs.findings import Finding, Severity, Verdict
from ordain.specs.gates import few_shown, gate_problems
from ordain.specs.kinds.model import PsiLimit
from ordain.specs.parity import plan_limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ordain.specs.documents import Marks, Step
    from ordain.specs.evidence import Evidence, FairnessRow, Metric
    from ordain.specs.findings import Location
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import FairnessGate, MetricGate, Model

TEST: Final = "test"
# What is measured by fitting again, which a validation never does.
REFITTED: Final = frozenset({"stability"})
_TOLERANCE: Final = 1e-9
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Case:
    """One model, what was measured on its new artifact, and where findings point.

    `champion` says whether a version is running that the new one replaces. With `declared`, the
    marks of the Model, a finding points at the gate that it is of instead of `location`. With
    `again` the numbers are those of a validation: whom a claim is about, drift and parity are not
    asked of them, because the evidence and the validation itself answer that.
    """

    name: str
    model: Model
    dataset: Dataset | None
    evidence: Evidence
    champion: bool
    location: Location
    declared: Marks | None = None
    again: bool = False

    def place(self, *path: Step) -> Location:
        """Where a gate below `acceptance` is declared, or the nearest thing around it."""
        if self.declared is None or not path:
            return self.location
        return self.declared.key("spec", "acceptance", *path)


def accept(case: Case) -> Iterator[Finding]:
    """The findings of every acceptance gate that the model declares."""
    if case.evidence.verdict == Verdict.FAIL:
        yield _finding(case, "ACC-VERDICT", "the evidence itself says that it failed")
    yield from _task(case)
    for number, gate in enumerate(case.model.acceptance.metrics):
        if case.again and gate.name in REFITTED:
            continue
        here = replace(case, location=case.place("metrics", number))
        problems = list(gate_problems(gate, case.model.task))
        for problem in problems:
            yield _finding(here, "ACC-METRIC", f"the gate cannot be judged: {problem.message}")
        if problems:
            continue
        yield from _claim(here, gate)
        if gate.min is not None or gate.max is not None:
            yield from _metric(here, gate)
        if gate.versus is not None:
            yield from _versus(here, gate)
    for number, fairness in enumerate(case.model.acceptance.fairness):
        yield from _fairness(replace(case, location=case.place("fairness", number)), fairness)
    if case.again:
        return
    yield from _drift(replace(case, location=case.place("drift", "psi", "max")))
    yield from _parity(replace(case, location=case.place("parity")))


def _task(case: Case) -> Iterator[Finding]:
    declared, shown = case.model.task, case.evidence.task
    if declared != shown:
        message = f"the evidence is of a {shown}, and the model is declared as a {declared}"
        yield _finding(case, "ACC-TASK", message)
    classes = classes_of(case.evidence)
    if case.model.decision is not None and classes:
        message = (
            f"the decision parts two outcomes, and the evidence is of {len(classes)}: "
            f"{', '.join(classes[:_SHOWN])}{', …' if len(classes) > _SHOWN else ''}"
        )
        yield _finding(case, "ACC-TASK", message)


def _finding(
    case: Case,
    code: str,
    message: str,
    severity: Severity = Severity.ERROR,
    evidence: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        message=f"{case.name}: {message}",
        location=case.location,
        evidence=evidence,
        remedy="mend the model or its data and train again; limits change in a change of their own",
        controls=_CONTROLS[code],
    )


_CONTROLS: Final = {
    "ACC-VERDICT": ("HR-BATCH",),
    "ACC-TASK": ("HR-BATCH", "SR262-VAL-OUT"),
    "ACC-METRIC": ("HR-BATCH", "SR262-VAL-OUT", "AIA-15"),
    "ACC-CHAMPION": ("HR-BATCH", "SR262-VAL-OUT"),
    "ACC-FAIRNESS": ("UGESP-4D", "HR-GATECI", "REGB-DT"),
    "ACC-DRIFT": ("HR-GATECI", "AIA-10"),
    "ACC-PARITY": ("HR-BATCH", "SC-TEST"),
}


# ── metrics ──────────────────────────────────────────────────────────────────────────────────────


def measured(evidence: Evidence, name: str, part: str) -> tuple[Metric, ...]:
    """The measurements of a metric on one part of the data."""
    return tuple(one for one in evidence.metrics if (one.name, one.part) == (name, part))


def _metric(case: Case, gate: MetricGate) -> Iterator[Finding]:
    limit = _limit_text(gate)
    found = [
        (one, value)
        for one in measured(case.evidence, gate.name, TEST)
        if (value := bounded(one, gate)) is not None
    ]
    if not found:
        message = f"required is {gate.name} of {limit}, and the evidence does not hold it"
        yield _finding(case, "ACC-METRIC", message)
    for one, value in found:
        low = gate.min is not None and value < gate.min
        high = gate.max is not None and value > gate.max
        if low or high:
            bound = "" if gate.bound == "value" else f"{gate.bound} bound of "
            message = f"{bound}{gate.name} is {value:.6g}; required is {limit}"
            yield _finding(case, "ACC-METRIC", message, evidence=_about(one))
        if few := few_shown(case.evidence, one.n):
            message = f"{gate.name} is required, and is not shown: {few}"
            yield _finding(case, "ACC-METRIC", message, evidence=_about(one))


def _claim(case: Case, gate: MetricGate) -> Iterator[Finding]:
    """Refuse a claim on all cases where an earlier decision has chosen who was seen."""
    target = None if case.dataset is None else case.dataset.target
    if target is None or target.feedback is None or gate.population != "all" or case.again:
        return
    gap = claim_gap(case.evidence.data, target.feedback)
    if gap:
        code = "ACC-METRIC" if gate.versus is None else "ACC-CHAMPION"
        message = f"{gate.name} is required of all cases, and is not shown: {gap}"
        yield _finding(case, code, message, evidence=("population = all",))


def bounded(metric: Metric, gate: MetricGate) -> float | None:
    """The number that the gate compares; None where it was not measured at that confidence."""
    if gate.bound == "value":
        return metric.value
    if abs(metric.confidence - gate.confidence) > _TOLERANCE:
        return None
    return metric.low if gate.bound == "lower" else metric.high


def _limit_text(gate: MetricGate) -> str:
    parts = []
    if gate.min is not None:
        parts.append(f"at least {gate.min:g}")
    if gate.max is not None:
        parts.append(f"at most {gate.max:g}")
    if gate.bound != "value":
        parts.append(f"({gate.bound} bound at {gate.confidence:g})")
    return " ".join(parts)


def _about(metric: Metric) -> tuple[str, ...]:
    interval = "" if metric.low is None else f" [{metric.low:.6g}, {metric.high:.6g}]"
    return (f"{metric.name} = {metric.value:.6g}{interval}, n = {metric.n}",)


def _versus(case: Case, gate: MetricGate) -> Iterator[Finding]:
    if not case.champion:
        return
    rows = measured(case.evidence, f"{gate.name}_delta", TEST)
    values = [value for row in rows if row.n and (value := bounded(row, gate)) is not None]
    if not values:
        message = f"{gate.name} was not compared with the version now running"
        yield _finding(case, "ACC-CHAMPION", message)
        return
    if few := few_shown(case.evidence, min(row.n for row in rows)):
        message = f"the difference of {gate.name} is required, and is not shown: {few}"
        yield _finding(case, "ACC-CHAMPION", message, evidence=_about(rows[0]))
    least = gate.min_delta if gate.min_delta is not None else 0.0
    if min(values) < least:
        bound = "" if gate.bound == "value" else f"{gate.bound} bound of the "
        message = (
            f"{bound}difference of {gate.name} to the version now running is {min(values):+.6g}, "
            f"and at least {least:+g} is required"
        )
        yield _finding(case, "ACC-CHAMPION", message, evidence=_about(rows[0]))


# ── fairness ─────────────────────────────────────────────────────────────────────────────────────


def protected_columns(dataset: Dataset | None) -> tuple[str, ...]:
    """The columns of a Dataset whose role is protected."""
    if dataset is None:
        return ()
    return tuple(name for name, one in dataset.columns.items() if one.role == "protected")


def _fairness(case: Case, gate: FairnessGate) -> Iterator[Finding]:
    within = within_name(gate)
    for names in subjects_of(gate, protected_columns(case.dataset)):
        attribute = subject_name(names)
        wanted = (attribute, gate.metric, within)
        rows = [
            row
            for row in case.evidence.fairness
            if (row.attribute, row.metric, row.within) == wanted
        ]
        if not rows:
            inside = f" within {within}" if within else ""
            message = f"{gate.metric} by {attribute}{inside} is required and was not measured"
            yield _finding(case, "ACC-FAIRNESS", message)
        # Of two gates of one metric each has rows of its own.
        for row in [row for row in rows if _same_limits(gate, row)] or rows:
            yield from _row(case, gate, row)


def _row(case: Case, gate: FairnessGate, row: FairnessRow) -> Iterator[Finding]:
    tested = sum(one.p_value is not None for one in case.evidence.fairness)
    verdict, reason = judge_row(gate, row, case.model.tier, tested)
    if verdict is Verdict.PASS:
        return
    severity = Severity.ERROR if verdict is Verdict.FAIL else Severity.WARNING
    message = f"{row.named} of {row.attribute} {row.group} against {row.reference}: {reason}"
    counted = "counted" if row.detail else "favourable"
    evidence = (
        f"{counted} in group = {row.favourable} of {row.n}",
        f"{counted} in reference = {row.favourable_reference} of {row.n_reference}",
        f"p (Holm) = {'not computed' if row.p_holm is None else format(row.p_holm, '.3g')}",
        f"verdict = {verdict.value}",
    )
    yield _finding(case, "ACC-FAIRNESS", message, severity, evidence)


def judge_row(gate: FairnessGate, row: FairnessRow, tier: int, tested: int) -> tuple[Verdict, str]:
    """The verdict on one group and the reason for it.

    It is the verdict of `specs.fairness` with the limits of the Model, on a value that the counts
    of the row give again where they can, and so is its p-value. p-values are corrected in the
    evidence, over all rows that were `tested`, and have to be what such a correction can give. What
    the evidence holds against itself is believed; what speaks for it is not.
    """
    if not _same_limits(gate, row):
        return Verdict.FAIL, "measured against other limits than the model declares"
    value = _from_counts(gate, row)
    if row.value is not None and not too_small(gate, row):
        if value is None and gate.metric in OF_COUNTS:
            return Verdict.FAIL, f"the counts give no value, and the evidence says {row.value:.6g}"
        if value is not None and abs(value - row.value) > _TOLERANCE * max(1.0, abs(value)):
            told = f"the counts give {value:.6g}, and the evidence says {row.value:.6g}"
            return Verdict.FAIL, told
        if wrong := overstated(row) or uncorrected(row, tested):
            return Verdict.FAIL, wrong
    verdict, reason = verdict_on(gate, row, tier)
    recorded = Verdict(row.verdict)
    if Verdict.worst((verdict, recorded)) is verdict:
        return verdict, reason
    return recorded, row.reason or f"the evidence says {recorded.value}"


def _same_limits(gate: FairnessGate, row: FairnessRow) -> bool:
    recorded = row.minimum if is_ratio(gate.metric) else row.maximum
    if recorded is None or abs(row.alpha - gate.alpha) > _TOLERANCE:
        return False
    return abs(recorded - limit_of(gate)) < _TOLERANCE


def _from_counts(gate: FairnessGate, row: FairnessRow) -> float | None:
    """The value from the counts; None where they do not tell it."""
    if gate.metric not in OF_COUNTS or not (row.n and row.n_reference):
        return None
    ours, reference = row.favourable / row.n, row.favourable_reference / row.n_reference
    if not is_ratio(gate.metric):
        return ours - reference
    return ours / reference if reference else None


# ── drift and parity ─────────────────────────────────────────────────────────────────────────────


def _drift(case: Case) -> Iterator[Finding]:
    limit = case.model.acceptance.drift.psi.max
    name_of = "acceptance.drift.psi.max"
    said = f"the default of {name_of}" if limit == PsiLimit().max else name_of
    if not case.evidence.drift:
        message = "drift between the training and the test part was not measured"
        yield _finding(case, "ACC-DRIFT", message, Severity.WARNING)
    for name, psi in sorted(case.evidence.drift.items()):
        if psi > limit:
            message = f"PSI of {name} between training and test is {psi:.3f}, above {limit:g}"
            yield _finding(case, "ACC-DRIFT", f"{message}, {said}")


def _parity(case: Case) -> Iterator[Finding]:
    onnx = case.model.acceptance.parity.onnx
    yield from _difference(case, "plan", plan_limit(case.model), required=True)
    yield from _difference(case, "onnx", onnx, required="onnx" in case.evidence.forms)


def _difference(case: Case, form: str, limit: float, *, required: bool) -> Iterable[Finding]:
    found = case.evidence.parity.get(form)
    if found is None and required:
        message = f"parity of the fitted pipeline and its {form} was not measured"
        yield _finding(case, "ACC-PARITY", message)
    if found is not None and not found <= limit:
        message = f"the {form} differs from the fitted pipeline by {found:g}, more than {limit:g}"
        yield _finding(case, "ACC-PARITY", message)
