"""SSH signatures, made and verified in this process.

The format is the one of `ssh-keygen -Y sign` (OpenSSH, PROTOCOL.sshsig), and a commit signed here
passes `git verify-commit`. To verify by `ssh-keygen` was refused: it is missing from slim images,
it wants key and allowed signers as files, and it costs a process per signature, which makes a
thousand commits take the better part of half a minute. It only signs, and only with keys that this
process cannot or should not read (see `keygen`).

A namespace keeps a signature from being used for another purpose: who has signed a commit has not
signed an approval.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from ordain.vcs.algorithms import Parsed, UnknownKindError, check
from ordain.vcs.errors import BadSignature
from ordain.vcs.keys import ED25519, Holder, PublicKey, Signer, holder
from ordain.vcs.known_signatures import commit_signers
from ordain.vcs.objects import is_id
from ordain.vcs.wire import Cursor, string

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ordain.vcs.git import Repository
    from ordain.vcs.keys import AllowedKey, AnySigner
    from ordain.vcs.objects import Commit

GIT = "git"
APPROVAL = "ordain-approval"
EMERGENCY = "ordain-emergency"
SNAPSHOT = "ordain-snapshot"
MAGIC = b"SSHSIG"
BEGIN = "-----BEGIN SSH SIGNATURE-----"
END = "-----END SSH SIGNATURE-----"
WIDTH = 70
DIGESTS = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}


def sign(signer: AnySigner, namespace: str, message: bytes) -> str:
    """Sign a message for one purpose; returns the armoured signature with a final line break.

    What another program or machine has signed is verified before it is believed.

    Raises:
        KeyUnusable: the key is elsewhere, and does not sign.
        BadSignature: what came from elsewhere does not hold, or is by another key.
    """
    if not isinstance(signer, Signer):
        armor = signer.armor(namespace, message)
        if not verify(armor, namespace, message).is_same(signer.public):
            raise _bad("the signature is by another key than the one that was to sign")
        return armor
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
    name, public = namespace.decode("utf-8"), PublicKey.from_blob(key)
    return Parsed(public, name, reserved, digest, algorithm, value, inner.data)


def _covered(namespace: bytes, reserved: bytes, digest: bytes, message: bytes) -> bytes:
    hashed = DIGESTS[digest](message).digest()
    return MAGIC + b"".join(string(part) for part in (namespace, reserved, digest, hashed))


def _check(parsed: Parsed, covered: bytes) -> None:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        check(parsed, covered)
    except InvalidSignature as error:
        raise _bad("the signature does not fit the signed content") from error
    except UnknownKindError as error:
        raise _bad(str(error)) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _bad(f"the signature is malformed: {error}") from error


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
