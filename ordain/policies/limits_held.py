"""Every limit that the base declares of a validation, held against the numbers of the document.

A document says its own limits and verdicts, and neither is believed: a limit may be another one
than the Model declares, a verdict softer than its number, a section not there at all. So for each
declared limit a check that decides is asked for, and its value is compared here once more, whatever
verdict it bears. What the document holds against itself (fail, insufficient) is told elsewhere and
not told twice.

A value beyond a limit that chance may explain is a look and no refusal, and only where the numbers
of the check say so: the interval of a segment or of a proxy reaches the limit; a calibration error
is not above what scores without any error would show in so many rows.

Refused: to compute significance again. Rows are not in git, and an interval that was forged is
signed by the key of the reconciler as the value is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.specs.edge_cases import read_edge_cases
from ordain.specs.findings import Verdict
from ordain.specs.tasks import CLASSIFICATION, METRICS
from ordain.specs.trees import file_in
from ordain.specs.validation_verdicts import STOPPING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model, ProxyLimits, Segments
    from ordain.specs.validations import Check, ValidationReport

SCORE: Final = "(score)"
_ERROR: Final = "error"
_JOINT: Final = "joint_auc"
_ROUNDING: Final = 1e-12
_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Held:
    """A validation, and what the base declares: Model, Dataset of the rows, files, classes.

    `classes` are those of the evidence, of more than two outcomes; `files` is the tree, and
    `protected` the columns that are so in the Dataset of the rows or in that of the Model.
    """

    report: ValidationReport
    model: Model
    dataset: Dataset | None
    files: Mapping[str, bytes]
    classes: tuple[str, ...] = ()
    protected: frozenset[str] = frozenset()

    def deciding(self, section: str) -> list[Check]:
        """The checks of a section that decide."""
        return [one for one in self.report.checks if one.section == section and one.limit]

    def valued(self, section: str) -> list[Check]:
        """The checks of a section with a value that the document does not hold against itself."""
        return [
            one
            for one in self.report.checks
            if one.section == section
            and one.value is not None
            and not (one.limit and one.verdict in STOPPING)
        ]


def limits_missed(held: Held) -> Iterator[str]:
    """What the base limits or asks for, and the document says otherwise or not at all."""
    if held.report.rows <= 0:
        yield "rows: none were looked at"
    for judge in _JUDGES:
        yield from judge(held)


def _drift(held: Held) -> Iterator[str]:
    limit = held.model.acceptance.drift.psi.max
    if not any(one.subject == SCORE for one in held.deciding("drift")):
        yield f"drift: a PSI of the score of at most {limit:g} is required, and none was judged"
    for one in held.valued("drift"):
        if _value(one) > limit:
            yield f"drift: PSI of {one.subject or one.name} is {_value(one):.3f}, above {limit:g}"


def _calibration(held: Held) -> Iterator[str]:
    declared = held.model.validation.calibration
    if declared is None or held.report.task != CLASSIFICATION:
        return
    limit = declared.max_error
    if not any(one.name == _ERROR for one in held.deciding("calibration")):
        yield f"calibration: an error of at most {limit:g} is required, and none was judged"
    for one in held.valued("calibration"):
        chance = chance_error(one.n) if one.verdict == Verdict.WARN else 0.0
        if one.name == _ERROR and _value(one) > max(limit, chance):
            yield f"calibration: {one.name} is {_value(one):.4g}, above {limit:g}"


def chance_error(n: int) -> float:
    """The most that an expected calibration error of true scores is, but in one of 20 samples.

    With B bins the error is a mean of |seen - expected|, each at most normal with the variance
    1 / (4 n_b): its mean is at most sqrt(B / n) sqrt(1 / (2 pi)), its deviation at most
    sqrt((1 - 2 / pi) / (4 n)).
    """
    if n <= 0:
        return 0.0
    mean = math.sqrt(_BINS / (2 * math.pi))
    spread = math.sqrt((1 - 2 / math.pi) / 4)
    return (mean + 1.645 * spread) / math.sqrt(n)


def _segments(held: Held) -> Iterator[str]:
    declared = held.model.validation.segments
    if declared is None or (declared.min is None and declared.max is None):
        return
    name = declared.metric or METRICS[held.model.task][0]
    judged = held.deciding("segments")
    for column in declared.columns:
        if not any(_is_of(one, column) for one in judged):
            yield f"segments: a limit of {name} by {column} is required, and no group was judged"
    for one in held.valued("segments"):
        if one.name == name and (said := _segment(one, declared)):
            yield said


def _is_of(check: Check, column: str) -> bool:
    return check.subject == column or check.subject.startswith(f"{column}=")


def _segment(one: Check, declared: Segments) -> str:
    """What is wrong with one group; an interval that reaches the limit asks for a look."""
    about = f"segments: {one.name} of {one.subject} is {_value(one):.4g}"
    warned = one.verdict == Verdict.WARN
    if declared.min is not None and _value(one) < declared.min:
        reached = one.high is not None and one.high >= declared.min
        return "" if warned and reached else f"{about}, below {declared.min:g}"
    if declared.max is not None and _value(one) > declared.max:
        reached = one.low is not None and one.low <= declared.max
        return "" if warned and reached else f"{about}, above {declared.max:g}"
    return ""


def _robustness(held: Held) -> Iterator[str]:
    declared = held.model.validation.robustness.max_flips
    if declared is None:
        return
    limit = float(declared.removesuffix("%")) / 100
    for change in ("noise", "missing"):
        if not any(one.name.startswith(change) for one in held.deciding("robustness")):
            said = f"at most {declared} of flips by {change} are accepted, and none were judged"
            yield f"robustness: {said}"
    flips = {"noise: flips", "missing: flips"}
    for one in held.valued("robustness"):
        if one.name in flips and _value(one) > limit:
            yield f"robustness: {one.name} are {_value(one):.4g}, above {declared}"


def _edge_cases(held: Held) -> Iterator[str]:
    """Every case of the file was asked for what the file expects."""
    path = held.model.validation.edge_cases
    if path is None:
        return
    judged = held.deciding("edge-cases")
    if not judged:
        yield f"edge-cases: no case of {path} was judged"
        return
    cases, wrong = read_edge_cases(file_in(held.files, path) or b"", path)
    for case in () if wrong else cases:
        found = [one for one in judged if (one.name, one.limit) == (case.name, case.expected)]
        if not found:
            yield f"edge-cases: {case.name} ({case.expected}) was not judged"
        for one in found:
            low = case.low is not None and (one.value is None or one.value < case.low)
            high = case.high is not None and (one.value is None or one.value > case.high)
            if (low or high) and one.verdict not in STOPPING:
                said = "not known" if one.value is None else f"{one.value:.4g}"
                yield f"edge-cases: {case.name} is {said}, expected {case.expected}"


def _proxies(held: Held) -> Iterator[str]:
    limits = held.model.acceptance.proxies
    if limits is None:
        return
    judged = [one for one in held.deciding("proxies") if one.name == _JOINT]
    if held.protected and not judged:
        yield f"proxies: a {_JOINT} of at most {limits.joint:g} is required, and none was judged"
    # One without a subject says why no attribute could be looked at.
    elif judged and all(one.subject for one in judged):
        for name in sorted(held.protected - {one.subject for one in judged}):
            yield f"proxies: what the features tell of {name} was not judged"
    for one in held.valued("proxies"):
        yield from _proxy(one, limits, held.dataset)


def _proxy(one: Check, limits: ProxyLimits, dataset: Dataset | None) -> Iterator[str]:
    feature, between, attribute = one.subject.partition(" for ")
    if one.name != _JOINT and not between:
        return
    limit = limits.joint if one.name == _JOINT else limits.max
    if _value(one) <= limit:
        return
    told = dataset is not None and attribute in _proxied(dataset, feature)
    chance = one.low is not None and one.low <= limit
    if one.verdict != Verdict.WARN or not (told or chance):
        yield f"proxies: {one.name} of {one.subject} is {_value(one):.4g}, above {limit:g}"


def _proxied(dataset: Dataset, feature: str) -> tuple[str, ...]:
    column = dataset.columns.get(feature)
    return () if column is None else column.proxy_for


def _explanations(held: Held) -> Iterator[str]:
    """Reasons are asked for where codes are declared and a decision can be unfavourable."""
    declared = held.model.explanation
    if declared.reasons is None or not _declines(held):
        return
    judged = {one.name for one in held.deciding("explanations")}
    for name in ("agreement", "flips"):
        limit = getattr(declared.gates, name)
        if name not in judged and "reasons" not in judged:
            said = f"{name} of at least {limit:g} is required, and was not judged"
            yield f"explanations: {said}"
        for one in held.valued("explanations"):
            if one.name == name and not one.subject and _value(one) < limit - _ROUNDING:
                yield f"explanations: {name} is {_value(one):.4g}, below {limit:g}"


def _declines(held: Held) -> bool:
    if held.model.task != CLASSIFICATION:
        return False
    if not held.classes:
        return held.model.decision is not None
    target = None if held.dataset is None else held.dataset.target
    return target is not None and target.favourable is not None


def _value(check: Check) -> float:
    return check.value if check.value is not None else math.nan


_JUDGES: Final[tuple[Callable[[Held], Iterator[str]], ...]] = (
    _drift,
    _calibration,
    _segments,
    _robustness,
    _edge_cases,
    _proxies,
    _explanations,
)
