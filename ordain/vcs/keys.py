"""SSH keys: who may have signed, and what signs.

People already have SSH keys, git already signs with them, and an examiner can check them with
`ssh-keygen` alone. GPG was refused (a keyring and an agent per machine), X.509 too (an authority
to run). New keys and signatures are Ed25519; verification takes what people bring.

An expired or revoked key is dead for everything, whatever date a signature claims: the date is
written by the one who signs, so whoever stole an old key would simply date back. A caller that
holds evidence of its own for when it first saw an object (a ledger entry, an anchor) passes that
moment as `now`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ordain.vcs.errors import KeyUnusable
from ordain.vcs.wire import Cursor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from ordain.vcs.objects import Identity

ED25519 = "ssh-ed25519"
FOREIGN = 0o077
_OPENSSH = b"openssh-key-v1\0"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key; `blob` is its encoding and its whole identity, the comment says nothing."""

    algorithm: str
    blob: bytes
    comment: str = field(default="", compare=False)

    @classmethod
    def parse(cls, line: str) -> PublicKey:
        """Read a line `algorithm base64 [comment]` as in an `.pub` file; `KeyUnusable` if not."""
        parts = line.split(None, 2)
        try:
            algorithm, text = parts[0], parts[1]
            key = cls.from_blob(base64.b64decode(text, validate=True))
        except (IndexError, ValueError) as error:
            raise _not_a_key(line) from error
        if key.algorithm != algorithm:
            raise _not_a_key(line)
        return cls(algorithm, key.blob, parts[2].strip() if len(parts) > 2 else "")  # noqa: PLR2004

    @classmethod
    def from_blob(cls, blob: bytes) -> PublicKey:
        """Read an encoded key; ValueError if it does not even name its algorithm."""
        return cls(Cursor(blob).string().decode("ascii"), blob)

    @property
    def line(self) -> str:
        text = base64.b64encode(self.blob).decode()
        return f"{self.algorithm} {text} {self.comment}".rstrip()

    @property
    def fingerprint(self) -> str:
        """`SHA256:` and the unpadded base64 of the digest, as `ssh-keygen -l` prints it."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def is_same(self, other: PublicKey) -> bool:
        return hmac.compare_digest(self.blob, other.blob)


def _not_a_key(line: str) -> KeyUnusable:
    return KeyUnusable(
        f"not a public key: {line[:60]!r}",
        remedy="paste one line of a .pub file, such as 'ssh-ed25519 AAAA… comment'",
    )


@dataclass(frozen=True, slots=True)
class AllowedKey:
    """A public key that speaks for a person, from `valid_from` until before `valid_until`.

    `public` is the line of a `.pub` file; None leaves the time open on that side.
    """

    person: str
    public: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revoked: bool = False

    def fault(self, now: datetime) -> str | None:
        """Why this key says nothing at `now`; None if it is good."""
        if self.revoked:
            return "is revoked"
        if self.valid_until is not None and now >= self.valid_until:
            return f"expired on {self.valid_until.date().isoformat()}"
        if self.valid_from is not None and now < self.valid_from:
            return f"is not valid before {self.valid_from.date().isoformat()}"
        return None


@dataclass(frozen=True, slots=True)
class Holder:
    """The answer to whose key this is: a person, or the reason why nobody's."""

    person: str | None
    reason: str = ""


def holder(key: PublicKey, allowed: Iterable[AllowedKey], now: datetime) -> Holder:
    """Find the one person for whom a key speaks at `now`.

    A key listed for two people speaks for neither, and one revoked entry kills all entries of the
    same key. `KeyUnusable` if a listed key cannot be read: a list that is wrong is never guessed.
    """
    entries = [entry for entry in allowed if key.is_same(PublicKey.parse(entry.public))]
    people = sorted({entry.person for entry in entries})
    if not entries:
        return Holder(None, f"key {key.fingerprint} is nobody's")
    if len(people) > 1:
        return Holder(None, f"key {key.fingerprint} is listed for {' and '.join(people)}")
    faults = [entry.fault(now) for entry in entries]
    if None in faults and not any(entry.revoked for entry in entries):
        return Holder(people[0])
    reason = "is revoked" if any(entry.revoked for entry in entries) else faults[0]
    return Holder(None, f"key {key.fingerprint} of {people[0]} {reason}")


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key that can sign; its secret shows in no representation."""

    public: PublicKey
    private: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, data: bytes) -> bytes:
        """64 bytes of Ed25519 over the data as it is; see `signatures.sign` for what SSH wraps."""
        return self.private.sign(data)


class Elsewhere(Protocol):
    """A private key that this process does not hold: in an agent, on a token, somewhere else."""

    @property
    def public(self) -> PublicKey:
        """The public half."""

    def armor(self, namespace: str, message: bytes) -> str:
        """The armoured signature of a message for one purpose; whoever asks verifies it."""


AnySigner = Signer | Elsewhere


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who acts: the id the estate knows them by, the name in commits, the key they hold."""

    person: str
    who: Identity
    signer: AnySigner


