"""The stub of GitHub gives an app a token for a request that the app has signed, and only then."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from forges import GitHubStub
from forges.asking import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

REPO = "/repos/owner/estate"
TOKENS = "/app/installations/7/access_tokens"


@pytest.fixture(scope="module")
def app_key() -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def app(app_key: RSAPrivateKey) -> Iterator[GitHubStub]:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    forms = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    with GitHubStub(public_key=app_key.public_key().public_bytes(*forms)) as stub:
        stub.install(7, {"pull_requests": "write"})
        yield stub


def signed(key: RSAPrivateKey, stub: GitHubStub, *, lives: int = 300, app: str = "123456") -> str:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    now = int(stub.now.timestamp())
    claims = {"iat": now - 60, "exp": now + lives, "iss": app}
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(key.sign(text, PKCS1v15(), SHA256())).rstrip(b"=")
    return (text + b"." + signature).decode()


def test_an_app_gets_a_token_for_an_hour(app: GitHubStub, app_key: RSAPrivateKey) -> None:
    made = ask(app, TOKENS, "POST", Authorization=f"Bearer {signed(app_key, app)}")
    token = f"Bearer {made.body['token']}"
    assert (made.status, made.body["expires_at"]) == (201, "2026-11-20T10:00:00Z")
    assert made.body["permissions"] == {"pull_requests": "write"}
    assert ask(app, f"{REPO}/pulls", Authorization=token).status == 200
    assert ask(app, "/user", Authorization=token).status == 403
    app.now += timedelta(hours=1)
    assert ask(app, f"{REPO}/pulls", Authorization=token).status == 401


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lives": 900}, "'Expiration time' claim ('exp') is too far in the future"),
        ({"lives": -1}, "'Expiration time' claim ('exp') must be a numeric value"),
        ({"app": "654321"}, "'Issuer' claim ('iss') must be an Integer"),
    ],
)
def test_an_app_token_with_wrong_claims_is_refused(
    app: GitHubStub, app_key: RSAPrivateKey, changes: dict[str, Any], sentence: str
) -> None:
    token = signed(app_key, app, **changes)
    got = ask(app, TOKENS, "POST", Authorization=f"Bearer {token}")
    assert got.status == 401
    assert got.body["message"].startswith(sentence)


def test_an_app_token_with_a_broken_signature_is_refused(
    app: GitHubStub, app_key: RSAPrivateKey
) -> None:
    head, claims, signature = signed(app_key, app).split(".")
    for token in (f"{head}.{claims}.{signature[::-1]}", "nonsense", ""):
        got = ask(app, TOKENS, "POST", Authorization=f"Bearer {token}")
        assert (got.status, got.body["message"]) == (401, "A JSON web token could not be decoded")
