"""People, their keys, teams and roles; read from the base commit, never from the change."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from ordain.specs.kinds.checks import PUBLIC_KEY
from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Bool, Instant, Name, about

Role = Literal["data-scientist", "validator", "manager", "compliance-manager", "cto", "auditor"]


@declared
class Key:
    """A public SSH key and the time in which it counts."""

    public: Annotated[
        str,
        about(
            "the public key line, such as `ssh-ed25519 AAAA...`",
            pattern=r"^(ssh-|ecdsa-)",
            check=PUBLIC_KEY,
        ),
    ]
    valid_from: Annotated[
        Instant | None,
        about("the key does not count before this instant"),
    ] = None
    valid_until: Annotated[
        Instant | None,
        about("the key does not count from this instant on, whatever a commit's date says"),
    ] = None
    revoked: Annotated[
        Bool,
        about("a revoked key never counts again, for the past neither"),
    ] = False


@declared
class Person:
    """Someone who commits, approves or reads; all their logins and keys are one person."""

    name: Annotated[Name, about("what approvals and findings call them")]
    roles: Annotated[tuple[Role, ...], about("what they may do", min_length=1)]
    team: Annotated[Name, about("independence is judged between teams")]
    keys: Annotated[tuple[Key, ...], about("keys that sign their commits and approvals")] = ()
    logins: Annotated[
        dict[str, str],
        about(
            "their account on each forge, such as `github: login`; plain git knows people by key"
        ),
    ] = field(default_factory=dict)


@declared
class Reconciler:
    """The machine account that writes promotions."""

    keys: Annotated[
        tuple[Key, ...],
        about("public halves; the private half never is in git", min_length=1),
    ]


@declared
class Organization:
    """Who is who."""

    people: Annotated[tuple[Person, ...], about("everyone whose signature counts", min_length=1)]
    reconciler: Annotated[Reconciler, about("the machine account")]
