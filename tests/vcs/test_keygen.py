"""Keys that only the real ssh-keygen, its agent or another machine can sign with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.approvals import read_approvals, write_approval
from ordain.vcs.changes import change_between
from ordain.vcs.detached import Detached
from ordain.vcs.errors import BadSignature, KeyUnusable
from ordain.vcs.keygen import KeygenSigner, open_signer
from ordain.vcs.keys import Actor, AllowedKey, PublicKey, Signer, generate_key
from ordain.vcs.objects import Identity
from ordain.vcs.signatures import APPROVAL, sign, verify

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    ("ecdsa", ("-b", "521")),
    ("rsa", ("-b", "2048")),
]
SECRET = "five words would be better"


def made(tmp_path: Path, kind: str = "ed25519", *options: str, passphrase: str = "") -> Path:
    path = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-t", kind, *options, "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def public_of(path: Path) -> PublicKey:
    return PublicKey.parse(path.with_name(f"{path.name}.pub").read_text())


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No agent and no window of whoever runs the tests."""
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def agent(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """A real ssh-agent for this test."""
    # The name of a socket has to be short.
    socket = tmp_path_factory.mktemp("a") / "s"
    command = ["ssh-agent", "-D", "-a", str(socket)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        # It says where it listens once it does.
        assert process.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        yield
        process.terminate()


def add(path: Path, monkeypatch: pytest.MonkeyPatch, passphrase: str = "") -> None:
    """Put a key into the agent, with the passphrase from a program as a desktop would."""
    teller = path.with_name("teller")
    teller.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
    teller.chmod(0o700)
    monkeypatch.setenv("SSH_ASKPASS", str(teller))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    subprocess.run(["ssh-add", "-q", str(path)], check=True, capture_output=True)
    monkeypatch.delenv("SSH_ASKPASS")
    monkeypatch.delenv("SSH_ASKPASS_REQUIRE")


def test_an_open_ed25519_key_signs_in_this_process(tmp_path: Path) -> None:
    assert isinstance(open_signer(made(tmp_path)), Signer)


@pytest.mark.parametrize(("kind", "options"), KINDS[1:])
def test_keys_of_other_kinds_sign_by_ssh_keygen(
    tmp_path: Path, kind: str, options: tuple[str, ...]
) -> None:
    path = made(tmp_path, kind, *options)
    signer = open_signer(path)
    assert isinstance(signer, KeygenSigner)
    assert signer.public == public_of(path)
    assert verify(sign(signer, "git", b"\0message"), "git", b"\0message") == signer.public


def test_a_key_of_an_older_format_is_known_by_the_public_half_beside_it(tmp_path: Path) -> None:
    path = made(tmp_path, "ecdsa", "-m", "PEM")
    assert path.read_bytes().startswith(b"-----BEGIN EC PRIVATE KEY-----")
    assert verify(sign(open_signer(path), "git", b"x"), "git", b"x") == public_of(path)
    path.with_name("key.pub").unlink()
    with pytest.raises(KeyUnusable, match="is not an OpenSSH private key"):
        open_signer(path)


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_locked_key_signs_by_the_agent_that_holds_it(
    tmp_path: Path,
    kind: str,
    options: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = made(tmp_path, kind, *options, passphrase=SECRET)
    add(path, monkeypatch, SECRET)
    signer = open_signer(path)
    assert isinstance(signer, KeygenSigner)
    assert verify(sign(signer, "git", b"x"), "git", b"x") == public_of(path)


@pytest.mark.usefixtures("agent")
def test_the_public_half_is_enough_where_the_agent_has_the_private_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path)
    add(path, monkeypatch)
    path.unlink()
    public = path.with_name("key.pub")
    assert verify(sign(open_signer(public), "git", b"x"), "git", b"x") == public_of(path)


def test_a_locked_key_is_unlocked_by_whoever_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path, passphrase=SECRET)
    teller = tmp_path / "teller"
    teller.write_text(f"#!/bin/sh\necho '{SECRET}'\n")
    teller.chmod(0o700)
    monkeypatch.setenv("SSH_ASKPASS", str(teller))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    assert verify(sign(open_signer(path), "git", b"x"), "git", b"x") == public_of(path)


ATTENDED = """
import fcntl, sys, termios
from pathlib import Path
from ordain.vcs.keygen import open_signer
from ordain.vcs.signatures import sign
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # A terminal of its own, as in a window.
print(sign(open_signer(Path(sys.argv[1])), "git", b"x"))
"""


def test_at_a_terminal_ssh_keygen_asks_there(tmp_path: Path) -> None:
    path = made(tmp_path, passphrase=SECRET)
    mine, theirs = os.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", ATTENDED, str(path)],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            start_new_session=True,
            text=True,
        ) as process:
            os.close(theirs)
            asked = b""
            while b"Enter passphrase" not in asked:
                asked += os.read(mine, 1000)
            os.write(mine, f"{SECRET}\n".encode())
            assert process.stdout is not None
            armor = process.stdout.read()
    finally:
        os.close(mine)
    assert verify(armor, "git", b"x") == public_of(path)
    assert SECRET not in armor


