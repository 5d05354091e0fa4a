"""Signatures hold for one message, one purpose and one key."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.errors import BadSignature
from ordain.vcs.keys import AllowedKey, Signer, generate_key, parse_signer
from ordain.vcs.objects import Identity
from ordain.vcs.signatures import BEGIN, END, commit_signer, sign, signed_by, verify
from ordain.vcs.wire import string

if TYPE_CHECKING:
    from datetime import datetime

    from ordain.vcs.git import Repository
    from tests.vcs.conftest import Cast


@pytest.fixture(scope="module")
def signer() -> Signer:
    return parse_signer(generate_key("x")[0], "x")


def _frame(blob: bytes) -> str:
    return f"{BEGIN}\n{base64.b64encode(blob).decode()}\n{END}\n"


def _blob(armor: str) -> bytes:
    return base64.b64decode("".join(armor.splitlines()[1:-1]))


@pytest.mark.parametrize("message", [b"", b"x", b"\x00\xff" * 100_000])
def test_a_signature_names_its_key(signer: Signer, message: bytes) -> None:
    assert verify(sign(signer, "git", message), "git", message) == signer.public


def test_a_changed_message_does_not_pass(signer: Signer) -> None:
    with pytest.raises(BadSignature, match=r"^the signature does not fit the signed content$"):
        verify(sign(signer, "git", b"a"), "git", b"b")


def test_a_signature_for_one_purpose_is_none_for_another(signer: Signer) -> None:
    armor = sign(signer, "git", b"a")
    with pytest.raises(BadSignature) as caught:
        verify(armor, "ordain-approval", b"a")
    assert caught.value.message == "the signature is for 'git', not for 'ordain-approval'"
    forged = _frame(_blob(armor).replace(b"\0\0\0\3git", b"\0\0\0\x0fordain-approval"))
    with pytest.raises(BadSignature, match="does not fit"):
        verify(forged, "ordain-approval", b"a")


def test_a_changed_byte_anywhere_breaks_a_signature(signer: Signer) -> None:
    blob = bytearray(_blob(sign(signer, "git", b"a")))
    for position in range(len(blob)):
        blob[position] ^= 1
        with pytest.raises(BadSignature):
            verify(_frame(bytes(blob)), "git", b"a")
        blob[position] ^= 1


def test_a_cut_or_lengthened_signature_is_malformed(signer: Signer) -> None:
    blob = _blob(sign(signer, "git", b"a"))
    for end in range(0, len(blob), 7):
        with pytest.raises(BadSignature):
            verify(_frame(blob[:end]), "git", b"a")
    with pytest.raises(BadSignature, match="something follows its end"):
        verify(_frame(blob + b"\0"), "git", b"a")
    inner = blob[-(4 + 11 + 4 + 64) :]
    longer = blob[: -len(inner) - 4] + string(inner + b"\0")
    with pytest.raises(BadSignature, match="something follows its end"):
        verify(_frame(longer), "git", b"a")


@pytest.mark.parametrize(
    "armor", ["", "x", BEGIN, f"{BEGIN}\n{END}", f"{BEGIN}\n*\n{END}", f"{BEGIN}\nU1NI\n{END}"]
)
def test_something_else_is_not_a_signature(armor: str) -> None:
    with pytest.raises(BadSignature, match=r"^the signature is malformed: "):
        verify(armor, "git", b"a")


def test_the_key_of_another_does_not_fit(signer: Signer) -> None:
    other = parse_signer(generate_key("y")[0], "y")
    blob = _blob(sign(signer, "git", b"a")).replace(signer.public.blob, other.public.blob)
    with pytest.raises(BadSignature, match="does not fit"):
        verify(_frame(blob), "git", b"a")


def test_the_signer_of_a_commit_is_who_holds_the_key_not_who_it_names(
    estate: Repository, cast: Cast, now: datetime
) -> None:
    spoofed = Identity("cto", "cto@example.org")
    tree = estate.write_tree("HEAD", {"x": b"1"})
    head = estate.write_commit(tree, (), "x", spoofed, now, cast["data-scientist"].signer)
    assert estate.commit(head).author == spoofed
    assert signed_by(estate, head, cast.allowed, now) == "data-scientist"


def test_an_expired_key_stays_dead_in_a_back_dated_commit(
    estate: Repository, cast: Cast, now: datetime
) -> None:
    actor = cast["manager"]
    expired = AllowedKey("manager", actor.signer.public.line, valid_until=now - timedelta(days=1))
    long_ago = now - timedelta(days=400)
    tree = estate.write_tree("HEAD", {"x": b"1"})
    head = estate.write_commit(tree, (), "x", actor.who, long_ago, actor.signer)
    found = commit_signer(estate.commit(head), [expired], now)
    assert found.person is None
    assert found.reason.endswith("of manager expired on 2026-11-19")


def test_an_unsigned_and_an_edited_commit_have_no_signer(
    estate: Repository, cast: Cast, now: datetime
) -> None:
    actor = cast["manager"]
    tree = estate.write_tree("HEAD", {"x": b"1"})
    unsigned = estate.write_commit(tree, (), "x", actor.who, now)
    assert commit_signer(estate.commit(unsigned), cast.allowed, now).reason == (
        "the commit is not signed"
    )
    signed = estate.write_commit(tree, (), "x", actor.who, now, actor.signer)
    raw = estate.ask("cat-file", "commit", signed).out
    edited = estate._written(
        "hash-object", "-t", "commit", "-w", "--stdin", stdin=raw.replace(b"\n\nx", b"\n\ny")
    )
    assert commit_signer(estate.commit(edited), cast.allowed, now).reason == (
        "the signature does not fit the signed content"
    )
    assert signed_by(estate, edited, cast.allowed, now) is None


def test_a_commit_signed_otherwise_has_no_signer(estate: Repository, now: datetime) -> None:
    head = estate.ask("cat-file", "commit", "HEAD").out
    start, end = head.index(b"gpgsig "), head.index(b"\n\n")
    pgp = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    other = estate._written(
        "hash-object", "-t", "commit", "-w", "--stdin", stdin=head[:start] + pgp + head[end:]
    )
    assert commit_signer(estate.commit(other), [], now).reason == (
        "the commit is not signed with an SSH key"
    )
