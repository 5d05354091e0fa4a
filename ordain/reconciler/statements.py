"""Approvals that are signed on another machine: bytes out, a signature back.

The statement is made here, because only a clone knows what is approved, and signed where the key
is. What comes back is held against what would be approved now: content that has changed since, a
role that is gone, a key of somebody else. Its time is the one at which it was written, and the
commit that it names may lie behind, as long as the files of the change stayed as they were.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ordain.reconciler.errors import ProposalRefused
from ordain.reconciler.history import untouched
from ordain.reconciler.review import (
    ask_approval,
    identity_of,
    record_approval,
    refuse_stranger,
)
from ordain.vcs.approvals import read_statement, statement
from ordain.vcs.detached import Detached
from ordain.vcs.keys import Actor
from ordain.vcs.signatures import APPROVAL, verify

if TYPE_CHECKING:
    from datetime import datetime

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.review import Asked, Reviewer
    from ordain.reconciler.source import Source
    from ordain.vcs.approvals import Approval, Stated


@dataclass(frozen=True, slots=True)
class Signed:
    """The bytes of a statement, and the armoured signature that came back; `place` is its file."""

    statement: bytes
    signature: str
    place: str


def write_statement(
    source: Source,
    identifier: str,
    *,
    by: Reviewer,
    now: datetime,
    good: str | None = None,
) -> tuple[bytes, str]:
    """The bytes that somebody would sign to approve a proposal as it is now, and in which role.

    Raises:
        ProposalRefused: the person has no such role, or contributed.
    """
    asked = ask_approval(source, identifier, by=by, now=now, good=good)
    text = statement(
        asked.change, person=by.person, role=asked.role, time=now, estate=source.root_commit
    )
    return text, asked.role


def approve_signed(
    source: Source,
    ledger: Ledger,
    identifier: str,
    signed: Signed,
    *,
    by: Reviewer,
    now: datetime,
    good: str | None = None,
) -> Approval:
    """Take an approval that was signed elsewhere.

    Raises:
        ProposalRefused: it is not an approval by this person of what the proposal is now.
        BadSignature: the signature does not hold.
    """
    try:
        stated = read_statement(signed.statement, now)
    except ValueError as error:
        raise _other(identifier, by, str(error)) from error
    if by.role not in {None, stated.role}:
        raise _other(identifier, by, f"it is given as {stated.role}, not as {by.role}")
    asked = ask_approval(source, identifier, by=replace(by, role=stated.role), now=now, good=good)
    asked = _held_against(source, asked, stated)
    wanted = statement(
        asked.change,
        person=by.person,
        role=stated.role,
        time=stated.time,
        estate=source.root_commit,
    )
    if wanted != signed.statement:
        raise _other(identifier, by, _difference(stated, asked, by, source))
    key = verify(signed.signature, APPROVAL, signed.statement)
    refuse_stranger(asked.base, key, by.person, signed.place, now)
    actor = Actor(by.person, identity_of(by.person), Detached(key, signed.signature))
    return record_approval(source, ledger, identifier, asked, actor, stated=stated.time, now=now)


def _held_against(source: Source, asked: Asked, stated: Stated) -> Asked:
    """The same approval, seen on the commit of the statement where that comes to the same."""
    change = asked.change
    if untouched(source.repository, stated.base, change.base, change.names):
        return replace(asked, change=replace(change, base=stated.base))
    return asked


def _difference(stated: Stated, asked: Asked, by: Reviewer, source: Source) -> str:
    """The first thing in which a statement is not the one that is asked for."""
    pairs = (
        ("estate", stated.estate, source.root_commit),
        ("person", stated.person, by.person),
        ("change", stated.change, asked.change.digest),
        ("base", stated.base, asked.change.base),
    )
    found = (f"its {name} is {is_}, not {now}" for name, is_, now in pairs if is_ != now)
    return next(found, "its files are not those of the change")


def _other(identifier: str, by: Reviewer, reason: str) -> ProposalRefused:
    return ProposalRefused(
        f"the statement does not approve what {identifier} is now: {reason}",
        remedy=f"write a new one: ordain approve {identifier} --as {by.person} --statement FILE",
    )