def test_a_locked_key_without_agent_and_terminal_says_how_to_unlock_it(tmp_path: Path) -> None:
    path = made(tmp_path, passphrase=SECRET)
    with pytest.raises(KeyUnusable) as caught:
        sign(open_signer(path), "git", b"x")
    assert caught.value.message == (
        f"{path} did not sign: it is locked with a passphrase, and nobody unlocked it"
    )
    assert caught.value.remedy == (
        f"unlock it for this session: ssh-add {path}, or sign at a terminal"
    )


def test_a_public_half_without_agent_says_that_there_is_none(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.unlink()
    public = path.with_name("key.pub")
    with pytest.raises(KeyUnusable) as caught:
        sign(open_signer(public), "git", b"x")
    assert caught.value.message == (
        f"{public} did not sign: its private half is not beside it, and no agent runs"
        " (SSH_AUTH_SOCK is not set)"
    )
    assert caught.value.remedy == f"start one, and add the key: ssh-add {public}"


@pytest.mark.usefixtures("agent")
def test_an_agent_without_the_key_is_told_from_no_agent(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.unlink()
    with pytest.raises(KeyUnusable, match="and the agent has none for it"):
        sign(open_signer(path.with_name("key.pub")), "git", b"x")


@pytest.mark.usefixtures("agent")
def test_an_agent_that_refuses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path)
    teller = tmp_path / "no"
    teller.write_text("#!/bin/sh\nexit 1\n")
    teller.chmod(0o700)
    monkeypatch.setenv("SSH_ASKPASS", str(teller))
    # The agent asks for a confirmation of each use, and here nobody can give it.
    subprocess.run(["ssh-add", "-q", "-c", str(path)], check=True, capture_output=True)
    path.unlink()
    with pytest.raises(KeyUnusable, match="the agent refused to sign"):
        sign(open_signer(path.with_name("key.pub")), "git", b"x")


def test_without_ssh_keygen_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = open_signer(made(tmp_path, "rsa", "-b", "2048"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KeyUnusable) as caught:
        sign(signer, "git", b"x")
    assert caught.value.message == (
        f"{tmp_path / 'key'} can only sign by ssh-keygen, which is not on the PATH"
    )
    assert caught.value.remedy.startswith("install openssh-client")


def test_who_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path, passphrase=SECRET)
    teller = tmp_path / "silent"
    teller.write_text("#!/bin/sh\nexec sleep 5\n")
    teller.chmod(0o700)
    monkeypatch.setenv("SSH_ASKPASS", str(teller))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    with pytest.raises(KeyUnusable, match=r"nobody answered ssh-keygen within 0\.2 s"):
        KeygenSigner(public_of(path), path, patience=0.2).armor("git", b"x")


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_locked_key_that_others_can_read_is_refused_too(tmp_path: Path, mode: int) -> None:
    path = made(tmp_path, passphrase=SECRET)
    path.chmod(mode)
    with pytest.raises(KeyUnusable, match="can be read by others"):
        open_signer(path)


def test_a_file_that_is_no_key_says_so(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("ssh-ed25519 nothing\n")
    with pytest.raises(KeyUnusable, match="not a public key"):
        open_signer(path)
    with pytest.raises(KeyUnusable, match="cannot read the private key"):
        open_signer(tmp_path / "nowhere")


def test_what_another_key_has_signed_is_not_taken_for_ones_own(cast: Cast) -> None:
    mine, others = cast["manager"].signer, cast["cto"].signer
    armor = sign(others, "git", b"x")
    with pytest.raises(BadSignature) as caught:
        sign(Detached(mine.public, armor), "git", b"x")
    assert caught.value.message == ("the signature is by another key than the one that was to sign")
    with pytest.raises(BadSignature, match="does not fit the signed content"):
        sign(Detached(others.public, armor), "git", b"y")
    assert sign(Detached(others.public, armor), "git", b"x") == armor


@pytest.mark.usefixtures("agent")
def test_an_approval_by_an_agent_counts_and_asks_for_one_signature_only(
    estate: Repository,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = made(tmp_path, "ecdsa", passphrase=SECRET)
    add(path, monkeypatch, SECRET)
    change = change_between(estate, estate.resolve("HEAD~1"), estate.resolve("HEAD"))
    root = estate.root_commit("HEAD")
    actor = Actor("manager", Identity("manager", "manager@example.org"), open_signer(path))
    ref, commit = write_approval(estate, change, actor=actor, role="manager", time=now, estate=root)
    estate.update_ref(ref, commit, None)
    assert estate.commit(commit).signature is None
    allowed = [AllowedKey("manager", public_of(path).line)]
    found = read_approvals(estate, change.digest, estate=root, allowed=allowed, now=now)
    assert [(one.person, one.key) for one in found.valid] == [
        ("manager", public_of(path).fingerprint)
    ]


def test_ssh_keygen_believes_what_is_signed_here_by_every_kind_of_key(tmp_path: Path) -> None:
    pem, line = generate_key("manager")
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(pem)
    (tmp_path / "allowed").write_text(f"manager {line}\n")
    (tmp_path / "sig").write_text(sign(open_signer(path), APPROVAL, b"message"))
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "allowed"), "-I", "manager"]
    done = subprocess.run(
        [*command, "-n", APPROVAL, "-s", str(tmp_path / "sig")],
        input=b"message",
        capture_output=True,
        check=False,
        env=os.environ | {"LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr
