"""A signature that was made on another machine, over bytes that were carried there.

The key of an approver may be on a machine that has no clone, or no network. Bytes go there,
`ssh-keygen -Y sign` signs them, and the signature comes back as a file. Nothing that comes back is
believed: the signature is verified over bytes that are made again here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ordain.vcs.keys import PublicKey


@dataclass(frozen=True, slots=True)
class Detached:
    """The key that is said to have signed, and its armoured signature."""

    public: PublicKey
    text: str

    def armor(self, namespace: str, message: bytes) -> str:  # noqa: ARG002 - see `signatures.sign`
        """The signature that came; `signatures.sign` verifies what it is for and over."""
        return self.text
