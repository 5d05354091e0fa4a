"""The suite of edge cases of a model: a file in git, read by the check and by a validation.

    cases:
      - name: no income
        inputs: {income: 0, purpose: car}
        expect: {decision: decline}
        why: nobody pays a loan back from nothing
      - {name: yacht, inputs: {purpose: yacht}, expect: {refused: true}, why: no such purpose}

A case is one record, as a caller would send it, and what must come back: an output between `min`
and `max`, a decision, or a refusal. `why` is asked for because a case whose reason nobody knows is
changed by the first model that fails it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.findings import Finding, Severity
from ordain.specs.loader import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import Marks
    from ordain.specs.findings import Location

CODE: Final = "SPEC162"
_KEYS: Final = {"name", "inputs", "expect", "why"}
_SHAPE: Final = "write `cases:` as a list of {name: …, inputs: {…}, expect: {…}, why: …}"
_EXPECT: Final = "write {min: 0.1, max: 0.4}, {decision: decline} or {refused: true}"


@dataclass(frozen=True, slots=True)
class EdgeCase:
    """One record and what is expected of it; `refused` goes with nothing else."""

    name: str
    inputs: dict[str, Any]
    why: str
    low: float | None = None
    high: float | None = None
    decision: str | None = None
    refused: bool = False

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        if self.refused:
            return "refused"
        limits = [f">= {self.low:g}"] if self.low is not None else []
        limits += [f"<= {self.high:g}"] if self.high is not None else []
        told = [f"output {' and '.join(limits)}"] if limits else []
        told += [f"decision {self.decision}"] if self.decision is not None else []
        return ", ".join(told)


class _Wrong(Exception):
    """A case that cannot be read; the arguments are message, remedy and path below the case."""


def read_edge_cases(data: bytes, path: str) -> tuple[tuple[EdgeCase, ...], tuple[Finding, ...]]:
    """The cases of a file, and what is wrong with the others, each at its place."""
    parsed = parse(data, path)
    if parsed.findings:
        return (), tuple(parsed.findings)
    if len(parsed.nodes) != 1:
        message = f"{path} holds {len(parsed.nodes)} documents, not one"
        return (), (_finding(message, _SHAPE, None),)
    value, marks = parsed.nodes[0].value, parsed.nodes[0].marks
    if not isinstance(value, dict) or set(value) != {"cases"}:
        return (), (_finding("edge cases have one key, `cases`", _SHAPE, marks.value()),)
    if not isinstance(value["cases"], list) or not value["cases"]:
        message = "`cases` is a list of at least one case"
        return (), (_finding(message, _SHAPE, marks.value("cases")),)
    return _cases(value["cases"], marks)


def _cases(items: list[Any], marks: Marks) -> tuple[tuple[EdgeCase, ...], tuple[Finding, ...]]:
    cases: list[EdgeCase] = []
    wrong: list[Finding] = []
    for index, item in enumerate(items):
        try:
            case = _case(item)
            if any(case.name == other.name for other in cases):
                raise _Wrong(f"the case {case.name!r} is listed twice", "rename one of them")
        except _Wrong as problem:
            message, remedy, *below = problem.args
            wrong.append(_finding(message, remedy, marks.value("cases", index, *below)))
        else:
            cases.append(case)
    return tuple(cases), tuple(wrong)


def _case(item: Any) -> EdgeCase:  # noqa: ANN401 - any YAML value
    if not isinstance(item, dict) or set(item) != _KEYS:
        raise _Wrong("a case has exactly the keys name, inputs, expect and why", _SHAPE)
    name, inputs, expect, why = (item[key] for key in ("name", "inputs", "expect", "why"))
    if not (_is_text(name) and _is_text(why)):
        raise _Wrong("name and why of a case are text that is not empty", _SHAPE)
    if not isinstance(inputs, dict) or not all(map(_is_text, inputs)):
        raise _Wrong(f"the inputs of {name!r} are a mapping by column", _SHAPE, "inputs")
    for column, value in inputs.items():
        if not isinstance(value, bool | int | float | str | None):
            message = (
                f"the input {column} of {name!r} is neither a number, a text nor a truth value"
            )
            raise _Wrong(message, "write one value", "inputs", column)
    return EdgeCase(name=name, inputs=inputs, why=why, **_expected(name, expect))


def _expected(name: str, expect: Any) -> dict[str, Any]:  # noqa: ANN401 - any YAML value
    keys = set(expect) if isinstance(expect, dict) else set()
    if not keys or not keys <= {"min", "max", "decision", "refused"}:
        raise _Wrong(f"what is expected of {name!r} is not understood", _EXPECT, "expect")
    if "refused" in keys:
        if expect["refused"] is not True or len(keys) > 1:
            message = f"`refused` of {name!r} is true, and stands alone"
            raise _Wrong(message, _EXPECT, "expect")
        return {"refused": True}
    if "decision" in keys and not _is_text(expect["decision"]):
        raise _Wrong(f"the decision of {name!r} is no text", _EXPECT, "expect")
    for end in keys & {"min", "max"}:
        if type(expect[end]) not in (int, float) or not math.isfinite(expect[end]):
            raise _Wrong(f"`{end}` of {name!r} is no finite number", _EXPECT, "expect", end)
    low, high = expect.get("min"), expect.get("max")
    if low is not None and high is not None and low > high:
        raise _Wrong(f"`min` of {name!r} is above its `max`", _EXPECT, "expect")
    return {"low": low, "high": high, "decision": expect.get("decision")}


def unknown_inputs(
    cases: tuple[EdgeCase, ...], known: frozenset[str]
) -> Iterator[tuple[EdgeCase, str]]:
    """Inputs that no model of these columns takes, where a refusal is not what is expected."""
    for case in cases:
        if not case.refused:
            yield from ((case, name) for name in case.inputs if name not in known)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _finding(message: str, remedy: str, location: Location | None) -> Finding:
    return Finding(
        code=CODE, severity=Severity.ERROR, message=message, location=location, remedy=remedy
    )
