"""Which kinds of keys are believed, and how a signature of each is checked.

These are the kinds that `ssh-keygen -Y verify` takes, without DSA, certificates and RSA keys that
are too short: Ed25519, ECDSA on the three curves, RSA from 2048 bits on, and the first two on a
security key (FIDO). A security key says in its signature whether somebody has touched it; a
signature that was made without a touch proves only that it was plugged in, and is refused.

Sources: RFC 4253 (RSA), RFC 5656 (ECDSA), RFC 8332 (RSA with SHA-2), RFC 8709 (Ed25519), OpenSSH's
PROTOCOL.u2f (security keys).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ordain.vcs.keys import ED25519, PublicKey
from ordain.vcs.wire import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable

RSA_SIGNATURES: Final = frozenset({"rsa-sha2-256", "rsa-sha2-512"})
SMALLEST_RSA: Final = 2048
SECURITY_KEYS: Final = frozenset(
    {"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"}
)
_TOUCHED: Final = 0x01
_COUNTED: Final = 5


@dataclass(frozen=True, slots=True)
class Parsed:
    """A signature taken apart; nothing of it is verified yet.

    `device` is what a security key adds: a byte of flags and how often it has signed.
    """

    key: PublicKey
    namespace: str
    reserved: bytes
    hash: bytes
    algorithm: str
    signature: bytes
    device: bytes = b""


class UnknownKindError(Exception):
    """Signatures of this kind, or of this kind of key, are not accepted."""


def check(parsed: Parsed, covered: bytes) -> None:
    """Check that the signature was made by the key over these bytes.

    Raises:
        UnknownKindError: the kind of the key or of the signature is not accepted.
        ValueError: key or signature is malformed, or too weak to prove anything.
        cryptography.exceptions.InvalidSignature: it does not hold.
    """
    kind = parsed.key.algorithm
    signatures = RSA_SIGNATURES if kind == "ssh-rsa" else {kind}
    if kind not in _CHECKS or parsed.algorithm not in signatures:
        message = f"a {parsed.algorithm} signature by a {kind} key is not accepted"
        raise UnknownKindError(message)
    _CHECKS[kind](parsed, covered)


def _check_ed25519(parsed: Parsed, covered: bytes) -> None:
    cursor = _key_fields(parsed.key)
    point = cursor.string()
    cursor.end()
    _refuse_device(parsed)
    _verify_ed25519(point, parsed.signature, covered)


def _check_ecdsa(parsed: Parsed, covered: bytes) -> None:
    cursor = _key_fields(parsed.key)
    name, point = cursor.string(), cursor.string()
    cursor.end()
    if name != parsed.key.algorithm.rpartition("-")[2].encode():
        raise ValueError("its curve is not the one it names")
    _refuse_device(parsed)
    _verify_ecdsa(name, point, parsed.signature, covered)


def _check_rsa(parsed: Parsed, covered: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    cursor = _key_fields(parsed.key)
    exponent, modulus = cursor.mpint(), cursor.mpint()
    cursor.end()
    _refuse_device(parsed)
    if modulus.bit_length() < SMALLEST_RSA:
        raise ValueError(f"an RSA key of fewer than {SMALLEST_RSA} bits proves nothing")
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    digest = hashes.SHA256() if parsed.algorithm == "rsa-sha2-256" else hashes.SHA512()
    key.verify(parsed.signature, covered, padding.PKCS1v15(), digest)


def _check_device_ed25519(parsed: Parsed, covered: bytes) -> None:
    cursor = _key_fields(parsed.key)
    point, application = cursor.string(), cursor.string()
    cursor.end()
    _verify_ed25519(point, parsed.signature, _by_device(parsed, application, covered))


def _check_device_ecdsa(parsed: Parsed, covered: bytes) -> None:
    cursor = _key_fields(parsed.key)
    name, point, application = cursor.string(), cursor.string(), cursor.string()
    cursor.end()
    if name != b"nistp256":
        raise ValueError("its curve is not the one it names")
    _verify_ecdsa(name, point, parsed.signature, _by_device(parsed, application, covered))


def _by_device(parsed: Parsed, application: bytes, covered: bytes) -> bytes:
    """What a security key signs instead of the message (PROTOCOL.u2f, "SSH U2F Signatures")."""
    if len(parsed.device) != _COUNTED:
        raise ValueError("it does not say what the security key has done")
    if not parsed.device[0] & _TOUCHED:
        raise ValueError("nobody has touched the security key for it")
    return sha256(application).digest() + parsed.device + sha256(covered).digest()


def _refuse_device(parsed: Parsed) -> None:
    if parsed.device:
        raise ValueError("something follows its end")


def _verify_ed25519(point: bytes, signature: bytes, message: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PublicKey,
    )

    Ed25519PublicKey.from_public_bytes(point).verify(signature, message)


def _verify_ecdsa(name: bytes, point: bytes, signature: bytes, message: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    curves: dict[bytes, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
        b"nistp256": (ec.SECP256R1(), hashes.SHA256()),
        b"nistp384": (ec.SECP384R1(), hashes.SHA384()),
        b"nistp521": (ec.SECP521R1(), hashes.SHA512()),
    }
    curve, digest = curves[name]
    numbers = Cursor(signature)
    encoded = utils.encode_dss_signature(numbers.mpint(), numbers.mpint())
    numbers.end()
    key = ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    key.verify(encoded, message, ec.ECDSA(digest))


def _key_fields(key: PublicKey) -> Cursor:
    cursor = Cursor(key.blob)
    cursor.string()
    return cursor


_CHECKS: Final[dict[str, Callable[[Parsed, bytes], None]]] = {
    ED25519: _check_ed25519,
    "ssh-rsa": _check_rsa,
    "ecdsa-sha2-nistp256": _check_ecdsa,
    "ecdsa-sha2-nistp384": _check_ecdsa,
    "ecdsa-sha2-nistp521": _check_ecdsa,
    "sk-ssh-ed25519@openssh.com": _check_device_ed25519,
    "sk-ecdsa-sha2-nistp256@openssh.com": _check_device_ecdsa,
}
