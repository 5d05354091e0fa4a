"""Whether a push of an emergency is what it says: one statement, signed by whoever it names.

What the statement does is judged where it takes effect. Here it only has to be somebody's, so that
nobody can fill the place where production looks in an emergency. The reconciler may bring what a
person has signed, because a statement is made while the server is down and pushed later.
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
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*)?")


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
    if not _NAME.fullmatch(ref.removeprefix(EMERGENCIES)):
        return f"{ref} is not named as an emergency is"
    try:
        text = repository.read(commit, STATEMENT)
        armor = repository.read(commit, SIGNATURE).decode("ascii", "replace")
        person = json.loads(text)["person"]
        found = holder(verify(armor, NAMESPACE, text), keys, now)
    except VcsError as error:
        return f"the statement does not hold: {error.message}"
    except (ValueError, TypeError, KeyError, RecursionError):
        return "the statement is not JSON that names a person"
    if found.person is None or found.person != person:
        return f"the statement is of {person}: {found.reason or f'{found.person} has signed it'}"
    if pusher not in {person, RECONCILER}:
        return f"{pusher} cannot push an emergency of {person}"
    return ""
