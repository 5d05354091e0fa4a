"""The keys of an Organization in the files that OpenSSH and git read.

Whoever has nothing but git can then see who has signed what: `git verify-commit` by
`gpg.ssh.allowedSignersFile` and `gpg.ssh.revocationFile`, statements by `ssh-keygen -Y verify -f
ALLOWED -r REVOKED`. These tools ask whether a key was good at the time that a commit claims, and
whoever has stolen an expired key can claim any. Ordain asks whether it is good now. Where the two
differ, ordain's answer is the one that counts, and a revoked key is refused by both.

A revoked key is in the second file only, and a key that is listed for two people in none: it speaks
for neither. Times are in UTC, which OpenSSH understands from 9.1 on. Source: ssh-keygen(1),
ALLOWED SIGNERS and -r.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from ordain.vcs.keys import PublicKey
from ordain.vcs.signatures import APPROVAL, EMERGENCY, GIT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ordain.vcs.keys import AllowedKey

# What a person signs here: commits, approvals, emergency actions.
NAMESPACES: Final = (GIT, APPROVAL, EMERGENCY)
_TIME: Final = "%Y%m%d%H%M%SZ"


def allowed_signers(keys: Iterable[AllowedKey]) -> str:
    """The lines of an allowed signers file, one for each entry, by person."""
    listed = list(keys)
    dead = _dead(listed)
    lines = [
        _line(one, public)
        for one in listed
        if (public := PublicKey.parse(one.public)).blob not in dead
    ]
    return "".join(f"{line}\n" for line in sorted(lines))


def revoked_keys(keys: Iterable[AllowedKey]) -> str:
    """The public keys that never count again, one on a line; nothing where there are none."""
    found = {_bare(PublicKey.parse(one.public)) for one in keys if one.revoked}
    return "".join(f"{line}\n" for line in sorted(found))


def _dead(keys: Iterable[AllowedKey]) -> set[bytes]:
    """The keys that speak for nobody, at no time."""
    people: dict[bytes, set[str]] = {}
    revoked: set[bytes] = set()
    for one in keys:
        blob = PublicKey.parse(one.public).blob
        people.setdefault(blob, set()).add(one.person)
        if one.revoked:
            revoked.add(blob)
    return revoked | {blob for blob, names in people.items() if len(names) > 1}


def _line(one: AllowedKey, public: PublicKey) -> str:
    options = [f'namespaces="{",".join(NAMESPACES)}"']
    if one.valid_from is not None:
        options.append(f'valid-after="{_instant(one.valid_from)}"')
    if one.valid_until is not None:
        options.append(f'valid-before="{_instant(one.valid_until)}"')
    return f"{one.person} {','.join(options)} {_bare(public)}"


def _bare(public: PublicKey) -> str:
    """The key without its comment, which anybody could have written."""
    return PublicKey(public.algorithm, public.blob).line


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).strftime(_TIME)
