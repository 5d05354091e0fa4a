"""The fields of a protobuf message, without protobuf.

The C++ binding hands its checked tree over as serialized protobuf. The library that reads such
messages would cost the start of every command more than a whole check of a small estate, and all
that is needed here is the wire format: numbered fields that are an integer, eight bytes or a piece
of bytes (https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_CONTINUES: Final = 0x80
_SIGN: Final = 1 << 63


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned integer that begins at a position, and the position after it."""
    value = data[at]
    at += 1
    if value < _CONTINUES:
        return value, at
    value &= 0x7F
    shift = 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < _CONTINUES:
            return value, at
        shift += 7


def signed(value: int) -> int:
    """An int64 out of the unsigned integer that carries it."""
    return value - (_SIGN << 1) if value & _SIGN else value


def double(data: bytes) -> float:
    """A double out of its eight bytes."""
    (value,) = struct.unpack("<d", data)
    return float(value)


def fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Every field of a message, in order: its number, its integer and its bytes.

    One of the two is empty: an integer comes with `b""`, bytes come with 0.

    Raises:
        ValueError: for a wire type that none of the messages here has.
    """
    at, end = 0, len(data)
    while at < end:
        # Nearly every key and every length is one byte, which is not worth a call.
        key, at = (data[at], at + 1) if data[at] < _CONTINUES else varint(data, at)
        kind = key & 7
        if kind == _BYTES:
            size, at = (data[at], at + 1) if data[at] < _CONTINUES else varint(data, at)
            yield key >> 3, 0, data[at : at + size]
            at += size
        elif kind == _VARINT:
            value, at = varint(data, at)
            yield key >> 3, value, b""
        elif kind == _FIXED64:
            yield key >> 3, 0, data[at : at + 8]
            at += 8
        else:
            raise ValueError(f"wire type {kind} is not one of a checked expression")


def packed(data: bytes) -> list[int]:
    """The integers of a packed field."""
    found, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        found.append(value)
    return found
