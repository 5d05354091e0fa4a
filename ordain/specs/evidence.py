"""The evidence on one artifact, as it stands in git.

Training writes it, the gate judges it, reports print it; none of these rooms may know the others,
so its shape lives here. It holds no time and no host, because the same recipe must give the same
bytes; its digest is its file name, `evidence/<64 hex digits>.json`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ordain.specs.canonical import canonical_json, sha256
from ordain.specs.errors import OrdainError
from ordain.specs.findings import Verdict

FORMAT = "ordain.evidence/1"
FOLDER = "evidence/"
MAXIMUM_BYTES = 256_000
NO_GATE = "no gate is declared"
# What JSON may hold where an annotation stands; true is no number.
_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
}


class EvidenceError(OrdainError):
    """A file in `evidence/` that is not evidence."""

    code = "EVID001"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric on one part of the data; the interval is at `confidence`."""

    name: str
    part: str
    value: float
    low: float | None
    high: float | None
    confidence: float
    n: int
    limit: str = ""
    verdict: str = Verdict.INSUFFICIENT.value


@dataclass(frozen=True, slots=True)
class FairnessRow:
    """One group against its reference group.

    `favourable` are the cases of `n` that the metric counts: favourable decisions, and for metrics
    of outcomes those among the rows that the metric is about. A ratio has a `minimum`, a difference
    a `maximum`. `power` is how probably a disparity of the size of the limit would have been found,
    before Holm's correction. `within` names the columns of strata; `detail` is a fact for readers.
    """

    attribute: str
    group: str
    reference: str
    metric: str
    n: int
    n_reference: int
    favourable: int
    favourable_reference: int
    value: float | None
    low: float | None
    high: float | None
    p_value: float | None
    p_holm: float | None
    minimum: float | None
    alpha: float
    verdict: str
    reason: str = ""
    maximum: float | None = None
    power: float | None = None
    within: str = ""
    detail: str = ""

    @property
    def limit(self) -> float:
        """The smallest ratio or the largest difference."""
        return (self.minimum if self.maximum is None else self.maximum) or 0.0

    @property
    def limited(self) -> str:
        """The limit in words, such as `minimum 0.8`."""
        return f"{'minimum' if self.maximum is None else 'maximum'} {self.limit:g}"

    @property
    def named(self) -> str:
        """The metric, and the columns inside of whose strata it was measured."""
        return f"{self.metric} within {self.within}" if self.within else self.metric

    def plain(self) -> dict[str, Any]:
        """The row for JSON; what older rows did not have is left out where it says nothing."""
        found = asdict(self)
        for name in ("maximum", "power", "within", "detail"):
            if found[name] in (None, ""):
                del found[name]
        return found

    @property
    def informs(self) -> bool:
        """Whether nobody has declared a gate for it, so that its verdict decides nothing."""
        return self.reason.endswith(NO_GATE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was measured on one artifact.

    `data` holds counts (rows, rows of each part, base rate, missing shares); `importance` is the
    mean absolute attribution to the margin per feature, largest first (none for a clustering);
    `parity` compares the fitted pipeline with the plan that serves, and with each of the `forms`
    that the artifact holds beside it; `search` says what was tried where an estimator was searched
    for, and which trial was chosen.
    """

    model: str
    recipe: str
    artifact: str
    split: str
    data: dict[str, Any]
    metrics: tuple[Metric, ...]
    fairness: tuple[FairnessRow, ...]
    importance: tuple[tuple[str, float], ...]
    parity: dict[str, float]
    drift: dict[str, float] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    limitations: tuple[str, ...] = ()
    verdict: str = Verdict.INSUFFICIENT.value
    task: str = "classification"
    forms: tuple[str, ...] = ()
    search: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Canonical bytes, ending in a newline so that git and editors are content.

        The task is said where it is no classification, forms and a search where there are any, and
        of fairness what its metric needs: evidence from before there were others keeps its name.
        """
        plain = {"format": FORMAT, **asdict(self)}
        plain["fairness"] = [row.plain() for row in self.fairness]
        if self.task == "classification":
            del plain["task"]
        if not self.forms:
            del plain["forms"]
        if not self.search:
            del plain["search"]
        return canonical_json(plain) + b"\n"

    @property
    def digest(self) -> str:
        """The digest that names the file."""
        return sha256(self.to_json())

    @property
    def path(self) -> str:
        """Where the evidence stands in the estate."""
        return evidence_path(self.digest)


def classes_of(evidence: Evidence) -> tuple[str, ...]:
    """The classes or clusters among which the model chooses; empty where it gives one number.

    Their shares stand where the base rate of two outcomes does.
    """
    rates = evidence.data.get("base_rate")
    shares = rates.get("test") if isinstance(rates, dict) else None
    return tuple(shares) if isinstance(shares, dict) else ()


def evidence_path(digest: str) -> str:
    """Where the evidence with this digest stands in an estate."""
    return f"{FOLDER}{digest.removeprefix('sha256:')}.json"


def read_evidence(data: bytes, path: str) -> Evidence:
    """Evidence from its file.

    Raises:
        EvidenceError: when the bytes are no evidence, or not those that the name promises.
    """
    try:
        raw = json.loads(data)
        if raw.pop("format") != FORMAT:
            raise ValueError
        raw["metrics"] = tuple(Metric(**metric) for metric in raw["metrics"])
        raw["fairness"] = tuple(FairnessRow(**row) for row in raw["fairness"])
        raw["importance"] = tuple((name, value) for name, value in raw["importance"])
        raw["limitations"] = tuple(raw["limitations"])
        raw["forms"] = tuple(raw.get("forms", ()))
        evidence = Evidence(**raw)
        _refuse_other_types(evidence)
        written = evidence.to_json()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = f"{path} is not an evidence document of the format {FORMAT}"
        raise EvidenceError(message, remedy="let the reconciler write evidence") from error
    if evidence_path(sha256(written)) != path or written != data:
        message = f"{path} does not hold the evidence that its name promises"
        raise EvidenceError(message, remedy="restore the file; evidence is never edited by hand")
    return evidence


def _refuse_other_types(evidence: Evidence) -> None:
    """TypeError or ValueError where something is not what its annotation says.

    Whoever wrote the file may not have been the machine. A text where a number belongs would be
    compared as text, or break whoever prints the evidence.
    """
    rows: tuple[Metric | FairnessRow, ...] = (*evidence.metrics, *evidence.fairness)
    for row in rows:
        refuse_other_fields(row)
        Verdict(row.verdict)
    Verdict(evidence.verdict)
    for name in ("model", "recipe", "artifact", "split", "verdict", "task"):
        refuse_other_type(getattr(evidence, name), "str")
    for numbers in (evidence.parity, evidence.drift):
        for value in numbers.values():
            refuse_other_type(value, "float")
    for name, value in evidence.importance:
        refuse_other_type(name, "str")
        refuse_other_type(value, "float")
    for text in (*evidence.limitations, *evidence.environment.values(), *evidence.forms):
        refuse_other_type(text, "str")
    evidence.data.keys()  # A mapping; what it counts is the trainer's to say.
    if evidence.search:
        refuse_other_type(evidence.search["chosen"]["estimator"], "str")


def refuse_other_fields(row: Any) -> None:  # noqa: ANN401 - a row of numbers and texts
    """TypeError where a field of a row is not what its annotation says."""
    for name, kind in type(row).__annotations__.items():
        refuse_other_type(getattr(row, name), kind)


def refuse_other_type(value: object, kind: str) -> None:
    """TypeError where a value is not of the kind that an annotation names."""
    if type(value) not in _KINDS[kind]:
        raise TypeError(f"{value!r} is no {kind}")
