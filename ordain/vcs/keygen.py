"""Keys that sign where this process cannot reach them.

The keys of people are locked with a passphrase, held by an agent or stand on a security key, and
nobody should unlock one for us. `ssh-keygen -Y sign` knows all of these: it asks the agent, the
terminal or the token, and hands back a signature. So a key that is Ed25519 and open is used in the
process, as the reconciler's is, and every other one by that program. To speak with the agent
ourselves was refused: it would leave out passphrases, tokens and confirmations.

Whatever comes back is verified in the process before it is used (see `signatures.sign`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ordain.vcs.errors import KeyUnusable
from ordain.vcs.keys import (
    ED25519,
    AnySigner,
    PublicKey,
    parse_signer,
    public_half,
    read_key_file,
)

# Long enough to find the token and to type a passphrase twice.
PATIENCE: Final = 120.0
_KINDS: Final = (b"ssh-", b"ecdsa-", b"sk-")


@dataclass(frozen=True, slots=True)
class KeygenSigner:
    """A key that `ssh-keygen` signs with; `place` is the file of either half."""

    public: PublicKey
    place: Path
    patience: float = PATIENCE

    def armor(self, namespace: str, message: bytes) -> str:
        """The armoured signature; people may be asked for a passphrase, or to touch a token.

        Raises:
            KeyUnusable: there is no ssh-keygen, or it does not sign, or not in time.
        """
        with TemporaryDirectory(prefix="ordain-sign-") as name:
            # As a file, because standard input is where ssh-keygen may want a passphrase from.
            file = Path(name) / "message"
            file.write_bytes(message)
            command = ("ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.place))
            self._run((*command, str(file)))
            try:
                return file.with_name("message.sig").read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError) as error:
                raise _unusable(self.place, "ssh-keygen left no signature") from error

    def _run(self, command: tuple[str, ...]) -> None:
        # Where somebody sits at the terminal, questions go there and come from there.
        attended = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
        try:
            done = subprocess.run(
                command,
                env=os.environ | {"LC_ALL": "C"},
                stdin=None if attended else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if attended else subprocess.PIPE,
                timeout=self.patience,
                check=False,
            )
        except FileNotFoundError as error:
            raise KeyUnusable(
                f"{self.place} can only sign by ssh-keygen, which is not on the PATH",
                remedy="install openssh-client, or sign elsewhere: ordain approve … --statement",
            ) from error
        except subprocess.TimeoutExpired as error:
            reason = f"nobody answered ssh-keygen within {self.patience:g} s"
            raise _unusable(self.place, reason) from error
        if done.returncode != 0:
            raise _refused(self.place, (done.stderr or b"").decode("utf-8", "replace"))


def open_signer(place: Path) -> AnySigner:
    """What signs with the key in a file: a private key of any kind, or the public half of one.

    Raises:
        KeyUnusable: it cannot be read, is open to others, or is no key.
    """
    data = read_key_file(place)
    if data.startswith(_KINDS):
        return KeygenSigner(PublicKey.parse(data.decode("utf-8", "replace")), place)
    half = public_half(data)
    if half is None:
        # Older formats say nothing in the open.
        return _by_its_neighbour(data, place)
    if half.locked or half.public.algorithm != ED25519:
        return KeygenSigner(half.public, place)
    return parse_signer(data, str(place))


def _by_its_neighbour(data: bytes, place: Path) -> AnySigner:
    beside = place.with_name(f"{place.name}.pub")
    if b"PRIVATE KEY-----" not in data or not beside.is_file():
        return parse_signer(data, str(place))
    line = beside.read_text(encoding="utf-8", errors="replace")
    return KeygenSigner(PublicKey.parse(line), place)


def _refused(place: Path, error: str) -> KeyUnusable:
    """Why ssh-keygen did not sign, in words that lead on; what it said last where they are none."""
    if "incorrect passphrase" in error:
        remedy = f"unlock it for this session: ssh-add {place}, or sign at a terminal"
        return _unusable(place, "it is locked with a passphrase, and nobody unlocked it", remedy)
    if "agent refused" in error:
        return _unusable(place, "the agent refused to sign", "confirm it there, or see: ssh-add -l")
    if "No private key found" in error:
        return _unusable(place, _without_agent(), f"start one, and add the key: ssh-add {place}")
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    # At a terminal it has told the person who sits there, and not us.
    said = f"ssh-keygen refused: {lines[-1] if lines else 'its reason stands above'}"
    return _unusable(place, said)


def _without_agent() -> str:
    if not os.environ.get("SSH_AUTH_SOCK"):
        return "its private half is not beside it, and no agent runs (SSH_AUTH_SOCK is not set)"
    return "its private half is not beside it, and the agent has none for it"


def _unusable(place: Path, reason: str, remedy: str = "") -> KeyUnusable:
    return KeyUnusable(
        f"{place} did not sign: {reason}",
        remedy=remedy or f"try it by hand: echo x | ssh-keygen -Y sign -n test -f {place}",
    )
