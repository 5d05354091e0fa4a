"""People, their keys, teams and roles; read from the base commit, never from the change."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.checks import PUBLIC_KEY
from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Bool, Instant, Int, Name, about

Role = Literal["data-scientist", "validator", "manager", "compliance-manager", "cto", "auditor"]
Approver = Literal["manager", "compliance-manager", "cto", "validator"]


@declared
class Key:
    """A public SSH key and the time in which it counts."""

    public: Annotated[
        str,
        about(
            "the public key line, such as `ssh-ed25519 AAAA...`",
            pattern=r"^(ssh-|ecdsa-|sk-)",
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
class Account:
    """An account on a forge; people may have several, and an account is one person's."""

    forge: Annotated[
        Literal["github", "gitlab", "git"],
        about("where the account is; `git` is a plain git server that asks for a name"),
    ]
    login: Annotated[str, about("its name there", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]*$")]
    id: Annotated[
        Int | None,
        about("its number there, because a name can be given up and taken by somebody else", ge=1),
    ] = None

    def __post_init__(self) -> None:
        """A name alone says nothing of who had it when."""
        if (self.id is None) != (self.forge == "git"):
            message = "an account of github or gitlab has its number as `id`, one of git has none"
            raise ValueError(message)


@declared
class Person:
    """Someone who commits, approves or reads; all their accounts and keys are one person."""

    name: Annotated[Name, about("what approvals and findings call them")]
    roles: Annotated[tuple[Role, ...], about("what they may do", min_length=1)]
    team: Annotated[Name, about("independence is judged between teams")]
    keys: Annotated[tuple[Key, ...], about("keys that sign their commits and approvals")] = ()
    accounts: Annotated[
        tuple[Account, ...],
        about("their accounts on forges; plain git without a server knows people by key"),
    ] = ()
    emails: Annotated[
        tuple[str, ...],
        about("addresses that commits name them by, as author or co-author; they prove nothing"),
    ] = ()


@declared
class Reconciler:
    """The machine account that writes promotions."""

    keys: Annotated[
        tuple[Key, ...],
        about("public halves; the private half never is in git", min_length=1),
    ]


@declared
class Review:
    """Files whose change somebody looks at, beyond what every estate asks for."""

    paths: Annotated[
        tuple[str, ...],
        about("patterns of paths, such as `specs/models/**`", min_length=1),
    ]
    roles: Annotated[
        tuple[Approver, ...],
        about("each is filled by another person who did not contribute", min_length=1),
    ]


@declared
class Organization:
    """Who is who."""

    people: Annotated[tuple[Person, ...], about("everyone whose signature counts", min_length=1)]
    reconciler: Annotated[Reconciler, about("the machine account")]
    reviews: Annotated[
        tuple[Review, ...],
        about("approvals that changes of some files need besides those of their kinds"),
    ] = ()
