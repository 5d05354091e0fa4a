"""The header of a `.npy` file, read without NumPy: numbers only, and as many as it says.

A `.npy` file of the element type `object` is a pickle with a prefix. NumPy refuses it where
`allow_pickle` is false; here it is refused before NumPy sees it, by the header, so that no setting
of a library stands between a crafted file and the unpickler.
"""

from __future__ import annotations

import ast
import math
import re
from typing import Any

MAXIMUM_HEADER = 10_000

_MAGIC = b"\x93NUMPY\x01\x00"
# Booleans, integers, floats, and text of a fixed width.
_NUMBER = re.compile(r"[<|](?:b1|[iu][1248]|f[248]|U[1-9][0-9]{0,5})|\|V[1-8]")


def refuse_objects(data: bytes) -> None:
    """Refuse what is no array of plain values.

    Raises:
        ValueError: saying what it is.
    """
    if not data.startswith(_MAGIC) or len(data) < 10:  # noqa: PLR2004 - magic and a length
        raise ValueError("is no .npy file of the version 1.0")
    end = 10 + int.from_bytes(data[8:10], "little")
    if end - 10 > MAXIMUM_HEADER or end > len(data):
        raise ValueError("has a header of a wrong length")
    header = _header(data[10:end])
    width = _width(header["descr"])
    shape = header["shape"]
    if not (isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)):
        raise ValueError("has no shape")
    if math.prod(shape) * width != len(data) - end:
        raise ValueError("holds fewer or more values than its header says")


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = ast.literal_eval(text.decode("latin-1"))
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError("has a header that cannot be read") from error
    if not isinstance(header, dict) or header.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError("has a header that cannot be read")
    return header


def _width(descr: object) -> int:
    """Bytes of one element; a structured one is a list of (name, type) with plain types."""
    if isinstance(descr, str):
        if _NUMBER.fullmatch(descr) is None:
            raise ValueError(f"holds {descr!r}, and not numbers")
        size = int(descr[2:])
        return size * 4 if descr[1] == "U" else size
    if isinstance(descr, list) and descr and all(_is_field(field) for field in descr):
        return sum(_width(field[1]) for field in descr)
    raise ValueError(f"holds {descr!r}, and not numbers")


def _is_field(field: object) -> bool:
    return (
        isinstance(field, tuple)
        and len(field) == 2  # noqa: PLR2004 - name and type
        and isinstance(field[0], str)
        and isinstance(field[1], str)
    )
