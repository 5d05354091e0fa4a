"""What a pattern cannot say about a text: that the day exists, that the key can be read.

A gate that accepts the thirteenth month finds out at the moment when the date is needed, which is
when a key expires or a waiver ends. Keys are read as far as their own bytes tell: whether the
numbers inside are a point on the curve is asked where signatures are verified, with a library that
checking two hundred documents must not pay for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.specs.addresses import is_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DAY_LENGTH: Final = len("2026-11-20")
_SECONDS_LENGTH: Final = len("2026-11-20T09:30:00")
_ED25519: Final = b"ssh-ed25519"
_ED25519_BYTES: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A test of a text that has the right form already: its code, and what to write instead.

    `holds` says whether the text is accepted; `problem` follows the text in the message.
    """

    code: str
    holds: Callable[[str], bool]
    problem: str
    remedy: str


def is_day(text: str) -> bool:
    """Whether a day such as 2026-11-20 is in the calendar."""
    return _is_time(text[:_DAY_LENGTH])


def is_instant(text: str) -> bool:
    """Whether an instant such as 2026-11-20T09:30:00Z is in the calendar and on the clock."""
    return _is_time(text[:_SECONDS_LENGTH])


def _is_time(text: str) -> bool:
    from datetime import datetime

    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_public_key(line: str) -> bool:
    """Whether a line `type base64 [comment]` holds a key of the type that it names (RFC 4253, 6.6).

    An encoded key is a list of byte strings, each after its length; the first is the type again.
    """
    from base64 import b64decode

    parts = line.split(None, 2)
    try:
        kind, *rest = _strings(b64decode(parts[1], validate=True))
    except (IndexError, ValueError):
        return False
    if kind == _ED25519 and [len(one) for one in rest] != [_ED25519_BYTES]:
        return False
    return kind == parts[0].encode() and bool(rest)


def _strings(blob: bytes) -> Iterator[bytes]:
    """The byte strings of an encoded key; ValueError when the last one is cut off."""
    while blob:
        length, rest = int.from_bytes(blob[:4], "big"), blob[4:]
        if length > len(rest):
            raise ValueError("the key is cut off")
        yield rest[:length]
        blob = rest[length:]


DAY_EXISTS: Final = Check(
    "SPEC112", is_day, "is a day that does not exist", "write a day of the calendar"
)
INSTANT_EXISTS: Final = Check(
    "SPEC112",
    is_instant,
    "is an instant that does not exist",
    "write a day of the calendar and a time from 00:00:00 to 23:59:59",
)
PUBLIC_KEY: Final = Check(
    "SPEC113",
    is_public_key,
    "is no public key that can be read",
    "paste one whole line of a .pub file, such as `ssh-ed25519 AAAA... comment`",
)
ADDRESS: Final = Check(
    "SPEC148",
    is_address,
    "is no address that may stand in a document",
    "write https://HOST/PATH, without a user, a password or a query",
)
