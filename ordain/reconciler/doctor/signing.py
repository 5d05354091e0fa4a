"""Whether what is committed here will be signed, and by somebody whom the estate knows.

A commit that is not signed is refused by the gate, and a refused commit is found out late: after
the push, after the review. What git would do is read from its settings; nothing is signed to try.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ordain.reconciler.doctor.checks import NotThere, desk, need, ok, warn
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.vcs.keygen import open_signer
from ordain.vcs.keys import PublicKey, holder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.reconciler.doctor.checks import Answer, Surroundings

_YES: Final = frozenset({"true", "yes", "on", "1"})
_LITERAL: Final = ("ssh-", "ecdsa-", "sk-")


def signing(around: Surroundings) -> Answer:
    """Git signs every commit with an SSH key."""
    desk(around)
    settings = need(around.settings)
    wrong = [
        (name, f"git config {name} {value}")
        for name, value, good in (
            ("gpg.format", "ssh", settings.get("gpg.format") == "ssh"),
            ("user.signingkey", "~/.ssh/id_ed25519.pub", bool(settings.get("user.signingkey"))),
            ("commit.gpgsign", "true", settings.get("commit.gpgsign", "").lower() in _YES),
        )
        if not good
    ]
    if wrong:
        names = ", ".join(name for name, _ in wrong)
        remedy = " && ".join(command for _, command in wrong)
        return warn(f"commits will not be signed with an SSH key: set {names}", remedy)
    program = settings.get("gpg.ssh.program", "ssh-keygen")
    if shutil.which(program, path=around.environ.get("PATH")) is None:
        return warn(f"git signs by {program}, which is not on the PATH", "install openssh-client")
    return ok("every commit is signed with an SSH key")


def person(around: Surroundings) -> Answer:
    """The key belongs to a person of the Organization."""
    desk(around)
    settings = need(around.settings)
    public = _public(settings, around.environ)
    found = holder(public, allowed_keys(organization_of(need(around.estate))), around.now)
    if found.person is not None:
        return ok(f"{public.fingerprint} is a key of {found.person}")
    remedy = f"have this key listed in specs/organization.yaml: {public.line}"
    return warn(f"{found.reason}: commits by it will be refused", remedy)


def _public(settings: Mapping[str, str], environ: Mapping[str, str]) -> PublicKey:
    """The public half of the key that git would sign with."""
    named = settings.get("user.signingkey", "").removeprefix("key::")
    if not named:
        raise NotThere("git has no user.signingkey")
    if named.startswith(_LITERAL):
        return PublicKey.parse(named)
    path = Path(named)
    if named.startswith("~/"):
        path = Path(environ.get("HOME", "~")) / named[2:]
    beside = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
    if beside.is_file():
        return PublicKey.parse(beside.read_text(encoding="utf-8", errors="replace"))
    return open_signer(path).public
