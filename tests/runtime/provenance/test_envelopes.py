from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from ordain.runtime.errors import ProvenanceError
from ordain.runtime.provenance.dsse import pre_authentication, read_keys, seal, unseal
from ordain.specs.canonical import canonical_json
from ordain.vcs.keys import PublicKey, generate_key, parse_signer

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.vcs.keys import Signer

KIND = "application/vnd.in-toto+json"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return parse_signer(generate_key("the machine")[0], "a key of the tests")


@pytest.fixture(scope="module")
def stranger() -> Signer:
    return parse_signer(generate_key("somebody")[0], "a key of the tests")


def test_what_is_signed_is_that_of_the_specification() -> None:
    # The example of DSSE's protocol.md.
    found = pre_authentication("http://example.com/HelloWorld", b"hello world")
    assert found == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_are_those_of_bytes() -> None:
    assert pre_authentication("é", b"x") == "DSSEv1 2 é 1 x".encode()


def test_a_payload_comes_back_with_the_key_that_signed_it(signer: Signer, stranger: Signer) -> None:
    envelope = seal(KIND, b'{"a":1}', signer)
    payload, key = unseal(envelope, KIND, [stranger.public, signer.public])
    assert payload == b'{"a":1}'
    assert key.is_same(signer.public)


def test_the_same_payload_has_the_same_envelope(signer: Signer) -> None:
    assert seal(KIND, b"x", signer) == seal(KIND, b"x", signer)


def test_the_signature_holds_for_openssl(signer: Signer, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    public = signer.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    envelope = json.loads(seal(KIND, b"payload", signer))
    (tmp_path / "key.pem").write_bytes(public)
    (tmp_path / "covered").write_bytes(pre_authentication(KIND, b"payload"))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in covered -sigfile sig"
    found = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False)
    assert found.returncode == 0, found.stderr


def changed(envelope: bytes, **fields: object) -> bytes:
    return canonical_json(json.loads(envelope) | fields)


def test_another_payload_type_or_signer_is_refused(signer: Signer, stranger: Signer) -> None:
    envelope = seal(KIND, b"payload", signer)
    refused = "none of the 1 keys that are trusted has signed the envelope"
    other = base64.b64encode(b"Payload").decode()
    foreign = json.loads(seal(KIND, b"payload", stranger))["signatures"]
    for data in (changed(envelope, payload=other), changed(envelope, signatures=foreign)):
        with pytest.raises(ProvenanceError) as caught:
            unseal(data, KIND, [signer.public])
        assert caught.value.message == refused
        assert caught.value.code == "RUN115"
    with pytest.raises(ProvenanceError) as caught:
        unseal(envelope, "application/vnd.cyclonedx+json", [signer.public])
    assert caught.value.message == (
        "the envelope holds 'application/vnd.in-toto+json', not 'application/vnd.cyclonedx+json'"
    )


def test_a_payload_cannot_change_its_type(signer: Signer) -> None:
    envelope = changed(seal(KIND, b"payload", signer), payloadType="text/plain")
    with pytest.raises(ProvenanceError):
        unseal(envelope, "text/plain", [signer.public])


def test_one_good_signature_among_others_is_enough(signer: Signer, stranger: Signer) -> None:
    both = [json.loads(seal(KIND, b"x", one))["signatures"][0] for one in (stranger, signer)]
    envelope = changed(seal(KIND, b"x", signer), signatures=both)
    assert unseal(envelope, KIND, [signer.public])[0] == b"x"


def test_nobody_is_trusted_where_no_key_is_listed(signer: Signer) -> None:
    with pytest.raises(ProvenanceError):
        unseal(seal(KIND, b"x", signer), KIND, [])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'{"payload":"eA==","payloadType":1,"signatures":[{"sig":"eA=="}]}',
        b'{"payload":"eA==","payloadType":"k","signatures":[]}',
        b'{"payload":"not base64!","payloadType":"k","signatures":[{"sig":"eA=="}]}',
        b'{"payload":"eA==","payloadType":"k","signatures":"xx"}',
        b'{"payload":null,"payloadType":"k","signatures":[{"sig":"eA=="}]}',
        b"[" * 100_000,
        canonical_json({"payload": "", "payloadType": "k", "signatures": [{"sig": ""}] * 17}),
    ],
)
def test_what_is_no_envelope_is_said_to_be_none(data: bytes, signer: Signer) -> None:
    with pytest.raises(ProvenanceError, match="these bytes are no DSSE envelope"):
        unseal(data, "k", [signer.public])


def test_an_envelope_that_is_too_large_is_not_read(signer: Signer) -> None:
    with pytest.raises(ProvenanceError, match="4000001 bytes, 4000000 are allowed"):
        unseal(b" " * 4_000_001, KIND, [signer.public])


def test_a_key_of_another_kind_signs_nothing(signer: Signer) -> None:
    other = PublicKey("ssh-rsa", signer.public.blob)
    broken = PublicKey(signer.public.algorithm, signer.public.blob[:-1])
    with pytest.raises(ProvenanceError):
        unseal(seal(KIND, b"x", signer), KIND, [other, broken])


def test_keys_are_read_from_lines(signer: Signer) -> None:
    assert read_keys([signer.public.line]) == (signer.public,)
