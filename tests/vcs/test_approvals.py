"""Approvals hold for one change of one estate by one person with a living key."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.specs.canonical import canonical_json
from ordain.vcs.approvals import (
    Approvals,
    approval_ref,
    read_approvals,
    statement,
    write_approval,
)
from ordain.vcs.changes import Change, change_between
from ordain.vcs.errors import UnnameableChange
from ordain.vcs.keys import AllowedKey
from ordain.vcs.signatures import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ordain.vcs.git import Repository
    from tests.vcs.conftest import Cast

    Read = Callable[..., Approvals]


@pytest.fixture
def change(estate: Repository) -> Change:
    return change_between(estate, estate.resolve("HEAD~1"), estate.resolve("HEAD"))


@pytest.fixture
def read(estate: Repository, change: Change, cast: Cast, now: datetime) -> Read:
    def ask(change: str = change.digest, allowed: Sequence[AllowedKey] = cast.allowed) -> Approvals:
        root = estate.root_commit("HEAD")
        return read_approvals(estate, change, estate=root, allowed=allowed, now=now)

    return ask


@pytest.fixture
def approve(estate: Repository, change: Change, cast: Cast, now: datetime) -> Callable[..., str]:
    def write(
        person: str = "manager",
        *,
        role: str = "manager",
        time: datetime = now,
        root: str = estate.root_commit("HEAD"),
    ) -> str:
        ref, commit = write_approval(
            estate, change, actor=cast[person], role=role, time=time, estate=root
        )
        estate.update_ref(ref, commit, estate.refs(ref).get(ref))
        return ref

    return write


@pytest.fixture
def forge_statement(estate: Repository, change: Change, cast: Cast) -> Callable[..., None]:
    """Put any text, signed by anybody, where the approval of the manager would be."""

    def write(text: bytes, signer: str = "manager", namespace: str = "ordain-approval") -> None:
        armor = sign(cast[signer].signer, namespace, text).encode()
        tree = estate.write_tree(None, {"statement.json": text, "statement.sig": armor})
        actor = cast[signer]
        time = estate.commit("HEAD").time
        commit = estate.write_commit(tree, (), "x", actor.who, time, actor.signer)
        estate.update_ref(
            approval_ref(change.digest, "manager", "manager", change.base), commit, None
        )

    return write


def _only_reason(found: Approvals) -> str:
    assert found.valid == ()
    assert len(found.rejected) == 1
    assert found.rejected[0].person == "manager"
    return found.rejected[0].reason


def test_an_approval_is_found_with_all_it_states(
    approve: Callable[..., str], read: Read, change: Change, cast: Cast, now: datetime
) -> None:
    ref = approve()
    found = read()
    assert found.rejected == ()
    (approval,) = found.valid
    assert (approval.person, approval.role, approval.time) == ("manager", "manager", now)
    assert approval.change == change.digest
    assert approval.key == cast["manager"].signer.public.fingerprint
    assert approval.proof.startswith(f"{ref}@")


def test_two_people_approve_beside_each_other(approve: Callable[..., str], read: Read) -> None:
    approve("manager")
    approve("cto", role="cto")
    assert [one.person for one in read().valid] == ["cto", "manager"]


def test_a_person_with_two_roles_approves_in_both(approve: Callable[..., str], read: Read) -> None:
    approve("manager")
    approve("manager", role="cto")
    assert [(one.person, one.role) for one in read().valid] == [
        ("manager", "cto"),
        ("manager", "manager"),
    ]


def test_an_approval_under_the_ref_of_another_role_is_rejected(
    approve: Callable[..., str], read: Read, estate: Repository, change: Change
) -> None:
    ref = approve()
    estate.update_ref(
        approval_ref(change.digest, "manager", "cto", change.base), estate.refs(ref)[ref], None
    )
    estate.update_ref(ref, None, estate.refs(ref)[ref])
    assert _only_reason(read()) == "the statement is for role manager, not cto"


def test_an_approval_says_which_commit_it_was_given_on(
    approve: Callable[..., str],
    read: Read,
    change: Change,
    forge_statement: Callable[..., None],
    estate: Repository,
    now: datetime,
) -> None:
    ref = approve()
    assert read().valid[0].base == change.base
    estate.update_ref(ref, None, estate.refs(ref)[ref])
    root = estate.root_commit("HEAD")
    text = statement(change, person="manager", role="manager", time=now, estate=root)
    forge_statement(canonical_json(json.loads(text) | {"base": "HEAD"}))
    assert _only_reason(read()) == f"the statement is for base HEAD, not {change.base}"


def test_the_statement_is_canonical_and_complete(change: Change, now: datetime) -> None:
    text = statement(change, person="manager", role="manager", time=now, estate="e" * 40)
    assert json.loads(text) == {
        "format": "ordain.approval/1",
        "change": change.digest,
        "base": change.base,
        "person": "manager",
        "role": "manager",
        "time": "2026-11-20T09:00:00Z",
        "paths": ["README.md"],
        "estate": "e" * 40,
    }
    assert canonical_json(json.loads(text)) == text


def test_an_approval_of_another_change_is_not_seen(
    approve: Callable[..., str], read: Read, estate: Repository, commit: Callable[..., str]
) -> None:
    approve()
    head = commit(estate, {"README.md": b"new content\n"}, ref="refs/heads/other", parent="HEAD")
    other = change_between(estate, estate.resolve("HEAD~1"), head)
    assert read(change=other.digest) == Approvals()


def test_an_approval_moved_to_another_change_is_rejected(
    approve: Callable[..., str], read: Read, estate: Repository
) -> None:
    ref = approve()
    other = "sha256:" + "0" * 64
    estate.update_ref(
        approval_ref(other, "manager", "manager", ref.rpartition("/")[2]),
        estate.refs(ref)[ref],
        None,
    )
    reason = _only_reason(read(change=other))
    assert reason.startswith("the statement is for change sha256:")
    assert reason.endswith(f", not {other}")


def test_an_approval_of_another_estate_is_rejected(
    approve: Callable[..., str], read: Read, estate: Repository
) -> None:
    approve(root="e" * 40)
    assert _only_reason(read()) == (
        f"the statement is for estate {'e' * 40}, not {estate.root_commit('HEAD')}"
    )


def test_an_approval_in_the_name_of_another_is_rejected(
    read: Read,
    forge_statement: Callable[..., None],
    change: Change,
    now: datetime,
    estate: Repository,
) -> None:
    root = estate.root_commit("HEAD")
    text = statement(change, person="manager", role="manager", time=now, estate=root)
    forge_statement(text, signer="data-scientist")
    assert _only_reason(read()) == "it is signed by data-scientist, not by manager"


def test_an_approval_under_the_ref_of_another_is_rejected(
    approve: Callable[..., str], read: Read, estate: Repository, change: Change
) -> None:
    ref = approve("data-scientist")
    target = approval_ref(change.digest, "manager", "manager", change.base)
    estate.update_ref(target, estate.refs(ref)[ref], None)
    estate.update_ref(ref, None, estate.refs(ref)[ref])
    assert _only_reason(read()) == "the statement is for person data-scientist, not manager"


def test_a_signature_made_for_a_commit_does_not_approve(
    read: Read,
    forge_statement: Callable[..., None],
    change: Change,
    now: datetime,
    estate: Repository,
) -> None:
    root = estate.root_commit("HEAD")
    text = statement(change, person="manager", role="manager", time=now, estate=root)
    forge_statement(text, namespace="git")
    assert _only_reason(read()) == "the signature is for 'git', not for 'ordain-approval'"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"revoked": True}, "is revoked"), ({"valid_until": "yesterday"}, "expired on 2026-11-19")],
)
@pytest.mark.parametrize("age", [0, 400])
def test_a_dead_key_approves_nothing_however_old_the_statement_claims_to_be(
    approve: Callable[..., str],
    read: Read,
    cast: Cast,
    now: datetime,
    limits: dict[str, Any],
    reason: str,
    age: int,
) -> None:
    approve(time=now - timedelta(days=age))
    until = {"valid_until": now - timedelta(days=1)} if "valid_until" in limits else {}
    key = AllowedKey("manager", cast["manager"].signer.public.line, **(limits | until))
    assert _only_reason(read(allowed=[key])).endswith(f" of manager {reason}")


def test_a_stranger_approves_nothing(approve: Callable[..., str], read: Read) -> None:
    approve()
    assert _only_reason(read(allowed=[])).endswith(" is nobody's")


def test_a_statement_from_the_future_is_rejected(
    approve: Callable[..., str], read: Read, now: datetime
) -> None:
    approve(time=now + timedelta(minutes=4))
    assert len(read().valid) == 1
    approve(time=now + timedelta(minutes=6))
    assert _only_reason(read()) == "the statement is dated in the future (2026-11-20T09:06:00Z)"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "the statement is not JSON"),
        (b"\xff", "the statement is not JSON"),
        (b"[" * 100_000, "the statement is not JSON"),
        (b'"\\ud800"', "the statement is not JSON"),
        (b"[]", "the statement is not canonical JSON"),
        (b'{"a": 1}', "the statement is not canonical JSON"),
        (b'{"a":1,"a":1}', "the statement is not canonical JSON"),
        (b'{"format":"x"}', "the statement's format is 'x', not 'ordain.approval/1'"),
        (
            b'{"format":"ordain.approval/1"}',
            "the statement has other fields than an approval",
        ),
    ],
)
def test_a_malformed_statement_is_rejected(
    read: Read, forge_statement: Callable[..., None], text: bytes, reason: str
) -> None:
    forge_statement(text)
    assert _only_reason(read()) == reason


@pytest.mark.parametrize(
    ("field", "value"), [("time", 7), ("paths", "x"), ("paths", [1]), ("role", None), ("x", "y")]
)
def test_a_field_of_another_type_or_name_is_rejected(
    read: Read,
    forge_statement: Callable[..., None],
    change: Change,
    now: datetime,
    estate: Repository,
    field: str,
    value: object,
) -> None:
    root = estate.root_commit("HEAD")
    text = statement(change, person="manager", role="manager", time=now, estate=root)
    forge_statement(canonical_json(json.loads(text) | {field: value}))
    assert _only_reason(read()) == "the statement has other fields than an approval"


@pytest.mark.parametrize("time", ["yesterday", "2026-11-20T9:0:0Z", "2026-11-20T09:00:00+00:00"])
def test_a_loosely_written_time_is_rejected(
    read: Read,
    forge_statement: Callable[..., None],
    change: Change,
    estate: Repository,
    time: str,
) -> None:
    root = estate.root_commit("HEAD")
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    text = statement(change, person="manager", role="manager", time=now, estate=root)
    forge_statement(text.replace(b"2026-11-20T09:00:00Z", time.encode()))
    assert _only_reason(read()) == f"the time {time!r} is not like 2026-01-31T08:00:00Z"


def test_a_ref_that_leads_to_something_else_is_rejected(
    read: Read, estate: Repository, change: Change
) -> None:
    estate.update_ref(
        approval_ref(change.digest, "manager", "manager", change.base), estate.resolve("HEAD"), None
    )
    assert _only_reason(read()).startswith("there is no file 'statement.json' in ")


@pytest.mark.parametrize("person", ["", "a/b", "..", "a..b", "-x", ".x", "a.", "x.lock", "a b"])
def test_an_id_that_cannot_be_in_a_ref_is_refused(person: str) -> None:
    with pytest.raises(UnnameableChange, match="cannot be part of a ref name"):
        approval_ref("sha256:" + "0" * 64, person, "manager", "0" * 40)


@pytest.mark.parametrize("role", ["", "a/b", "..", "Manager", "x.lock"])
def test_a_role_that_cannot_be_in_a_ref_is_refused(role: str) -> None:
    with pytest.raises(UnnameableChange, match="is not a role"):
        approval_ref("sha256:" + "0" * 64, "manager", role, "0" * 40)


def test_only_a_digest_can_be_approved() -> None:
    with pytest.raises(UnnameableChange, match="is not a change digest"):
        approval_ref("../../heads/main", "manager", "manager", "0" * 40)


def test_nothing_cannot_be_approved(estate: Repository, now: datetime) -> None:
    head = estate.resolve("HEAD")
    change = change_between(estate, head, head)
    with pytest.raises(UnnameableChange, match=r"^nothing changes between "):
        statement(change, person="manager", role="manager", time=now, estate=head)
