"""Signatures of security keys (FIDO), made here by a token of software.

A real token cannot be plugged into a test, but what it would sign is public (PROTOCOL.u2f), and the
real ssh-keygen judges beside us whether the software has done it right.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from ordain.specs.kinds.checks import is_public_key
from ordain.vcs.errors import BadSignature
from ordain.vcs.keys import PublicKey
from ordain.vcs.signatures import BEGIN, END, verify
from ordain.vcs.wire import string

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMESPACE = b"ordain-approval"
MESSAGE = b"a statement"
TOUCHED = 0x01
VERIFIED = 0x04


@dataclass(frozen=True)
class Token:
    """A security key: its public half, and what it answers to be signed."""

    public: PublicKey
    sign: Callable[[bytes], bytes]
    application: bytes = b"ssh:"

    def armor(self, flags: int = TOUCHED, *, device: bytes | None = None) -> str:
        """What ssh-keygen would write with this token."""
        parts = (NAMESPACE, b"", b"sha512", sha512(MESSAGE).digest())
        covered = b"SSHSIG" + b"".join(map(string, parts))
        said = bytes([flags]) + (7).to_bytes(4, "big")
        signed = sha256(self.application).digest() + said + sha256(covered).digest()
        kind = self.public.algorithm.encode()
        inner = string(kind) + string(self.sign(signed)) + (said if device is None else device)
        blob = b"SSHSIG" + (1).to_bytes(4, "big")
        blob += b"".join(map(string, (self.public.blob, NAMESPACE, b"", b"sha512", inner)))
        text = base64.b64encode(blob).decode()
        lines = [text[start : start + 70] for start in range(0, len(text), 70)]
        return "\n".join([BEGIN, *lines, END]) + "\n"


def _ed25519() -> Token:
    key = ed25519.Ed25519PrivateKey.generate()
    point = key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    blob = b"".join(map(string, (b"sk-ssh-ed25519@openssh.com", point, b"ssh:")))
    return Token(PublicKey.from_blob(blob), key.sign)


def _mpint(number: int) -> bytes:
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _ecdsa() -> Token:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    kind = b"sk-ecdsa-sha2-nistp256@openssh.com"
    blob = b"".join(map(string, (kind, b"nistp256", point, b"ssh:")))

    def signed(data: bytes) -> bytes:
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return _mpint(r) + _mpint(s)

    return Token(PublicKey.from_blob(blob), signed)


@pytest.fixture(params=[_ed25519, _ecdsa], ids=["ed25519", "ecdsa"])
def token(request: pytest.FixtureRequest) -> Token:
    made: Token = request.param()
    return made


def _checked(armor: str) -> PublicKey:
    return verify(armor, NAMESPACE.decode(), MESSAGE)


@pytest.mark.parametrize("flags", [TOUCHED, TOUCHED | VERIFIED])
def test_a_touched_security_key_is_believed(token: Token, flags: int) -> None:
    assert _checked(token.armor(flags)) == token.public


@pytest.mark.parametrize("flags", [0, VERIFIED])
def test_a_signature_that_nobody_touched_the_token_for_is_refused(token: Token, flags: int) -> None:
    with pytest.raises(BadSignature) as caught:
        _checked(token.armor(flags))
    assert caught.value.message == (
        "the signature is malformed: nobody has touched the security key for it"
    )


def test_a_touch_cannot_be_added_afterwards(token: Token) -> None:
    later = bytes([TOUCHED]) + (7).to_bytes(4, "big")
    with pytest.raises(BadSignature, match="does not fit the signed content"):
        _checked(token.armor(0, device=later))


@pytest.mark.parametrize("device", [b"", b"\1", b"\1\0\0\0\7\0"])
def test_what_the_token_has_done_has_to_be_said_exactly(token: Token, device: bytes) -> None:
    with pytest.raises(BadSignature, match="does not say what the security key has done"):
        _checked(token.armor(device=device))


def test_a_signature_for_another_application_is_refused(token: Token) -> None:
    other = Token(token.public, token.sign, application=b"ssh:other")
    with pytest.raises(BadSignature, match="does not fit the signed content"):
        _checked(other.armor())


def test_the_organization_can_list_a_security_key(token: Token) -> None:
    assert is_public_key(token.public.line)


@pytest.mark.contract
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here")
def test_ssh_keygen_agrees_on_every_token(token: Token, tmp_path: Path) -> None:
    allowed, armor = tmp_path / "allowed", tmp_path / "sig"
    allowed.write_text(f"manager {token.public.line}\n")
    command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", "manager"]

    def believes(text: str) -> bool:
        armor.write_text(text)
        done = subprocess.run(
            [*command, "-n", NAMESPACE.decode(), "-s", str(armor)],
            input=MESSAGE,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    assert believes(token.armor())
    assert not believes(Token(token.public, token.sign, application=b"ssh:other").armor())
