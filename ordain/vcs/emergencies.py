"""Statements of an emergency: what one manager ordered, signed with their SSH key.

A statement must take effect with the forge down and the remote away, so it lives in this clone
first and is told to the remote when that answers. Like an approval it is canonical JSON and a
signature with a namespace of its own, both files of a commit:

    refs/ordain/emergencies/<id>/<commit>

The id is made from the content, and the ref's name ends with the commit that it points to. Whoever
may push to the remote can therefore put nothing else under a name that is in use, and a statement
that somebody deletes there stays here. The commit stands on the proposal that brings the action to
git, and the statement names it: where the statement is, the proposal is, and no machine has to sign
it for a person who is asleep by then.

Only what the bytes prove is looked at here. Whose key it is, what the person may do, and whether it
still has an effect is judged where people and history are known.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.canonical import canonical_json
from ordain.vcs.approvals import OBJECT, PERSON, SIGNATURE, SKEW, STATEMENT, TIME
from ordain.vcs.errors import PushRejected, VcsError
from ordain.vcs.signatures import EMERGENCY, sign, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ordain.vcs.git import Repository
    from ordain.vcs.keys import Actor, PublicKey

FORMAT: Final = "ordain.emergency/1"
PREFIX: Final = "refs/ordain/emergencies/"
REMOTE_PREFIX: Final = "refs/ordain/remote-emergencies/"
REFSPEC: Final = f"+{PREFIX}*:{REMOTE_PREFIX}*"
BRANCH: Final = "ordain/emergency/"
STOP: Final = "stop"
ROLLBACK: Final = "rollback"
END: Final = "end"
# What each action is done to; an end names the emergency that it ends.
SUBJECTS: Final = {STOP: "Route", ROLLBACK: "Deployment", END: "Emergency"}
LONGEST_REASON: Final = 500

_ID = re.compile(r"(?:stop|rollback|end)-[0-9]{8}-[0-9a-f]{12}")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody ordered.

    `name` is the route, the deployment, or the id of the emergency that is ended; `version` goes
    with a rollback only. `time` is what the person claims; `estate` is the root commit, `revision`
    the last good commit that the person saw, `proposal` the commit that brings the action to git.
    """

    action: str
    name: str
    version: int | None
    reason: str
    person: str
    role: str
    time: datetime
    estate: str
    revision: str
    proposal: str

    @property
    def id(self) -> str:
        """The name of the emergency, from all that it says but the proposal, which holds it."""
        said = {key: value for key, value in self._plain().items() if key != "proposal"}
        digest = hashlib.sha256(canonical_json(said)).hexdigest()
        return f"{self.action}-{self.time.astimezone(UTC):%Y%m%d}-{digest[:12]}"

    @property
    def subject(self) -> str:
        """`Route/credit`, `Deployment/credit`, or `Emergency/…`."""
        return f"{SUBJECTS[self.action]}/{self.name}"

    @property
    def text(self) -> bytes:
        """The bytes that are signed."""
        return canonical_json({"format": FORMAT, "id": self.id, **self._plain()})

    def _plain(self) -> dict[str, Any]:
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return found | {"time": self.time.astimezone(UTC).strftime(TIME)}


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement that is well formed and signed by some key; whose key is not looked at."""

    statement: Statement
    key: PublicKey
    ref: str
    commit: str

    @property
    def fingerprint(self) -> str:
        """Which key has signed it."""
        return self.key.fingerprint

    @property
    def proof(self) -> str:
        """Where whoever doubts it can look."""
        return f"{self.ref}@{self.commit}"


@dataclass(frozen=True, slots=True)
class Unsound:
    """Something among the statements that is none."""

    ref: str
    commit: str
    reason: str

    @property
    def proof(self) -> str:
        """Where whoever doubts it can look."""
        return f"{self.ref}@{self.commit}"


def emergency_ref(identifier: str, commit: str) -> str:
    """Where a statement stands."""
    return f"{PREFIX}{identifier}/{commit}"


def is_emergency_ref(ref: str, commit: str) -> bool:
    """Whether a ref is named as `emergency_ref` names it; no two such names are in each other's
    way, and none can be given another content.
    """
    identifier = ref.removeprefix(PREFIX).partition("/")[0]
    return bool(_ID.fullmatch(identifier)) and ref == emergency_ref(identifier, commit)


def branch_of(identifier: str) -> str:
    """The branch on which the action is proposed to git."""
    return f"{BRANCH}{identifier}"


def fit_reason(reason: str) -> str:
    """A reason as it is kept.

    Raises:
        ValueError: it is empty, too long, or holds characters that cannot be printed.
    """
    text = " ".join(reason.split())
    if not text or len(text) > LONGEST_REASON or not text.isprintable():
        raise ValueError(f"a reason has 1 to {LONGEST_REASON} printable characters")
    return text


def write_statement(repository: Repository, statement: Statement, actor: Actor) -> Signed:
    """Sign a statement and put it under its ref in this clone; a second time changes nothing."""
    text = statement.text
    armor = sign(actor.signer, EMERGENCY, text)
    tree = repository.write_tree(None, {STATEMENT: text, SIGNATURE: armor.encode()})
    title = f"{statement.person} orders {statement.id}"
    parents = (statement.proposal,)
    commit = repository.write_commit(tree, parents, title, actor.who, statement.time, actor.signer)
    ref = emergency_ref(statement.id, commit)
    if repository.refs(ref).get(ref) != commit:
        repository.update_ref(ref, commit, None)
    return Signed(statement, actor.signer.public, ref, commit)


def read_statements(repository: Repository) -> Iterator[Signed | Unsound]:
    """Every statement in this clone, sorted by its ref, with its signature verified."""
    for ref, commit in sorted(repository.refs(PREFIX).items()):
        try:
            yield read_statement(repository, ref, commit)
        except (VcsError, ValueError) as error:
            yield Unsound(ref, commit, str(error))


def read_statement(repository: Repository, ref: str, commit: str) -> Signed:
    """The statement in a commit that stands, or is to stand, under a ref, if it is sound.

    Raises:
        ValueError: it is none, or not the one that the ref names.
        VcsError: a file is missing, or the signature does not hold.
    """
    if not is_emergency_ref(ref, commit):
        raise ValueError("its name is not that of its content")
    text = repository.read(commit, STATEMENT)
    armor = repository.read(commit, SIGNATURE).decode("ascii", "replace")
    statement = _parsed(text)
    if ref != emergency_ref(statement.id, commit):
        raise ValueError(f"it is the statement of {statement.id}")
    if repository.commit(commit).parents != (statement.proposal,):
        raise ValueError("it does not stand on the proposal that it names")
    return Signed(statement, verify(armor, EMERGENCY, text), ref, commit)


def _parsed(text: bytes) -> Statement:
    """The statement in bytes; ValueError unless they are exactly what `Statement.text` gives."""
    try:
        found = json.loads(text)
        said = {field.name: found[field.name] for field in fields(Statement)}
        time = datetime.strptime(said["time"], TIME).replace(tzinfo=UTC)
        statement = Statement(**{**said, "time": time})
        _refuse_odd(statement)
        same = statement.text == text
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("the statement is not one of an emergency") from error
    if not same:
        raise ValueError("the statement is not in its canonical form")
    return statement


def _refuse_odd(statement: Statement) -> None:
    """Every value is of its type and form; TypeError or ValueError if not."""
    version = statement.version
    sound = (
        statement.action in SUBJECTS
        and (type(version) is int) is (statement.action == ROLLBACK)
        and (version is None or version >= 1)
        and fit_reason(statement.reason) == statement.reason
        and bool(PERSON.fullmatch(statement.person))
        and statement.role.isprintable()
        and all(
            OBJECT.fullmatch(one)
            for one in (statement.estate, statement.revision, statement.proposal)
        )
    )
    form = _ID if statement.action == END else _NAME
    if not sound or not form.fullmatch(statement.name):
        raise ValueError("a value has another form")


def dated_ahead(statement: Statement, now: datetime) -> bool:
    """Whether it is dated in the future by more than honest clocks differ."""
    return statement.time > now + SKEW


# The remote


def take_over(repository: Repository) -> None:
    """Keep what the remote has and this clone has not; nothing is replaced, nothing deleted."""
    mine = repository.refs(PREFIX)
    for there, commit in repository.refs(REMOTE_PREFIX).items():
        ref = PREFIX + there.removeprefix(REMOTE_PREFIX)
        if ref not in mine and is_emergency_ref(ref, commit):
            repository.update_ref(ref, commit, None)


def tell(
    repository: Repository, remote: str, statements: Iterable[Signed]
) -> tuple[PushRejected, ...]:
    """Push the statements that the remote had not when it was fetched last; returns its refusals.

    Each goes by itself, because a server refuses a push as a whole: the statement of somebody whose
    key is not good any more must not keep away those that others give later.

    Raises:
        GitError: the remote cannot be reached.
    """
    there = repository.refs(REMOTE_PREFIX)
    refused = []
    for ref, commit in {one.ref: one.commit for one in statements}.items():
        seen = REMOTE_PREFIX + ref.removeprefix(PREFIX)
        if seen in there:
            continue
        try:
            # Each name holds one content only, so one that is there already is the same.
            repository.push(remote, [f"+{commit}:{ref}"], {})
        except PushRejected as error:
            refused.append(error)
        else:
            repository.update_ref(seen, commit, None)
    return tuple(refused)
