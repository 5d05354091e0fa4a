"""What is recorded: control events and predictions, and how they become bytes.

Bytes are the canonical JSON of `ordain.specs.canonical`; the encoder here has the same settings and
is made once, because making it for every record costs a tenth of the append. A test holds the two
equal. orjson would be faster still, but writes `1e-7` where Python writes `1e-07`, and a record
must have one byte string only.

A prediction holds no protected attribute (evidence joins those from a Dataset by entity). Outcomes,
overrides and explanations will be records of their own that point at the prediction's id; an
encrypted `inputs` is still JSON, so erasing by key needs no other format.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from ordain.ledger.errors import LedgerRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KIND = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that ordain did, decided or refused.

    `kind` is dotted words (`gate.refused`, `stage.started`); `actor` is a person, or the name of
    the machine part; `subject` is what it was done to (`Model/credit-default`, a commit); `data` is
    any JSON object. `time` is aware.
    """

    time: datetime
    actor: str
    kind: str
    subject: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer of one model to one request.

    `rule` is the route's rule that matched and `draw` the number in [0, 1) that chose among its
    weights (both absent for the default); `artifact` is the digest that answered; `output` is the
    model's raw answer and `decision` what the route made of it with `threshold`; `latency_us` is
    from the request's last byte to the answer being ready; `key_id` names the caller's key.
    """

    id: str
    time: datetime
    route: str
    rule: str | None
    draw: float | None
    deployment: str
    model: str
    version: str
    artifact: str
    inputs: Mapping[str, Any]
    output: Any
    decision: str | None
    threshold: float | None
    latency_us: int
    key_id: str | None


Record = Event | Prediction


class Entry(NamedTuple):
    """A record as it will stand in a line: `"type":…,"value":…}` and the newline, and its time."""

    body: bytes
    time: str


_TYPES = {Event: "event", Prediction: "prediction"}
_CLASSES: dict[str, type[Record]] = {name: cls for cls, name in _TYPES.items()}
# Sorted names make the encoder's sort of the outer object a walk over a sorted list.
_FIELDS = {cls: tuple(sorted(field.name for field in fields(cls))) for cls in _TYPES}
_VALUES = {cls: attrgetter(*names) for cls, names in _FIELDS.items()}
_encode_json = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


def rfc3339(moment: datetime) -> str:
    """A moment in UTC with microseconds, such as `2026-01-31T09:30:00.000000Z`.

    Such strings sort as the moments do.

    Raises:
        LedgerRecordError: the moment has no time zone.
    """
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise LedgerRecordError(
                f"the time {moment.isoformat()} has no time zone",
                remedy="pass an aware datetime, such as datetime.now(UTC)",
            )
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"  # without "+00:00"


def encode(record: Record) -> Entry:
    """The bytes of a record.

    Raises:
        LedgerRecordError: a value that JSON cannot say, a naive time, a kind that is not dotted
            words.
    """
    cls = type(record)
    if isinstance(record, Event) and not _KIND.fullmatch(record.kind):
        raise LedgerRecordError(
            f"event kind {record.kind!r} is not dotted lower-case words",
            remedy="name it like gate.refused or stage.started",
        )
    value = dict(zip(_FIELDS[cls], _VALUES[cls](record), strict=True))
    value["time"] = rfc3339(record.time)
    return Entry(encode_value(_TYPES[cls], value), value["time"])


def encode_value(type_: str, value: dict[str, Any]) -> bytes:
    """The end of a line: `"type":"…","value":{…}}` and the newline.

    Raises:
        LedgerRecordError: a value that JSON cannot say.
    """
    try:
        return f'"type":"{type_}","value":{_encode_json(value)}}}\n'.encode()
    except (TypeError, ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError.
        raise LedgerRecordError(
            f"a record of type {type_} cannot be written as JSON: {error}",
            remedy="record text, finite numbers, booleans, null, and lists and objects of these",
        ) from error


def decode(type_: str, value: dict[str, Any]) -> Record | None:
    """The record in a line, or None for the ledger's own lines (`chain.opened` and its kin).

    Raises:
        TypeError: a field is missing or unknown.
        ValueError: the time is not RFC 3339.
        KeyError: there is no time.
    """
    cls = _CLASSES.get(type_)
    if cls is None:
        return None
    return cls(**{**value, "time": datetime.fromisoformat(value["time"])})
