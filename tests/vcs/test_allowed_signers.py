"""What is written for git and OpenSSH is read by the real ones; where they know less is shown."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.allowed_signers import allowed_signers, revoked_keys
from ordain.vcs.keys import AllowedKey
from ordain.vcs.signatures import APPROVAL, commit_signer, sign

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.vcs.git import Repository
    from tests.vcs.conftest import Cast

NEEDS_KEYGEN = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here"
)
EVERYTHING = 'namespaces="git,ordain-approval,ordain-emergency"'
EXPIRY = datetime(2026, 1, 1, tzinfo=UTC)


def _line(cast: Cast, person: str) -> str:
    return " ".join(cast[person].signer.public.line.split()[:2])


def test_every_entry_is_a_line_with_its_times_in_utc(cast: Cast) -> None:
    east = datetime.fromisoformat("2026-01-01T01:30:00+02:00")
    key = AllowedKey("manager", cast["manager"].signer.public.line, east, EXPIRY)
    assert allowed_signers([key, *cast.allowed[:1]]) == (
        f"data-scientist {EVERYTHING} {_line(cast, 'data-scientist')}\n"
        f'manager {EVERYTHING},valid-after="20251231233000Z",valid-before="20260101000000Z"'
        f" {_line(cast, 'manager')}\n"
    )
    assert revoked_keys([key]) == ""


def test_a_revoked_key_is_in_the_other_list_only(cast: Cast) -> None:
    line = cast["manager"].signer.public.line
    keys = [AllowedKey("manager", line), AllowedKey("manager", f"{line} again", revoked=True)]
    assert allowed_signers(keys) == ""
    assert revoked_keys(keys) == f"{_line(cast, 'manager')}\n"


def test_a_key_of_two_people_is_nobodys(cast: Cast) -> None:
    line = cast["manager"].signer.public.line
    assert allowed_signers([AllowedKey("manager", line), AllowedKey("cto", line)]) == ""


def _verified(
    tmp_path: Path, keys: list[AllowedKey], cast: Cast, purpose: str, *options: str
) -> bool:
    """Whether the real ssh-keygen believes that the manager signed a message."""
    allowed, revoked, armor = (tmp_path / name for name in ("allowed", "revoked", "sig"))
    allowed.write_text(allowed_signers(keys))
    revoked.write_text(revoked_keys(keys))
    armor.write_text(sign(cast["manager"].signer, purpose, b"message"))
    command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-r", str(revoked)]
    done = subprocess.run(
        [*command, "-I", "manager", "-n", purpose, "-s", str(armor), *options],
        input=b"message",
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.contract
@NEEDS_KEYGEN
def test_ssh_keygen_reads_both_lists(cast: Cast, tmp_path: Path) -> None:
    line = cast["manager"].signer.public.line
    good, gone = AllowedKey("manager", line), AllowedKey("manager", line, revoked=True)
    expired = AllowedKey("manager", line, valid_until=EXPIRY)
    assert _verified(tmp_path, [good], cast, APPROVAL)
    assert _verified(tmp_path, [good], cast, "git")
    assert not _verified(tmp_path, [good], cast, "file")
    assert not _verified(tmp_path, [gone], cast, APPROVAL)
    assert not _verified(tmp_path, [expired], cast, APPROVAL)
    assert _verified(tmp_path, [expired], cast, APPROVAL, "-Overify-time=20251231235959Z")
    assert not _verified(tmp_path, [expired], cast, APPROVAL, "-Overify-time=20260101000001Z")


def _git_says(repository: Repository, commit: str, tmp_path: Path, keys: list[AllowedKey]) -> str:
    """What `git log` says of a signature: G is good, everything else is not."""
    (tmp_path / "allowed").write_text(allowed_signers(keys))
    (tmp_path / "revoked").write_text(revoked_keys(keys))
    settings = (
        f"gpg.ssh.allowedSignersFile={tmp_path / 'allowed'}",
        f"gpg.ssh.revocationFile={tmp_path / 'revoked'}",
    )
    options = [part for setting in settings for part in ("-c", setting)]
    command = ["git", "-C", str(repository.path), *options, "log", "-1", "--format=%G?", commit]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.mark.contract
@NEEDS_KEYGEN
def test_a_back_dated_commit_by_an_expired_key_is_good_to_git_and_not_to_ordain(
    estate: Repository, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    actor, line = cast["manager"], cast["manager"].signer.public.line
    expired = [AllowedKey("manager", line, valid_until=EXPIRY)]
    tree = estate.write_tree("HEAD", {"x": b"1"})
    parents = (estate.resolve("HEAD"),)
    honest, dated_back = (
        estate.write_commit(tree, parents, "x", actor.who, time, actor.signer)
        for time in (now, EXPIRY - timedelta(days=1))
    )
    assert _git_says(estate, honest, tmp_path, expired) != "G"
    assert _git_says(estate, dated_back, tmp_path, expired) == "G"
    for commit in (honest, dated_back):
        found = commit_signer(estate.commit(commit), expired, now)
        assert found.person is None
        assert found.reason.endswith("of manager expired on 2026-01-01")


@pytest.mark.contract
@NEEDS_KEYGEN
def test_a_revoked_key_is_bad_to_git_whatever_the_commit_claims(
    estate: Repository, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    actor = cast["manager"]
    keys = [AllowedKey("manager", actor.signer.public.line, revoked=True)]
    tree = estate.write_tree("HEAD", {"x": b"1"})
    commit = estate.write_commit(
        tree, (estate.resolve("HEAD"),), "x", actor.who, now - timedelta(days=900), actor.signer
    )
    assert _git_says(estate, commit, tmp_path, keys) != "G"
    assert _git_says(estate, commit, tmp_path, list(cast.allowed)) == "G"