def generate_key(comment: str) -> tuple[bytes, str]:
    """A new Ed25519 key: the private half as OpenSSH PEM, the public half as one line.

    The operating system gives the randomness, here and nowhere else in this room.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
    )

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = parse_signer(pem, "a new key").public
    return pem, PublicKey(public.algorithm, public.blob, " ".join(comment.split())).line


def load_signer(path: Path | str) -> Signer:
    """Read a private key file (OpenSSH, Ed25519, without passphrase); see `keygen` for all others.

    Raises:
        KeyUnusable: it is missing, open to others, encrypted, or of another kind.
    """
    place = Path(path)
    return parse_signer(read_key_file(place), str(place))


def read_key_file(place: Path) -> bytes:
    """The bytes of a file that holds a key.

    Raises:
        KeyUnusable: it cannot be read, or it holds a private key and others can read it, too.
    """
    try:
        with place.open("rb") as file:
            data = file.read()
            if b"PRIVATE KEY" in data:
                _refuse_open(place, os.fstat(file.fileno()))
    except OSError as error:
        raise KeyUnusable(
            f"cannot read the private key {place}: {error.strerror}",
            remedy="name the file of your private key, or make one: ssh-keygen -t ed25519",
        ) from error
    return data


def _refuse_open(place: Path, status: os.stat_result) -> None:
    # The same rule as ssh: a file that is ours must be ours alone; another's file has its own say.
    mine = hasattr(os, "getuid") and status.st_uid == os.getuid()
    if mine and stat.S_IMODE(status.st_mode) & FOREIGN:
        raise KeyUnusable(
            f"the private key {place} can be read by others (mode "
            f"{stat.S_IMODE(status.st_mode):04o})",
            remedy=f"close it: chmod 600 {place}; if others could read it for long, replace it",
        )


def parse_signer(data: bytes, name: str) -> Signer:
    """Read a private key from bytes; `name` stands for it in errors, see `load_signer`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
    )

    half = public_half(data)
    if half is not None and half.locked:
        raise KeyUnusable(
            f"the private key {name} is locked with a passphrase",
            remedy=f"unlock it (ssh-keygen -p -N '' -f {name}), or make one only for signing",
        )
    try:
        private = serialization.load_ssh_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(
            f"{name} is not an OpenSSH private key",
            remedy="name the private half (without .pub), or make one: ssh-keygen -t ed25519",
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyUnusable(
            f"the private key {name} is not Ed25519, and only such keys sign here",
            remedy="make one: ssh-keygen -t ed25519",
        )
    line = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return Signer(PublicKey.parse(line.decode()), private)


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """What a private key file says in the open."""

    public: PublicKey
    locked: bool


def public_half(data: bytes) -> PublicHalf | None:
    """What a private key in OpenSSH's own format says in the open; None where it is none.

    Source: OpenSSH, PROTOCOL.key.
    """
    parts = data.split(b"-----")
    try:
        decoded = base64.b64decode(parts[2])
        if not decoded.startswith(_OPENSSH):
            return None
        cursor = Cursor(decoded.removeprefix(_OPENSSH))
        cipher = cursor.string()
        cursor.string(), cursor.string(), cursor.uint32()
        return PublicHalf(PublicKey.from_blob(cursor.string()), cipher != b"none")
    except (ValueError, IndexError, binascii.Error):
        return None
