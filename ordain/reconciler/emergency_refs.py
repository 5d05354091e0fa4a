"""Whether a push of an emergency is what it says: one statement, signed by whoever it names.

What the statement does is judged where it takes effect. Here it only has to be somebody's, so that
nobody can fill the place where production looks in an emergency. Its ref ends with its own commit,
so that no name can be taken by another content, and it stands on the proposal that it names. The
reconciler may bring what a person has signed, because a statement is made while the server is down
and pushed later.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from ordain.specs.people import RECONCILER
from ordain.vcs.approvals import SIGNATURE, STATEMENT
from ordain.vcs.errors import VcsError
from ordain.vcs.keys import holder
from ordain.vcs.signatures import verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ordain.vcs.git import Repository
    from ordain.vcs.keys import AllowedKey

EMERGENCIES: Final = "refs/ordain/emergencies/"
NAMESPACE: Final = "ordain-emergency"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


def emergency_problem(
    repository: Repository,
    ref: str,
    commit: str,
    *,
    pusher: str,
    keys: Sequence[AllowedKey],
    now: datetime,
) -> str:
    """Why a commit is no emergency statement that the pusher may bring; empty if it is one."""
    name, _, last = ref.removeprefix(EMERGENCIES).partition("/")
    if not _NAME.fullmatch(name) or last != commit:
        return f"{ref} is not named as an emergency is"
    try:
        person = _signer(repository, commit, keys, now)
    except VcsError as error:
        return f"the statement does not hold: {error.message}"
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return str(error) if type(error) is ValueError else "the statement is none of an emergency"
    return (
        "" if pusher in {person, RECONCILER} else f"{pusher} cannot push an emergency of {person}"
    )


def _signer(repository: Repository, commit: str, keys: Sequence[AllowedKey], now: datetime) -> str:
    """Who has signed the statement of a commit, if it is theirs and alone; ValueError if not."""
    text = repository.read(commit, STATEMENT)
    armor = repository.read(commit, SIGNATURE).decode("ascii", "replace")
    said = json.loads(text)
    person, proposal = said["person"], said["proposal"]
    found = holder(verify(armor, NAMESPACE, text), keys, now)
    if found.person is None or found.person != person:
        reason = found.reason or f"{found.person} has signed it"
        raise ValueError(f"the statement is of {person}: {reason}")
    beside = set(repository.tree(commit)) - {STATEMENT, SIGNATURE}
    if beside or repository.commit(commit).parents != (proposal,):
        raise ValueError("the statement is not alone on the proposal that it names")
    return found.person
