"""People, keys, accounts and addresses: each is one person's.

Approvals and commits are known by keys and accounts, and duties are separated between names.
Whatever lets one stand for two, or two for one, lets somebody approve their own work; so it is
refused over all Organizations of an estate together, which is how people are looked up.

An account is one person's by its number and by its login, each on its own: a login that was taken
over by somebody else is listed with another number, and would be two people's. Letters of logins
and addresses have no case, because the forges and mail servers do not look at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity
from ordain.specs.paths import values_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Location

RECONCILER: Final = "reconciler"
# Whoever made something that nobody known has signed; no name has spaces.
UNKNOWN: Final = "an unknown signer"
# Whatever a person is known by beside keys, and what it is called.
_ACCOUNTS: Final = "spec.people.*.accounts.*"
_EMAILS: Final = "spec.people.*.emails.*"
_PEOPLE: Final = "spec.people.*.name"


def check_people(estate: LoadedEstate) -> Iterator[Finding]:
    """Nobody is called like the machine, or shares a name, a key, an account or an address."""
    organizations = estate.all("Organization")
    for document in organizations:
        yield from _machine_names(document)
    yield from _namesakes(organizations)
    yield from _shared_keys(organizations)
    yield from _shared_marks(organizations)


def _machine_names(document: Document) -> Iterator[Finding]:
    for path, name in values_at(document.raw, _PEOPLE):
        if name == RECONCILER:
            yield Finding(
                "REF015",
                Severity.ERROR,
                f"no person can be called `{RECONCILER}`: it is the name of the machine account",
                document.marks.value(*path),
                remedy="give the person another name; keys of the machine stand under `reconciler`",
            )


def _namesakes(organizations: Iterable[Document]) -> Iterator[Finding]:
    seen: dict[str, Location] = {}
    for document in organizations:
        for path, name in values_at(document.raw, _PEOPLE):
            place = document.marks.value(*path)
            first = seen.setdefault(str(name), place)
            if first is not place:
                message = f"there are two of the person `{name}`"
                yield _again(message, place, first, "rename or remove one of the two")


def _shared_keys(organizations: Iterable[Document]) -> Iterator[Finding]:
    """A key that two people hold would let one approve as the other."""
    holders: dict[bytes, tuple[str, Location]] = {}
    for document in organizations:
        for holder, key, place in _keys(document):
            first, where = holders.setdefault(_material(key), (holder, place))
            if first != holder:
                message = "this key belongs to someone else already"
                remedy = "everyone has a key of their own; the machine has one, too"
                yield _again(message, place, where, remedy)


def _shared_marks(organizations: Iterable[Document]) -> Iterator[Finding]:
    """An account or address of two people would be two contributors, or two approvers, in one."""
    holders: dict[tuple[str, ...], tuple[str, Location]] = {}
    for document in organizations:
        for holder, mark, place in _marks(document):
            first, where = holders.setdefault(mark, (holder, place))
            if first != holder:
                message = f"this {mark[0]} belongs to someone else already"
                yield _again(message, place, where, f"list the {mark[0]} once, with whose it is")


def _marks(document: Document) -> Iterator[tuple[str, tuple[str, ...], Location]]:
    """(who is known by it, what it is, where it stands)."""
    for path, account in values_at(document.raw, _ACCOUNTS):
        holder, forge = f"{document.key} {path[2]}", account["forge"]
        for field in ("login", "id"):
            if account.get(field) is not None:
                mark = ("account", forge, field, str(account[field]).lower())
                yield holder, mark, document.marks.value(*path, field)
    for path, email in values_at(document.raw, _EMAILS):
        address = ("address", str(email).strip().lower())
        yield f"{document.key} {path[2]}", address, document.marks.value(*path)


def _keys(document: Document) -> Iterator[tuple[str, str, Location]]:
    """(who holds it, the public key line, where it stands)."""
    for path, key in values_at(document.raw, "spec.people.*.keys.*.public"):
        # Two entries of one name are two people, until the name itself is put right.
        yield f"{document.key} {path[2]}", str(key), document.marks.value(*path)
    for path, key in values_at(document.raw, "spec.reconciler.keys.*.public"):
        yield RECONCILER, str(key), document.marks.value(*path)


def _material(line: str) -> bytes:
    """The key itself: its text has more than one spelling, and a comment behind it.

    The language has read the line already, so that it has two parts and the second can be decoded.
    """
    from base64 import b64decode

    return b64decode(line.split(None, 2)[1])


def _again(message: str, place: Location, first: Location, remedy: str) -> Finding:
    related = ((first, "first here"),)
    return Finding("REF013", Severity.ERROR, message, place, remedy=remedy, related=related)
