"""Who asks, and what they may: tokens with fine-grained permissions, and an app's signed requests.

Sources: "Authenticating to the REST API", "Permissions required for GitHub Apps", "Generating a
JSON Web Token (JWT) for a GitHub App"; the sentences of the refusals are those that users report.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from forges.web import Request, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forges.people import Person

DOCS = "https://docs.github.com/rest"
LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 2}
FULL = {
    "administration": "write",
    "checks": "read",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for. One that does not see the repository is told there is none."""

    person: Person
    permissions: Mapping[str, str]
    sees: bool = True
    app: bool = False
    expires: datetime | None = None

    def allows(self, *needs: tuple[str, str]) -> bool:
        """Whether one of them is granted; what asks nothing and metadata are anybody's."""
        return not needs or any(self._has(name, level) for name, level in needs)

    def _has(self, name: str, level: str) -> bool:
        if name == "metadata":
            return True
        return LEVELS[self.permissions.get(name, "none")] >= LEVELS[level]


def message(status: int, text: str, docs: str = DOCS) -> dict[str, Any]:
    """The body of every refusal; `status` is a string there."""
    return {"message": text, "documentation_url": docs, "status": str(status)}


def bearer(request: Request) -> str | None:
    """The token of the request: `Bearer` and `token` mean the same."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in {"bearer", "token"} else None


def forbid(grant: Grant, *needs: tuple[str, str]) -> NoReturn:
    """403 for a token that sees the repository but may not do this; `;` is "or" in the header."""
    kind = "integration" if grant.app else "personal access token"
    either = "; ".join("=".join(one) for one in needs)
    body = message(403, f"Resource not accessible by {kind}")
    refuse(403, body, X_Accepted_GitHub_Permissions=either)


def check_app_token(token: str, public_key: bytes, app_id: str, now: datetime) -> None:
    """Refuse what is not a JWT of this app, signed RS256 and alive for ten minutes at most."""
    undecodable = message(401, "A JSON web token could not be decoded")
    try:
        head, claims, signature = (_decode(part) for part in token.split("."))
        header, body = json.loads(head), json.loads(claims)
    except (ValueError, binascii.Error):
        refuse(401, undecodable)
    signed = token.rpartition(".")[0].encode()
    if header.get("alg") != "RS256" or not _verified(public_key, signature, signed):
        refuse(401, undecodable)
    _check_claims(body, app_id, now)


def _check_claims(body: dict[str, Any], app_id: str, now: datetime) -> None:
    seconds = now.timestamp()
    issued, expires = body.get("iat"), body.get("exp")
    if not isinstance(expires, int) or expires <= seconds:
        text = "'Expiration time' claim ('exp') must be a numeric value representing the future "
        refuse(401, message(401, text + "time at which the assertion expires"))
    if expires > seconds + 600:
        refuse(401, message(401, "'Expiration time' claim ('exp') is too far in the future"))
    if not isinstance(issued, int) or issued > seconds:
        text = "'Issued at' claim ('iat') must be an Integer representing the time that the "
        refuse(401, message(401, text + "assertion was issued"))
    if str(body.get("iss")) != app_id:
        refuse(401, message(401, "'Issuer' claim ('iss') must be an Integer"))


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _verified(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = load_pem_public_key(public_key)
    assert isinstance(key, RSAPublicKey)
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def an_hour_after(now: datetime) -> datetime:
    """How long an installation's token lives."""
    return now.astimezone(UTC) + timedelta(hours=1)
