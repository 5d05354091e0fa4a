"""What a request must look like, and everything that is wrong with one that does not.

The model's own inputs are the schema. A field that is neither an input nor read by one of the
route's rules is an error, because silence about it would let a caller believe that it counts, and
because a protected attribute must not even pass through. All faults are named at once. No message
holds a value that was sent: what is refused is not ours to keep, in a log or in an answer.

pydantic was refused: building its model needs the library in every worker, and its messages quote
the input.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from ordain.runtime.serving.errors import Problem, RequestError, refused

if TYPE_CHECKING:
    from ordain.runtime.encoding import Input

MAXIMUM_BYTES = 1 << 20
MAXIMUM_RECORDS = 1000
MAXIMUM_TEXT = 1000
MAXIMUM_FREE_TEXT = 10_000
MAXIMUM_PROBLEMS = 100
_SHOWN_NAME = 64
_SHOWN_LEVELS = 20
_WHOLE = 1 << 63
_TEXTS = ("category", "text", "date")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?)?", re.ASCII)

Check = Callable[[object], object]


class _Unfit(Exception):
    """A value that a field cannot take; the arguments are code, message and remedy."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The fields that one model takes on one route.

    `texts` are the inputs whose values are texts; an empty one is missing, because training has
    read it so from every source.
    """

    checks: tuple[tuple[str, Check, bool], ...]
    known: frozenset[str]
    texts: frozenset[str]

    @classmethod
    def read(cls, inputs: Iterable[Input], routing: Iterable[str]) -> Self:
        """The contract of a model's inputs and of the fields that the route's rules read."""
        given = tuple(inputs)
        checks = [(one.name, _check(one), not one.missing) for one in given]
        taken = {name for name, _, _ in checks}
        checks += [(name, _scalar, False) for name in sorted(set(routing) - taken)]
        texts = frozenset(one.name for one in given if one.type in _TEXTS)
        return cls(tuple(checks), frozenset(name for name, _, _ in checks), texts)

    def accept(
        self, record: Mapping[str, object], problems: list[Problem], place: int | None = None
    ) -> dict[str, object]:
        """The values that were sent, in the contract's order; faults go to `problems`.

        An absent field and null are the same: missing. So is an empty text where a text is taken.
        """
        accepted: dict[str, object] = {}
        for name, check, needed in self.checks:
            value = record.get(name)
            if value is None or (value == "" and name in self.texts):
                if needed:
                    problems.append(_missing(name, place))
                continue
            try:
                accepted[name] = check(value)
            except _Unfit as unfit:
                code, message, remedy = unfit.args
                problems.append(Problem(code, f"{name} {message}", remedy, name, place))
        if not record.keys() <= self.known:
            problems.extend(_unknown(name, place) for name in sorted(record.keys() - self.known))
        return accepted


def parse_body(data: bytes) -> tuple[list[Mapping[str, object]], bool]:
    """The records of a body, and whether it was a batch.

    Raises:
        RequestError: 400 when it is not JSON in UTF-8; 413 for too many records; 422 for another
            shape, or a field that is given twice.
    """
    body = _parse(data)
    if not isinstance(body, dict):
        raise refused(422, "REQ101", "the body is not a JSON object", _SHAPE)
    records = body.get("records")
    if not isinstance(records, list) or len(body) != 1:
        return [body], False
    if len(records) > MAXIMUM_RECORDS:
        message = f"the batch has {len(records)} records; {MAXIMUM_RECORDS} are allowed"
        raise refused(413, "REQ103", message, "send several smaller batches")
    if not records or not all(isinstance(record, dict) for record in records):
        message = "records is not a list of JSON objects with at least one"
        raise refused(422, "REQ101", message, _SHAPE, field="records")
    return records, True


def too_large() -> RequestError:
    """The refusal of a body above the limit."""
    message = f"the body is larger than {MAXIMUM_BYTES} bytes"
    return refused(413, "REQ102", message, "send several smaller batches")


_SHAPE = 'send one record such as {"income": 1200}, or {"records": [...]}'


def _parse(data: bytes) -> object:
    try:
        return json.loads(data.decode(), object_pairs_hook=_once)
    except _Unfit as twin:
        message = "a field is given twice in one record"
        raise refused(422, "REQ116", message, "send it once", field=twin.args[0]) from None
    except UnicodeDecodeError:
        raise refused(400, "REQ100", "the body is not UTF-8", "send JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        message = f"the body is not JSON: line {error.lineno} column {error.colno}"
        raise refused(400, "REQ100", message, "send one JSON object") from None
    except (ValueError, RecursionError):
        message = "the body is not JSON that can be read: a number is too long or it is too deep"
        raise refused(400, "REQ100", message, "send one flat JSON object") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object of which no field is given twice: two readers could take different ones."""
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Unfit(_shown(next(name for name in names if names.count(name) > 1)))
    return record


