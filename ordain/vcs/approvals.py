"""Approvals that live in git: statements signed with a person's SSH key.

The statement is canonical JSON, its signature has a namespace of its own, and both are files of a
commit under `refs/ordain/approvals/<change digest>/<person>/<role>/<base>`, so that an examiner
needs nothing of ours to check one:

    git show REF:statement.json >statement; git show REF:statement.sig >statement.sig
    ssh-keygen -Y verify -f allowed_signers -I PERSON -n ordain-approval -s statement.sig <statement

Notes (`refs/notes`) were refused because they attach to a commit and merge badly. What does not
hold is returned with its reason instead of left out: an approval that vanishes is a question that
nobody can answer later. Who the person is and what the role may do is judged elsewhere.

The statement names the commit on which the change was seen. Going back and forth gives the same
change digest again, and only history, never the clock of whoever signs, can tell the two apart.
Approvals of both times are kept, because the history may be judged again from its beginning.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ordain.specs.canonical import canonical_json
from ordain.vcs.errors import BadSignature, UnnameableChange, VcsError
from ordain.vcs.keys import Signer, holder
from ordain.vcs.signatures import APPROVAL, sign, verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.vcs.changes import Change
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import Actor, AllowedKey, PublicKey

FORMAT = "ordain.approval/1"
PREFIX = "refs/ordain/approvals/"
STATEMENT = "statement.json"
SIGNATURE = "statement.sig"
FIELDS = {"format", "change", "base", "person", "role", "time", "paths", "estate"}
PERSON = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_@+-]|\.(?=[A-Za-z0-9_@+-]))*")
ROLE = re.compile(r"[a-z][a-z-]*")
_STATED = ("change", "base", "person", "role", "estate")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
TIME = "%Y-%m-%dT%H:%M:%SZ"

# Clocks of laptops differ; what is further ahead than this was dated forward on purpose.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Approval:
    """A person has approved a change; `proof` says where whoever doubts it can look.

    `change` is a change digest, `time` what the person stated, `key` the fingerprint of the key
    that signed; a forge that vouches for its accounts leaves it empty and says which `account` it
    was, as `github 7`. `base` is the commit that the change was seen on.
    """

    person: str
    role: str
    change: str
    time: datetime
    key: str
    proof: str
    base: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class RejectedApproval:
    """Something that wants to be an approval and is none; `person` is only claimed."""

    person: str
    change: str
    reason: str
    proof: str


@dataclass(frozen=True, slots=True)
class Approvals:
    """All that was found for one change."""

    valid: tuple[Approval, ...] = ()
    rejected: tuple[RejectedApproval, ...] = ()


def approval_ref(change: str, person: str, role: str, base: str) -> str:
    """Where the approval of a change digest, seen on a commit, by a person in a role stands.

    Raises:
        UnnameableChange: not a digest, no commit, or names that cannot be part of a ref name.
    """
    if not DIGEST.fullmatch(change):
        raise UnnameableChange(f"{change!r} is not a change digest", remedy="give sha256:<64 hex>")
    if not PERSON.fullmatch(person) or person.endswith(".lock"):
        raise UnnameableChange(
            f"{person!r} cannot be part of a ref name",
            remedy="use letters, digits and . _ @ + - for the ids of people",
        )
    if not ROLE.fullmatch(role):
        raise UnnameableChange(
            f"{role!r} is not a role", remedy="use a role of the Organization, such as manager"
        )
    if not OBJECT.fullmatch(base):
        raise UnnameableChange(f"{base!r} is no commit", remedy="give its whole id")
    return f"{_under(change)}{person}/{role}/{base}"


def is_approval_ref(ref: str) -> bool:
    """Whether a ref is named as `approval_ref` names them."""
    digest, person, role, base, *more = [*ref.removeprefix(PREFIX).split("/"), "", "", ""]
    try:
        return not any(more) and ref == approval_ref(f"sha256:{digest}", person, role, base)
    except UnnameableChange:
        return False


def _under(change: str) -> str:
    return f"{PREFIX}{change.removeprefix('sha256:')}/"


def statement(change: Change, *, person: str, role: str, time: datetime, estate: str) -> bytes:
    """The bytes that a person signs; `estate` is the id of its root commit.

    Raises:
        UnnameableChange: the change touches nothing, so there is nothing to approve.
    """
    if not change.paths:
        raise UnnameableChange(
            f"nothing changes between {change.base} and {change.head}",
            remedy="there is nothing to approve; close the proposal",
        )
    return canonical_json(
        {
            "format": FORMAT,
            "change": change.digest,
            "base": change.base,
            "person": person,
            "role": role,
            "time": time.astimezone(UTC).strftime(TIME),
            "paths": list(change.names),
            "estate": estate,
        }
    )


def write_approval(
    repository: Repository,
    change: Change,
    *,
    actor: Actor,
    role: str,
    time: datetime,
    estate: str,
) -> tuple[str, str]:
    """Store a signed approval as a commit and return (ref, commit id); no ref is moved yet.

    What proves it is the signature of the statement. The commit around it is signed too where that
    asks nobody a second time.
    """
    person = actor.person
    ref = approval_ref(change.digest, person, role, change.base)
    text = statement(change, person=person, role=role, time=time, estate=estate)
    armor = sign(actor.signer, APPROVAL, text)
    tree = repository.write_tree(None, {STATEMENT: text, SIGNATURE: armor.encode()})
    title = f"{person} approves {change.digest.removeprefix('sha256:')[:12]} as {role}"
    signer = actor.signer if isinstance(actor.signer, Signer) else None
    return ref, repository.write_commit(tree, (), title, actor.who, time, signer)


def read_approval(
    repository: Repository,
    ref: str,
    commit: str,
    *,
    estate: str,
    allowed: Sequence[AllowedKey],
    now: datetime,
) -> Approval:
    """The approval that a commit would be under a ref, whether or not the ref is there yet.

    Raises:
        VcsError: it is none, or not by the person whom the ref names.
    """
    try:
        return _read(repository, ref, commit, estate, allowed, now)
    except ValueError as error:
        remedy = "approve again: ordain proposals approve"
        raise BadSignature(str(error), remedy=remedy) from error


def _read(
    repository: Repository,
    ref: str,
    commit: str,
    estate: str,
    allowed: Sequence[AllowedKey],
    now: datetime,
) -> Approval:
    digest, person, role, base = [*ref.removeprefix(PREFIX).split("/", 3), "", "", ""][:4]
    wanted = {
        "person": person,
        "role": role,
        "change": f"sha256:{digest}",
        "base": base,
        "estate": estate,
    }
    time, key = _verified(repository, commit, wanted, now)
    _refuse_stranger(key, person, allowed, now)
    change, proof = wanted["change"], f"{ref}@{commit}"
    return Approval(person, role, change, time, key.fingerprint, proof, base)


def read_approvals(
    repository: Repository,
    change: str,
    *,
    estate: str,
    allowed: Sequence[AllowedKey],
    now: datetime,
) -> Approvals:
    """Every approval of a change digest in this repository, each one verified at `now`."""
    prefix = _under(change)
    valid: list[Approval] = []
    rejected: list[RejectedApproval] = []
    for ref, commit in sorted(repository.refs(prefix).items()):
        try:
            valid.append(_read(repository, ref, commit, estate, allowed, now))
        except (VcsError, ValueError) as error:
            person = ref.removeprefix(prefix).partition("/")[0]
            rejected.append(RejectedApproval(person, change, str(error), f"{ref}@{commit}"))
    return Approvals(tuple(valid), tuple(rejected))


@dataclass(frozen=True, slots=True)
class Stated:
    """What a statement says that is well formed; nothing of it is signed or true yet."""

    change: str
    base: str
    person: str
    role: str
    time: datetime
    estate: str


def read_statement(text: bytes, now: datetime) -> Stated:
    """What a statement says.

    Raises:
        ValueError: it is not exactly what `statement` writes, or dated in the future.
    """
    fields = _fields(text)
    time = _time(fields.pop("time"), now)
    return Stated(time=time, **{name: fields[name] for name in _STATED})


def _verified(
    repository: Repository, commit: str, wanted: dict[str, str], now: datetime
) -> tuple[datetime, PublicKey]:
    """Time and signing key of a statement that is well formed, ours, and signed."""
    text = repository.read(commit, STATEMENT)
    armor = repository.read(commit, SIGNATURE).decode("ascii", "replace")
    fields = _fields(text)
    for name, value in wanted.items():
        if fields[name] != value:
            raise ValueError(f"the statement is for {name} {fields[name]}, not {value}")
    if not OBJECT.fullmatch(fields["base"]):
        raise ValueError(f"the statement's base {fields['base']!r} is no commit")
    return _time(fields["time"], now), verify(armor, APPROVAL, text)


def _refuse_stranger(
    key: PublicKey, person: str, allowed: Sequence[AllowedKey], now: datetime
) -> None:
    owner = holder(key, allowed, now)
    if owner.person != person:
        raise ValueError(owner.reason or f"it is signed by {owner.person}, not by {person}")


def _fields(text: bytes) -> dict[str, Any]:
    """The statement as a mapping; ValueError unless it is exactly what `statement` writes."""
    try:
        fields = json.loads(text)
        canonical = canonical_json(fields) == text
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError("the statement is not JSON") from error
    if not canonical or not isinstance(fields, dict):
        raise ValueError("the statement is not canonical JSON")
    if fields.get("format") != FORMAT:
        raise ValueError(f"the statement's format is {fields.get('format')!r}, not {FORMAT!r}")
    paths = fields.get("paths")
    texts = all(isinstance(fields.get(name), str) for name in FIELDS - {"paths"})
    listed = isinstance(paths, list) and all(isinstance(path, str) for path in paths)
    if set(fields) != FIELDS or not texts or not listed:
        raise ValueError("the statement has other fields than an approval")
    return fields


def _time(text: str, now: datetime) -> datetime:
    problem = ValueError(f"the time {text!r} is not like 2026-01-31T08:00:00Z")
    try:
        time = datetime.strptime(text, TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise problem from error
    if time.strftime(TIME) != text:
        raise problem
    if time > now + SKEW:
        raise ValueError(f"the statement is dated in the future ({text})")
    return time
