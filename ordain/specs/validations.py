"""What one validation measured on one artifact, as it stands in git.

A validation loads the artifact as a server would and answers rows that it is given; it knows
nothing of how the model was trained. Its document is bound to two digests: that of the artifact and
that of the rows. The runtime writes it, the gate holds it against what the Model declares, reports
print it; none of these rooms may know the others, so its shape lives here.

Everything that was measured is a `Check`: one number (or none) of one subject, with its rows, its
interval, its limit and its verdict. A check without a limit informs and decides nothing. The only
parts of another shape are fairness, whose rows are those of the evidence of training, and the
difference in behaviour from the version now running.

The time that an answer takes is of the machine and the hour: `load` is a record of what was
measured, the one part that another run will not give again to the byte.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.canonical import canonical_json, sha256
from ordain.specs.errors import OrdainError
from ordain.specs.evidence import (
    FairnessRow,
    evidence_path,
    refuse_other_fields,
    refuse_other_type,
)
from ordain.specs.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.specs.kinds.model import Model

FORMAT: Final = "ordain.validation/1"
SECTIONS: Final = (
    "schema",
    "quality",
    "drift",
    "performance",
    "champion",
    "calibration",
    "segments",
    "robustness",
    "edge-cases",
    "stability",
    "explanations",
    "proxies",
    # Only what keeps fairness from being measured; its rows are of another shape.
    "fairness",
)
_LATER: Final = frozenset({"champion", "inputs"})


class ValidationDocumentError(OrdainError):
    """A file in `evidence/` that is no validation."""

    code = "EVID002"


@dataclass(frozen=True, slots=True)
class Check:
    """One measured thing: in which section, of what (`name`), on whom (`subject`, empty for all).

    `value` is None where nothing could be measured, and `reason` says why. The interval is at
    `confidence`. With a `limit` the verdict decides; without one it informs.
    """

    section: str
    name: str
    subject: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    n: int = 0
    limit: str = ""
    verdict: str = Verdict.INSUFFICIENT.value
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """How a group of rows is decided by the new version and by the champion.

    `subject` is empty for all rows, or `column=level`; `up` are rows that get the favourable
    decision from the new version only, `down` from the champion only; rates are shares of
    favourable decisions. `p_value` is of the exact test of McNemar (1947) on `up` and `down`,
    `p_holm` the same after Holm's correction (1979) over all groups; `low` and `high` are the ends
    of the 95 % interval of the difference of the two rates on the same rows (Newcombe 1998).
    """

    subject: str
    n: int
    up: int
    down: int
    rate: float
    rate_champion: float
    p_value: float
    low: float | None = None
    high: float | None = None
    p_holm: float | None = None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What would be decided otherwise than by the champion, on the rows of the validation.

    `reasons` are shares of unfavourable decisions by their first reason: (reason, new version,
    champion). `movement` counts rows by deciles of the score of the champion (first) and of the new
    version (second), ten rows of ten counts each.
    """

    champion: str
    shifts: tuple[Shift, ...]
    reasons: tuple[tuple[str, float, float], ...] = ()
    movement: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """Everything that a validation measured on one artifact and one set of rows.

    `dataset` and `part` say which rows they were (`part` is empty for a whole table), `data` is
    their logical digest. `verdict` is the worst of all checks and fairness rows that decide.
    `champion` is the artifact that ran when it was ordered (empty for none), compared or not;
    `inputs` are the digests of the texts that were read (`edge_cases`, `reasons`).
    """

    model: str
    artifact: str
    dataset: str
    data: str
    part: str
    rows: int
    task: str
    checks: tuple[Check, ...]
    fairness: tuple[FairnessRow, ...] = ()
    behaviour: Behaviour | None = None
    load: dict[str, float] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    limitations: tuple[str, ...] = ()
    verdict: str = Verdict.INSUFFICIENT.value
    champion: str = ""
    inputs: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Canonical bytes, ending in a newline so that git and editors are content.

        What a document of an earlier version of ordain does not have is left out where it is empty.
        """
        plain = {"format": FORMAT, **asdict(self)}
        kept = {name: one for name, one in plain.items() if one or name not in _LATER}
        return canonical_json(kept) + b"\n"

    @property
    def digest(self) -> str:
        """The digest that names the file."""
        return sha256(self.to_json())

    @property
    def path(self) -> str:
        """Where the document stands in the estate."""
        return evidence_path(self.digest)


def texts_of(model: Model) -> dict[str, str | None]:
    """The files of the estate that a validation of a Model reads, by their names in `inputs`."""
    return {"edge_cases": model.validation.edge_cases, "reasons": model.explanation.reasons}


def verdict_of(checks: Iterable[Check], fairness: Iterable[FairnessRow]) -> Verdict:
    """The verdict of a validation: the worst of everything that decides.

    A check decides where it has a limit, a fairness row where a gate is declared for it. What was
    not measured, and has a limit, keeps a validation from passing. A group too small to say
    anything does not: no sample of the estate makes it larger, so that it asks for a look, as the
    gate of a promotion does. A gate of which no group could be judged has judged nothing, and is
    not met. The runtime and the gate both ask here.
    """
    found = [Verdict.PASS, *(Verdict(one.verdict) for one in checks if one.limit)]
    rows = [row for row in fairness if not row.informs]
    unknown = {one for row in unjudged(rows) for one in row}
    for row in rows:
        verdict = Verdict(row.verdict)
        softer = verdict is Verdict.INSUFFICIENT and row not in unknown
        found.append(Verdict.WARN if softer else verdict)
    return Verdict.worst(found)


def unjudged(fairness: Iterable[FairnessRow]) -> tuple[tuple[FairnessRow, ...], ...]:
    """The rows of every gate and attribute of which no group could be judged."""
    gates: dict[tuple[str, ...], list[FairnessRow]] = {}
    for row in fairness:
        if not row.informs:
            gate = (row.attribute, row.metric, row.within, row.limited)
            gates.setdefault(gate, []).append(row)
    unknown = Verdict.INSUFFICIENT.value
    return tuple(
        tuple(rows) for rows in gates.values() if all(one.verdict == unknown for one in rows)
    )


def read_validation(data: bytes, path: str) -> ValidationReport:
    """A validation from its file.

    Raises:
        ValidationDocumentError: when the bytes are no validation, or not those that the name
            promises.
    """
    try:
        report = _report(json.loads(data))
        written = report.to_json()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = f"{path} is not a validation of the format {FORMAT}"
        raise ValidationDocumentError(message, remedy="let the reconciler write it") from error
    if evidence_path(sha256(written)) != path or written != data:
        message = f"{path} does not hold the validation that its name promises"
        remedy = "restore the file; a validation is never edited by hand"
        raise ValidationDocumentError(message, remedy=remedy)
    return report


def _report(raw: dict[str, Any]) -> ValidationReport:
    if raw.pop("format") != FORMAT:
        raise ValueError(FORMAT)
    raw["checks"] = tuple(Check(**one) for one in raw["checks"])
    raw["fairness"] = tuple(FairnessRow(**one) for one in raw["fairness"])
    raw["limitations"] = tuple(raw["limitations"])
    if raw["behaviour"] is not None:
        raw["behaviour"] = _behaviour(raw["behaviour"])
    report = ValidationReport(**raw)
    _refuse_other_types(report)
    return report


def _refuse_other_types(report: ValidationReport) -> None:
    """TypeError or ValueError where something is not what its annotation says, as in evidence."""
    shifts = () if report.behaviour is None else report.behaviour.shifts
    for row in (*report.checks, *report.fairness, *shifts):
        refuse_other_fields(row)
    told = (*(one.verdict for one in report.checks), *(one.verdict for one in report.fairness))
    for verdict in (*told, report.verdict):
        Verdict(verdict)
    for name in ("model", "artifact", "dataset", "data", "part", "task", "champion", "verdict"):
        refuse_other_type(getattr(report, name), "str")
    refuse_other_type(report.rows, "int")
    for text in (*report.limitations, *report.environment.values(), *report.inputs.values()):
        refuse_other_type(text, "str")
    for value in report.load.values():
        refuse_other_type(value, "float")


def _behaviour(raw: dict[str, Any]) -> Behaviour:
    raw["shifts"] = tuple(Shift(**one) for one in raw["shifts"])
    raw["reasons"] = tuple((name, ours, theirs) for name, ours, theirs in raw["reasons"])
    raw["movement"] = tuple(tuple(row) for row in raw["movement"])
    return Behaviour(**raw)
