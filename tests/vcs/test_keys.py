"""Keys: reading, refusing, and finding whose they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ordain.vcs.errors import KeyUnusable
from ordain.vcs.keys import AllowedKey, PublicKey, generate_key, holder, load_signer, parse_signer

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def _file(tmp_path: Path, content: bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_generated_key_can_be_loaded_and_matches_its_public_line(tmp_path: Path) -> None:
    pem, line = generate_key("manager of\ncredit risk")
    signer = load_signer(_file(tmp_path, pem))
    public = PublicKey.parse(line)
    assert line.startswith("ssh-ed25519 AAAA")
    assert public.comment == "manager of credit risk"
    assert signer.public.is_same(public)
    assert signer.public == public
    assert "private" not in repr(signer)


def test_two_keys_are_never_the_same() -> None:
    assert generate_key("a")[1] != generate_key("a")[1]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = _file(tmp_path, generate_key("x")[0], mode)
    with pytest.raises(KeyUnusable) as caught:
        load_signer(path)
    assert caught.value.message == (
        f"the private key {path} can be read by others (mode {mode:04o})"
    )
    assert f"chmod 600 {path}" in caught.value.remedy


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="No such file or directory"):
        load_signer(tmp_path / "key")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"ssh-ed25519 AAAA",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!\n-----END OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    ],
)
def test_something_else_is_not_a_key(tmp_path: Path, content: bytes) -> None:
    path = _file(tmp_path, content)
    with pytest.raises(KeyUnusable) as caught:
        load_signer(path)
    assert caught.value.message == f"{path} is not an OpenSSH private key"


def test_a_key_of_another_kind_does_not_sign() -> None:
    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    with pytest.raises(KeyUnusable, match="is not Ed25519"):
        parse_signer(pem, "rsa")


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 ???", "ssh-ed25519 AAAA", "ssh-rsa {blob}"]
)
def test_a_line_that_is_no_public_key_is_refused(line: str) -> None:
    blob = generate_key("x")[1].split()[1]
    with pytest.raises(KeyUnusable, match=r"^not a public key: "):
        PublicKey.parse(line.format(blob=blob))


def _allowed(line: str, person: str = "manager", **limits: object) -> AllowedKey:
    return AllowedKey(person, line, **limits)  # type: ignore[arg-type]


def test_a_good_key_speaks_for_its_person_whatever_its_comment() -> None:
    _, line = generate_key("x")
    key = PublicKey.parse(line.replace(" x", " somebody else"))
    other = _allowed(generate_key("y")[1], "cto")
    assert holder(key, [other, _allowed(line)], NOW).person == "manager"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"revoked": True}, "is revoked"),
        ({"valid_until": NOW}, "expired on 2026-11-20"),
        ({"valid_until": NOW - DAY}, "expired on 2026-11-19"),
        ({"valid_from": NOW + DAY}, "is not valid before 2026-11-21"),
    ],
)
def test_a_dead_key_speaks_for_nobody(limits: dict[str, Any], reason: str) -> None:
    _, line = generate_key("x")
    key = PublicKey.parse(line)
    found = holder(key, [_allowed(line, **limits)], NOW)
    assert found.person is None
    assert found.reason == f"key {key.fingerprint} of manager {reason}"


def test_a_key_is_good_up_to_its_last_moment() -> None:
    _, line = generate_key("x")
    entry = _allowed(line, valid_from=NOW, valid_until=NOW + DAY)
    assert holder(PublicKey.parse(line), [entry], NOW).person == "manager"


def test_a_renewed_entry_counts_and_a_revoked_one_kills_all() -> None:
    _, line = generate_key("x")
    key = PublicKey.parse(line)
    old, new = _allowed(line, valid_until=NOW - DAY), _allowed(line)
    assert holder(key, [old, new], NOW).person == "manager"
    found = holder(key, [old, new, _allowed(line, revoked=True)], NOW)
    assert found.reason == f"key {key.fingerprint} of manager is revoked"


def test_a_shared_key_speaks_for_neither() -> None:
    _, line = generate_key("x")
    key = PublicKey.parse(line)
    found = holder(key, [_allowed(line), _allowed(line, "cto")], NOW)
    assert (found.person, found.reason) == (
        None,
        f"key {key.fingerprint} is listed for cto and manager",
    )


def test_a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list() -> None:
    key = PublicKey.parse(generate_key("x")[1])
    with pytest.raises(KeyUnusable):
        holder(key, [_allowed("ssh-ed25519 broken")], NOW)
    assert holder(key, [], NOW).reason == f"key {key.fingerprint} is nobody's"
