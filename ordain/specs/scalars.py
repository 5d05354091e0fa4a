"""What a plain scalar stands for: the core schema of YAML 1.2 (section 10.3.2 of the standard).

Two things that the schema allows are refused, because nothing behind the loader could keep them:
numbers that are not finite have no canonical form and so no digest, and integers of more than 64
bits would be other numbers to a policy.
"""

from __future__ import annotations

import re
from typing import Any, Final

CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# A plain scalar is text unless it is one of the constants or begins like a number.
NUMERIC: Final = frozenset("-+.0123456789")
ODD_KEYS: Final = frozenset((*CONSTANTS, "<<"))

_INT64 = range(-(2**63), 2**63)
_SURELY_INT64 = 19
# With sign or prefix; what is longer is not even converted.
_LONGEST_INT64 = 24
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BASES = {"0o": 8, "0x": 16}


class NumberError(ValueError):
    """A number that cannot be kept."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def plain_value(text: str) -> Any:  # noqa: ANN401 - a YAML scalar
    """The value of a scalar that was written without quotes.

    Raises:
        NumberError: for what is no finite number, or has more than 64 bits.
    """
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text.isdigit() and text.isascii() and len(text) < _SURELY_INT64:
        return int(text)
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if number - number == 0:
            return number
    elif not _NOT_FINITE.fullmatch(text):
        return text
    remedy = "write a finite number; leave the field out where there is no limit"
    raise NumberError(f"`{text}` is no finite number", remedy)


def _integer(text: str) -> int:
    base = _BASES.get(text[:2], 10)
    digits = text[2:] if text[:2] in _BASES else text
    if len(text.lstrip("+-0")) <= _LONGEST_INT64 and (value := int(digits, base)) in _INT64:
        return value
    remedy = "quote it to keep its digits, or write a float"
    raise NumberError("this integer has more than 64 bits", remedy)
