"""The encoding that SSH keys and signatures are written in: length-prefixed byte strings.

Source: RFC 4251 section 5. A reader that meets anything short, long or left over raises
ValueError; what a signature covers must not be open to interpretation.
"""

from __future__ import annotations

from dataclasses import dataclass


def string(data: bytes) -> bytes:
    """A string: its length as four bytes, then itself."""
    return len(data).to_bytes(4, "big") + data


@dataclass(slots=True)
class Cursor:
    """A position in encoded bytes."""

    data: bytes

    def take(self, count: int) -> bytes:
        if len(self.data) < count:
            raise ValueError("it ends too early")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def uint32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.uint32())

    def mpint(self) -> int:
        """A non-negative integer of any size."""
        value = int.from_bytes(self.string(), "big", signed=True)
        if value < 0:
            raise ValueError("a number is negative")
        return value

    def end(self) -> None:
        if self.data:
            raise ValueError("something follows its end")
