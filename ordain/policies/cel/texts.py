"""The functions on text, and conversions between text and numbers.

Each takes exactly what CEL gives it and raises for the rest, and for the corners in which Python
and CEL go different ways (spaces and digits of other scripts, a float as text).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel.patterns import effort
from ordain.policies.cel.times import Timestamp
from ordain.policies.cel.values import ABSENT, Declined, integer, short, sized, take

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORT: Final = 64
_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_LARGEST_EXACT: Final = 2.0**53
_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


def _text(*values: Any) -> None:  # noqa: ANN401 - any CEL value
    for value in values:
        if value.__class__ is not str:
            raise Declined


def _walk(length: int, meter: list[int] | None) -> None:
    """Count what is gone through in a loop, whatever comes of it."""
    if meter is not None and length > _SHORT:
        take(meter, length >> 3)


def starts_with(text: Any, prefix: Any) -> bool:  # noqa: ANN401
    _text(text, prefix)
    short(text, prefix)
    return bool(text.startswith(prefix))


def ends_with(text: Any, suffix: Any) -> bool:  # noqa: ANN401
    _text(text, suffix)
    short(text, suffix)
    return bool(text.endswith(suffix))


def includes(text: Any, part: Any, meter: list[int] | None = None) -> bool:  # noqa: ANN401
    _text(text, part)
    if meter is not None:
        take(meter, len(text) >> 5)
    return part in text


def lower(text: Any, meter: list[int] | None = None) -> str:  # noqa: ANN401
    _text(text)
    return str(sized(text.translate(_LOWER), meter))


def upper(text: Any, meter: list[int] | None = None) -> str:  # noqa: ANN401
    _text(text)
    return str(sized(text.translate(_UPPER), meter))


def trim(text: Any, meter: list[int] | None = None) -> str:  # noqa: ANN401
    _text(text)
    _walk(len(text), meter)
    if not text.isascii():
        raise Declined
    return str(sized(text.strip(" \t\n\v\f\r"), meter))


def join(parts: Any, separator: Any = "", meter: list[int] | None = None) -> str:  # noqa: ANN401
    _text(separator)
    if not isinstance(parts, list):
        raise Declined
    _walk(4 * len(parts), meter)
    _text(*parts)
    return str(sized(separator.join(parts), meter))


def split(text: Any, separator: Any, meter: list[int] | None = None) -> list[str]:  # noqa: ANN401
    _text(text, separator)
    _walk(len(text), meter)
    if not separator:
        return list(sized(text, meter)) or [""]
    return list(sized(text.split(separator), meter))


def replace(text: Any, old: Any, new: Any, meter: list[int] | None = None) -> str:  # noqa: ANN401
    _text(text, old, new)
    sized(range(len(text) + text.count(old) * len(new)), meter)
    return str(text.replace(old, new))


def substring(
    text: Any,  # noqa: ANN401
    start: Any,  # noqa: ANN401
    end: Any = ABSENT,  # noqa: ANN401 - a null is given, and refused
    meter: list[int] | None = None,
) -> str:
    _text(text)
    stop = len(text) if end is ABSENT else end
    if start.__class__ is not int or stop.__class__ is not int or not 0 <= start <= stop:
        raise Declined
    if stop > len(text):
        raise Declined
    return str(sized(text[start:stop], meter))


def index_of(text: Any, part: Any, meter: list[int] | None = None) -> int:  # noqa: ANN401
    _text(text, part)
    if meter is not None:
        take(meter, len(text) >> 5)
    return int(text.find(part))


def character(text: Any, at: Any) -> str:  # noqa: ANN401
    _text(text)
    if at.__class__ is not int or not 0 <= at <= len(text):
        raise Declined
    return str(text[at : at + 1])


def searched(
    matches: Callable[[Any, Any], bool],
    text: Any,  # noqa: ANN401
    pattern: Any,  # noqa: ANN401
    meter: list[int],
) -> bool:
    """`text.matches(pattern)` of RE2, which no loop bounds and which cannot be interrupted."""
    _text(text, pattern)
    take(meter, effort(pattern, len(text)))
    return matches(text, pattern)


def to_text(value: Any) -> str:  # noqa: ANN401
    """`string(value)`; a double has many texts, and the exact evaluator knows the right one."""
    if value.__class__ is str:
        return str(value)
    if value is True or value is False:
        return "true" if value else "false"
    if value.__class__ is int:
        return str(value)
    raise Declined


def to_integer(value: Any) -> int:  # noqa: ANN401
    """`int(value)`."""
    if value.__class__ is int:
        return int(value)
    if value.__class__ is float and abs(value) < _LARGEST_EXACT:
        return int(value)
    if value.__class__ is str and _NUMBER.fullmatch(value):
        return integer(int(value))
    if value.__class__ is Timestamp:
        return int(value.nanoseconds // 1_000_000_000)
    raise Declined


def to_double(value: Any) -> float:  # noqa: ANN401
    """`double(value)`."""
    if value.__class__ is float or value.__class__ is int:
        return float(value)
    if value.__class__ is str and _DECIMAL.fullmatch(value):
        return float(value)
    raise Declined


def to_bool(value: Any) -> bool:  # noqa: ANN401
    """`bool(value)`."""
    if value is True or value is False:
        return bool(value)
    if value in {"true", "false"}:
        return bool(value == "true")
    raise Declined
