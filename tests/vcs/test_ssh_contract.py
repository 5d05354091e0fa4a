"""Both ways against the real `ssh-keygen` and `git verify-commit`."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.approvals import read_approvals, write_approval
from ordain.vcs.changes import change_between
from ordain.vcs.errors import BadSignature, KeyUnusable
from ordain.vcs.keys import PublicKey, generate_key, load_signer
from ordain.vcs.signatures import commit_signer, sign, verify

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ordain.vcs.git import Repository
    from tests.vcs.conftest import Cast

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here"),
]
KINDS = [
    ("ed25519", ()),
    ("ecdsa", ("-b", "256")),
    ("ecdsa", ("-b", "384")),
    ("ecdsa", ("-b", "521")),
    ("rsa", ("-b", "2048")),
]


def _keygen(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = ["ssh-keygen", *(str(one) for one in arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def _made(tmp_path: Path, kind: str, options: tuple[str, ...], passphrase: str = "") -> Path:
    path = tmp_path / "made"
    done = _keygen("-q", "-t", kind, *options, "-N", passphrase, "-C", "a b", "-f", path)
    assert done.returncode == 0, done.stderr
    return path


def _save(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_what_ssh_keygen_signs_is_verified_here(
    tmp_path: Path, kind: str, options: tuple[str, ...], digest: str
) -> None:
    key = _made(tmp_path, kind, options)
    arguments = ("-Y", "sign", "-n", "ordain-approval", "-O", f"hashalg={digest}", "-f", key)
    done = _keygen(*arguments, stdin=b"message")
    found = verify(done.stdout.decode(), "ordain-approval", b"message")
    line = (tmp_path / "made.pub").read_text()
    assert found == PublicKey.parse(line)
    assert PublicKey.parse(line).line == line.strip()
    with pytest.raises(BadSignature):
        verify(done.stdout.decode(), "ordain-approval", b"Message")


def test_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    key = _made(tmp_path, "rsa", ("-b", "1024"))
    done = _keygen("-Y", "sign", "-n", "git", "-f", key, stdin=b"message")
    with pytest.raises(BadSignature, match="fewer than 2048 bits"):
        verify(done.stdout.decode(), "git", b"message")


def test_what_is_signed_here_is_verified_by_ssh_keygen(tmp_path: Path) -> None:
    pem, line = generate_key("manager")
    signer = load_signer(_save(tmp_path / "key", pem))
    allowed = _save(tmp_path / "allowed", f"manager {line}\n".encode())
    armor = _save(tmp_path / "sig", sign(signer, "ordain-approval", b"message").encode())
    arguments = ("-Y", "verify", "-f", allowed, "-I", "manager", "-n", "ordain-approval")
    done = _keygen(*arguments, "-s", armor, stdin=b"message")
    assert done.returncode == 0, done.stdout + done.stderr
    assert signer.public.fingerprint.encode() in done.stdout
    assert _keygen(*arguments, "-s", armor, stdin=b"other").returncode != 0


def test_a_generated_key_works_with_ssh_keygen(tmp_path: Path) -> None:
    pem, line = generate_key("manager")
    done = _keygen("-y", "-f", _save(tmp_path / "key", pem))
    assert done.stdout.split()[:2] == line.encode().split()[:2]
    armor = _keygen("-Y", "sign", "-n", "git", "-f", tmp_path / "key", stdin=b"x").stdout
    assert verify(armor.decode(), "git", b"x").is_same(PublicKey.parse(line))


def test_a_key_made_by_ssh_keygen_signs_here(tmp_path: Path) -> None:
    signer = load_signer(_made(tmp_path, "ed25519", ()))
    assert verify(sign(signer, "git", b"x"), "git", b"x") == signer.public


def test_a_locked_key_is_refused_with_the_way_to_unlock_it(tmp_path: Path) -> None:
    path = _made(tmp_path, "ed25519", (), passphrase="five words would be better")
    with pytest.raises(KeyUnusable) as caught:
        load_signer(path)
    assert caught.value.message == f"the private key {path} is locked with a passphrase"
    assert f"ssh-keygen -p -N '' -f {path}" in caught.value.remedy


def _git(repository: Repository, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(repository.path), *arguments]
    return subprocess.run(command, capture_output=True, check=False)


def test_git_verifies_a_commit_signed_here(
    estate: Repository, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    actor = cast["manager"]
    allowed = f"manager {actor.signer.public.line}\n".encode()
    config = f"gpg.ssh.allowedSignersFile={_save(tmp_path / 'allowed', allowed)}"
    tree = estate.write_tree("HEAD", {"x": b"1"})
    parents = (estate.resolve("HEAD"),)
    for message in ("short", "größer\n\nwith body\n"):
        head = estate.write_commit(tree, parents, message, actor.who, now, actor.signer)
        done = _git(estate, "-c", config, "verify-commit", head)
        assert done.returncode == 0, done.stderr
        assert b'Good "git" signature for manager' in done.stderr


def test_a_commit_signed_by_git_is_verified_here(
    estate: Repository, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    pem, line = generate_key("x")
    key = _save(tmp_path / "key", pem)
    settings = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}")
    message = "signed\n\nby git, größer"
    done = _git(estate, *settings, "commit", "-q", "-S", "--allow-empty", "-m", message)
    assert done.returncode == 0, done.stderr
    commit = estate.commit("HEAD")
    found = verify(commit.signature or "", "git", commit.payload)
    assert found.is_same(PublicKey.parse(line))
    assert commit_signer(commit, cast.allowed, now).reason.endswith("is nobody's")


def test_an_examiner_can_check_an_approval_without_ordain(
    estate: Repository, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    change = change_between(estate, estate.resolve("HEAD~1"), estate.resolve("HEAD"))
    root, actor = estate.root_commit("HEAD"), cast["manager"]
    ref, commit = write_approval(estate, change, actor=actor, role="manager", time=now, estate=root)
    estate.update_ref(ref, commit, None)
    statement = _git(estate, "show", f"{ref}:statement.json").stdout
    signature = _save(tmp_path / "sig", _git(estate, "show", f"{ref}:statement.sig").stdout)
    line = f"manager {actor.signer.public.line}\n".encode()
    allowed = _save(tmp_path / "allowed", line)
    arguments = ("-Y", "verify", "-f", allowed, "-I", "manager", "-n", "ordain-approval")
    assert _keygen(*arguments, "-s", signature, stdin=statement).returncode == 0
    found = read_approvals(estate, change.digest, estate=root, allowed=cast.allowed, now=now)
    assert [one.person for one in found.valid] == ["manager"]
    assert os.linesep.encode() not in statement
