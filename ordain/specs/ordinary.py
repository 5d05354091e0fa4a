"""The short way through the loader: the values of a file in which nothing is unusual.

Nine files of ten hold no anchor, no tag, no odd key and no mistake, and nobody ever asks where
something stands in them. For these the marks need not be kept and few questions need be asked,
which saves a fifth of the whole time of a check. It is the same parser and the same rules for
scalars; at the first thing that is not ordinary this module says nothing at all and `loader` reads
the file again from its beginning, so that every finding and every mark has one author. A test
holds both ways equal on whatever can be generated.

Refused: a faster parser for simple files. Two grammars differ somewhere, and a gate that reads
other values than the tool behind it can be talked round.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.events import DocumentStartEvent, MappingStartEvent, SequenceStartEvent, StreamEndEvent

from ordain.specs.scalars import CONSTANTS, NUMERIC, ODD_KEYS, NumberError, plain_value

if TYPE_CHECKING:
    from collections.abc import Callable

    # PyYAML's types know events by their classes only; what is in them is checked by the tests.
    Get = Callable[[], Any]

# Below all limits of the loader: a file this small has fewer values and documents than it allows.
_SMALL: Final = 30_000
_DEEP: Final = 32

# The stubs allow for events without values, which no parser makes.
ScalarEvent: Any = yaml.ScalarEvent
MappingEndEvent: Any = yaml.MappingEndEvent
SequenceEndEvent: Any = yaml.SequenceEndEvent


# Few numbers are written in many places; the same text is the same number everywhere.
_plain = lru_cache(maxsize=1_000)(plain_value)


class _UnusualError(Exception):
    """The loader has to look at this file."""


def ordinary_values(data: bytes, parser: Any) -> list[Any] | None:  # noqa: ANN401 - PyYAML's
    """The value of every document of a file, or None where only the loader may answer.

    Without an ampersand there is no anchor, and without an exclamation mark no tag; in text they
    may stand for themselves, which the loader finds out.
    """
    if len(data) > _SMALL or b"&" in data or b"!" in data:
        return None
    found: list[Any] = []
    get: Get = parser(data).get_event
    try:
        while (event := get()).__class__ is not StreamEndEvent:
            if event.__class__ is DocumentStartEvent:
                found.append(_value(get(), get, _DEEP))
    except (_UnusualError, NumberError, yaml.YAMLError):
        return None
    return found


def _value(event: Any, get: Get, deeper: int) -> Any:  # noqa: ANN401 - any YAML value
    kind = event.__class__
    if not deeper:
        raise _UnusualError
    if kind is MappingStartEvent:
        return _mapping(get, deeper - 1)
    if kind is SequenceStartEvent:
        return _sequence(get, deeper - 1)
    if kind is ScalarEvent:
        return _plain(event.value) if event.implicit[0] else event.value
    raise _UnusualError


def _mapping(get: Get, deeper: int) -> dict[str, Any]:
    """The rest of a mapping; scalars are handled here because a call costs as much as one."""
    found: dict[str, Any] = {}
    while (event := get()).__class__ is ScalarEvent:
        key = event.value
        if key in found or (event.implicit[0] and (key in ODD_KEYS or key[0] in NUMERIC)):
            raise _UnusualError
        event = get()
        if event.__class__ is ScalarEvent:
            value = event.value
            if event.implicit[0] and (value in CONSTANTS or value[0] in NUMERIC):
                value = _plain(value)
        else:
            value = _value(event, get, deeper)
        found[key] = value
    if event.__class__ is not MappingEndEvent:
        raise _UnusualError
    return found


def _sequence(get: Get, deeper: int) -> list[Any]:
    found: list[Any] = []
    while (event := get()).__class__ is not SequenceEndEvent:
        if event.__class__ is ScalarEvent:
            value = event.value
            if event.implicit[0] and (value in CONSTANTS or value[0] in NUMERIC):
                value = _plain(value)
        else:
            value = _value(event, get, deeper)
        found.append(value)
    return found
