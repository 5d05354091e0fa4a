"""Keys of people as the git side wants them, read from an Organization document."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ordain.specs.errors import SpecError
from ordain.specs.people import RECONCILER
from ordain.vcs.keys import AllowedKey

if TYPE_CHECKING:
    from ordain.specs.documents import LoadedEstate
    from ordain.specs.kinds.organization import Key, Organization, Person


def organization_of(estate: LoadedEstate) -> Organization:
    """The one Organization of an estate.

    Raises:
        SpecError: there is none, or there are several.
    """
    found = estate.all("Organization")
    if len(found) != 1:
        message = f"an estate has exactly one Organization, this one has {len(found)}"
        raise SpecError(message, remedy="declare people in specs/organization.yaml")
    organization: Organization = found[0].spec
    return organization


def allowed_keys(organization: Organization) -> tuple[AllowedKey, ...]:
    """The keys of all people and of the reconciler."""
    keys = [_allowed(person.name, key) for person in organization.people for key in person.keys]
    keys += [_allowed(RECONCILER, key) for key in organization.reconciler.keys]
    return tuple(keys)


def find_person(organization: Organization, name: str) -> Person:
    """A person by name.

    Raises:
        SpecError: nobody has that name.
    """
    for person in organization.people:
        if person.name == name:
            return person
    names = ", ".join(person.name for person in organization.people)
    message = f"the organization knows nobody called {name!r}"
    raise SpecError(message, remedy=f"one of: {names}")


def _allowed(person: str, key: Key) -> AllowedKey:
    return AllowedKey(
        person, key.public, _instant(key.valid_from), _instant(key.valid_until), key.revoked
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
