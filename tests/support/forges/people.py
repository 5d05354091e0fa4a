"""Accounts as both forges know them: a number that stays, a login that may change, and an end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["User", "Bot"]


@dataclass(slots=True, eq=False)
class Person:
    """An account. Whoever holds it sees a new login, and that it was deleted."""

    login: str
    id: int
    kind: Kind
    name: str
    email: str
    deleted: bool = False
    blocked: bool = False


# Both forges show a stand-in for accounts that are gone; GitHub's has this number in public.
GHOST = Person("ghost", 10137, "User", "Ghost User", "ghost@noreply.example.org")


@dataclass(slots=True)
class People:
    """The accounts of a forge. Both forges compare logins without regard to case."""

    all: list[Person] = field(default_factory=list)

    def add(
        self,
        login: str,
        *,
        id: int | None = None,  # noqa: A002 - the API's own name
        bot: bool = False,
        name: str | None = None,
        email: str | None = None,
    ) -> Person:
        number = 1001 + len(self.all) if id is None else id
        mail = email or f"{number}+{login}@users.noreply.example.org"
        person = Person(login, number, "Bot" if bot else "User", name or login, mail)
        self.all.append(person)
        return person

    def find(self, login: str) -> Person | None:
        """A living account by its present login."""
        wanted = login.casefold()
        living = (one for one in self.all if not one.deleted)
        return next((one for one in living if one.login.casefold() == wanted), None)

    def numbered(self, number: int) -> Person | None:
        return next((one for one in self.all if one.id == number and not one.deleted), None)

    def mailed(self, email: str) -> Person | None:
        living = (one for one in self.all if not one.deleted)
        return next((one for one in living if one.email == email), None)

    def need(self, login: str) -> Person:
        """An account by login, made on first mention; `[bot]` at the end makes it a bot."""
        return self.find(login) or self.add(login, bot=login.endswith("[bot]"))
