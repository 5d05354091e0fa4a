"""SSH signatures, made and verified in this process.

The format is the one of `ssh-keygen -Y sign` (OpenSSH, PROTOCOL.sshsig), and a commit signed here
passes `git verify-commit`. `ssh-keygen` itself was refused: it is missing from slim images, it
wants key and allowed signers as files, and it costs a process per signature, which makes a
thousand commits take the better part of half a minute.

A namespace keeps a signature from being used for another purpose: who has signed a commit has not
signed an approval.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.vcs.errors import BadSignature
from ordain.vcs.keys import ED25519, Holder, PublicKey, holder
from ordain.vcs.known_signatures import commit_signers
from ordain.vcs.objects import is_id
from ordain.vcs.wire import Cursor, string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from ordain.vcs.git import Repository
    from ordain.vcs.keys import AllowedKey, Signer
    from ordain.vcs.objects import Commit

GIT = "git"
APPROVAL = "ordain-approval"
MAGIC = b"SSHSIG"
BEGIN = "-----BEGIN SSH SIGNATURE-----"
END = "-----END SSH SIGNATURE-----"
WIDTH = 70
DIGESTS = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}
RSA = {"rsa-sha2-256": "SHA256", "rsa-sha2-512": "SHA512"}
CURVES = {"ecdsa-sha2-nistp256": "SHA256", "ecdsa-sha2-nistp384": "SHA384"}
SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class Parsed:
    """A signature taken apart; nothing of it is verified yet."""

    key: PublicKey
    namespace: str
    reserved: bytes
    hash: bytes
    algorithm: str
    signature: bytes


def sign(signer: Signer, namespace: str, message: bytes) -> str:
    """Sign a message for one purpose; returns the armoured signature with a final line break."""
    name = namespace.encode()
    covered = _covered(name, b"", b"sha512", message)
    signature = string(ED25519.encode()) + string(signer.sign(covered))
    blob = (
        MAGIC
        + (1).to_bytes(4, "big")
        + b"".join(string(part) for part in (signer.public.blob, name, b"", b"sha512", signature))
    )
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
    return "\n".join([BEGIN, *lines, END]) + "\n"


def verify(armor: str, namespace: str, message: bytes) -> PublicKey:
    """The key that has signed exactly this message for exactly this purpose.

    That the signature holds says nothing about whose key it is: see `keys.holder`.

    Raises:
        BadSignature: it is malformed, for another purpose, of an unknown kind, or does not hold.
    """
    try:
        parsed = parse(armor)
    except ValueError as error:
        raise _bad(f"the signature is malformed: {error}") from error
    if parsed.namespace != namespace:
        raise _bad(f"the signature is for {parsed.namespace!r}, not for {namespace!r}")
    if parsed.hash not in DIGESTS:
        raise _bad(f"the signature uses an unknown hash {parsed.hash!r}")
    covered = _covered(namespace.encode(), parsed.reserved, parsed.hash, message)
    _check(parsed, covered)
    return parsed.key


def parse(armor: str) -> Parsed:
    """Take an armoured signature apart; ValueError when anything is out of place."""
    lines = armor.strip().splitlines()
    if len(lines) < 3 or lines[0] != BEGIN or lines[-1] != END:  # noqa: PLR2004
        raise ValueError("it has no SSH SIGNATURE frame")
    cursor = Cursor(base64.b64decode("".join(lines[1:-1]), validate=True))
    if cursor.take(len(MAGIC)) != MAGIC or cursor.uint32() != 1:
        raise ValueError("it is not of version 1")
    key, namespace, reserved, digest, signature = (cursor.string() for _ in range(5))
    cursor.end()
    inner = Cursor(signature)
    algorithm, value = inner.string().decode("ascii"), inner.string()
    inner.end()
    name = namespace.decode("utf-8")
    return Parsed(PublicKey.from_blob(key), name, reserved, digest, algorithm, value)


def _covered(namespace: bytes, reserved: bytes, digest: bytes, message: bytes) -> bytes:
    hashed = DIGESTS[digest](message).digest()
    return MAGIC + b"".join(string(part) for part in (namespace, reserved, digest, hashed))


def _check(parsed: Parsed, covered: bytes) -> None:
    """Dispatch on the kind of key; the kind of signature has to fit it."""
    from cryptography.exceptions import InvalidSignature

    kind = parsed.key.algorithm
    checks: dict[str, Callable[[Parsed, bytes], None]] = {ED25519: _check_ed25519}
    checks |= {"ssh-rsa": _check_rsa} | dict.fromkeys(CURVES, _check_ecdsa)
    fits = parsed.algorithm in RSA if kind == "ssh-rsa" else parsed.algorithm == kind
    if kind not in checks or not fits:
        raise _bad(f"a {parsed.algorithm} signature by a {kind} key is not accepted")
    try:
        checks[kind](parsed, covered)
    except InvalidSignature as error:
        raise _bad("the signature does not fit the signed content") from error
    except ValueError as error:
        raise _bad(f"the signature is malformed: {error}") from error


def _check_ed25519(parsed: Parsed, covered: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PublicKey,
    )

    cursor = _key_fields(parsed.key)
    key = Ed25519PublicKey.from_public_bytes(cursor.string())
    cursor.end()
    key.verify(parsed.signature, covered)


def _check_ecdsa(parsed: Parsed, covered: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    curves = {b"nistp256": ec.SECP256R1(), b"nistp384": ec.SECP384R1()}
    cursor = _key_fields(parsed.key)
    name, point = cursor.string(), cursor.string()
    cursor.end()
    if name != parsed.key.algorithm.rpartition("-")[2].encode():
        raise ValueError("its curve is not the one it names")
    key = ec.EllipticCurvePublicKey.from_encoded_point(curves[name], point)
    numbers = Cursor(parsed.signature)
    signature = utils.encode_dss_signature(numbers.mpint(), numbers.mpint())
    numbers.end()
    digest = hashes.SHA256() if name == b"nistp256" else hashes.SHA384()
    key.verify(signature, covered, ec.ECDSA(digest))


def _check_rsa(parsed: Parsed, covered: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    cursor = _key_fields(parsed.key)
    exponent, modulus = cursor.mpint(), cursor.mpint()
    cursor.end()
    if modulus.bit_length() < SMALLEST_RSA:
        raise ValueError(f"an RSA key of fewer than {SMALLEST_RSA} bits proves nothing")
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    digest = hashes.SHA256() if parsed.algorithm == "rsa-sha2-256" else hashes.SHA512()
    key.verify(parsed.signature, covered, padding.PKCS1v15(), digest)


def _key_fields(key: PublicKey) -> Cursor:
    cursor = Cursor(key.blob)
    cursor.string()
    return cursor


def _bad(message: str) -> BadSignature:
    return BadSignature(message, remedy="have it signed again with a key the estate lists")


def commit_signer(commit: Commit, allowed: Iterable[AllowedKey], now: datetime) -> Holder:
    """Who has signed a commit, or the reason why nobody has; author and committer do not matter."""
    try:
        key = commit_key(commit)
    except BadSignature as error:
        return Holder(None, error.message)
    return holder(key, allowed, now)


def commit_key(commit: Commit) -> PublicKey:
    """The key that has signed a commit, whoever's it is.

    Raises:
        BadSignature: there is no signature, or none that holds.
    """
    if commit.signature is None:
        raise _bad("the commit is not signed")
    if not commit.signature.startswith(BEGIN):
        raise _bad("the commit is not signed with an SSH key")
    return verify(commit.signature, GIT, commit.payload)


def signed_by(
    repository: Repository, revision: str, allowed: Iterable[AllowedKey], now: datetime
) -> str | None:
    """The person who has signed a commit, as far as keys are good at `now`; see `commit_signer`."""
    commit = revision if is_id(revision) else repository.resolve(revision)
    return commit_signers(repository, [commit], allowed, now)[0]
