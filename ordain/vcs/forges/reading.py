"""What a forge answered, read field by field.

An answer is believed only where it has the documented shape. A missing field, a text where a number
was due, a date without a zone: each is an error that names the question and the field, because the
other way out is a guess, and a guess about a review can let a change through. A model per resource
in pydantic was refused: of a hundred documented fields ten are needed, and those ten are read here
by the line that uses them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ordain.vcs.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of an answer, with the question it answers and its place in it.

    `remedy` is what to do where the answer is not as documented.
    """

    value: object
    question: str
    remedy: str
    place: str = ""

    def wrong(self, key: str, wanted: str) -> HostError:
        """The error for a field that is not what was documented."""
        place = ".".join(part for part in (self.place, key) if part) or "the answer"
        return HostError(f"{self.question}: {place} is not {wanted}", remedy=self.remedy)

    def _members(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            raise self.wrong("", "an object")
        return self.value

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._members().get(key) is not None

    def _get(self, key: str, wanted: str) -> object:
        members = self._members()
        if key not in members:
            raise self.wrong(key, f"there, where {wanted} is documented")
        return members[key]

    def text(self, key: str) -> str:
        value = self._get(key, "a text")
        if not isinstance(value, str):
            raise self.wrong(key, "a text")
        return value

    def name(self, key: str) -> str:
        """A text that is not empty."""
        value = self.text(key)
        if not value:
            raise self.wrong(key, "a text with anything in it")
        return value

    def text_or_null(self, key: str) -> str:
        """A text, empty where the forge says null; the field itself has to be there."""
        return "" if self._get(key, "a text or null") is None else self.text(key)

    def number(self, key: str) -> int:
        value = self._get(key, "a number")
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, "a whole number")
        return value

    def identifier(self, key: str) -> int:
        value = self.number(key)
        if value < 1:
            raise self.wrong(key, "a number above 0")
        return value

    def flag(self, key: str) -> bool:
        value = self._get(key, "true or false")
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def time(self, key: str) -> datetime:
        """A moment with its zone, as UTC."""
        text = self.text(key)
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise self.wrong(key, "a time") from None
        if found.tzinfo is None:
            raise self.wrong(key, "a time with a zone")
        try:
            return found.astimezone(UTC)
        except OverflowError:
            raise self.wrong(key, "a time") from None

    def commit(self, key: str) -> str:
        """The full name of a commit; it goes to git, so that nothing else may stand there."""
        text = self.text(key)
        if _COMMIT.fullmatch(text) is None:
            raise self.wrong(key, "the name of a commit")
        return text

    def commit_or_null(self, key: str) -> str:
        return "" if self._get(key, "the name of a commit or null") is None else self.commit(key)

    def at(self, key: str) -> Reading:
        """The object below a key."""
        value = self._get(key, "an object")
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return Reading(value, self.question, self.remedy, self._below(key))

    def at_or_null(self, key: str) -> Reading | None:
        return None if self._get(key, "an object or null") is None else self.at(key)

    def items(self, key: str = "") -> Iterator[Reading]:
        """The objects of a list; without a key the answer itself is the list."""
        value = self._get(key, "a list") if key else self.value
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        for index, one in enumerate(value):
            yield Reading(one, self.question, self.remedy, f"{self._below(key)}[{index}]")

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a list."""
        value = self._get(key, "a list")
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def _below(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place and key else self.place or key
