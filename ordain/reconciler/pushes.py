"""What a git server lets in: every ref of a push is judged before any of them moves.

Who pushes is the account that the server has asked for, never a name in a commit. What may be
pushed depends on the ref:

    the protected branch       merges that the gate lets pass, by whoever signed them (`merging`)
    ordain/promote/*           commits that the reconciler signed
    any other branch           anything, by anybody who may write: it is judged when it is merged
    refs/ordain/approvals/*    one's own, once, and only if the statement holds
    refs/ordain/anchors        forward, signed by the reconciler
    refs/ordain/emergencies/*  once, signed by a manager, by them, another manager or the reconciler
    all else                   nothing: tags, notes and unknown refs would be truth beside the truth

Judging in `update`, ref by ref, was refused: the good refs of a bad push would stay. Whatever
cannot be judged is refused; there is no way to pass by making this break.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.policies.separation import APPROVERS
from ordain.reconciler.history import commits_between, signers
from ordain.reconciler.kept_refs import judge_anchor, judge_approval, judge_emergency
from ordain.reconciler.people import allowed_keys, find_person
from ordain.reconciler.ref_names import twin_of
from ordain.reconciler.refusals import problem, refusal
from ordain.reconciler.served import HEADS
from ordain.specs.errors import FindingsError, OrdainError
from ordain.specs.people import RECONCILER
from ordain.vcs.approvals import PREFIX as APPROVALS
from ordain.vcs.emergencies import BRANCH as EMERGENCY_BRANCH
from ordain.vcs.emergencies import PREFIX as EMERGENCIES
from ordain.vcs.plain import ANCHORS, PROMOTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ordain.reconciler.served import Served
    from ordain.specs.findings import Finding
    from ordain.specs.kinds.organization import Organization

PUSHERS: Final = ("REMOTE_USER", "ORDAIN_PUSHER")
READERS: Final = frozenset({"auditor"})
LINE: Final = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs/.+)")
_WRITER: Final = "let a person push it who may write"
_NAME: Final = "push it under another name; whoever may approve turns a promotion down"


@dataclass(frozen=True, slots=True)
class Update:
    """One ref of a push; None where it is not there before, or shall not be there after it."""

    ref: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class RefusedUpdate:
    """A ref that must not move, and why; `command` shows all of it to whoever pushed."""

    ref: str
    findings: tuple[Finding, ...]
    command: str = ""


def parse_updates(data: bytes) -> tuple[Update, ...]:
    """What git hands to the hook on its standard input: `old new ref` on each line.

    Raises:
        FindingsError: it is not of that form.
    """
    found = []
    for line in filter(None, data.decode("utf-8", "surrogateescape").split("\n")):
        match = LINE.fullmatch(line)
        if match is None:
            raise refusal("PUSH005", f"git asks for something unknown: {line!r}", "push branches")
        old, new, ref = match.groups()
        found.append(Update(ref, old if old.strip("0") else None, new if new.strip("0") else None))
    return tuple(found)


def pusher_named(environ: Mapping[str, str]) -> str:
    """The account that a web server (`REMOTE_USER`) or a forced command of ssh has asked for.

    Raises:
        FindingsError: there is none, or there are two.
    """
    names = {environ[name] for name in PUSHERS if environ.get(name)}
    if len(names) == 1:
        return names.pop()
    said = "nobody is named as the pusher" if not names else "two names are given for the pusher"
    remedy = "push with your account over https, or over ssh with the command that names you"
    raise refusal("PUSH001", said, remedy)


def pusher_of(organization: Organization, login: str) -> str:
    """The one person, or the reconciler, whose account on this server a login is.

    Whoever lists accounts on git servers is known by these only, everybody else by name.

    Raises:
        FindingsError: nobody has it, several do, or they may only read.
    """
    listed: dict[str, set[str]] = {person.name: set() for person in organization.people}
    for person in organization.people:
        listed[person.name] = {one.login for one in person.accounts if one.forge == "git"}
    found = {name for name, logins in listed.items() if login in (logins or {name})}
    found |= {RECONCILER} & {login}
    if len(found) != 1:
        said = "is nobody's in the Organization" if not found else "stands for several people"
        remedy = "list it under `accounts` of one person: {forge: git, login: ...}"
        raise refusal("PUSH002", f"the account {login!r} {said}", remedy)
    name = found.pop()
    if name != RECONCILER and set(find_person(organization, name).roles) <= READERS:
        raise refusal("PUSH003", f"{name} may read and not write", _WRITER)
    return name


def judge_push(
    served: Served, updates: Iterable[Update], login: str, now: datetime
) -> tuple[RefusedUpdate, ...]:
    """Judge every ref of a push; what is returned must keep all of them from moving.

    Raises:
        FindingsError: the pusher may push nothing at all.
    """
    person = pusher_of(served.organization, login)
    refused = []
    for update in updates:
        try:
            found = tuple(_judge(served, update, person, now))
        except FindingsError as error:
            found = error.findings
        except OrdainError as error:
            found = (problem(error.code, error.message, error.remedy),)
        if found:
            refused.append(RefusedUpdate(update.ref, found, _shows_all(served, update)))
    return tuple(refused)


def _shows_all(served: Served, update: Update) -> str:
    """By which command whoever pushed sees it all; only they know what they call this server."""
    if update.new is None or not update.ref.startswith(HEADS):
        return ""
    return f"ordain check --base REMOTE/{served.branch} --rev {update.new[:12]}"


def _judge(served: Served, update: Update, person: str, now: datetime) -> Iterable[Finding]:
    _refuse_place(served, update)
    ref = update.ref
    if ref == served.ref:
        from ordain.reconciler.merging import judge_merges

        return judge_merges(served, update.new, person, now)
    if ref.startswith(HEADS):
        return _judge_branch(served, update, person, now)
    if ref.startswith(APPROVALS):
        return judge_approval(served, update, person, now)
    if ref == ANCHORS:
        return judge_anchor(served, update, now)
    if ref.startswith(EMERGENCIES):
        return judge_emergency(served, update, person, now)
    message = f"{ref} is no branch and nothing that ordain keeps under refs/ordain"
    return [problem("PUSH005", message, f"push it as a branch: git push REMOTE COMMIT:{HEADS}NAME")]


# Names


def _refuse_place(served: Served, update: Update) -> None:
    """A ref is exactly what its name says, and where the pusher believes it to be."""
    ref = update.ref
    if ref in served.symbolic:
        raise refusal("PUSH006", f"{ref} stands for another ref", "push to that ref by its name")
    if not ref.isprintable():
        message = f"{ref!r} has letters that cannot be shown"
        raise refusal("PUSH004", message, "give the branch another name")
    twin = twin_of(ref, served.ref)
    if twin is not None:
        message = f"{ref} can be taken for {twin}, or is in its way"
        raise refusal("PUSH004", message, "give the branch another name")
    if update.old != served.refs.get(ref):
        where = served.refs.get(ref, "nowhere")[:12]
        message = f"{ref} is at {where}, and not where the push has seen it"
        raise refusal("PUSH023", message, "fetch, look at what has changed, and push again")


# Branches


def _judge_branch(served: Served, update: Update, person: str, now: datetime) -> Iterable[Finding]:
    if update.ref.startswith(f"{HEADS}{PROMOTE}"):
        return _judge_promotion(served, update, person, now)
    if person == RECONCILER and not update.ref.startswith(f"{HEADS}{EMERGENCY_BRANCH}"):
        message = f"the reconciler pushes promotions, and {update.ref} is none"
        return [problem("PUSH003", message, _WRITER)]
    if update.new is not None:
        served.repository.commit(update.new)
    return []


def _judge_promotion(
    served: Served, update: Update, person: str, now: datetime
) -> Iterable[Finding]:
    """What stands here is the machine's; people remove it when it is merged, or turn it down."""
    if update.new is None:
        return _judge_removal(served, update, person)
    brought = commits_between(served.repository, served.base, update.new)
    found = signers(served.repository, brought, allowed_keys(served.organization), now)
    others = [one for one, who in zip(brought, found, strict=True) if who != RECONCILER]
    if not others and brought:
        return []
    what = f"commit {others[0][:12]} is not signed by the reconciler" if others else "it is empty"
    message = f"{update.ref} is for promotions by the reconciler: {what}"
    return [problem("PUSH014", message, _NAME)]


def _judge_removal(served: Served, update: Update, person: str) -> Iterable[Finding]:
    merged = update.old is None or served.repository.is_ancestor(update.old, served.base)
    if merged or person == RECONCILER:
        return []
    if set(find_person(served.organization, person).roles) & set(APPROVERS):
        return []
    message = f"{person} may not turn down a promotion that is not merged"
    return [problem("PUSH014", message, _NAME)]
