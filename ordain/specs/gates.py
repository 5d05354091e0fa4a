"""What a metric gate has to say so that it can be judged, and of how many cases.

The check of documents, training and the gate of a promotion ask here, so that no two of them judge
one gate differently. Each gate is one limit: of a value (`min`, `max`), or of the difference to the
champion (`versus`, `minDelta`). A gate that would look at the end of the interval on the side of
its limit is refused, because the fewer rows there are, the sooner it would be met.

A number of two or more classes says little where one of them has few rows, and its interval says
nothing: the variance of one row cannot be computed, and that of a perfect ranking is 0. Below
`SMALLEST_CLASS` rows of any class in the test part nothing is shown, whatever the number is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.specs.tasks import CLASSIFICATION, CLUSTERING, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.evidence import Evidence
    from ordain.specs.kinds.model import MetricGate

SMALLEST_CLASS: Final = 10
UNCOMPARED: Final = "versions of a clustering are not compared: their clusters have no names"


@dataclass(frozen=True, slots=True)
class GateProblem:
    """Why a gate cannot be judged; `field` is empty where it is about the gate as a whole."""

    code: str
    field: str
    message: str
    remedy: str


def gate_problems(gate: MetricGate, task: str) -> Iterator[GateProblem]:
    """What keeps this gate of a model with this task from being judged."""
    if gate.name not in METRICS[task]:
        message = f"`{gate.name}` is no metric of a {task}"
        yield GateProblem("SPEC141", "name", message, f"use one of {', '.join(METRICS[task])}")
    elif gate.versus is None:
        yield from _of_value(gate)
    elif task == CLUSTERING:
        remedy = "take out `versus`, and set `min` or `max`"
        yield GateProblem("SPEC141", "versus", UNCOMPARED, remedy)
    else:
        yield from _of_difference(gate)


def _of_value(gate: MetricGate) -> Iterator[GateProblem]:
    if gate.min_delta is not None:
        message = "`minDelta` limits a difference, and nothing is compared"
        yield _problem("minDelta", message, "add `versus: champion`, or set `min` or `max`")
    elif gate.min is None and gate.max is None:
        yield _problem("", f"`{gate.name}` has no limit", "set `min` or `max`")
    if gate.min is not None and gate.bound == "upper":
        yield _lucky("min", "lower")
    if gate.max is not None and gate.bound == "lower":
        yield _lucky("max", "upper")


def _of_difference(gate: MetricGate) -> Iterator[GateProblem]:
    for field in ("min", "max"):
        if getattr(gate, field) is not None:
            message = f"`{field}` limits a value, and `versus` compares a difference"
            yield _problem(field, message, f"set `minDelta`, and write `{field}` in its own gate")
    if gate.min_delta is None:
        yield _problem("", f"`{gate.name}` has no limit", "set `minDelta`")
    elif gate.bound == "upper":
        yield _lucky("minDelta", "lower")


def _lucky(limit: str, other: str) -> GateProblem:
    message = f"`{limit}` is held against the end of the interval that is sooner met with few rows"
    return _problem("bound", message, f"set `bound: {other}` or `bound: value`")


def _problem(field: str, message: str, remedy: str) -> GateProblem:
    return GateProblem("SPEC149", field, message, remedy)


def few_cases(smallest: int) -> str:
    """Why a metric of classes shows nothing; empty where the smallest class has rows enough."""
    if smallest >= SMALLEST_CLASS:
        return ""
    rows = "1 row" if smallest == 1 else f"{smallest} rows"
    return f"one class has {rows} in the test part, {SMALLEST_CLASS} are needed"


def few_shown(evidence: Evidence, n: int) -> str:
    """The same from evidence, for a metric of n rows; empty where it does not count classes."""
    rates = evidence.data.get("base_rate")
    share = rates.get("test") if isinstance(rates, dict) else None
    if evidence.task != CLASSIFICATION or share is None:
        return ""
    shares = list(share.values()) if isinstance(share, dict) else [share]
    if not shares or any(type(one) not in (int, float) for one in shares):
        return few_cases(0)
    rest = [] if isinstance(share, dict) else [1.0 - share]
    return few_cases(round(n * min(shares + rest)))
