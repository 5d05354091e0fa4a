"""Envelopes: a payload, its type, and signatures over both.

The format is DSSE 1.0 (secure-systems-lab/dsse, protocol.md), which in-toto and its verifiers read.
What is signed is the *pre-authentication encoding*, which covers the type as well, so that a
statement cannot be passed off as a bill of materials. Keys are the Ed25519 keys of the estate;
`keyid` is the fingerprint that `ssh-keygen -l` prints, and only a hint: every signature is held
against the keys that the caller trusts.

An SSH signature (PROTOCOL.sshsig) was refused here: it would do the same, and no verifier of
in-toto statements knows it.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Final

from ordain.runtime.errors import ProvenanceError
from ordain.specs.canonical import canonical_json
from ordain.vcs.keys import ED25519, PublicKey
from ordain.vcs.wire import Cursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ordain.vcs.keys import Signer

MAXIMUM_BYTES: Final = 4_000_000
MAXIMUM_SIGNATURES: Final = 16
REMEDY: Final = "let the reconciler propose the version again; never serve what it did not sign"


def seal(payload_type: str, payload: bytes, signer: Signer) -> bytes:
    """The envelope as canonical JSON; the same payload and key give the same bytes (RFC 8032)."""
    signature = signer.sign(pre_authentication(payload_type, payload))
    return canonical_json(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [
                {
                    "keyid": signer.public.fingerprint,
                    "sig": base64.b64encode(signature).decode(),
                }
            ],
        }
    )


def unseal(data: bytes, payload_type: str, trusted: Sequence[PublicKey]) -> tuple[bytes, PublicKey]:
    """The payload, and the trusted key that has signed it.

    Raises:
        ProvenanceError: these bytes are no envelope, it holds another type, or no key that is
            trusted has signed it.
    """
    found, payload, signatures = _parse(data)
    if found != payload_type:
        message = f"the envelope holds {found[:100]!r}, not {payload_type!r}"
        raise ProvenanceError(message, remedy=REMEDY)
    covered = pre_authentication(payload_type, payload)
    for key in trusted:
        if any(_holds(key, signature, covered) for signature in signatures):
            return payload, key
    message = f"none of the {len(trusted)} keys that are trusted has signed the envelope"
    raise ProvenanceError(message, remedy=REMEDY)


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """What a signature covers: `DSSEv1`, then type and payload, each after its length in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _parse(data: bytes) -> tuple[str, bytes, list[bytes]]:
    if len(data) > MAXIMUM_BYTES:
        message = f"the envelope has {len(data)} bytes, {MAXIMUM_BYTES} are allowed"
        raise ProvenanceError(message, remedy=REMEDY)
    try:
        raw = json.loads(data)
        kind, payload, listed = raw["payloadType"], raw["payload"], raw["signatures"]
        if not isinstance(kind, str) or not 1 <= len(listed) <= MAXIMUM_SIGNATURES:
            raise ValueError
        return kind, _bytes(payload), [_bytes(one["sig"]) for one in listed]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ProvenanceError("these bytes are no DSSE envelope", remedy=REMEDY) from error


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def _holds(key: PublicKey, signature: bytes, covered: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if key.algorithm != ED25519:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(_point(key)).verify(signature, covered)
    except (InvalidSignature, ValueError):
        return False
    return True


def _point(key: PublicKey) -> bytes:
    """The 32 bytes of an Ed25519 key in its SSH encoding (RFC 8709); ValueError if it is none."""
    cursor = Cursor(key.blob)
    cursor.string()
    point = cursor.string()
    cursor.end()
    return point


def read_keys(lines: Iterable[str]) -> tuple[PublicKey, ...]:
    """Public keys from their lines.

    Raises:
        KeyUnusable: a line is no public key.
    """
    return tuple(map(PublicKey.parse, lines))
