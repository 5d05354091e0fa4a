"""All checks in the order in which they are told, and the one place that runs them.

A check that cannot look is an answer too. Whoever runs this has trouble already, so a defect in one
check must not hide what the others see: this is the one place in the room that catches everything,
and it says that it did. The groups are imported one after another for the same reason: where a
library of the estate's checks is missing, those of the machine still say which.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from ordain.reconciler.doctor.checks import Answer, Check, Missing, NotThere, fail, skip
from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordain.reconciler.doctor.checks import State, Surroundings

    Named = tuple[tuple[str, Callable[[Surroundings], Answer]], ...]

_AGAIN: Final = "install ordain again into an environment of its own"


def _machine() -> Named:
    from ordain.reconciler.doctor import machine

    return (
        ("python", machine.python),
        ("packages", machine.packages),
        ("extras", machine.extras),
        ("libyaml", machine.libyaml),
        ("cel", machine.cel),
        ("bytecode", machine.bytecode),
        ("git", machine.git),
    )


def _checkout() -> Named:
    from ordain.reconciler.doctor import checkout

    return (
        ("repository", checkout.repository),
        ("estate", checkout.estate),
        ("commit", checkout.commit),
        ("branch", checkout.branch),
        ("remote", checkout.remote),
        ("packs", checkout.packs),
        ("lock", checkout.lock),
        ("schemas", checkout.schemas),
        ("hooks", checkout.hooks),
    )


def _signing() -> Named:
    from ordain.reconciler.doctor import signing

    return (("signing", signing.signing), ("person", signing.person))


def _stores() -> Named:
    from ordain.reconciler.doctor import stores

    return (
        ("home", stores.home),
        ("reconciler", stores.reconciler_key),
        ("state", stores.state),
        ("trust", stores.trust),
        ("ledger", stores.ledger),
        ("clock", stores.clock),
    )


def _forge() -> Named:
    from ordain.reconciler.doctor import protecting

    return (("forge", protecting.forge),)


def _protecting() -> Named:
    from ordain.reconciler.doctor import protecting

    return (
        ("workflow", protecting.workflow),
        ("protected", protecting.protected),
        ("check", protecting.required_check),
        ("queue", protecting.queue),
        ("strict", protecting.strict),
        ("approvals", protecting.approvals),
        ("stale", protecting.stale),
        ("owners", protecting.code_owners),
        ("codeowners", protecting.owners_file),
        ("pusher", protecting.last_pusher),
        ("author", protecting.author),
        ("admins", protecting.administrators),
        ("pushes", protecting.direct_push),
        ("rewriting", protecting.force_push),
        ("deletion", protecting.deletion),
        ("signed", protecting.signatures),
        ("rights", protecting.rights),
        ("time", protecting.clock),
    )


GROUPS: Final[tuple[tuple[str, Callable[[], Named]], ...]] = (
    ("machine", _machine),
    ("checkout", _checkout),
    ("signing", _signing),
    ("stores", _stores),
    ("forge", _forge),
)
# Asked with --forge, where the estate names a forge with accounts.
PROTECTING: Final = ("protection", _protecting)


def examine(around: Surroundings) -> Iterator[Check]:
    """The answer of every check; none of them raises."""
    for group, load in (*GROUPS, *([PROTECTING] if _has_accounts(around) else [])):
        try:
            checks = load()
        except ImportError as error:
            yield Check(group, *_parts(fail(f"its checks cannot be loaded: {error}", _AGAIN)))
            continue
        for name, look in checks:
            yield Check(name, *_parts(_asked(look, around)))


def _has_accounts(around: Surroundings) -> bool:
    if not around.forge or isinstance(around.source, Missing):
        return False
    return around.source.settings.forge.type != "git"


def _parts(answer: Answer) -> tuple[State, str, str]:
    return answer.state, answer.detail, answer.remedy


def _asked(look: Callable[[Surroundings], Answer], around: Surroundings) -> Answer:
    try:
        return look(around)
    except NotThere as error:
        return skip(f"not looked at: {error}")
    except OrdainError as error:
        return fail(error.message, error.remedy)
    except ImportError as error:
        return fail(f"a library cannot be loaded: {error}", _AGAIN)
    except (OSError, sqlite3.Error) as error:
        return fail(str(error), "check that it exists, is readable and is not damaged")
    except Exception as error:  # noqa: BLE001 - see the head of this module
        message = f"the check itself failed: {type(error).__name__}: {error}"
        return fail(message, "please report it, without what is confidential")
