"""Statements of an emergency: what their bytes prove, and what anybody can check without us."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.specs.canonical import canonical_json
from ordain.vcs.emergencies import (
    Signed,
    Statement,
    Unsound,
    emergency_ref,
    fit_reason,
    is_emergency_ref,
    read_statements,
    write_statement,
)
from ordain.vcs.signatures import EMERGENCY, sign

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.vcs.git import Repository
    from tests.vcs.conftest import Cast


def order(repository: Repository, cast: Cast) -> Statement:
    """A stop on top of the only commit of a new history."""
    tree = repository.write_tree(None, {"a": b"a"})
    head = repository.write_commit(tree, (), "A", cast["manager"].who, cast.now)
    return Statement(
        action="stop",
        name="credit",
        version=None,
        reason="it declines everybody",
        person="manager",
        role="manager",
        time=cast.now,
        estate=head,
        revision=head,
        proposal=head,
    )


def stored(repository: Repository, cast: Cast, said: Statement, text: bytes) -> None:
    """Bytes, signed as they are, where the statement of this id would stand."""
    armor = sign(cast["manager"].signer, EMERGENCY, text)
    files: dict[str, bytes | None] = {"statement.json": text, "statement.sig": armor.encode()}
    tree = repository.write_tree(None, files)
    commit = repository.write_commit(tree, (said.proposal,), "x", cast["manager"].who, cast.now)
    repository.update_ref(emergency_ref(said.id, commit), commit, None)


def test_what_is_written_is_read_again(repository: Repository, cast: Cast) -> None:
    said = order(repository, cast)
    written = write_statement(repository, said, cast["manager"])
    assert list(read_statements(repository)) == [written]
    assert written.statement == said
    assert written.key == cast["manager"].signer.public
    assert written.ref == emergency_ref(said.id, written.commit)


def test_the_id_is_made_of_all_that_is_said_but_the_proposal(
    repository: Repository, cast: Cast
) -> None:
    said = order(repository, cast)
    assert replace(said, proposal="b" * 40).id == said.id
    others = (
        replace(said, name="other"),
        replace(said, person="cto"),
        replace(said, reason="x"),
        replace(said, revision="b" * 40),
    )
    assert len({said.id, *(one.id for one in others)}) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "start"},
        {"action": "rollback"},
        {"version": 1},
        {"version": True},
        {"name": "../credit"},
        {"name": ["credit"]},
        {"reason": ""},
        {"reason": "two\nlines"},
        {"reason": "\u202e right to left"},
        {"reason": "x" * 501},
        {"person": "a/b"},
        {"person": None},
        {"role": "a\nb"},
        {"time": "yesterday"},
        {"time": 1},
        {"estate": "main"},
        {"revision": "HEAD"},
        {"more": "fields"},
        {"format": "ordain.emergency/2"},
        {"id": "stop-20261120-000000000000"},
    ],
)
def test_whatever_is_not_exactly_a_statement_is_none(
    repository: Repository, cast: Cast, wrong: dict[str, Any]
) -> None:
    said = order(repository, cast)
    stored(repository, cast, said, canonical_json(json.loads(said.text) | wrong))
    (found,) = read_statements(repository)
    assert isinstance(found, Unsound)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_no_statement(repository: Repository, cast: Cast, text: bytes) -> None:
    said = order(repository, cast)
    stored(repository, cast, said, text)
    (found,) = read_statements(repository)
    assert isinstance(found, Unsound)
    assert found.reason == "the statement is not one of an emergency"


def test_it_stands_on_the_proposal_that_it_names(repository: Repository, cast: Cast) -> None:
    said = order(repository, cast)
    stored(repository, cast, said, replace(said, proposal="b" * 40).text)
    (found,) = read_statements(repository)
    assert isinstance(found, Unsound)
    assert found.reason == "it does not stand on the proposal that it names"


def test_names_are_of_one_shape_and_hold_one_content() -> None:
    commit = "a" * 40
    good = emergency_ref("stop-20261120-0123456789ab", commit)
    assert is_emergency_ref(good, commit)
    assert not is_emergency_ref(good, "b" * 40)
    for name in ("stop", "stop-20261120-0123456789ab", "../x", "go-20261120-0123456789ab"):
        assert not is_emergency_ref(emergency_ref(name, commit) + "/x", commit)
    assert not is_emergency_ref(emergency_ref("stop", commit), commit)


def test_a_reason_is_one_line() -> None:
    assert fit_reason(" it  declines\n everybody ") == "it declines everybody"
    for wrong in ("", " ", "a\x1bb", "x" * 501):
        with pytest.raises(ValueError, match="1 to 500 printable characters"):
            fit_reason(wrong)


@pytest.mark.contract
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here")
def test_an_examiner_checks_it_with_ssh_keygen_alone(
    repository: Repository, cast: Cast, tmp_path: Path
) -> None:
    written = write_statement(repository, order(repository, cast), cast["manager"])
    assert isinstance(written, Signed)
    (tmp_path / "sig").write_bytes(repository.read(written.commit, "statement.sig"))
    (tmp_path / "allowed").write_text(f"manager {cast['manager'].signer.public.line}\n")
    allowed, armor = str(tmp_path / "allowed"), str(tmp_path / "sig")
    command = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "manager"]
    done = subprocess.run(
        [*command, "-n", EMERGENCY, "-s", armor],
        input=repository.read(written.commit, "statement.json"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
