"""What a rule answered, read as if it meant harm.

An answer is JSON of exactly one form. Whatever else it is, too long or of another type, the rule
has not been answered; nothing is repaired and nothing is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.errors import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ordain.specs.documents import Step

_FIELDS: Final = frozenset({"message", "path", "evidence"})
_MOST_FINDINGS: Final = 1000
_MOST_FACTS: Final = 20
_DEEPEST: Final = 64
_LONGEST: Final = 1000
_LONGEST_FACT: Final = 200


@dataclass(frozen=True, slots=True)
class Said:
    """One finding as a rule gave it."""

    message: str
    path: tuple[Step, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule said of one object: findings, or why there is no answer."""

    said: tuple[Said, ...] = ()
    error: str = ""


def read_answers(lines: Sequence[bytes], count: int) -> tuple[list[Answer], str]:
    """The answers to `count` questions, and why the rule could not be loaded at all.

    Raises:
        NoAnswerError: this is no list of so many answers.
    """
    values = [_json(line) for line in lines]
    if len(values) == 1 and values[0].keys() == {"load"} and isinstance(values[0]["load"], str):
        return [], _one_line(values[0]["load"]) or "no reason was given"
    if len(values) != count:
        raise NoAnswerError(f"it answered {len(values)} of {count} questions")
    return [_answer(value) for value in values], ""


def _json(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise NoAnswerError("its answer is no JSON object")
    return value


def _answer(value: Mapping[str, Any]) -> Answer:
    if value.keys() == {"error"} and isinstance(value["error"], str):
        return Answer(error=_one_line(value["error"]) or "no reason was given")
    found = value.get("findings")
    if value.keys() != {"findings"} or not isinstance(found, list):
        return Answer(error="its answer is no list of findings")
    if len(found) > _MOST_FINDINGS:
        return Answer(error=f"it gave more than {_MOST_FINDINGS} findings")
    try:
        return Answer(tuple(_said(one) for one in found))
    except (TypeError, ValueError) as error:
        return Answer(error=str(error))


def _said(value: Any) -> Said:  # noqa: ANN401 - any JSON value
    """One finding.

    Raises:
        TypeError: a part of it is of another type.
        ValueError: a part of it is missing, unknown or too long.
    """
    if not isinstance(value, dict):
        raise TypeError("a finding is a mapping with message, path and evidence")
    unknown = sorted(value.keys() - _FIELDS)
    if unknown:
        raise ValueError(f"a finding has message, path and evidence, not {_one_line(unknown[0])}")
    return Said(
        _message(value.get("message")),
        _path(value.get("path", [])),
        tuple(_facts(value.get("evidence", {}))),
    )


def _message(value: Any) -> str:  # noqa: ANN401 - any JSON value
    text = _one_line(value) if isinstance(value, str) else ""
    if not text or len(text) > _LONGEST:
        raise ValueError(f"the message of a finding is text of 1 to {_LONGEST} characters")
    return text


def _path(value: Any) -> tuple[Step, ...]:  # noqa: ANN401 - any JSON value
    # A truth value is an int to Python and no index to anybody.
    steps = value if isinstance(value, list) and len(value) <= _DEEPEST else [None]
    if not all(isinstance(step, str | int) and not isinstance(step, bool) for step in steps):
        raise TypeError("the path of a finding is a list of keys and indexes")
    return tuple(steps)


def _facts(value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    facts = value if isinstance(value, dict) and len(value) <= _MOST_FACTS else {"": []}
    if any(isinstance(fact, dict | list) for fact in facts.values()):
        raise TypeError(f"the evidence of a finding is a mapping of at most {_MOST_FACTS} scalars")
    return [_fact(name, fact) for name, fact in facts.items()]


def _fact(name: str, fact: object) -> str:
    text = fact if isinstance(fact, str) else json.dumps(fact)
    line = f"{_one_line(name)} = {_one_line(text)}"
    return line if len(line) <= _LONGEST_FACT else f"{line[: _LONGEST_FACT - 1]}…"


def _one_line(text: str) -> str:
    """Text without line breaks, and without what a terminal or a CI system would act on."""
    return "".join(one if one.isprintable() else "\ufffd" for one in " ".join(text.split()))