def _check(one: Input) -> Check:
    match one.type:
        case "float":
            return _within(_number, one)
        case "int":
            return _within(_whole, one)
        case "bool":
            return _truth
        case "date":
            return _moment
        case "text":
            return _free_text
        case _:
            return _level(one)


def _number(value: object) -> float:
    if type(value) is float or type(value) is int:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
        raise _Unfit("REQ113", "is not a finite number", "send a finite number, or null if missing")
    raise _Unfit("REQ112", "is not a number", "send a JSON number")


def _whole(value: object) -> int:
    number = _number(value)
    if number != math.floor(number):
        raise _Unfit("REQ112", "is not a whole number", "send a JSON number without a fraction")
    if not -_WHOLE <= number < _WHOLE:
        raise _Unfit("REQ114", "is too large a whole number", "send a number of 64 bits")
    return value if type(value) is int else int(number)


def _truth(value: object) -> bool:
    if type(value) is bool:
        return value
    raise _Unfit("REQ112", "is not a truth value", "send true or false")


def _moment(value: object) -> str:
    """A day or a time of UTC, kept as it was sent: what is recorded is what was scored."""
    if type(value) is not str:
        raise _Unfit("REQ112", "is not a text", "send a JSON string such as 2026-01-31")
    if _MOMENT.fullmatch(value):
        try:
            datetime.fromisoformat(value)
        except ValueError:  # A thirteenth month, or a minute 60.
            pass
        else:
            return value
    raise _Unfit("REQ124", "is no day or time of UTC", "send 2026-01-31, or 2026-01-31T09:30:00Z")


def _free_text(value: object) -> str:
    text = _unicode(value)
    if len(text) > MAXIMUM_FREE_TEXT:
        message = f"is longer than {MAXIMUM_FREE_TEXT} characters"
        raise _Unfit("REQ119", message, "send a shorter text")
    return text


def _text(value: object) -> str:
    text = _unicode(value)
    if len(text) > MAXIMUM_TEXT:
        raise _Unfit(
            "REQ117", f"is longer than {MAXIMUM_TEXT} characters", "send the level, not a text"
        )
    return text


def _unicode(value: object) -> str:
    if type(value) is not str:
        raise _Unfit("REQ112", "is not a text", "send a JSON string")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _Unfit("REQ112", "is not valid Unicode", "send whole characters") from None
    return value


def _scalar(value: object) -> object:
    """A field that only the route's rules read."""
    if type(value) is bool:
        return value
    if type(value) is str:
        return _text(value)
    if type(value) is int or type(value) is float:
        _number(value)
        return value
    raise _Unfit("REQ112", "is not a text, a number or a truth value", "send one value")


def _within(check: Callable[[object], float], one: Input) -> Check:
    if one.range is None:
        return check
    low, high = one.range
    message = f"is not from {low:.15g} to {high:.15g}"

    def accept(value: object) -> object:
        number = check(value)
        if low <= number <= high:
            return number
        raise _Unfit("REQ114", message, "send a value in the range that the Dataset declares")

    return accept


def _level(one: Input) -> Check:
    if one.unknown != "refuse" or one.levels is None:
        return _text
    levels = frozenset(one.levels)
    shown = ", ".join(one.levels[:_SHOWN_LEVELS]) + (", …" if len(levels) > _SHOWN_LEVELS else "")

    def accept(value: object) -> object:
        if _text(value) in levels:
            return value
        raise _Unfit("REQ115", "is a level that the model does not know", f"send one of: {shown}")

    return accept


def _missing(name: str, place: int | None) -> Problem:
    return Problem("REQ111", f"{name} is missing", f"send a value for {name}", name, place)


def _unknown(name: str, place: int | None) -> Problem:
    shown = _shown(name)
    message = f"{shown} is a field that neither the model nor the route takes"
    return Problem("REQ110", message, "leave it out", shown, place)


def _shown(name: str) -> str:
    """A field's name as it may be repeated to the caller: short, and without control characters."""
    short = name if len(name) <= _SHOWN_NAME else name[: _SHOWN_NAME - 1] + "…"
    return "".join(one if one.isprintable() else "?" for one in short)
