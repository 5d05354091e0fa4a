"""Performance of a fitted model against what the Model declares as acceptable.

Every metric is measured on every part, because a gap between train and test is itself a finding of
any validation. Only rows of the test part that carry a limit are judged; the rest inform. The
comparison with the champion is a row of its own (`roc_auc_delta`), counted so that more is better.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ordain.runtime.errors import SplitError, TrainingError
from ordain.runtime.training.intervals import Estimate
from ordain.runtime.training.measuring import (
    difference,
    estimate,
    measured_rows,
    smallest_class,
    taken,
    task_of,
    tells_apart,
)
from ordain.specs.evidence import Metric
from ordain.specs.findings import Verdict
from ordain.specs.gates import few_cases, gate_problems
from ordain.specs.tasks import CLASSIFICATION, CLUSTERING, METRICS, REGRESSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ordain.runtime.training.measuring import AnySample
    from ordain.runtime.training.splits import Indices
    from ordain.specs.kinds.model import MetricGate

CONFIDENCE = 0.95
# What is measured on the other parts too; a clustering costs too much there, and tells too little.
INFORMING = {
    CLASSIFICATION: ("roc_auc", "log_loss", "brier"),
    REGRESSION: METRICS[REGRESSION],
    CLUSTERING: ("silhouette",),
}


def evaluate(
    samples: Mapping[str, AnySample],
    gates: Sequence[MetricGate],
    champion: AnySample | None = None,
    absent: str = "there is no champion yet",
    everybody: Indices | None = None,
    without: frozenset[str] = frozenset(),
) -> tuple[Metric, ...]:
    """Rows of evidence: the test part first, judged where a gate is declared.

    `samples` are by part; `champion` is the version now running, on the rows of the test part.
    Without one the comparison is `insufficient`, and `absent` says why. A gate on all cases is
    judged on the rows `everybody` of the test part, where outcomes of others were hidden. Metrics
    that are named in `without` are not measured.

    Raises:
        SplitError: when the test part has one outcome, or one cluster, only.
        TrainingError: when a gate names a metric of another task, or says nothing.
    """
    test = samples["test"]
    task = task_of(test)
    if not tells_apart(test):
        same = "are in one cluster" if task == CLUSTERING else "have the same outcome"
        message = f"split: all rows of the test part {same}"
        raise SplitError(message, remedy="widen split.test")
    for gate in gates:
        _refuse_unusable(gate, task)
    absolute = [gate for gate in gates if gate.versus is None]
    rows = [_judged(_asked_of(test, gate, everybody), gate) for gate in absolute]
    gated = {gate.name for gate in absolute}
    rows += [_row(name, "test", test) for name in METRICS[task] if name not in gated | without]
    for gate in gates:
        if gate.versus is not None:
            ours = _asked_of(test, gate, everybody)
            other = None if champion is None else _asked_of(champion, gate, everybody)
            rows.append(_compared(ours, other, gate, absent))
    for part, sample in samples.items():
        if part != "test" and tells_apart(sample):
            rows += [_row(name, part, sample) for name in INFORMING[task]]
    return tuple(rows)


def _asked_of(sample: AnySample, gate: MetricGate, everybody: Indices | None) -> AnySample:
    """The rows that the gate is about."""
    if everybody is None or gate.population != "all":
        return sample
    return taken(sample, everybody)


def counted(rows: Sequence[Metric], *, first: bool) -> list[Verdict]:
    """The verdicts that decide: those of rows with a limit.

    The first version of a model has no champion, which is not held against it; a champion that
    could not be compared is.
    """
    gated = [row for row in rows if row.limit]
    return [Verdict(row.verdict) for row in gated if row.n or not first]


def _refuse_unusable(gate: MetricGate, task: str) -> None:
    """What `check` would have refused."""
    for problem in gate_problems(gate, task):
        raise TrainingError(f"acceptance.metrics: {problem.message}", remedy=problem.remedy)


def _row(name: str, part: str, sample: AnySample, confidence: float = CONFIDENCE) -> Metric:
    found = estimate(name, sample, confidence)
    rows = measured_rows(name, sample)
    return Metric(name, part, found.value, found.low, found.high, confidence, rows)


def _shown(row: Metric, sample: AnySample) -> Metric:
    """The judged row; one class of few rows makes it insufficient, whatever the number is."""
    smallest = smallest_class(sample)
    few = "" if smallest is None else few_cases(smallest)
    if not few:
        return row
    return replace(row, limit=f"{row.limit} ({few})", verdict=Verdict.INSUFFICIENT.value)


def _untold(name: str, gate: MetricGate, limit: str, n: int) -> Metric:
    """The row of a gate whose cases all have the same outcome: nothing can be measured on them."""
    limit = f"{limit} (all {n} cases have the same outcome)"
    verdict = Verdict.INSUFFICIENT.value
    return Metric(name, "test", 0.0, None, None, gate.confidence, n, limit, verdict)


def _judged(sample: AnySample, gate: MetricGate) -> Metric:
    limits = [f">= {gate.min:g}"] if gate.min is not None else []
    limits += [f"<= {gate.max:g}"] if gate.max is not None else []
    limit = f"{gate.bound} {' and '.join(limits)}"
    if not tells_apart(sample):
        return _untold(gate.name, gate, limit, sample.n)
    row = _row(gate.name, "test", sample, gate.confidence)
    found = Estimate(row.value, row.low or 0.0, row.high or 0.0)
    judged = _bound(found, gate)
    low_enough = gate.max is None or judged <= gate.max
    high_enough = gate.min is None or judged >= gate.min
    verdict = Verdict.PASS if low_enough and high_enough else Verdict.FAIL
    return _shown(replace(row, limit=limit, verdict=verdict.value), sample)


def _bound(found: Estimate, gate: MetricGate) -> float:
    """The end of the interval that the gate looks at."""
    match gate.bound:
        case "lower":
            return found.low
        case "upper":
            return found.high
        case _:
            return found.value


def _compared(
    sample: AnySample, champion: AnySample | None, gate: MetricGate, absent: str
) -> Metric:
    limit = f"{gate.bound} >= {gate.min_delta:g} versus champion"
    name = f"{gate.name}_delta"
    if champion is None:
        limit = f"{limit} ({absent})"
        return Metric(name, "test", 0.0, None, None, gate.confidence, 0, limit)
    if not tells_apart(sample):
        return _untold(name, gate, limit, sample.n)
    found = difference(gate.name, sample, champion, gate.confidence)
    accepted = _bound(found, gate) >= (gate.min_delta or 0.0)
    row = Metric(
        name,
        "test",
        found.value,
        found.low,
        found.high,
        gate.confidence,
        sample.n,
        limit,
        (Verdict.PASS if accepted else Verdict.FAIL).value,
    )
    return _shown(row, sample)
